/**
 * Lets so many attempts run at once: over all, and of each step that has a limit of its own. Waiting ones keep their order.
 *
 * An attempt has its place as long as its code runs, also when nobody waits for it any more: a limit stands for something that the code
 * uses. But code that ignores its signal, or hangs for ever, shall not stop all others: some time after the signal its place is free.
 */
import type { FullClock } from './clock.ts';

/** How long the code of an attempt may go on after its signal has aborted, ms, before its place goes to others. */
export const LAST_MOMENTS = 10_000;

export class Gate {
  readonly #limit: number;
  readonly #clock: Pick<FullClock, 'after'>;
  #running = 0;
  readonly #runningOf = new Map<string, number>();
  readonly #waiting = new Map<symbol, { stepId: string; limit: number | null; begin(place: Place): void }>();
  /** Gives up the timers of places that are about to be taken away. */
  readonly #timers = new Set<() => void>();
  #closed = false;

  constructor(limit: number, clock: Pick<FullClock, 'after'>) {
    this.#limit = limit;
    this.#clock = clock;
  }

  /**
   * Calls `begin` as soon as there is room, at once if there is.
   *
   * @param limit The step's own limit, or null.
   * @returns A ticket with which the wait can be given up; null when there is none.
   */
  enter(stepId: string, limit: number | null, begin: (place: Place) => void): symbol | null {
    if (this.#hasRoom(stepId, limit)) {
      begin(this.#place(stepId, limit));
      return null;
    }
    const ticket = Symbol('ticket');
    this.#waiting.set(ticket, { stepId, limit, begin });
    return ticket;
  }

  #place(stepId: string, limit: number | null): Place {
    this.#count(stepId, limit, 1);
    return new Place(
      () => this.#leave(stepId, limit),
      (late) => this.#later(late),
    );
  }

  /** The next one is let in. */
  #leave(stepId: string, limit: number | null): void {
    this.#count(stepId, limit, -1);
    for (const [ticket, next] of this.#waiting) {
      if (this.#running >= this.#limit) return;
      if (!this.#hasRoom(next.stepId, next.limit)) continue;
      this.#waiting.delete(ticket);
      next.begin(this.#place(next.stepId, next.limit));
    }
  }

  #later(late: () => void): () => void {
    if (this.#closed) return () => {};
    const cancel = this.#clock.after(LAST_MOMENTS, () => {
      this.#timers.delete(cancel);
      late();
    });
    this.#timers.add(cancel);
    return () => {
      this.#timers.delete(cancel);
      cancel();
    };
  }

  /** How many more attempts of steps without a limit may run. */
  get room(): number {
    return this.#waiting.size > 0 ? 0 : this.#limit - this.#running;
  }

  /** Gives up the wait. */
  cancel(ticket: symbol): void {
    this.#waiting.delete(ticket);
  }

  /** The worker is closed: nobody gets a place that is taken from another. */
  close(): void {
    this.#closed = true;
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
  }

  #hasRoom(stepId: string, limit: number | null): boolean {
    return this.#running < this.#limit && (limit === null || (this.#runningOf.get(stepId) ?? 0) < limit);
  }

  #count(stepId: string, limit: number | null, by: 1 | -1): void {
    this.#running += by;
    if (limit !== null) this.#runningOf.set(stepId, (this.#runningOf.get(stepId) ?? 0) + by);
  }
}

/** Of one attempt. */
export class Place {
  readonly #free: () => void;
  readonly #later: (late: () => void) => () => void;
  #cancel: (() => void) | null = null;
  #left = false;

  constructor(free: () => void, later: (late: () => void) => () => void) {
    this.#free = free;
    this.#later = later;
  }

  /** The attempt's code has come to its end. */
  leave(): void {
    if (this.#left) return;
    this.#left = true;
    this.#cancel?.();
    this.#free();
  }

  /**
   * The attempt's signal has aborted.
   *
   * @param ignored called when its code still runs after a while: its place goes to others
   */
  hurry(ignored: () => void): void {
    if (this.#left || this.#cancel !== null) return;
    this.#cancel = this.#later(() => {
      ignored();
      this.leave();
    });
  }
}
