/**
 * The heartbeats of one attempt: signs of life of a step that takes long, with what it has done so far.
 *
 * Beats stay in memory, so that they cost nothing; an attempt that fails takes the details of its last one into the event log, and
 * the next attempt finds them, wherever it is made. Those of an attempt that a crash cut short are lost.
 */
import type { FullClock } from './clock.ts';
import type { Codec } from './serialization/codec.ts';

export class Heartbeat {
  readonly #clock: Pick<FullClock, 'steady' | 'after'>;
  readonly #codec: Codec;
  readonly #before: string | null;
  #beatAt = 0;
  #cancel: (() => void) | undefined;
  #stopped = false;
  /** Serialized details of the newest beat that had some; null when this attempt has told none. */
  details: string | null = null;

  /** @param before details that an earlier attempt left, serialized */
  constructor(clock: Pick<FullClock, 'steady' | 'after'>, codec: Codec, before: string | null) {
    this.#clock = clock;
    this.#codec = codec;
    this.#before = before;
  }

  /**
   * Waits for beats.
   *
   * @param timeout longest time without one, ms
   * @param missed called once when there was none
   */
  expect(timeout: number, missed: () => void): void {
    this.#beatAt = this.#clock.steady();
    const look = (): void => {
      if (this.#stopped) return;
      const left = this.#beatAt + timeout - this.#clock.steady();
      if (left <= 0) missed();
      // A beat costs no timer: how long ago the newest was is seen when the time of an earlier one is over.
      else this.#cancel = this.#clock.after(left, look);
    };
    this.#cancel = this.#clock.after(timeout, look);
  }

  /** @throws PawlError `PAWL_NOT_SERIALIZABLE` */
  beat(details: unknown): void {
    if (this.#stopped) return;
    if (details !== undefined)
      this.details = this.#codec.stringify(details, { root: 'details', what: 'the details of a heartbeat' });
    this.#beatAt = this.#clock.steady();
  }

  /** Details that an earlier attempt left. */
  get last(): unknown {
    return this.#before === null ? undefined : this.#codec.parse(this.#before);
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
  }
}
