/**
 * Results of steps that have ended and are not known to be durable: a run that is read again after its store failed takes them along, so
 * that the steps are not made again.
 */
import type { NewRunEvent } from '../store/events.ts';

export class Unsure {
  readonly #results = new Map<number, NewRunEvent>();

  constructor(carried: readonly NewRunEvent[]) {
    for (const event of carried) this.note(event);
  }

  /** An attempt has ended. */
  note<Event extends NewRunEvent>(event: Event): Event {
    if (event.type === 'step_completed' || event.type === 'step_failed') this.#results.set(event.cid, event);
    return event;
  }

  /** The result of a step is durable. */
  forget(cid: number): void {
    this.#results.delete(cid);
  }

  /** Forgets what is durable after all; the rest. */
  keep(pending: ReadonlyMap<number, unknown>): NewRunEvent[] {
    for (const cid of this.#results.keys()) if (!pending.has(cid)) this.#results.delete(cid);
    return this.results;
  }

  get results(): NewRunEvent[] {
    return [...this.#results.values()];
  }
}
