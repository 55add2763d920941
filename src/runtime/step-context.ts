/**
 * What a running step knows about itself. The storage hangs on `globalThis`, because pawl exists in several copies: step bundles
 * carry their own.
 */
import type { AsyncLocalStorage } from 'node:async_hooks';
import type { StreamAddress } from './stream-address.ts';

export interface StepMetadata {
  /** Unique for each call of a step: the same for all its attempts. */
  stepId: string;
  /** The step's id in the manifest: `src/orders.ts#charge`. */
  stepName: string;
  /** 1 for the first attempt. Attempts that a crash cut short count. */
  attempt: number;
  stepStartedAt: Date;
  /** The same for all attempts of a call, unique otherwise: for APIs that do a thing once per key. */
  idempotencyKey: string;
  /** Aborts when the run is cancelled or has ended without this step, when the attempt exceeds its `timeout` or misses a heartbeat, when the worker closes. */
  signal: AbortSignal;
  /**
   * Says that the attempt goes on. A step with a `heartbeatTimeout` has to say so at least that often, or the attempt counts as failed
   * and its signal aborts. Costs next to nothing, so call it as often as you like.
   *
   * @param details How far it has come: what the next attempt gets as `lastHeartbeat` should this one fail. Kept in memory until then; a
   *   crash of the process loses it.
   * @throws PawlError `PAWL_NOT_SERIALIZABLE`
   */
  heartbeat(details?: unknown): void;
  /** Details of the last heartbeat of the attempts before this one; undefined when there were none. */
  lastHeartbeat: unknown;
}

export interface WorkflowMetadata {
  workflowRunId: string;
  workflowName: string;
  workflowStartedAt: Date;
  url: string;
}

export interface StepContext {
  readonly step: StepMetadata;
  readonly workflow: WorkflowMetadata;
  /**
   * Ends the attempt with an error that its promise does not know of: one that was thrown in a timer, say.
   *
   * @returns false when the attempt has ended before
   */
  fail(error: unknown): boolean;
  /** Sends a payload to a hook in the store of the step's run. */
  deliver(token: string, payload: unknown): Promise<unknown>;
  /** A stream to write to, as long as the attempt goes on. */
  writable(address: StreamAddress): WritableStream;
  /** Reads a stream to its end into one of the run's, and gives it that address. */
  keep(stream: ReadableStream): Promise<void>;
}

const KEY = Symbol.for('pawl.step-context.1');

type Holder = Record<symbol, AsyncLocalStorage<StepContext> | undefined>;

/** The context of the step that calls; undefined outside of steps. */
export function currentStep(): StepContext | undefined {
  return (globalThis as unknown as Holder)[KEY]?.getStore();
}

/** The storage; the worker makes it, once in a process. */
export function stepStorage(make: () => AsyncLocalStorage<StepContext>): AsyncLocalStorage<StepContext> {
  const holder = globalThis as unknown as Holder;
  holder[KEY] ??= make();
  return holder[KEY];
}
