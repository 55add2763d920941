/** What a worker tells while it works. Each is told when it is durable, except for what runs at the moment. */
import type { RunStatus } from '../store/port.ts';

export type WorkerEvent =
  | { type: 'run-started'; runId: string; workflowId: string; at: number }
  /** Taken over after a crash, an eviction or a sleep; `events` of its log were replayed. */
  | { type: 'run-resumed'; runId: string; workflowId: string; at: number; events: number }
  | {
      type: 'step-started';
      runId: string;
      cid: number;
      stepId: string;
      attempt: number;
      at: number;
      reason: 'first' | 'retry' | 'recovered';
    }
  | {
      type: 'step-completed';
      runId: string;
      cid: number;
      stepId: string;
      attempt: number;
      at: number;
      durationMs: number;
    }
  | {
      type: 'step-failed';
      runId: string;
      cid: number;
      stepId: string;
      attempt: number;
      at: number;
      durationMs: number;
      error: string;
    }
  /** The attempt failed, another one follows at `retryAt`. */
  | {
      type: 'step-retrying';
      runId: string;
      cid: number;
      stepId: string;
      attempt: number;
      at: number;
      durationMs: number;
      error: string;
      retryAt: number;
    }
  /**
   * So long after its signal had aborted the code of an attempt still runs, ms. Nobody waits for it, and its place among the steps that
   * may run at once is given to others.
   */
  | {
      type: 'step-ignores-abort';
      runId: string;
      cid: number;
      stepId: string;
      attempt: number;
      at: number;
      afterMs: number;
    }
  | { type: 'sleep-started'; runId: string; cid: number; at: number; until: number }
  | { type: 'sleep-completed'; runId: string; cid: number; at: number }
  | { type: 'hook-created'; runId: string; cid: number; at: number; token: string }
  | { type: 'hook-received'; runId: string; cid: number; at: number }
  /** A workflow that the run calls is a run of its own. */
  | { type: 'child-started'; runId: string; cid: number; at: number; workflowId: string; childId: string }
  | { type: 'child-finished'; runId: string; cid: number; at: number; ok: boolean }
  | { type: 'cancel-requested'; runId: string; at: number; reason: string | null }
  | { type: 'console'; runId: string; level: string; text: string }
  | {
      type: 'run-finished';
      runId: string;
      workflowId: string;
      status: Extract<RunStatus, 'completed' | 'failed' | 'cancelled'>;
      at: number;
      error: string | null;
    }
  | { type: 'run-parked'; runId: string; workflowId: string; code: string; message: string; at: number }
  /** The store failed; the run is read again and goes on when the store answers. */
  | { type: 'store-failed'; runId: string | null; error: unknown }
  /** Sleeps and retries wait for so much longer, ms. */
  | { type: 'clock-went-back'; at: number; ms: number };

export type WorkerListener = (event: WorkerEvent) => void;

/**
 * Where a test may stop a worker: throw in the callback, and the worker drops everything at that point, as a crash does.
 *
 * - `activated`: workflow code ran, nothing is recorded. - `committed`: what it did is durable, nothing follows yet.
 * - `step-starting`: right before a step's function is called. - `step-returned`: it has returned, the result is not recorded.
 */
export type WorkerCrashPoint = 'activated' | 'committed' | 'step-starting' | 'step-returned';

/** Tells a listener, whose mistakes are not the run's. */
export function tell(listener: WorkerListener | undefined, event: WorkerEvent): void {
  try {
    listener?.(event);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
