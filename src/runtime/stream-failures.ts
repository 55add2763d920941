/** What readers get of a stream that was passed to `start()` and did not come to its end. Reading it again gives the same. */
import { PawlError } from '../errors.ts';
import { ERROR_BRAND } from './errors.ts';
import { oneLine } from './one-line.ts';
import type { StreamAddress } from './stream-address.ts';

/** Its source failed. */
export function brokenStream({ runId }: StreamAddress, cause: unknown): PawlError {
  const message = `The ReadableStream that was passed to start() broke off: ${oneLine(cause)}`;
  const remedy = 'See to where it comes from, and start a new run with a new stream.';
  return fatal(new PawlError('PAWL_STREAM_BROKEN', message, { place: `run ${runId}`, remedy, cause }));
}

/** Who sent it is gone. */
export function lostStream({ runId }: StreamAddress): PawlError {
  const message =
    'The program that passed a ReadableStream to start() ended, or lost its store, before it had sent all of it.';
  const remedy =
    'Start a new run with the whole of it. What has to outlive its program is kept elsewhere, and passed by name.';
  return fatal(new PawlError('PAWL_STREAM_LOST', message, { place: `run ${runId}`, remedy }));
}

function fatal(error: PawlError): PawlError {
  return Object.defineProperty(error, ERROR_BRAND, { value: 'fatal' });
}
