/** Whether the file of a store is still in its place: SQLite works on in a file that was deleted, and then all of it is lost. */
import { statSync } from 'node:fs';
import { PawlError } from '../errors.ts';
import { parseStoreUrl } from '../store/url.ts';

/**
 * Remembers the file of a store that was opened.
 *
 * @returns says whether it has gone since, or another one stands in its place
 */
export function watchPresence(url: string): () => PawlError | null {
  const parsed = parseStoreUrl(url);
  const path = parsed.scheme === 'sqlite' ? parsed.path : null;
  if (path === null) return () => null;
  const before = statSync(path, { throwIfNoEntry: false });
  return () => {
    const now = statSync(path, { throwIfNoEntry: false });
    if (before === undefined || (now?.ino === before.ino && now.dev === before.dev)) return null;
    const what = now === undefined ? 'deleted' : 'replaced by another one';
    return new PawlError(
      'PAWL_STORE_MISSING',
      `The store was ${what} while it was in use: what was recorded is lost.`,
      {
        place: path,
        remedy:
          'Keep the files of a store (pawl.db, pawl.db-wal, pawl.db-shm) while pawl works; restore a backup, or start anew.',
      },
    );
  };
}
