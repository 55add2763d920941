/**
 * Opens a SQLite store: makes the directory and the file, refuses what is not ours, brings the tables up to date.
 * Nothing is written before it is certain that the file is ours or empty.
 */
import { accessSync, constants, lstatSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { makeDirectory } from '../../directories.ts';
import { StoreError } from '../errors.ts';
import type { EventStore, StoreOptions } from '../port.ts';
import type { SqliteUrl } from '../url.ts';
import { Connection } from './connection.ts';
import { loadSqlite } from './driver.ts';
import { explain, newer } from './errors.ts';
import { APPLICATION_ID, migrate, SCHEMA_VERSION } from './migrations.ts';
import { SqliteStore } from './store.ts';

const LOCK_TIMEOUT_MS = 10_000;

export async function openSqliteStore(url: string, parsed: SqliteUrl, options: StoreOptions): Promise<EventStore> {
  const place = parsed.path === null ? ':memory:' : parsed.path;
  if (parsed.path !== null) prepareFile(parsed.path, options.create ?? true);

  const DatabaseSync = await loadSqlite();
  let connection: Connection;
  try {
    const location = parsed.path === null ? ':memory:' : resolve(parsed.path);
    connection = new Connection(new DatabaseSync(location), place, options.lockTimeout ?? LOCK_TIMEOUT_MS);
  } catch (error) {
    throw explain(error, place);
  }
  try {
    connection.exec('PRAGMA busy_timeout = 0');
    await connection.patiently(() => inTransaction(connection, 'DEFERRED', () => refuseForeign(connection)));
    await connection.patiently(() => configure(connection, parsed));
    await connection.patiently(() => bringUpToDate(connection));
  } catch (error) {
    connection.close();
    throw error;
  }
  return new SqliteStore(url, connection, parsed.path === null, options);
}

/** Finds out what the system would say, before SQLite says only that it cannot open the file. */
function prepareFile(path: string, create: boolean): void {
  const file = statOf(path);
  if (file?.isDirectory()) {
    throw new StoreError('PAWL_STORE_DIRECTORY', 'A directory stands where the store file is meant to be.', {
      place: path,
    });
  }
  // An empty file becomes a store when somebody wants to write to one, not when somebody looks.
  if ((file === undefined || file.size === 0) && !create) {
    throw new StoreError('PAWL_STORE_MISSING', 'There is no store here.', { place: path });
  }
  const directory = dirname(resolve(path));
  try {
    if (file === undefined && isLink(path)) throw new StoreError('PAWL_STORE_OPEN', LOST_LINK, { place: path });
    if (file === undefined) makeDirectory(directory);
    accessSync(directory, constants.W_OK);
    if (file !== undefined) accessSync(path, constants.R_OK | constants.W_OK);
  } catch (error) {
    throw error instanceof StoreError ? error : explainAccess(error as NodeJS.ErrnoException, path);
  }
}

const LOST_LINK = 'The path is a link that leads to no file.';

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
}

function statOf(path: string) {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw explainAccess(error as NodeJS.ErrnoException, path);
  }
}

function explainAccess(error: NodeJS.ErrnoException, place: string): StoreError {
  const details = { system: error.message };
  switch (error.code) {
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new StoreError('PAWL_STORE_READONLY', 'This user may not write the store (the file, or its directory).', {
        place,
        details,
      });
    case 'ENOSPC':
      return new StoreError('PAWL_STORE_FULL', 'The disk that the store is on is full.', { place, details });
    case 'ENOTDIR':
    case 'EEXIST':
      return new StoreError('PAWL_STORE_OPEN', 'A part of the path is a file, not a directory.', { place, details });
    case 'ELOOP':
      return new StoreError('PAWL_STORE_OPEN', 'The links of the path lead in a circle.', { place, details });
    default:
      return new StoreError('PAWL_STORE_OPEN', `The store cannot be opened: ${error.message}.`, { place, details });
  }
}

/** In a transaction: it reads in several statements, and another process may make the store in between. */
function refuseForeign(connection: Connection): void {
  const { place } = connection;
  const { application_id: application } = connection.sql('PRAGMA application_id').get() as { application_id: number };
  const { user_version: version } = connection.sql('PRAGMA user_version').get() as { user_version: number };
  if (application !== APPLICATION_ID) {
    const { tables } = connection.sql('SELECT count(*) AS tables FROM sqlite_master').get() as { tables: number };
    if (application === 0 && version === 0 && tables === 0) return;
    throw new StoreError('PAWL_STORE_FOREIGN', 'The file is a SQLite database of another program.', { place });
  }
  if (version > SCHEMA_VERSION) throw newer(place, version);
}

/** WAL with FULL syncs every commit to the disk; on macOS only `fullfsync` makes that a true sync. */
function configure(connection: Connection, { path, durability }: SqliteUrl): void {
  if (path !== null) connection.exec('PRAGMA journal_mode = WAL');
  connection.exec(`PRAGMA synchronous = ${durability === 'full' ? 'FULL' : 'NORMAL'}`);
  if (durability === 'full') connection.exec('PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON');
}

function bringUpToDate(connection: Connection): void {
  inTransaction(connection, 'IMMEDIATE', () => {
    // Again, now with the lock: another process may have been faster.
    refuseForeign(connection);
    migrate(connection);
  });
}

function inTransaction(connection: Connection, kind: 'DEFERRED' | 'IMMEDIATE', work: () => void): void {
  connection.exec(`BEGIN ${kind}`);
  try {
    work();
    connection.exec('COMMIT');
  } catch (error) {
    connection.exec('ROLLBACK');
    throw error;
  }
}
