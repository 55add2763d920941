/** Runs that another living process works on. A run has one owner at a time: who comes later waits for its end. */
import type { Worker } from '../runtime/index.ts';
import type { Output } from './output.ts';
import { visibleLine } from './visible.ts';

/** How often such a run is asked for, ms. */
const INTERVAL = 1_000;

export class ForeignRuns {
  readonly #worker: Worker;
  readonly #out: Output;
  readonly #ids = new Set<string>();
  #timer: NodeJS.Timeout | undefined;

  constructor(worker: Worker, out: Output) {
    this.#worker = worker;
    this.#out = out;
  }

  /**
   * Takes a run for this process, or says who has it and waits until that one is gone.
   *
   * @returns whether this process works on it now
   */
  async take(runId: string): Promise<boolean> {
    if ((await this.#worker.take(runId)) !== 'owned') return true;
    const { owner } = (await this.#worker.store.getRun(runId)) ?? {};
    const pid = /^worker-(\d+)-/.exec(owner ?? '')?.[1];
    const who = pid === undefined ? 'another worker' : `another process (${pid})`;
    this.#out.note(`the run ${visibleLine(runId)} is in the hands of ${who}, which is alive; waiting for its end`);
    this.#ids.add(runId);
    // A store that fails is told by others.
    this.#timer ??= setInterval(() => this.#ask().catch(() => {}), INTERVAL);
    return false;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #ask(): Promise<void> {
    for (const id of this.#ids) {
      const { status } = (await this.#worker.store.getRun(id)) ?? {};
      // One that was parked waits for somebody, not for a worker.
      if (status !== 'running' && status !== 'pending') this.#ids.delete(id);
      else if ((await this.#worker.take(id)) === 'taken' && this.#ids.delete(id))
        this.#out.note(`the process that had the run ${visibleLine(id)} is gone; it goes on here`);
    }
  }
}
