/**
 * How attempts of steps have ended, as far as it is not known to be durable: a run that is read again after its store failed takes it
 * along, so that no step is made again that has a result, nor one that has failed before its time.
 */
import type { NewRunEvent } from '../store/events.ts';
import type { PendingStep } from './live-run.ts';

type Ended = Extract<NewRunEvent, { type: 'step_completed' | 'step_failed' | 'step_attempt_failed' }>;

export class Unsure {
  readonly #results = new Map<number, Ended>();

  constructor(carried: readonly NewRunEvent[]) {
    for (const event of carried) this.note(event);
  }

  /** An attempt has ended. */
  note<Event extends NewRunEvent>(event: Event): Event {
    const { type } = event;
    if (type === 'step_completed' || type === 'step_failed' || type === 'step_attempt_failed')
      this.#results.set(event.cid, event);
    return event;
  }

  /** The end of a step's attempt is durable. */
  forget(cid: number): void {
    this.#results.delete(cid);
  }

  /** Forgets what is durable after all; the rest. */
  keep(pending: ReadonlyMap<number, PendingStep>): NewRunEvent[] {
    for (const [cid, event] of this.#results) {
      const step = pending.get(cid);
      const isRetried =
        event.type === 'step_attempt_failed' && (step?.retryAt !== null || step.attempt !== event.attempt);
      if (step === undefined || isRetried) this.#results.delete(cid);
    }
    return this.results;
  }

  get results(): NewRunEvent[] {
    return [...this.#results.values()];
  }
}
