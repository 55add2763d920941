/**
 * One connection to one SQLite file: prepared statements by their text, and waiting for locks.
 *
 * SQLite's own busy timeout is off. With it, two writer processes starve each other: the one that
 * sleeps in longer and longer steps hardly ever finds the lock free. A random wait of 0 to 3 ms is fair,
 * and waiting here instead of in SQLite leaves the event loop free.
 */
import type { SqliteDatabase, SqliteStatement } from './driver.ts';
import { explain, isBusy } from './errors.ts';

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
        if (!isBusy(error) || deadline.over) throw explain(error, this.place);
      }
      await deadline.wait();
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
