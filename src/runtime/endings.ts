/** How a run ends: what is recorded as its result or its error, with the stacks showing the user's sources. */
import { PawlError } from '../errors.ts';
import type { NewRunEvent } from '../store/events.ts';
import type { Outcome } from './live-run.ts';
import { passthroughCodec } from './serialization/passthrough.ts';
import { mapStack } from './source-maps.ts';
import { oneLine } from './one-line.ts';

/** Types of events behind which the driver has no more to do with the run. */
export const ENDINGS = /^run_(?:completed|failed|cancelled|parked)$/;

const errorCodec = passthroughCodec(mapStack);

/** The error as it is recorded, and in one line. */
export function recordedError(data: string): { data: string; text: string } {
  try {
    const error = errorCodec.parse(data);
    return { data: errorCodec.stringifyThrown(error), text: oneLine(error) };
  } catch {
    return { data, text: 'an error that cannot be read' };
  }
}

/** A rejection that no one handled takes the place of the result: a failure must not vanish. */
export function unhandledRejection(data: string): string {
  const cause = errorCodec.parse(data);
  const error = new PawlError(
    'PAWL_UNHANDLED_REJECTION',
    `The workflow returned, but a promise that it made was rejected and nobody handled that: ${oneLine(cause)}`,
    { cause, remedy: 'Await every durable call and every async function, or catch what may fail.' },
  );
  error.stack = `${error.name}: ${error.message}`;
  return errorCodec.stringifyThrown(error);
}

/** Nothing is pending, and the function has not returned. */
export function stuck(unhandled: string | null): string {
  const cause = unhandled === null ? undefined : errorCodec.parse(unhandled);
  const because = cause === undefined ? '' : ` A rejection that nobody handled came before: ${oneLine(cause)}`;
  const error = new PawlError(
    'PAWL_WORKFLOW_STUCK',
    `The workflow waits for a promise that nothing will settle: no step, sleep or hook is pending.${because}`,
    {
      cause,
      remedy: 'Await durable calls only; a promise that the workflow makes itself must be settled by the workflow.',
    },
  );
  error.stack = `${error.name}: ${error.message}`;
  return errorCodec.stringifyThrown(error);
}

/** An error of the runtime's own making, as data. */
export function errorData(error: unknown): string {
  return errorCodec.stringifyThrown(error);
}

/** The event that ends a run. */
export function endEvent(outcome: Outcome, at: number): NewRunEvent {
  switch (outcome.status) {
    case 'completed':
      return { type: 'run_completed', at, data: outcome.data };
    case 'failed':
      return { type: 'run_failed', at, data: outcome.data };
    case 'cancelled':
      return { type: 'run_cancelled', at, data: outcome.data };
  }
}
