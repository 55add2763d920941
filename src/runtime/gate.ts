/** Lets so many attempts run at once: over all, and of each step that has a limit of its own. Waiting ones keep their order. */
export class Gate {
  readonly #limit: number;
  #running = 0;
  readonly #runningOf = new Map<string, number>();
  readonly #waiting = new Map<symbol, { stepId: string; limit: number | null; begin(): void }>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * Calls `begin` as soon as there is room, at once if there is.
   *
   * @param limit The step's own limit, or null.
   * @returns A ticket with which the wait can be given up; null when there is none.
   */
  enter(stepId: string, limit: number | null, begin: () => void): symbol | null {
    if (this.#hasRoom(stepId, limit)) {
      this.#count(stepId, limit, 1);
      begin();
      return null;
    }
    const ticket = Symbol('ticket');
    this.#waiting.set(ticket, { stepId, limit, begin });
    return ticket;
  }

  /** An attempt has ended: lets the next one in. */
  leave(stepId: string, limit: number | null): void {
    this.#count(stepId, limit, -1);
    for (const [ticket, next] of this.#waiting) {
      if (this.#running >= this.#limit) return;
      if (!this.#hasRoom(next.stepId, next.limit)) continue;
      this.#waiting.delete(ticket);
      this.#count(next.stepId, next.limit, 1);
      next.begin();
    }
  }

  /** How many more attempts of steps without a limit may run. */
  get room(): number {
    return this.#waiting.size > 0 ? 0 : this.#limit - this.#running;
  }

  /** Gives up the wait. */
  cancel(ticket: symbol): void {
    this.#waiting.delete(ticket);
  }

  #hasRoom(stepId: string, limit: number | null): boolean {
    return this.#running < this.#limit && (limit === null || (this.#runningOf.get(stepId) ?? 0) < limit);
  }

  #count(stepId: string, limit: number | null, by: 1 | -1): void {
    this.#running += by;
    if (limit !== null) this.#runningOf.set(stepId, (this.#runningOf.get(stepId) ?? 0) + by);
  }
}
