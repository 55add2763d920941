/**
 * What `pawl run` makes of a store that fails: says so once, and gives up when it has failed for long. Runs are left as a crash
 * leaves them, to be resumed.
 */
import type { WorkerEvent } from '../runtime/index.ts';
import { visible } from './visible.ts';

/** A store that has failed for that long without any success is given up, ms. */
const PATIENCE = 30_000;
/** Failures that are further apart than that, ms, are separate: the worker asks more often. */
const APART = 15_000;
const OF_THE_MOMENT = new Set<WorkerEvent['type']>([
  'console',
  'step-started',
  'step-ignores-abort',
  'clock-went-back',
]);

export class StoreTrouble {
  /** Rejects with the store's error when it is given up. */
  readonly gaveUp: Promise<never>;
  readonly #print: (text: string) => void;
  readonly #now: () => number;
  readonly #said = new Set<string>();
  #giveUp: (error: unknown) => void = () => {};
  #since: number | null = null;
  #last = 0;

  /**
   * @param now Milliseconds of a clock that never goes back.
   */
  constructor(print: (text: string) => void, now: () => number = () => performance.now()) {
    this.#print = print;
    this.#now = now;
    this.gaveUp = new Promise((_, reject) => {
      this.#giveUp = reject;
    });
    // It may be over before anyone waits for it.
    this.gaveUp.catch(() => {});
  }

  heard(event: WorkerEvent): void {
    if (event.type === 'store-failed') this.#failed(event.error, event.runId);
    // Everything else but output is told once it is durable: the store works.
    else if (!OF_THE_MOMENT.has(event.type)) this.#since = null;
  }

  #failed(error: unknown, runId: string | null): void {
    const { code, place, remedy } = error as { code?: string; place?: string; remedy?: string };
    const message = error instanceof Error ? error.message : String(error);
    // A newer pawl has changed the tables: no waiting helps, and while this process lives nobody takes its runs over.
    if (code === 'PAWL_STORE_NEWER') {
      this.#giveUp(error);
      return;
    }
    const damaged = code === 'PAWL_STORE_CORRUPT' && runId !== null;
    const text = [
      `${damaged ? `the run ${runId} cannot be read` : 'the store does not answer, trying again'}: ${code ? `${code}: ` : ''}${message}`,
      ...(place ? [`  at ${place}`] : []),
      ...(remedy ? [`  ${remedy}`] : []),
    ].join('\n');
    if (!this.#said.has(text)) {
      this.#said.add(text);
      this.#print(visible(text));
    }
    // Nobody tries a damaged run again: who waits for it gets the error.
    if (damaged) return;
    const now = this.#now();
    if (this.#since === null || now - this.#last > APART) this.#since = now;
    this.#last = now;
    if (now - this.#since >= PATIENCE) this.#giveUp(error);
  }
}
