/** Types of hooks, as workflow code sees them; the code behind them is in the realm. */

export interface HookOptions {
  /** Names the hook for `resumeHook`, unique among all runs; generated when left out. */
  token?: string;
  /** Kept with the hook, for whoever looks it up. */
  metadata?: unknown;
}

/** A suspension point that payloads resume: awaitable, iterable, disposable. */
export interface Hook<T = unknown> extends PromiseLike<T>, AsyncIterable<T>, Disposable {
  readonly token: string;
  /** Takes no more payloads. */
  dispose(): void;
}

export interface HookDefinition<T> {
  /** In a workflow: makes the hook. */
  create(options?: HookOptions): Hook<T>;
  /** In a step or an app: sends it a payload; as `resumeHook`. */
  resume(token: string, payload: T): Promise<{ runId: string }>;
}
