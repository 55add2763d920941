/**
 * What an authorization server said instead of giving a token, and why it said nothing, for people: nothing of the library that asked, for
 * its errors and their stacks are recorded with the run, and tell of its own functions alone.
 */
import { PawlError } from '../errors.ts';
import { redact } from '../secrets.ts';

/** Who was asked, for what. */
export interface Asked {
  /** Of the credential. */
  key: string;
  /** Of the server, as the credential says it. */
  address: string;
  option: 'tokenUrl' | 'issuer';
}

/** Codes that say nothing about the request, whatever their status is. */
const PASSING: ReadonlySet<unknown> = new Set(['temporarily_unavailable', 'server_error', 'slow_down']);

/** Statuses below 500 after which the same request may succeed. */
const PASSING_STATUSES: ReadonlySet<number> = new Set([408, 425, 429]);

/** An answer with `error`, or with a status that is none of success. */
export function refused(asked: Asked, response: Response, body: Record<string, unknown> | null, of = ''): PawlError {
  const { status, headers } = response;
  const code = typeof body?.error === 'string' ? body.error : null;
  const passes = PASSING.has(code) || PASSING_STATUSES.has(status) || status >= 500;
  if (passes) {
    const after = headers.get('retry-after');
    return unavailable(asked, `it answered ${status}${of}${code === null ? '' : `, ${code}`}`, after);
  }
  const described = typeof body?.error_description === 'string' ? body.error_description : '';
  const why = code === null ? `it answered ${status}${of}` : [code, described].filter((part) => part !== '').join(', ');
  return new PawlError('PAWL_OAUTH_REFUSED', noToken(asked, why), {
    place: `credential ${asked.key}`,
    remedy: code === null ? addressRemedy(asked) : remedyOf(code),
    ...(code !== null && { details: { error: short(code) } }),
  });
}

function remedyOf(code: string): string {
  if (code === 'invalid_grant') return 'The refresh token holds no more: authorize anew, and set the new one.';
  return 'See that the client id, its secret and the scope are those that the server knows.';
}

function addressRemedy({ option, address }: Asked): string {
  const what = option === 'tokenUrl' ? 'of its token endpoint' : 'of the server';
  return `See that \`${option}\` is the address ${what}: ${address}`;
}

/** It may be another time: nothing was answered, or nothing of use. */
export function unavailable(asked: Asked, why: string, retryAfter: string | null = null): PawlError {
  return new PawlError('PAWL_OAUTH_UNAVAILABLE', noToken(asked, why), {
    place: `credential ${asked.key}`,
    remedy: `See whether ${asked.address} is reached and well; the step is tried again.`,
    ...(retryAfter !== null && { details: { retryAfter } }),
  });
}

/** What the credential says cannot be asked. */
export function misdefined(asked: Asked, why: string, remedy = addressRemedy(asked)): PawlError {
  return new PawlError('PAWL_OAUTH_REFUSED', noToken(asked, why), { place: `credential ${asked.key}`, remedy });
}

/** What the request, or the library that reads the answer, threw. */
export function explain(asked: Asked, error: unknown, timeout: number): PawlError {
  if (error instanceof PawlError) return error;
  const { name, message, cause } = (error ?? {}) as { name?: unknown; message?: unknown; cause?: unknown };
  if (name === 'TimeoutError') return unavailable(asked, `it has not answered within ${timeout / 1_000} s`);
  if (!(error instanceof TypeError)) return unavailable(asked, `its answer is of no use: ${String(message ?? error)}`);
  // Of `localhost`, which has two addresses, Node says nothing but a code.
  const inner = cause as { message?: unknown; code?: unknown } | undefined;
  return unavailable(asked, `it cannot be reached, ${String(inner?.message || inner?.code || message)}`);
}

function noToken({ key }: Asked, why: string): string {
  return `The authorization server gives no token for the credential ${key}: ${short(why).replace(/\.$/, '')}.`;
}

/** On one line, and without the secrets that servers quote. */
function short(text: string): string {
  return redact(text).replace(/\s+/g, ' ').slice(0, 300);
}
