/**
 * Those in this process who wait for runs to end. Of a run that lives in the worker they hear from the worker, of any other from
 * the store. When the worker finds that a run cannot be read, all of them get that error: nobody will end the run.
 */
import type { EventStore } from '../store/port.ts';
import { isHopeless, type Retries } from './retries.ts';
import { type RunEnd, watchEnd } from './run-end.ts';

interface Waiter {
  resolve(end: RunEnd): void;
  reject(error: unknown): void;
}

export class Waiters {
  readonly #store: EventStore;
  readonly #retries: Retries;
  readonly #failed: (runId: string, error: unknown) => void;
  /** Of runs that live in the worker. */
  readonly #here = new Map<string, Waiter[]>();
  /** Of runs that the store tells of. */
  readonly #watching = new Map<string, Set<(error: unknown) => void>>();
  /** Runs that cannot be read because the store is damaged. */
  readonly #damaged = new Map<string, unknown>();

  /**
   * @param failed Called when the store failed, before it is asked again.
   */
  constructor(store: EventStore, retries: Retries, failed: (runId: string, error: unknown) => void) {
    this.#store = store;
    this.#retries = retries;
    this.#failed = failed;
  }

  /** For a run that lives in the worker: resolves by `tell`, or as the store tells after `hand`. */
  wait(runId: string): Promise<RunEnd> {
    return new Promise((resolve, reject) => {
      const waiter: Waiter = { resolve, reject };
      const list = this.#here.get(runId);
      if (list) list.push(waiter);
      else this.#here.set(runId, [waiter]);
    });
  }

  tell(runId: string, end: RunEnd): void {
    const list = this.#here.get(runId);
    this.#here.delete(runId);
    for (const { resolve } of list ?? []) resolve(end);
  }

  /** Those who wait for a run that left the worker hear of it from the store. */
  hand(runId: string): void {
    const list = this.#here.get(runId);
    if (list === undefined) return;
    this.#here.delete(runId);
    void this.#passOn(runId, list);
  }

  async #passOn(runId: string, list: readonly Waiter[]): Promise<void> {
    for (;;) {
      try {
        const end = await this.watch(runId);
        for (const { resolve } of list) resolve(end);
        return;
      } catch (error) {
        if (this.#retries.stopped || this.#damaged.has(runId) || isHopeless(error)) {
          for (const { reject } of list) reject(error);
          return;
        }
        this.#failed(runId, error);
        await this.#retries.pause(this.#retries.next(`end of ${runId}`));
      }
    }
  }

  /** The end as the store tells it. */
  watch(runId: string): Promise<RunEnd> {
    if (this.#damaged.has(runId)) return Promise.reject(this.#damaged.get(runId));
    return new Promise((resolve, reject) => {
      const watching = this.#watching.get(runId) ?? new Set();
      this.#watching.set(runId, watching.add(reject));
      const done = (): void => {
        if (watching.delete(reject) && watching.size === 0) this.#watching.delete(runId);
      };
      watchEnd(this.#store, runId).then(resolve, reject).finally(done);
    });
  }

  /** The run cannot be read. */
  giveUp(runId: string, error: unknown): void {
    this.#damaged.set(runId, error);
    const here = this.#here.get(runId) ?? [];
    const watching = this.#watching.get(runId) ?? [];
    this.#here.delete(runId);
    this.#watching.delete(runId);
    for (const { reject } of here) reject(error);
    for (const reject of watching) reject(error);
  }

  /** The run can be read after all. */
  readable(runId: string): void {
    this.#damaged.delete(runId);
  }
}
