/**
 * Runs that a worker has in its store and not in its memory: an answer to a claim that got lost on the way leaves such. They would
 * wait as long as the worker lives, since nobody else may take them. It gives them back.
 *
 * So does a damaged run that cannot even be parked. Given back it is claimed again, by whomever, and read in vain; but somebody may mend
 * the store, or have a worker that can read it. So it is given back less and less often.
 */
import type { EventStore } from '../store/port.ts';

/** The longest time between two tries of a damaged run, in looks: an hour with the usual lease. */
const LONGEST_WAIT = 720;

interface Damaged {
  /** Looks until it is given back, the last time that it was kept. */
  wait: number;
  /** Looks until it is given back now. */
  left: number;
  /** What was told of it. */
  told: string;
}

export class Orphans {
  /** Runs that were missing at the last look, by their fences: an answer may have been on its way. */
  #suspects = new Map<string, number>();
  readonly #damaged = new Map<string, Damaged>();

  /**
   * To be called from time to time.
   *
   * @param has - whether the worker knows of a run
   * @returns how many runs were given back
   */
  async look(store: EventStore, owner: string, has: (runId: string) => boolean): Promise<number> {
    const missing = (await store.ownedRuns(owner)).filter(({ id }) => !has(id) && !this.#isKept(id));
    const lost = missing.filter(({ id, fence }) => this.#suspects.get(id) === fence);
    this.#suspects = new Map(missing.map(({ id, fence }) => [id, fence]));
    for (const { id, fence } of lost) await store.release(id, fence);
    return lost.length;
  }

  #isKept(runId: string): boolean {
    const damaged = this.#damaged.get(runId);
    if (damaged === undefined || damaged.left === 0) return false;
    damaged.left--;
    return true;
  }

  /** Whether this was not said of the run before. */
  isNews(runId: string, error: unknown): boolean {
    return this.#damaged.get(runId)?.told !== textOf(error);
  }

  /** A damaged run of the worker's could not be parked: it stays its own for a while. */
  keep(runId: string, error: unknown): void {
    const before = this.#damaged.get(runId)?.wait;
    const wait = before === undefined ? 1 : Math.min(before * 2, LONGEST_WAIT);
    this.#damaged.set(runId, { wait, left: wait, told: textOf(error) });
  }

  /** The run was parked, or can be read. */
  mended(runId: string): void {
    this.#damaged.delete(runId);
  }
}

function textOf(error: unknown): string {
  return String((error as { message?: unknown }).message ?? error);
}
