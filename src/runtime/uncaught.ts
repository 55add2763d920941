/**
 * Errors that no promise and no `try` got: thrown in a timer, in a callback, in a promise that nobody awaits. Node would end the
 * process, and every other run with it. Node also knows in whose name the code ran, so most can be led back to the step that
 * they belong to, and become the failure of its attempt.
 *
 * This is for processes that are pawl's own. In an application the application decides what becomes of such errors.
 */
import { PawlError } from '../errors.ts';
import { brandOf } from './errors.ts';
import { mapStack, placeOf } from './source-maps.ts';
import { currentStep, type StepContext } from './step-context.ts';
import { oneLine } from './one-line.ts';

export interface UncaughtListener {
  /** Of a step whose attempt has ended: there is nothing left that could fail. */
  late(error: PawlError): void;
  /** Of no step: what state the process is in nobody knows. */
  stray(error: PawlError): void;
}

/**
 * Takes over what becomes of uncaught errors in this process, until the returned function is called.
 *
 * @param listener Told of those that are not the failure of an attempt.
 */
export function watchUncaught(listener: UncaughtListener): () => void {
  const onError = (error: unknown): void => {
    const context = currentStep();
    if (context?.fail(failureOf(error)) === true) return;
    if (context) listener.late(lateError(error, context));
    else listener.stray(strayError(error));
  };
  process.on('uncaughtException', onError).on('unhandledRejection', onError);
  return () => {
    process.off('uncaughtException', onError).off('unhandledRejection', onError);
  };
}

/** What is recorded of it. One that says itself what shall be done stays as it is. */
function failureOf(error: unknown): unknown {
  if (brandOf(error) !== undefined) return error;
  const wrapped = new PawlError(
    'PAWL_STEP_UNCAUGHT',
    `The step threw where nobody could catch it, in a callback or a promise that it does not await: ${oneLine(error)}`,
    { cause: error, remedy: 'Await every promise, and handle errors within callbacks.' },
  );
  wrapped.stack = `${wrapped.name}: ${wrapped.message}${framesOf(error)}`;
  return wrapped;
}

function lateError(error: unknown, { step, workflow }: StepContext): PawlError {
  return new PawlError(
    'PAWL_STEP_LATE_ERROR',
    `The step ${step.stepName} had ended when something that it left behind threw: ${oneLine(error)}`,
    {
      place: placeIn(error) ?? `run ${workflow.workflowRunId}`,
      remedy: 'Its result stands. Await every promise, and stop timers before the step returns.',
      cause: error,
    },
  );
}

function strayError(error: unknown): PawlError {
  return new PawlError('PAWL_UNCAUGHT', `An error was thrown that nobody caught, and no step: ${oneLine(error)}`, {
    place: placeIn(error),
    cause: error,
  });
}

/**
 * Who called `process.exit()`; to be asked in a listener for `exit`, while the call still waits.
 *
 * @returns the step and its run, and the place of the call as far as it is in the user's code
 */
export function exitCaller(): { stepId: string | null; runId: string | null; place: string | undefined } {
  const context = currentStep();
  return {
    stepId: context?.step.stepName ?? null,
    runId: context?.workflow.workflowRunId ?? null,
    place: placeIn(new Error('exit')),
  };
}

function placeIn(error: unknown): string | undefined {
  const place = placeOf(mappedStack(error));
  return place ? `${place.file}:${place.line}:${place.column}` : undefined;
}

function framesOf(error: unknown): string {
  return mappedStack(error)
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .map((line) => `\n${line}`)
    .join('');
}

function mappedStack(error: unknown): string {
  try {
    const { stack } = error as { stack?: unknown };
    return typeof stack === 'string' ? mapStack(stack) : '';
  } catch {
    return '';
  }
}
