/** What went wrong, as an HTTP response. */
import type { PawlError } from '../errors.ts';
import type { SchemaIssue } from './schema-issues.ts';

/** What senders can do something about, or must know. Everything else is ours: 500. */
const STATUS: Record<string, number> = {
  PAWL_UNKNOWN_WEBHOOK: 404,
  PAWL_UNKNOWN_HOOK: 404,
  PAWL_HOOK_CLOSED: 410,
  PAWL_HOOK_IS_WEBHOOK: 400,
  PAWL_NOT_SERIALIZABLE: 400,
  PAWL_STREAM_NAMESPACE: 400,
  PAWL_STREAM_INDEX: 400,
  PAWL_BODY_TOO_LARGE: 413,
  PAWL_PAYLOAD_TOO_LARGE: 413,
  PAWL_PAYLOAD_INVALID: 422,
  PAWL_WEBHOOK_UNANSWERED: 502,
  PAWL_WEBHOOK_TIMEOUT: 504,
};

/** The body may be read by whoever sent the request: no cache keeps it. */
export function json(status: number, value: unknown, headers: Record<string, string> = {}): Response {
  return Response.json(value, { status, headers: { 'cache-control': 'no-store', ...headers } });
}

export function fail(
  status: number,
  code: string,
  message: string,
  remedy: string,
  headers: Record<string, string> = {},
): Response {
  return json(status, { error: { code, message, remedy } }, headers);
}

/** Of a payload that a schema refuses: what in it is wrong. */
function placesOf(error: unknown): { path?: string; issues?: readonly SchemaIssue[] } {
  const { code, details } = error as PawlError;
  if (code !== 'PAWL_PAYLOAD_INVALID') return {};
  const { issues } = details as { issues: readonly SchemaIssue[] };
  return { path: issues[0]?.path, issues };
}

/** @returns the response, and whether it tells the sender all that there is to tell */
export function failureOf(error: unknown): { response: Response; expected: boolean } {
  const { code, message, remedy = '', name } = (error ?? {}) as Partial<PawlError>;
  if (typeof code === 'string' && message !== undefined) {
    const status = STATUS[code];
    if (status !== undefined) {
      return { response: json(status, { error: { code, message, remedy, ...placesOf(error) } }), expected: true };
    }
    if (code.startsWith('PAWL_STORE_')) {
      const again = 'Send the request again later.';
      const response = fail(503, 'PAWL_HTTP_STORE', 'The store cannot be reached.', again, { 'retry-after': '5' });
      return { response, expected: false };
    }
  }
  // Nobody reads it: the sender has gone.
  if (name === 'AbortError') {
    return { response: fail(499, 'PAWL_HTTP_GONE', 'The request was given up.', ''), expected: true };
  }
  const next = 'Nothing was changed, or what was changed is kept. Whoever runs the handler can see more.';
  return { response: fail(500, 'PAWL_HTTP_INTERNAL', 'Something went wrong here.', next), expected: false };
}
