/**
 * The heartbeats of one attempt: signs of life of a step that takes long, with what it has done so far.
 *
 * Beats stay in memory, so that they cost nothing; an attempt that fails takes the details of its last one into the event log, and
 * the next attempt finds them, wherever it is made. Those of an attempt that a crash cut short are lost.
 */
import type { Clock } from './clock.ts';
import type { Codec } from './serialization/codec.ts';

export class Heartbeat {
  readonly #clock: Pick<Clock, 'now' | 'setTimer'>;
  readonly #codec: Codec;
  readonly #before: string | null;
  #beatAt = 0;
  #cancel: (() => void) | undefined;
  #stopped = false;
  /** Serialized details of the newest beat that had some; null when this attempt has told none. */
  details: string | null = null;

  /** @param before details that an earlier attempt left, serialized */
  constructor(clock: Pick<Clock, 'now' | 'setTimer'>, codec: Codec, before: string | null) {
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
    this.#beatAt = this.#clock.now();
    const look = (): void => {
      if (this.#stopped) return;
      const due = this.#beatAt + timeout;
      if (this.#clock.now() >= due) missed();
      // A beat costs no timer: how long ago the newest was is seen when the time of an earlier one is over.
      else this.#cancel = this.#clock.setTimer(due, look);
    };
    this.#cancel = this.#clock.setTimer(this.#beatAt + timeout, look);
  }

  /** @throws PawlError `PAWL_NOT_SERIALIZABLE` */
  beat(details: unknown): void {
    if (this.#stopped) return;
    if (details !== undefined)
      this.details = this.#codec.stringify(details, { root: 'details', what: 'the details of a heartbeat' });
    this.#beatAt = this.#clock.now();
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
