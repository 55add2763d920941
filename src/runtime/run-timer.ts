import type { Clock } from './clock.ts';

/** The one timer of a run, for what comes due first. */
export class RunTimer {
  readonly #clock: Pick<Clock, 'now' | 'setTimer'>;
  readonly #due: () => void;
  #timer: { at: number; cancel(): void } | null = null;
  #isOverdue = false;

  /** @param due Told when it goes off. */
  constructor(clock: Pick<Clock, 'now' | 'setTimer'>, due: () => void) {
    this.#clock = clock;
    this.#due = due;
  }

  /** Whether something comes due, or has been due when something else was to be delivered first. */
  get isSet(): boolean {
    return this.#timer !== null || this.#isOverdue;
  }

  /**
   * @param at When the first thing comes due; Infinity when nothing does.
   * @param isBusy Whether something is to be delivered before what is due already.
   */
  set(at: number, isBusy: boolean): void {
    if (this.#timer?.at === at) return;
    this.stop();
    if (at === Infinity) return;
    // What is due already waits for no timer, but for what is to be delivered before it.
    if (at > this.#clock.now()) this.#timer = { at, cancel: this.#clock.setTimer(at, this.#goOff) };
    else if (isBusy) this.#isOverdue = true;
    else this.#goOff();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#isOverdue = false;
  }

  readonly #goOff = (): void => {
    this.#timer = null;
    this.#due();
  };
}
