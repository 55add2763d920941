/** Types of hooks, as workflow code sees them; the code behind them is in the realm. */
import type { Schema } from './schema-issues.ts';

/** @typeParam S the schema, where there is one */
export interface HookOptions<S extends Schema | undefined = Schema | undefined> {
  /** Names the hook for `resumeHook`, unique among all runs; generated when left out. */
  token?: string;
  /** Kept with the hook, for whoever looks it up. */
  metadata?: unknown;
  /**
   * What payloads must be: a schema of zod 4, or of another library that follows Standard Schema. A payload that does not match is
   * refused where it is sent, and not kept; the workflow gets what the schema makes of those that do. It decides by itself: no I/O.
   */
  schema?: S;
}

/** A suspension point that payloads resume: awaitable, iterable, disposable. */
export interface Hook<T = unknown> extends PromiseLike<T>, AsyncIterable<T>, Disposable {
  readonly token: string;
  /**
   * Whether another hook has the token, without waiting for a payload: the run that it belongs to, or null when this one is registered.
   *
   * @throws CancelledError when the run is cancelled
   * @example
   * using hook = createHook<Approval>({ token: `approval:${order.id}` });
   * const conflict = await hook.getConflict();
   * if (conflict) return { handledBy: conflict.runId };
   */
  getConflict(): Promise<{ runId: string } | null>;
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

/** @typeParam P what is sent; another type than what the workflow gets where a schema transforms it */
export interface HookDefinition<T, P = T> {
  /** In a workflow: makes the hook. */
  create(options?: Omit<HookOptions, 'schema'>): Hook<T>;
  /** In a step or an app: sends it a payload; as `resumeHook`. */
  resume(token: string, payload: P): Promise<{ runId: string }>;
}
