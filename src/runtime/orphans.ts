/**
 * Runs that a worker has in its store and not in its memory: an answer to a claim that got lost on the way leaves such. They would
 * wait as long as the worker lives, since nobody else may take them. It gives them back.
 */
import type { EventStore } from '../store/port.ts';

export class Orphans {
  /** Runs that were missing at the last look, by their fences: an answer may have been on its way. */
  #suspects = new Map<string, number>();

  /**
   * To be called from time to time.
   *
   * @param has - whether the worker knows of a run
   * @returns how many runs were given back
   */
  async look(store: EventStore, owner: string, has: (runId: string) => boolean): Promise<number> {
    const missing = (await store.ownedRuns(owner)).filter(({ id }) => !has(id));
    const lost = missing.filter(({ id, fence }) => this.#suspects.get(id) === fence);
    this.#suspects = new Map(missing.map(({ id, fence }) => [id, fence]));
    for (const { id, fence } of lost) await store.release(id, fence);
    return lost.length;
  }
}
