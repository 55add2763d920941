import { PawlError } from '../errors.ts';
import { errorData } from './endings.ts';
import type { AttemptResult } from './step-runner.ts';

/** What becomes of an attempt that took longer than its step's `timeout`: it failed, and may be tried again. */
export function timedOut(stepId: string, timeout: number): { error: PawlError; result: AttemptResult } {
  const error = new PawlError(
    'PAWL_STEP_TIMEOUT',
    `The step ${stepId} took longer than its timeout of ${timeout} ms.`,
    {
      remedy: 'Raise its `timeout`, or find out what it waits for. Its `signal` aborts when the time is over.',
    },
  );
  error.stack = `${error.name}: ${error.message}`;
  return {
    error,
    result: { ok: false, error: errorData(error), message: error.message, fatal: false, wait: null },
  };
}
