/** Time for runs: sleeps, retries, timeouts. (Leases are a matter of the store, by its own clock.) */
export interface Clock {
  /** Ms since the epoch. */
  now(): number;
  /**
   * Calls back once when `now()` has reached `at`.
   *
   * @returns Cancels the timer.
   */
  setTimer(at: number, callback: () => void): () => void;
  /**
   * Ms since some moment, by a clock that nobody sets: for how long something takes. It may stand still while a machine sleeps.
   * Without it, `now` has to be such a clock.
   */
  steady?(): number;
  /**
   * Calls back once when so many ms have passed by `steady`.
   *
   * @returns Cancels the timer.
   */
  after?(ms: number, callback: () => void): () => void;
}

/** What the runtime works with. What is kept in a store is due by `now`; what lasts as long as this process, by `steady`. */
export type FullClock = Required<Clock>;

export function fullClock(clock: Clock): FullClock {
  const { steady, after } = clock;
  return {
    // Stores keep whole numbers.
    now: () => Math.floor(clock.now()),
    setTimer: (at, callback) => clock.setTimer(at, callback),
    steady: steady === undefined ? () => clock.now() : () => steady.call(clock),
    after:
      after === undefined
        ? (ms, callback) => clock.setTimer(clock.now() + ms, callback)
        : (ms, callback) => after.call(clock, ms, callback),
  };
}

/** Node has none longer, ms. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** Node's timers count by a clock that stands still while a machine sleeps, and none longer than 24.8 days: look up at least so often. */
const LONGEST_WAIT = 30_000;

/** The machine's clock. Timers of any length; a machine that slept is late by 30 s at most. */
export const systemClock: FullClock = {
  now: () => Date.now(),
  steady: () => performance.now(),
  after(ms, callback) {
    let left = ms;
    let handle: NodeJS.Timeout;
    const arm = (): void => {
      const part = Math.min(left, LONGEST_TIMER);
      left -= part;
      handle = setTimeout(left > 0 ? arm : callback, part);
    };
    arm();
    return () => clearTimeout(handle);
  },
  setTimer(at, callback) {
    let handle: NodeJS.Timeout;
    const arm = (): void => {
      const left = at - Date.now();
      if (left <= 0) handle = setTimeout(callback, 0);
      else if (left <= LONGEST_WAIT) handle = setTimeout(check, left);
      else handle = setTimeout(arm, LONGEST_WAIT);
    };
    // A timer may fire a moment too early by the wall clock.
    const check = (): void => {
      if (Date.now() >= at) callback();
      else arm();
    };
    arm();
    return () => clearTimeout(handle);
  },
};

/** A clock that moves when it is told to. */
export interface VirtualClock extends Clock {
  /** Moves on by so many ms, calling the timers that come due on the way, each at its own time, in order. */
  advance(ms: number): void;
  /** Moves on to a time; never back. */
  advanceTo(time: number): void;
  /** When the next timer is due; null when there is none. */
  next(): number | null;
  /** Resolves as soon as there is a timer: something waits. At once when there is one already. */
  waitForTimer(): Promise<number>;
}

interface Timer {
  at: number;
  order: number;
  callback(): void;
}

/**
 * A clock for tests: sleeps of months end at once.
 *
 * @param start Where it begins, ms since the epoch.
 * @example
 * const clock = createVirtualClock();
 * const worker = await createWorker({ manifest, store, clock });
 * clock.advance(60_000);
 */
export function createVirtualClock(start = Date.UTC(2026, 0, 1)): VirtualClock {
  let now = start;
  let order = 0;
  const timers = new Set<Timer>();
  let waiting: ((at: number) => void)[] = [];

  const earliest = (): Timer | undefined => {
    let first: Timer | undefined;
    for (const timer of timers) {
      if (first === undefined || timer.at < first.at || (timer.at === first.at && timer.order < first.order))
        first = timer;
    }
    return first;
  };

  const clock: VirtualClock = {
    now: () => now,
    setTimer(at, callback) {
      const timer = { at, order: order++, callback };
      timers.add(timer);
      const resolvers = waiting;
      waiting = [];
      for (const resolve of resolvers) resolve(at);
      return () => timers.delete(timer);
    },
    advance(ms) {
      clock.advanceTo(now + ms);
    },
    advanceTo(time) {
      for (let timer = earliest(); timer !== undefined && timer.at <= time; timer = earliest()) {
        timers.delete(timer);
        now = Math.max(now, timer.at);
        timer.callback();
      }
      now = Math.max(now, time);
    },
    next: () => earliest()?.at ?? null,
    waitForTimer() {
      const at = clock.next();
      return at === null ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(at);
    },
  };
  return clock;
}
