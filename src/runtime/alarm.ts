import type { Clock } from './clock.ts';

/** The one timer of a worker: for runs that sleep and that nobody owns. */
export class Alarm {
  readonly #clock: Clock;
  readonly #ring: () => void;
  #set: { at: number; cancel(): void } | null = null;

  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  set(at: number | null): void {
    if (at === this.#set?.at) return;
    this.stop();
    if (at === null) return;
    const cancel = this.#clock.setTimer(at, () => {
      this.#set = null;
      this.#ring();
    });
    this.#set = { at, cancel };
  }

  stop(): void {
    this.#set?.cancel();
    this.#set = null;
  }
}
