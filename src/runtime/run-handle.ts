/** A run as its callers see it. */
import { PawlError } from '../errors.ts';
import type { RunEvent } from '../store/events.ts';
import type { EventStore, RunRecord, RunStatus } from '../store/port.ts';
import { type RunEnd, unknownRun, upgradeRefused, valueOf, watchEnd } from './run-end.ts';
import type { Upgrade } from './upgrade.ts';
import type { Codec } from './serialization/codec.ts';
import { streamName } from './stream-address.ts';
import { readableOf } from './stream-reader.ts';
import { wakeSleeps } from './wake.ts';

/** What a handle asks. */
export interface RunSource {
  store: EventStore;
  codec: Codec;
  now(): number;
  /** Moves a run to the code at hand. */
  upgrade?(runId: string): Promise<Upgrade>;
  whenEnded?(runId: string): Promise<RunEnd>;
  /** Asks the schema of a hook, where the run is at hand: what is wrong with a payload, as JSON. */
  checkPayload?(runId: string, cid: number, data: string): Promise<string | null> | null;
}

export interface ReadableOptions {
  /** Which of the run's streams, as in `getWritable({ namespace })`; the one without a name if left out. */
  namespace?: string;
  /** Index of the first chunk; default 0. A negative one begins so many chunks before the present end. */
  startIndex?: number;
}

/** A stream of a run, and how far it has come. */
export interface RunStream<R = unknown> extends ReadableStream<R> {
  /** Index of the last chunk that is there now; -1 when there is none. */
  getTailIndex(): Promise<number>;
}

/**
 * A run: to look at, to wait for, to cancel.
 *
 * @example
 * const run = await start(fulfil, [order]);
 * console.log(run.runId, await run.status);
 * const receipt = await run.returnValue;
 */
export class Run<T = unknown> {
  readonly runId: string;
  readonly #source: () => RunSource | Promise<RunSource>;

  /** @internal Use `start` or `getRun`. */
  constructor(runId: string, source: () => RunSource | Promise<RunSource>) {
    this.runId = runId;
    this.#source = source;
  }

  /** `pending`, `running`, `completed`, `failed`, `cancelled` or `parked`, as it is now. Rejects when there is no such run. */
  get status(): Promise<RunStatus> {
    return this.record().then((record) => record.status);
  }

  /** Whether there is such a run. */
  get exists(): Promise<boolean> {
    return this.#find().then((record) => record !== null);
  }

  /** The workflow's id: `src/orders.ts#fulfil`, or a slug. */
  get workflowName(): Promise<string> {
    return this.record().then((record) => record.workflowId);
  }

  get createdAt(): Promise<Date> {
    return this.record().then((record) => new Date(record.createdAt));
  }

  /** When a worker first took it up; undefined as long as none has. */
  get startedAt(): Promise<Date | undefined> {
    return this.record().then((record) => dateOf(record.startedAt));
  }

  /** When it came to its end, whichever; undefined before. */
  get completedAt(): Promise<Date | undefined> {
    return this.record().then((record) => dateOf(record.finishedAt));
  }

  /**
   * What the workflow returns. Settles as soon as the run ends, without polling.
   *
   * Rejects with `RunFailedError` (its `cause` is what the workflow threw), `RunCancelledError`, or `RunParkedError` when the run
   * cannot go on until someone acts.
   */
  get returnValue(): Promise<T> {
    return this.#wait().then(({ end, codec }) => valueOf(this.runId, end, codec) as T);
  }

  /** How the run ends, without reading its result. Resolves when it has, or when it is parked. */
  async end(): Promise<RunEnd> {
    return (await this.#wait()).end;
  }

  async #wait(): Promise<{ end: RunEnd; codec: Codec }> {
    const source = await this.#source();
    const { store, codec } = source;
    const end = source.whenEnded ? await source.whenEnded(this.runId) : await watchEnd(store, this.runId);
    return { end, codec };
  }

  /**
   * Asks the run to stop. Signals of its running steps abort, its pending durable calls reject with `CancelledError`; what the
   * workflow makes of that decides how it ends. Resolves when the request is durable.
   *
   * @param reason For the log and the error's message.
   * @returns False when the run has ended already.
   * @throws PawlError `PAWL_UNKNOWN_RUN`
   */
  async cancel(reason?: string): Promise<boolean> {
    const source = await this.#source();
    const result = await source.store.requestCancel(this.runId, { at: source.now(), reason });
    if (result.ok) return true;
    if (result.reason === 'unknown-run') throw unknownRun(this.runId, source.store.url);
    return false;
  }

  /**
   * Ends the sleeps that the run is in now, before their time: its workflow goes on as if they were over. Sleeps that begin later are
   * not touched. Resolves when the request is durable.
   *
   * @param options.correlationIds Only these: `cid` of the `sleep_scheduled` in `events()`. All when left out.
   * @returns How many sleeps end; none when the run is in no sleep, or has ended.
   * @throws PawlError `PAWL_UNKNOWN_RUN`
   * @example
   * await getRun(id).wakeUp(); // the customer has paid: no need to wait for the reminder
   */
  async wakeUp(options: { correlationIds?: readonly (string | number)[] } = {}): Promise<{ stoppedCount: number }> {
    const source = await this.#source();
    const { stoppedCount } = await wakeSleeps(source.store, this.runId, source.now(), options.correlationIds);
    return { stoppedCount };
  }

  /** What steps write to `getWritable()`, from its beginning; each time a stream of its own. See `getReadable`. */
  get readable(): RunStream {
    return this.getReadable();
  }

  /**
   * A stream of the run: what is there, then what is written, as it becomes durable. It ends when the stream is closed, or with the run.
   * Nothing is read before it is asked for. Who was cut off counts the chunks that came, and begins there again.
   *
   * @throws PawlError `PAWL_STREAM_NAMESPACE`, `PAWL_STREAM_INDEX`; the stream: `PAWL_UNKNOWN_RUN`, `PAWL_STORE_*`
   * @example
   * for await (const line of run.getReadable<string>({ namespace: 'progress', startIndex: seen })) seen = show(line, seen + 1);
   */
  getReadable<R = unknown>({ namespace, startIndex = 0 }: ReadableOptions = {}): RunStream<R> {
    if (!Number.isSafeInteger(startIndex)) {
      throw new PawlError('PAWL_STREAM_INDEX', 'The index of a stream to begin with must be a whole number.', {
        remedy: 'Pass the number of chunks that you have, or leave it out.',
      });
    }
    const name = streamName(namespace);
    const address = { runId: this.runId, name };
    const stream = readableOf<R>(this.#source, { ...address, ...(startIndex !== 0 && { from: startIndex }) });
    const getTailIndex = async (): Promise<number> => {
      const { store } = await this.#source();
      const page = await store.readChunks(this.runId, name, { from: -1 });
      if (page === null) throw unknownRun(this.runId, store.url);
      return page.count - 1;
    };
    return Object.assign(stream, { getTailIndex });
  }

  /**
   * Moves the run to the workflow code of this process's worker. Its history is replayed there first and has to fit; then it goes on with
   * that code, wherever. A run otherwise goes on with the code that it began with.
   *
   * @returns `upgraded`; `current` when it was on that code already; `asked` when the worker that has the run is to do it and has not
   *   answered within 30 s: it waits until no step of the run is at work.
   * @throws PawlError `PAWL_UPGRADE_REFUSED` (the history does not fit: `details` and `place` say where they part, and nothing was changed),
   *   `PAWL_NO_CODE` (no worker in this process), `PAWL_RUN_FINISHED`, `PAWL_UNKNOWN_RUN`
   */
  async upgrade(): Promise<'upgraded' | 'current' | 'asked'> {
    const source = await this.#source();
    if (!source.upgrade) {
      throw new PawlError('PAWL_NO_CODE', 'There is no worker in this process, and so no code to move the run to.', {
        place: `run ${this.runId}`,
        remedy: 'Make one with createWorker(), or run `pawl upgrade` where the project is built.',
      });
    }
    const result = await source.upgrade(this.runId);
    if (result.outcome === 'refused') throw upgradeRefused(this.runId, result.problem);
    return result.outcome;
  }

  /** What the store knows of the run. Rejects with `PAWL_UNKNOWN_RUN` when there is none. */
  async record(): Promise<RunRecord> {
    const record = await this.#find();
    if (record === null) throw unknownRun(this.runId, (await this.#source()).store.url);
    return record;
  }

  async #find(): Promise<RunRecord | null> {
    const { store } = await this.#source();
    return store.getRun(this.runId);
  }

  /** The run's event log. */
  async events(): Promise<RunEvent[]> {
    const { store } = await this.#source();
    return store.readEvents(this.runId);
  }
}

function dateOf(at: number | null): Date | undefined {
  return at === null ? undefined : new Date(at);
}
