/**
 * A store in memory for one life after the other: on one connection, whose tables are emptied in between. Making the tables and preparing
 * the statements would take longer than many a life.
 */
import type { EventStore } from '../../src/store/port.ts';
import { Connection } from '../../src/store/sqlite/connection.ts';
import { loadSqlite } from '../../src/store/sqlite/driver.ts';
import { migrate } from '../../src/store/sqlite/migrations.ts';
import { SqliteStore } from '../../src/store/sqlite/store.ts';

/** Outlives the stores on it. */
class Lasting extends Connection {
  override close(): void {}
}

let made: Promise<{ connection: Connection; tables: readonly string[] }> | undefined;

async function make(): Promise<{ connection: Connection; tables: readonly string[] }> {
  const DatabaseSync = await loadSqlite();
  const connection = new Lasting(new DatabaseSync(':memory:'), ':memory:', 10_000);
  migrate(connection);
  // `sqlite_sequence` is among them: messages are numbered from 1 in each life.
  const tables = connection.sql("SELECT name FROM sqlite_schema WHERE type = 'table'").all() as { name: string }[];
  return { connection, tables: tables.map(({ name }) => name) };
}

/** An empty store. The one before must be closed. */
export async function freshStore(clock: () => number): Promise<EventStore> {
  made ??= make();
  const { connection, tables } = await made;
  for (const table of tables) connection.sql(`DELETE FROM ${table}`).run();
  return new SqliteStore('sqlite::memory:', connection, true, { clock });
}
