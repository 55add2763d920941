/**
 * One connection to one SQLite file: prepared statements by their text, and waiting for locks.
 *
 * SQLite's own busy timeout is off. With it, two writer processes starve each other: the one that
 * sleeps in longer and longer steps hardly ever finds the lock free. A random wait of 0 to 3 ms is fair,
 * and waiting here instead of in SQLite leaves the event loop free.
 */
import type { StoreError } from '../errors.ts';
import type { SqliteDatabase, SqliteStatement } from './driver.ts';
import { explain, isBusy, mayBeNewer, newer } from './errors.ts';
import { SCHEMA_VERSION } from './migrations.ts';

const LONGEST_WAIT_MS = 3;

export class Connection {
  /** For messages: the path, or `:memory:`. */
  readonly place: string;
  /** How long to wait for locks, ms. */
  readonly lockTimeout: number;
  readonly #db: SqliteDatabase;
  readonly #statements = new Map<string, SqliteStatement>();

  constructor(db: SqliteDatabase, place: string, lockTimeout: number) {
    this.#db = db;
    this.place = place;
    this.lockTimeout = lockTimeout;
  }

  /** The prepared statement of this text, made once. */
  sql(text: string): SqliteStatement {
    let statement = this.#statements.get(text);
    if (statement === undefined) {
      statement = this.#db.prepare(text);
      this.#statements.set(text, statement);
    }
    return statement;
  }

  /** Runs statements that are used once. */
  exec(text: string): void {
    this.#db.exec(text);
  }

  /** Runs `work` again and again while another process holds the lock that it needs; errors come out explained. */
  async patiently<T>(work: () => T): Promise<T> {
    let deadline: Deadline | undefined;
    for (;;) {
      try {
        return work();
      } catch (error) {
        deadline ??= new Deadline(this.lockTimeout);
        if (!isBusy(error) || deadline.over) throw this.explain(error);
      }
      await deadline.wait();
    }
  }

  /** What an error means. Tables that a newer pawl has changed under this process look damaged to it: the file itself tells. */
  explain(error: unknown): unknown {
    return (mayBeNewer(error) ? this.#newer() : null) ?? explain(error, this.place);
  }

  #newer(): StoreError | null {
    try {
      const { user_version: version } = this.sql('PRAGMA user_version').get() as { user_version: number };
      return version > SCHEMA_VERSION ? newer(this.place, version) : null;
    } catch {
      return null;
    }
  }

  /**
   * Closes the connection, after moving what is in the WAL to the file. SQLite would do that itself when the last connection
   * closes, but `@photostructure/sqlite` finalizes statements only when they are collected: until then the
   * connection lives on as a shadow that does nothing.
   */
  close(): void {
    try {
      this.#db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    } catch {
      // Others are at work in the file, or it cannot be written: the WAL keeps everything.
    }
    this.#statements.clear();
    this.#db.close();
  }
}

/** Random waits for a lock, up to a bound. */
export class Deadline {
  readonly #end: number;

  constructor(timeout: number) {
    this.#end = performance.now() + timeout;
  }

  get over(): boolean {
    return performance.now() >= this.#end;
  }

  wait(): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, Math.random() * LONGEST_WAIT_MS));
  }
}
