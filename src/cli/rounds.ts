/** Work that is done again when something changed: once for all changes that come together, and never twice at a time. */
export class Rounds {
  readonly #work: () => Promise<void>;
  readonly #quiet: number;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | null = null;
  /** Something changed while the work was under way, and so maybe behind its back. */
  #stale = false;
  #ended = false;

  /**
   * @param work - never rejects
   * @param quiet - milliseconds without a change that end a change
   */
  constructor(work: () => Promise<void>, quiet: number) {
    this.#work = work;
    this.#quiet = quiet;
  }

  /** Notes a change: the work is done when no other one has followed for a while. */
  changed(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#running) this.#stale = true;
      else this.begin();
    }, this.#quiet);
  }

  /** Does the work now. */
  begin(): void {
    this.#stale = false;
    this.#running = this.#work().then(() => {
      this.#running = null;
      // With a change under way it is begun when that has ended.
      if (this.#stale && this.#timer === undefined && !this.#ended) this.begin();
    });
  }

  /** Waits for what is under way, and does nothing more. */
  async end(): Promise<void> {
    clearTimeout(this.#timer);
    this.#ended = true;
    await this.#running;
  }
}
