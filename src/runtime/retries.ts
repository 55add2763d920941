/** How long a worker waits before it asks a store again that failed. */

/** The first wait, and the longest, ms. */
const FIRST_WAIT = 100;
const LONGEST_WAIT = 5_000;

/** After that long without a failure, ms, the waits of a run begin anew. */
const FORGET_AFTER = 30_000;

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown } | null | undefined)?.code;
}

/** Reading again would find the same. */
export function isDamage(error: unknown): boolean {
  return codeOf(error) === 'PAWL_STORE_CORRUPT';
}

const HOPELESS = new Set<unknown>(['PAWL_UNKNOWN_RUN', 'PAWL_STORE_CLOSED', 'PAWL_STORE_NEWER']);

/** Asking again would give the same answer. */
export function isHopeless(error: unknown): boolean {
  return isDamage(error) || HOPELESS.has(codeOf(error));
}

/** Waits that double from failure to failure of the same run; all of them end when the worker does. */
export class Retries {
  readonly #last = new Map<string, { wait: number; at: number }>();
  readonly #pauses = new Map<NodeJS.Timeout, () => void>();
  #stopped = false;

  /** The wait after one more failure of a run, ms. */
  next(runId: string): number {
    const now = performance.now();
    for (const [id, { at }] of this.#last) if (now - at > FORGET_AFTER) this.#last.delete(id);
    const last = this.#last.get(runId);
    const wait = last === undefined ? FIRST_WAIT : Math.min(last.wait * 2, LONGEST_WAIT);
    this.#last.set(runId, { wait, at: now });
    return wait;
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  pause(wait: number): Promise<void> {
    if (this.#stopped) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#pauses.delete(timer);
        resolve();
      }, wait);
      this.#pauses.set(timer, resolve);
    });
  }

  stop(): void {
    this.#stopped = true;
    for (const [timer, resolve] of this.#pauses) {
      clearTimeout(timer);
      resolve();
    }
    this.#pauses.clear();
  }
}
