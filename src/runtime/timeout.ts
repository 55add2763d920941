import { PawlError } from '../errors.ts';
import { errorData } from './endings.ts';
import type { AttemptResult } from './step-runner.ts';

/** What becomes of an attempt that took longer than its step's `timeout`: it failed, and may be tried again. */
export function timedOut(stepId: string, timeout: number): TooLate {
  const message = `The step ${stepId} took longer than its timeout of ${timeout} ms.`;
  const remedy = 'Raise its `timeout`, or find out what it waits for. Its `signal` aborts when the time is over.';
  return tooLate(new PawlError('PAWL_STEP_TIMEOUT', message, { remedy }));
}

/** The same of an attempt that gave no sign of life for longer than its `heartbeatTimeout`. */
export function missedHeartbeat(stepId: string, timeout: number): TooLate {
  const message = `The step ${stepId} gave no heartbeat for ${timeout} ms, its heartbeatTimeout.`;
  const remedy =
    'Find out what it hangs in; or let it call `getStepMetadata().heartbeat()` more often, or raise its `heartbeatTimeout`.';
  return tooLate(new PawlError('PAWL_STEP_HEARTBEAT', message, { remedy }));
}

interface TooLate {
  error: PawlError;
  result: AttemptResult;
}

function tooLate(error: PawlError): TooLate {
  error.stack = `${error.name}: ${error.message}`;
  return {
    error,
    result: { ok: false, error: errorData(error), message: error.message, fatal: false, wait: null },
  };
}
