/**
 * Group commit: all writes that gather while the one before is on its way share one transaction and one sync.
 *
 * Most of what is written are everyday appends, what a step brings about. Those of a group, each to a run of its own, are one
 * statement: alone it needs no BEGIN and no COMMIT, which are a way to the server each. The other jobs follow it in their order.
 *
 * Jobs decide for themselves what to refuse, by reading before they write. When one fails in the middle, every job of the
 * group is done again in a transaction of its own, so that only the faulty one fails.
 */
import type { AppendRequest, AppendResult, CrashPoint, StoreChange } from '../port.ts';
import { type EventRow, isEverydayEvent, toRow } from '../event-row.ts';
import type { Connections, Executor } from './connection.ts';
import { closed, explain, isConflict, isTaken } from './errors.ts';
import type { Watch } from './watch.ts';
import { type GuardedAppend, insertGuarded, loneInsert } from './events.ts';

/** Work inside a transaction. Notes what listeners shall hear once it is durable. May be done twice; must keep no state. */
export type Job<T> = (on: Executor, changes: StoreChange[]) => Promise<T>;

interface Entry {
  job: Job<unknown>;
  append: AppendRequest | null;
  resolve: (value: never) => void;
  reject: (error: unknown) => void;
}

/** What is known for good of the log of a run that was appended to: it only grows. */
type KnownLogs = Map<string, { no: number; lastSeq: number }>;

type KnownAppend = GuardedAppend & { runId: string };

/** How many runs are remembered; one that is not goes the long way once. */
const MANY = 10_000;
/** How often a job is done again that stood in another's way. */
const TRIES = 5;

export class GroupCommit {
  readonly #connections: Connections;
  readonly #watch: Pick<Watch, 'announce' | 'emit'>;
  readonly #crashPoint: ((point: CrashPoint) => void) | undefined;
  readonly #known: KnownLogs = new Map();
  #entries: Entry[] = [];
  #isBusy = false;
  #scheduled: NodeJS.Immediate | null = null;
  #closed = false;
  #whenIdle: (() => void)[] = [];

  constructor(
    connections: Connections,
    watch: Pick<Watch, 'announce' | 'emit'>,
    crashPoint: ((point: CrashPoint) => void) | undefined,
  ) {
    this.#connections = connections;
    this.#watch = watch;
    this.#crashPoint = crashPoint;
  }

  /** Does the job in the next group; resolves when its transaction is durable. */
  submit<T>(job: Job<T>, append: AppendRequest | null = null): Promise<T> {
    if (this.#closed) return Promise.reject(closed(this.#connections.place));
    return new Promise<T>((resolve, reject) => {
      this.#entries.push({ job, append, resolve: resolve as (value: never) => void, reject });
      if (!this.#isBusy) this.#scheduled ??= setImmediate(this.#start);
    });
  }

  /** Begins now instead of at the end of the turn. */
  flush(): void {
    if (this.#scheduled === null) return;
    clearImmediate(this.#scheduled);
    this.#start();
  }

  /** Remembers the number of a run, which an append of everyday events needs. */
  learn(runId: string, no: number, lastSeq: number): void {
    if (this.#known.size >= MANY) this.#known.clear();
    this.#known.set(runId, { no, lastSeq });
  }

  /** Takes no more jobs; resolves when those that it has are done. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#isBusy || this.#entries.length > 0) await new Promise<void>((resolve) => this.#whenIdle.push(resolve));
  }

  readonly #start = (): void => {
    this.#scheduled = null;
    if (!this.#isBusy && !this.#sendAlone()) void this.#work();
  };

  /**
   * A lone everyday append, which most are, goes its way without promises; what follows is begun by its answer. False when there is none.
   */
  #sendAlone(): boolean {
    const [entry] = this.#entries;
    if (entry?.append == null || this.#entries.length > 1) return false;
    const append = this.#guarded(entry.append);
    const statement = append && loneInsert(append);
    if (!append || !statement) return false;
    try {
      this.#crashPoint?.('before-begin');
      this.#crashPoint?.('before-commit');
    } catch (error) {
      this.#entries = [];
      this.#wasNotWritten(entry, error);
      this.#rest();
      return true;
    }
    const isSent = this.#connections.send(statement.text, statement.values, (error, count) => {
      if (error === null && count > 0) this.#wasWritten(entry, append);
      else this.#wasNotWritten(entry, error);
      if (this.#entries.length > 0) void this.#work();
      else this.#rest();
    });
    if (isSent) {
      this.#isBusy = true;
      this.#entries = [];
    }
    return isSent;
  }

  #wasWritten(entry: Entry, append: KnownAppend): void {
    const changes: StoreChange[] = [];
    const result = this.#appended(append, changes);
    try {
      this.#crashPoint?.('after-commit');
    } catch (error) {
      entry.reject(error);
      return;
    }
    entry.resolve(result as never);
    this.#watch.emit(changes);
  }

  #wasNotWritten(entry: Entry, error: unknown): void {
    if (error === null || isTaken(error)) {
      // The log has grown meanwhile, or is another's: what is to be said of that is found out within a transaction.
      this.#entries.unshift({ ...entry, append: null });
      return;
    }
    this.#known.clear();
    entry.reject(explain(error, this.#connections.place));
  }

  #rest(): void {
    this.#isBusy = false;
    for (const resolve of this.#whenIdle.splice(0)) resolve();
  }

  async #work(): Promise<void> {
    this.#isBusy = true;
    while (this.#entries.length > 0) {
      if (this.#sendAlone()) return;
      await this.#commit(this.#entries.splice(0));
      // Whoever has an answer now may hand in more during this turn.
      if (this.#entries.length > 0) await new Promise(setImmediate);
    }
    this.#rest();
  }

  async #commit(entries: Entry[]): Promise<void> {
    const outcome = await this.#attempt(entries);
    if (outcome === null) return;
    if (entries.length > 1 && !outcome.isOver) {
      for (const entry of entries) await this.#commitOne(entry);
      return;
    }
    for (const { reject } of entries) reject(explain(outcome.error, this.#connections.place));
  }

  async #commitOne(entry: Entry): Promise<void> {
    for (let tries = 1; ; tries++) {
      const outcome = await this.#attempt([entry]);
      if (outcome === null) return;
      if (!isConflict(outcome.error) || tries >= TRIES) {
        entry.reject(explain(outcome.error, this.#connections.place));
        return;
      }
    }
  }

  /** Null when everybody has an answer; else what went wrong, and whether it is of no use to try one by one. */
  async #attempt(entries: Entry[]): Promise<{ error: unknown; isOver: boolean } | null> {
    const everyday = this.#everyday(entries);
    const changes: StoreChange[] = [];
    const results = new Map<Entry, unknown>();
    let committing = false;
    try {
      await this.#connections.write(async (on) => {
        const isLone = everyday.size === entries.length;
        this.#crashPoint?.('before-begin');
        if (isLone) {
          this.#crashPoint?.('before-commit');
          await this.#appendAll(on, everyday, results, changes);
        }
        if (results.size === entries.length) return;
        const rest = entries.filter((entry) => !results.has(entry));
        await on.rows('BEGIN');
        try {
          if (!isLone) await this.#appendAll(on, everyday, results, changes);
          for (const entry of rest) if (!results.has(entry)) results.set(entry, await entry.job(on, changes));
          this.#crashPoint?.('before-commit');
        } catch (error) {
          await on.rows('ROLLBACK').catch(() => {});
          throw error;
        }
        committing = true;
        await on.rows('COMMIT');
      });
    } catch (error) {
      this.#known.clear();
      // Whether a commit that failed has come through is not known: nobody may do the same again.
      return { error, isOver: committing };
    }
    try {
      this.#crashPoint?.('after-commit');
    } catch (error) {
      for (const { reject } of entries) reject(error);
      return null;
    }
    // Whoever asked for it may end its process with the answer: what waits for a worker must have been told by then.
    await this.#watch.announce(changes);
    for (const entry of entries) entry.resolve(results.get(entry) as never);
    this.#watch.emit(changes);
    return null;
  }

  /** Appends of everyday events to runs that are known, each the only entry of its run. */
  #everyday(entries: readonly Entry[]): Map<Entry, KnownAppend> {
    const found = new Map<Entry, KnownAppend>();
    const counts = new Map<string, number>();
    for (const { append } of entries) if (append) counts.set(append.runId, (counts.get(append.runId) ?? 0) + 1);
    for (const entry of entries) {
      const { append } = entry;
      if (!append || counts.get(append.runId) !== 1) continue;
      const guarded = this.#guarded(append);
      if (guarded !== null) found.set(entry, guarded);
    }
    return found;
  }

  #guarded({ runId, fence, afterSeq, events, consume, wakeAt, offers }: AppendRequest): KnownAppend | null {
    const log = this.#known.get(runId);
    if (log?.lastSeq !== afterSeq || wakeAt !== undefined || events.length === 0) return null;
    if (consume?.length || offers?.length) return null;
    const rows: EventRow[] = [];
    for (const event of events) {
      const row = toRow(afterSeq + 1 + rows.length, event);
      if (!isEverydayEvent(row, event)) return null;
      rows.push(row);
    }
    return { no: log.no, fence, afterSeq, rows, runId };
  }

  /** What is not written has no result then. */
  async #appendAll(
    on: Executor,
    everyday: ReadonlyMap<Entry, KnownAppend>,
    results: Map<Entry, unknown>,
    changes: StoreChange[],
  ): Promise<void> {
    if (everyday.size === 0) return;
    const written = await insertGuarded(on, [...everyday.values()]);
    for (const [entry, append] of everyday)
      if (written.has(append.no)) results.set(entry, this.#appended(append, changes));
  }

  #appended({ no, runId, afterSeq, rows }: KnownAppend, changes: StoreChange[]): AppendResult {
    const lastSeq = afterSeq + rows.length;
    this.learn(runId, no, lastSeq);
    changes.push({ kind: 'events', runId, lastSeq });
    return { ok: true, lastSeq };
  }
}
