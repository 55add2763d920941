import type { EventStore, StoreOptions } from './port.ts';
import { openSqliteStore } from './sqlite/open.ts';
import { parseStoreUrl } from './url.ts';

/**
 * Opens the store at a URL, and makes it (with its directory) when it does not exist.
 *
 * @param url `sqlite:PATH`, `sqlite:PATH?durability=normal` (commits survive the death of the process, but the last ones
 *   not the loss of power), `sqlite::memory:`, or `postgres://USER:PASSWORD@HOST:PORT/DATABASE?schema=pawl`
 * @param options see `StoreOptions`; nothing is required
 * @returns the store; close it when done
 * @throws StoreError `PAWL_STORE_URL`, `_UNSUPPORTED`, `_MISSING`, `_DIRECTORY`, `_OPEN`, `_READONLY`, `_LOCKED`, `_FULL`, `_CORRUPT`,
 *   `_FOREIGN` (a file of another program), `_NEWER` (written by a newer pawl), `_IO`
 * @example
 * const store = await openStore('sqlite:.pawl/pawl.db');
 * const { runs } = await store.listRuns({ status: ['running'] });
 * await store.close();
 */
export async function openStore(url: string, options: StoreOptions = {}): Promise<EventStore> {
  const parsed = parseStoreUrl(url);
  if (parsed.scheme === 'sqlite') return openSqliteStore(url, parsed, options);
  // Most programs never need the driver.
  const { openPostgresStore } = await import('./postgres/open.ts');
  return openPostgresStore(url, parsed, options);
}
