import { PawlError } from '../errors.ts';
import { isAnswerToken, type WorkerEvent } from '../runtime/index.ts';

/**
 * What the worker is known to be doing, from what it tells: who waits for what, and whether everything stands still.
 */
export class Activity {
  readonly #runs = new Map<string, RunActivity>();
  readonly #watchers = new Set<() => void>();
  /** Attempts of steps that run at the moment and that somebody waits for, as `RUN CALL`. */
  readonly #attempts = new Set<string>();
  #events = 0;

  readonly listen = (event: WorkerEvent): void => {
    this.#events++;
    this.#count(event);
    if ('runId' in event && event.runId !== null) this.#of(event.runId).take(event);
    for (const watcher of this.#watchers) watcher();
  };

  #count(event: WorkerEvent): void {
    switch (event.type) {
      case 'step-started':
        this.#attempts.add(`${event.runId} ${event.cid}`);
        return;
      case 'step-completed':
      case 'step-failed':
      case 'step-retrying':
        this.#attempts.delete(`${event.runId} ${event.cid}`);
        return;
      // Whatever still runs was aborted: nobody is told when it ends.
      case 'cancel-requested':
      case 'run-finished':
      case 'run-parked':
        for (const key of this.#attempts) if (key.startsWith(`${event.runId} `)) this.#attempts.delete(key);
        return;
      default:
        return;
    }
  }

  /**
   * Resolves with the first thing that a run is found to wait for.
   *
   * @param runId - that run; any when undefined
   * @param what - for the error: what the run should have done
   */
  wait<T extends object>(
    runId: string | undefined,
    what: string,
    find: (run: RunActivity) => T | null,
  ): Promise<T & { runId: string }> {
    return new Promise((resolve, reject) => {
      const look = (): boolean => {
        const runs = runId === undefined ? [...this.#runs.values()] : [this.#of(runId)];
        for (const run of runs) {
          const found = find(run);
          if (found) {
            resolve({ ...found, runId: run.id });
            return true;
          }
          if (runId !== undefined && run.ended !== null) {
            reject(endedBefore(run.id, run.ended, what));
            return true;
          }
        }
        return false;
      };
      if (look()) return;
      const watcher = (): void => {
        if (look()) this.#watchers.delete(watcher);
      };
      this.#watchers.add(watcher);
    });
  }

  /**
   * Resolves when no step runs and nothing was told for some turns of the event loop.
   *
   * @param duringSteps - steps may run
   */
  async settle(duringSteps = false): Promise<void> {
    for (let quiet = 0; quiet < QUIET_TURNS; ) {
      const before = this.#events;
      await nextTurn();
      if (this.#attempts.size > 0 && !duringSteps) {
        await this.#nextEvent();
        quiet = 0;
      } else {
        quiet = this.#events === before ? quiet + 1 : 0;
      }
    }
  }

  /** Token of a hook that a run waits on. */
  hookOf(runId: string): string | null {
    return this.#of(runId).hook()?.token ?? null;
  }

  #of(runId: string): RunActivity {
    let run = this.#runs.get(runId);
    if (!run) {
      run = new RunActivity(runId);
      this.#runs.set(runId, run);
    }
    return run;
  }

  #nextEvent(): Promise<void> {
    return new Promise((resolve) => {
      const watcher = (): void => {
        this.#watchers.delete(watcher);
        resolve();
      };
      this.#watchers.add(watcher);
    });
  }
}

/** A reaction takes some turns: the workflow runs, its commands are committed, their effects begin. */
const QUIET_TURNS = 8;

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** What one run waits for. */
export class RunActivity {
  readonly id: string;
  /** How it ended, or null. */
  ended: string | null = null;
  readonly #sleeps = new Map<number, number>();
  readonly #hooks = new Map<number, { token: string; received: boolean }>();

  constructor(id: string) {
    this.id = id;
  }

  take(event: WorkerEvent): void {
    switch (event.type) {
      case 'sleep-started':
        this.#sleeps.set(event.cid, event.until);
        return;
      case 'sleep-completed':
        this.#sleeps.delete(event.cid);
        return;
      case 'hook-created':
        if (!isAnswerToken(event.token)) this.#hooks.set(event.cid, { token: event.token, received: false });
        return;
      case 'hook-received':
        this.#received(event.cid);
        return;
      case 'run-finished':
        this.ended = event.status;
        return;
      case 'run-parked':
        this.ended = `parked (${event.code}: ${event.message})`;
        return;
      default:
        return;
    }
  }

  /** The wait that is over first. */
  sleep(): { until: number } | null {
    return this.#sleeps.size === 0 ? null : { until: Math.min(...this.#sleeps.values()) };
  }

  /** A hook that has had no payload; by its token any, for it may take more. */
  hook(token?: string): { token: string } | null {
    for (const hook of this.#hooks.values()) {
      if (token === undefined ? !hook.received : hook.token === token) return { token: hook.token };
    }
    return null;
  }

  #received(cid: number): void {
    const hook = this.#hooks.get(cid);
    if (hook) hook.received = true;
  }
}

function endedBefore(runId: string, ended: string, what: string): PawlError {
  return new PawlError('PAWL_TEST_RUN_ENDED', `The run is ${ended}; it never ${what}.`, {
    place: `run ${runId}`,
    remedy: 'Await `run.returnValue` to see its result or its error.',
  });
}
