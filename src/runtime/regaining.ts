/**
 * Runs that a worker has dropped because the store failed: once that answers, they are read again, with the results that it did not
 * take; or given back, when there are none.
 */
import type { NewRunEvent } from '../store/events.ts';
import type { EventStore, RunRecord } from '../store/port.ts';
import { endOf, type RunEnd } from './run-end.ts';
import { isDamage, isHopeless, type Retries } from './retries.ts';
import type { Waiters } from './waiters.ts';

interface RegainHost {
  readonly store: EventStore;
  readonly retries: Retries;
  readonly waiters: Waiters;
  /** Name under which the worker owns runs. */
  owner(): string;
  now(): number;
  isOpen(): boolean;
  /** Reads a run that was claimed, and lets it go on. */
  resume(run: RunRecord): Promise<void>;
  /** Takes one run, unless another worker has it. */
  take(runId: string): Promise<unknown>;
  /** A run was given back that is due. */
  released(runId: string): void;
  failed(error: unknown, runId: string): void;
}

export class Regaining {
  readonly #host: RegainHost;
  readonly #results = new Map<string, readonly NewRunEvent[]>();

  constructor(host: RegainHost) {
    this.#host = host;
  }

  /** Runs that are to be read again. */
  get size(): number {
    return this.#results.size;
  }

  has(runId: string): boolean {
    return this.#results.has(runId);
  }

  /** What is to be recorded of a run that is read again, by whatever way it came back to this worker. */
  of(runId: string): readonly NewRunEvent[] {
    return this.#results.get(runId) ?? [];
  }

  /** The run was read, or is none of this worker's. */
  over(runId: string): void {
    this.#results.delete(runId);
  }

  /** Reads a run again, after a while. What fails again and again is tried less and less often. */
  async again(runId: string, carried: readonly NewRunEvent[]): Promise<void> {
    const { store, retries, waiters } = this.#host;
    const results = [...carried];
    this.#results.set(runId, results);
    while (this.#host.isOpen()) {
      await retries.pause(retries.next(runId));
      // Under another name the worker may have claimed it as it claims any.
      if (!this.#host.isOpen() || this.#results.get(runId) !== results) break;
      try {
        const run = await store.getRun(runId);
        // By the very append that had no answer, or by another worker: whoever lets it go on does so on purpose.
        if (run?.status === 'parked' && run.owner !== this.#host.owner()) {
          waiters.hand(runId);
          break;
        }
        const claimed = await store.claimRun(runId, { owner: this.#host.owner(), now: this.#host.now() });
        if (claimed.ok) {
          await this.#host.resume(claimed.run);
          return;
        }
        if (claimed.reason === 'finished') waiters.tell(runId, endOf(claimed.run) as RunEnd);
        else waiters.hand(runId);
        break;
      } catch (error) {
        this.#host.failed(error, runId);
        if (!isDamage(error)) continue;
        waiters.giveUp(runId, error);
        break;
      }
    }
    if (this.#results.get(runId) === results) this.over(runId);
  }

  /** Gives a run back that could not be read, after a while: it is due again at once. */
  async letGo(runId: string, fence: number): Promise<void> {
    const { store, retries } = this.#host;
    for (;;) {
      await retries.pause(retries.next(runId));
      if (!this.#host.isOpen()) return;
      try {
        await store.release(runId, fence);
        this.#host.released(runId);
        return;
      } catch (error) {
        this.#host.failed(error, runId);
      }
    }
  }

  /** Takes a run that somebody here waits for, as soon as the store answers: nobody else may do so. */
  async want(runId: string): Promise<void> {
    const { retries } = this.#host;
    while (this.#host.isOpen()) {
      try {
        await this.#host.take(runId);
        return;
      } catch (error) {
        this.#host.failed(error, runId);
        if (isHopeless(error)) return;
        await retries.pause(retries.next(runId));
      }
    }
  }
}
