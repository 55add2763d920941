import { StoreError } from '../errors.ts';
import { SCHEMA_VERSION } from './migrations.ts';

/** Primary result codes of SQLite (https://sqlite.org/rescode.html) that we tell apart. */
const ERROR = 1;
const BUSY = 5;
const LOCKED = 6;
const READONLY = 8;
const IOERR = 10;
const CORRUPT = 11;
const FULL = 13;
const CANTOPEN = 14;
const CONSTRAINT = 19;
const MISMATCH = 20;
const NOTADB = 26;

/** SQLite's own words for the codes, for errors without one: those of `all()` in `@photostructure/sqlite`. */
const MESSAGES: readonly (readonly [RegExp, number])[] = [
  [/no such (?:table|column)|has no column named/, ERROR],
  [/database is locked/, BUSY],
  [/table is locked/, LOCKED],
  [/readonly database/, READONLY],
  [/disk I\/O error/, IOERR],
  [/malformed/, CORRUPT],
  [/disk is full/, FULL],
  [/unable to open database/, CANTOPEN],
  [/not a database/, NOTADB],
];

function resultCode(error: unknown): number | null {
  const { code, errcode, message } = (error ?? {}) as { code?: unknown; errcode?: unknown; message?: unknown };
  if (typeof errcode === 'number') return errcode & 0xff;
  if (code !== 'ERR_SQLITE_ERROR') return null;
  return MESSAGES.find(([pattern]) => pattern.test(String(message)))?.[1] ?? null;
}

/** Another connection holds the lock that we want: worth trying again. */
export function isBusy(error: unknown): boolean {
  const code = resultCode(error);
  return code === BUSY || code === LOCKED;
}

/** Whether tables of another version could be the reason. */
export function mayBeNewer(error: unknown): boolean {
  if (error instanceof StoreError) return error.code === 'PAWL_STORE_CORRUPT';
  const code = resultCode(error);
  return code === ERROR || code === CONSTRAINT || code === MISMATCH;
}

/** A store of a schema version that this pawl does not know. */
export function newer(place: string, version: number): StoreError {
  const message = `The store has schema version ${version}; this pawl knows versions up to ${SCHEMA_VERSION}.`;
  return new StoreError('PAWL_STORE_NEWER', message, { place });
}

/** Says what an error of SQLite means for the store at `place`. What is not SQLite's error comes back as it is. */
export function explain(error: unknown, place: string): unknown {
  if (error instanceof StoreError) return error;
  const details = { sqlite: (error as { message?: string } | null)?.message };
  switch (resultCode(error)) {
    case BUSY:
    case LOCKED:
      return new StoreError('PAWL_STORE_LOCKED', 'Another program holds a lock on the store.', { place, details });
    case READONLY:
      return new StoreError('PAWL_STORE_READONLY', 'The store cannot be written.', { place, details });
    case FULL:
      return new StoreError('PAWL_STORE_FULL', 'The disk that the store is on is full.', { place, details });
    case CORRUPT:
      return new StoreError(
        'PAWL_STORE_CORRUPT',
        'The store is damaged: SQLite cannot make sense of a page of the file.',
        {
          place,
          details,
        },
      );
    case ERROR:
      // Our statements never change: if one does not fit the tables, the tables were changed.
      return new StoreError('PAWL_STORE_CORRUPT', 'The store is damaged: its tables are not those that pawl made.', {
        place,
        details,
      });
    case NOTADB:
      return new StoreError('PAWL_STORE_CORRUPT', 'The file is no SQLite database, or its first page is damaged.', {
        place,
        details,
        remedy: 'If it is a file of another kind, name another place; if it was a store, restore a backup.',
      });
    case CANTOPEN:
      return new StoreError('PAWL_STORE_OPEN', 'The store cannot be opened.', { place, details });
    case IOERR:
      return new StoreError('PAWL_STORE_IO', 'The system failed to read or write the store.', { place, details });
    default:
      break;
  }
  // A statement or a connection that is used after close(): the libraries say so in different words.
  if ((error as { code?: unknown } | null)?.code === 'ERR_INVALID_STATE') return closed(place);
  return error;
}

export function closed(place: string): StoreError {
  return new StoreError('PAWL_STORE_CLOSED', 'The store was closed.', { place });
}
