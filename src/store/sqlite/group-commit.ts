/**
 * Group commit: all writes that are handed in during one turn of the event loop share one transaction and one sync.
 *
 * A sync costs a hundred times what a row costs, so grouping is where throughput comes from; and while the sync of one group
 * holds the thread, the next group gathers in the event loop. A lone write waits for no timer: its group closes at the end of the turn.
 *
 * Jobs decide for themselves what to refuse, by reading before they write. A job that fails in the middle would take its
 * neighbours down with the transaction; then every job of the group is done again in a transaction of its own, so that only the
 * faulty one fails. That costs something only when it happens; a savepoint for each job would cost always.
 */
import type { CrashPoint, StoreChange } from '../port.ts';
import { type Connection, Deadline } from './connection.ts';
import { closed, isBusy } from './errors.ts';

/** Work inside a transaction. Notes what listeners shall hear once it is durable. May be done twice; must keep no state. */
export type Job<T> = (changes: StoreChange[]) => T;

interface Entry {
  job: Job<unknown>;
  /** Does the job in a single statement, without a transaction around it; undefined when that is not possible. */
  alone: Job<unknown> | undefined;
  resolve: (value: never) => void;
  reject: (error: unknown) => void;
}

export class GroupCommit {
  readonly #connection: Connection;
  readonly #emit: (changes: StoreChange[]) => void;
  readonly #crashPoint: ((point: CrashPoint) => void) | undefined;
  #entries: Entry[] = [];
  #scheduled = false;
  /** Somebody comes at the end of the event loop's turn. */
  #atTurnEnd = false;
  #waiting: Deadline | undefined;
  #closed = false;
  #whenIdle: (() => void)[] = [];

  constructor(
    connection: Connection,
    emit: (changes: StoreChange[]) => void,
    crashPoint: ((point: CrashPoint) => void) | undefined,
  ) {
    this.#connection = connection;
    this.#emit = emit;
    this.#crashPoint = crashPoint;
  }

  /** Does the job in the group of this turn; resolves when its transaction is durable. */
  submit<T>(job: Job<T>, alone?: Job<T | undefined>): Promise<T> {
    if (this.#closed) return Promise.reject(closed(this.#connection.place));
    return new Promise<T>((resolve, reject) => {
      this.#entries.push({ job, alone, resolve: resolve as (value: never) => void, reject });
      this.#schedule();
    });
  }

  /** Takes no more jobs; resolves when those that it has are done. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#scheduled) await new Promise<void>((resolve) => this.#whenIdle.push(resolve));
  }

  #schedule(): void {
    this.#scheduled = true;
    // One that a flush has left without work comes as soon as a new one would, and costs nothing more.
    if (this.#atTurnEnd || this.#waiting !== undefined) return;
    this.#atTurnEnd = true;
    setImmediate(this.#turnEnds);
  }

  /** Closes the group now, except while it waits for a lock. */
  flush(): void {
    if (this.#scheduled && this.#waiting === undefined) this.#flush();
  }

  readonly #turnEnds = (): void => {
    this.#atTurnEnd = false;
    this.flush();
  };

  readonly #flush = (): void => {
    if (this.#commitAlone()) {
      this.#waiting = undefined;
      return;
    }
    // Jobs that arrive while another process holds the lock join the group: it is taken only once the lock is ours.
    const problem = this.#begin();
    if (problem !== undefined && isBusy(problem)) {
      this.#waiting ??= new Deadline(this.#connection.lockTimeout);
      if (!this.#waiting.over) {
        this.#waiting.wait().then(this.#flush);
        return;
      }
    }
    this.#waiting = undefined;
    const entries = this.#take();
    if (problem === undefined) this.#commit(entries);
    else this.#rejectAll(entries, problem);
    this.#rest();
  };

  #take(): Entry[] {
    const entries = this.#entries;
    this.#entries = [];
    this.#scheduled = false;
    return entries;
  }

  #rest(): void {
    if (this.#scheduled || this.#whenIdle.length === 0) return;
    for (const resolve of this.#whenIdle.splice(0)) resolve();
  }

  /** A lone job that is a single statement: BEGIN, COMMIT and what is read in between would cost more than the statement. */
  #commitAlone(): boolean {
    const entry = this.#entries[0];
    if (entry?.alone === undefined || this.#entries.length > 1) return false;
    const changes: StoreChange[] = [];
    let result: unknown;
    if (this.#crashPoint) {
      try {
        this.#crashPoint('before-begin');
        this.#crashPoint('before-commit');
      } catch (error) {
        this.#rejectAll(this.#take(), error);
        this.#rest();
        return true;
      }
    }
    try {
      result = entry.alone(changes);
    } catch {
      // Nothing was written. What is wrong shows in a transaction too, where it is dealt with.
      return false;
    }
    if (result === undefined) return false;
    this.#take();
    this.#acknowledge([entry], [result], changes);
    this.#rest();
    return true;
  }

  /** Tells everyone that it is durable. */
  #acknowledge(entries: readonly Entry[], results: readonly unknown[], changes: StoreChange[]): void {
    try {
      this.#crashPoint?.('after-commit');
    } catch (error) {
      for (const { reject } of entries) reject(error);
      return;
    }
    for (let index = 0; index < entries.length; index++) entries[index]?.resolve(results[index] as never);
    this.#emit(changes);
  }

  #begin(): unknown {
    try {
      this.#crashPoint?.('before-begin');
      this.#connection.sql('BEGIN IMMEDIATE').run();
      return undefined;
    } catch (error) {
      return error;
    }
  }

  #commit(entries: Entry[]): void {
    const changes: StoreChange[] = [];
    const results: unknown[] = [];
    try {
      for (const { job } of entries) results.push(job(changes));
      this.#crashPoint?.('before-commit');
      this.#connection.sql('COMMIT').run();
    } catch (error) {
      this.#rollback();
      if (entries.length > 1 && results.length < entries.length) this.#commitEach(entries);
      else this.#rejectAll(entries, error);
      return;
    }
    this.#acknowledge(entries, results, changes);
  }

  #commitEach(entries: Entry[]): void {
    for (const [index, entry] of entries.entries()) {
      const problem = this.#begin();
      if (problem === undefined) {
        this.#commit([entry]);
      } else if (isBusy(problem)) {
        // The lock was ours a moment ago. Whoever has it now: the rest goes in front of the next group, in the same order.
        this.#entries.unshift(...entries.slice(index));
        this.#schedule();
        return;
      } else {
        this.#rejectAll([entry], problem);
      }
    }
  }

  #rollback(): void {
    try {
      this.#connection.sql('ROLLBACK').run();
    } catch {
      // SQLite ends the transaction itself after some errors (a full disk): then there is nothing to roll back.
    }
  }

  #rejectAll(entries: Entry[], problem: unknown): void {
    const explained = this.#connection.explain(problem);
    for (const { reject } of entries) reject(explained);
  }
}
