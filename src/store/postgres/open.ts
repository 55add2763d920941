import { StoreError } from '../errors.ts';
import type { EventStore, StoreOptions } from '../port.ts';
import type { PostgresUrl } from '../url.ts';
import { Connections } from './connection.ts';
import { explain } from './errors.ts';
import { isForeign, migrate, SCHEMA_VERSION, versionOf } from './migrations.ts';
import { PostgresStore } from './store.ts';

/** How long a write waits for other processes, ms. */
const LOCK_TIMEOUT_MS = 10_000;

/** Opens the store in a schema of a PostgreSQL database, and makes it when it does not exist. */
export async function openPostgresStore(url: string, parsed: PostgresUrl, options: StoreOptions): Promise<EventStore> {
  const { connectionString, schema, place } = parsed;
  const lockTimeout = options.lockTimeout ?? LOCK_TIMEOUT_MS;
  const connections = new Connections({ connectionString, schema, place, lockTimeout });
  try {
    await prepare(connections, schema, options.create ?? true);
  } catch (error) {
    await connections.close();
    throw explain(error, place);
  }
  return new PostgresStore(url, connections, schema, options);
}

async function prepare(connections: Connections, schema: string, create: boolean): Promise<void> {
  const { place } = connections;
  const client = await connections.connect();
  try {
    let version = await versionOf(client, schema);
    const isTaken = version === null && (await isForeign(client, schema));
    // Another process may have made the tables between the two questions.
    if (isTaken) version = await versionOf(client, schema);
    if (version !== null && version > SCHEMA_VERSION) {
      const message = `The store has schema version ${version}; this pawl knows versions up to ${SCHEMA_VERSION}.`;
      throw new StoreError('PAWL_STORE_NEWER', message, { place });
    }
    if (version === null && isTaken) {
      throw new StoreError('PAWL_STORE_FOREIGN', `The schema "${schema}" holds tables of another program.`, {
        place,
        remedy: 'Name another schema, as in postgres://host/database?schema=pawl.',
      });
    }
    if (version === null && !create)
      throw new StoreError('PAWL_STORE_MISSING', `The database has no schema "${schema}" of pawl's.`, {
        place,
        remedy: 'Check the URL, or start a run first: that makes the tables.',
      });
    if (version !== SCHEMA_VERSION) await migrate(client, schema);
  } finally {
    await client.end();
  }
}
