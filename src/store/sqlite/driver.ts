/**
 * The SQLite library: `node:sqlite` where its SQLite is sound, else `@photostructure/sqlite`, which has the same API.
 */

/** What we use of `DatabaseSync`, which both libraries have. */
export interface SqliteDatabase {
  exec(sql: string): void;
  prepare(sql: string): SqliteStatement;
  close(): void;
}

export type SqliteValue = string | number | null | Uint8Array;
export type SqliteRow = Record<string, SqliteValue>;

export interface SqliteStatement {
  run(...values: SqliteValue[]): { changes: number | bigint };
  get(...values: SqliteValue[]): unknown;
  all(...values: SqliteValue[]): unknown[];
}

type DatabaseConstructor = new (path: string) => SqliteDatabase;

/** SQLite before this one can lose commits when a WAL is reset (https://sqlite.org/wal.html#walresetbug). */
const FIRST_SOUND_VERSION = [3, 51, 3] as const;

let loaded: Promise<DatabaseConstructor> | undefined;

export function loadSqlite(): Promise<DatabaseConstructor> {
  loaded ??= hasSoundSqlite(process.versions.sqlite) ? loadBuiltin() : loadPackage();
  return loaded;
}

export function hasSoundSqlite(version: string | undefined): boolean {
  if (!version) return false;
  const parts = version.split('.').map(Number);
  for (const [index, least] of FIRST_SOUND_VERSION.entries()) {
    const part = parts[index] ?? 0;
    if (part !== least) return part > least;
  }
  return true;
}

async function loadPackage(): Promise<DatabaseConstructor> {
  const { DatabaseSync } = await import('@photostructure/sqlite');
  return DatabaseSync as unknown as DatabaseConstructor;
}

/** Loading `node:sqlite` warns that it is experimental; that one warning says nothing to the users of pawl. */
async function loadBuiltin(): Promise<DatabaseConstructor> {
  const emitWarning = process.emitWarning;
  process.emitWarning = ((warning: string | Error, ...rest: unknown[]) => {
    if (String(warning).includes('SQLite')) return;
    Reflect.apply(emitWarning, process, [warning, ...rest]);
  }) as typeof process.emitWarning;
  try {
    // By name at run time: the types and the resolvers of Node 20 do not know the module.
    const name = 'node:sqlite';
    const module = (await import(/* @vite-ignore */ name)) as { DatabaseSync: DatabaseConstructor };
    return module.DatabaseSync;
  } finally {
    process.emitWarning = emitWarning;
  }
}
