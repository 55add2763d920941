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

export interface WebhookOptions {
  /**
   * What the sender of a request gets: a `Response`, the same for all; or `'manual'`: what a step passes to `request.respondWith()`.
   * By default 202 without a body, as soon as the request is kept.
   */
  respondWith?: Response | 'manual';
}

/** A request that a step is to answer. */
export interface RequestWithResponse extends Request {
  /**
   * Answers the request. In a step; resolves when the answer is kept. Whoever holds the request sends it, if the sender still waits.
   *
   * @throws PawlError `PAWL_WEBHOOK_ANSWERED`, `PAWL_WEBHOOK_RESPONSE`; `PAWL_ONLY_IN_STEP` elsewhere.
   */
  respondWith(response: Response): Promise<void>;
}

/** A hook that HTTP requests resume: whoever knows its URL may send them. */
export interface Webhook<T extends Request = Request> extends Hook<T> {
  /** Where to send requests, of any method. Throws `PAWL_NO_BASE_URL` when nobody said where the handler is reached. */
  readonly url: string;
}

export interface HookDefinition<T> {
  /** In a workflow: makes the hook. */
  create(options?: HookOptions): Hook<T>;
  /** In a step or an app: sends it a payload; as `resumeHook`. */
  resume(token: string, payload: T): Promise<{ runId: string }>;
}
