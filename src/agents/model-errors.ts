/** What becomes of an error of a provider: whether the call is made again, and when. */
import { PawlError } from '../errors.ts';
import { brandOf, ERROR_BRAND, type ErrorBrand } from '../runtime/errors.ts';
import { redact } from '../secrets.ts';
import { messageOf } from './loop/model-output.ts';

/** An error of the AI SDK about an HTTP request; of whichever copy of it. */
interface ApiError {
  message: string;
  statusCode?: number;
  responseHeaders?: Record<string, string>;
  isRetryable?: boolean;
}

const API_ERROR = Symbol.for('vercel.ai.error.AI_APICallError');
const AI_ERROR = Symbol.for('vercel.ai.error');
/** Errors of the AI SDK about what came back: another answer may be whole. */
const BAD_ANSWERS = [
  'InvalidResponseDataError',
  'EmptyResponseBodyError',
  'JSONParseError',
  'NoContentGeneratedError',
  'NoOutputGeneratedError',
  'TypeValidationError',
  'DownloadError',
].map((name) => Symbol.for(`vercel.ai.error.AI_${name}`));

function hasMark(error: unknown, mark: symbol): boolean {
  return typeof error === 'object' && error !== null && (error as Record<symbol, unknown>)[mark] === true;
}

/**
 * The error that the model call fails with. Nothing of the request goes into it, for it is recorded and shown.
 *
 * - 429: tried again when `retry-after` says.
 * - other statuses that may pass (408, 409, 5xx), no connection, one that broke off, an answer that makes no sense, a time-out: tried again,
 *   with growing waits.
 * - other statuses, and what the AI SDK refuses: not tried again.
 *
 * @param again whether attempts are left
 */
export function modelFailure(error: unknown, again: boolean): unknown {
  const known = brandOf(error) !== undefined || error instanceof PawlError;
  if (known) return again ? error : lastly(error);
  if (hasMark(error, API_ERROR)) return fromApi(error as ApiError, again);
  if (BAD_ANSWERS.some((mark) => hasMark(error, mark))) {
    const message = `The model's answer is not whole: ${messageOf(error)}`;
    return branded(new PawlError('PAWL_MODEL_FAILED', message, { remedy: LATER }), again ? undefined : 'fatal');
  }
  if (hasMark(error, AI_ERROR)) {
    const message = `The AI SDK refuses the model call: ${messageOf(error)}`;
    return branded(new PawlError('PAWL_MODEL_REFUSED', message, { remedy: 'Correct what it says.' }), 'fatal');
  }
  const message = `The connection to the model's provider failed: ${messageOf(error)}`;
  return branded(new PawlError('PAWL_MODEL_FAILED', message, { remedy: LATER }), again ? undefined : 'fatal');
}

const LATER = 'Try again later, or take another provider.';

function fromApi(
  { message: said, statusCode, responseHeaders = {}, isRetryable }: ApiError,
  again: boolean,
): PawlError {
  // Some quote the key that they do not know.
  const message = redact(String(said));
  const details = statusCode === undefined ? undefined : { statusCode };
  if (statusCode === 429) {
    const error = new PawlError('PAWL_MODEL_RATE_LIMIT', `The model's provider limits requests (429): ${message}`, {
      remedy: 'Ask less often, or for a higher limit; `maxRetries` says how often a call is made again.',
      details,
    });
    const retryAfter = waitOf(responseHeaders);
    if (retryAfter !== undefined) Object.assign(error, { retryAfter });
    return branded(error, again ? 'retryable' : 'fatal');
  }
  const status = statusCode === undefined ? '' : ` (${statusCode})`;
  if (isRetryable) {
    const error = new PawlError('PAWL_MODEL_FAILED', `The model's provider failed${status}: ${message}`, {
      remedy: LATER,
      details,
    });
    return branded(error, again ? undefined : 'fatal');
  }
  const error = new PawlError('PAWL_MODEL_REFUSED', `The model's provider refuses the call${status}: ${message}`, {
    remedy:
      statusCode === 401 || statusCode === 403
        ? 'Check the API key, and what it may do.'
        : 'Correct the settings, the messages or the tools of the agent.',
    details,
  });
  return branded(error, 'fatal');
}

/** How long the provider wants to be left alone, ms. */
function waitOf(headers: Record<string, string>): number | undefined {
  const exact = Number(headers['retry-after-ms']);
  if (headers['retry-after-ms'] !== undefined && Number.isFinite(exact)) return Math.max(0, exact);
  const said = headers['retry-after'];
  if (said === undefined) return undefined;
  const seconds = Number(said);
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(said) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}

/** The provider was silent, or took longer than `timeout` allows. */
export function timedOut(after: number): PawlError {
  return new PawlError('PAWL_MODEL_TIMEOUT', `The model's provider did not answer within ${after} ms.`, {
    remedy: 'Allow it more by the `timeout` of the agent, ms or { chunkMs, stepMs }; or take a faster model.',
  });
}

/** The answer ended in the middle. */
export function cutOff(): PawlError {
  return new PawlError('PAWL_MODEL_FAILED', "The model's answer broke off before its end.", { remedy: LATER });
}

/** After it no further attempt is made, whatever it was. */
export function lastly(error: unknown): unknown {
  if (!(error instanceof Error) || brandOf(error) === 'cancelled' || !Object.isExtensible(error)) return error;
  return branded(error, 'fatal');
}

function branded<E extends Error>(error: E, brand: ErrorBrand | undefined): E {
  return brand === undefined ? error : Object.defineProperty(error, ERROR_BRAND, { value: brand, configurable: true });
}
