/**
 * A clock that goes back. Sleeps and retries are due by the clock, so they wait until their time comes again: that is told. New runs
 * wait for nothing: those that were made by a clock that was ahead, here or on another machine, begin at once.
 */
import type { EventStore } from '../store/port.ts';
import { type Clock, systemClock } from './clock.ts';
import type { WorkerEvent } from './progress.ts';

/** Less is corrected by the way, or the difference of two machines that are well, ms. */
const TOLERANCE = 1_000;

interface SetbackHost {
  readonly store: EventStore;
  readonly clock: Clock;
  emit(event: WorkerEvent): void;
  /** Begins a run, due or not; null where the worker takes none by itself. */
  readonly take: ((runId: string) => Promise<unknown>) | null;
}

export class Setbacks {
  readonly #host: SetbackHost;
  #ahead = difference();

  constructor(host: SetbackHost) {
    this.#host = host;
  }

  /** To be called from time to time. */
  look(): void {
    const { clock, emit } = this.#host;
    const ahead = difference();
    const ms = this.#ahead - ahead;
    this.#ahead = ahead;
    if (clock !== systemClock || ms < TOLERANCE) return;
    emit({ type: 'clock-went-back', at: Date.now(), ms: Math.round(ms) });
    void this.beginEarly();
  }

  /** Begins the new runs whose time lies ahead. */
  async beginEarly(): Promise<void> {
    const { store, clock, emit, take } = this.#host;
    if (take === null) return;
    try {
      const { runs } = await store.listRuns({ status: ['pending'], limit: 1_000 });
      const latest = clock.now() + TOLERANCE;
      for (const { id, wakeAt } of runs) if (wakeAt !== null && wakeAt > latest) await take(id);
    } catch (error) {
      emit({ type: 'store-failed', runId: null, error });
    }
  }
}

/** What the wall clock has before one that never jumps; it grows while a machine is suspended. */
function difference(): number {
  return Date.now() - performance.now();
}
