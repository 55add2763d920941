/** Requests to webhooks, from wherever they come: the payload, and the response. */
import { randomUUID } from 'node:crypto';
import { PawlError } from '../errors.ts';
import { webhookDataOf } from './base-url.ts';
import { deliverData } from './hook-delivery.ts';
import type { RunSource } from './run-handle.ts';
import { readBody, readRequest } from './serialization/http-host.ts';
import type { RequestData } from './serialization/http.ts';
import { waitForAnswer } from './webhook-answer.ts';
import { answerToken, isWebhookToken } from './webhook-token.ts';

export interface ReceiveOptions {
  /** How long to wait for a step that answers, ms. */
  timeout?: number;
  /** Bytes that a body may have. */
  maxBody?: number;
}

/** How long a request waits for its answer, ms. */
const ANSWER_TIMEOUT = 30_000;

/** Timers of more take no time at all. */
const LONGEST_TIMER = 2 ** 31 - 1;

/**
 * Headers that do not go into the event log: they concern the way here, or the browser's session with the host on which the handler is
 * mounted, which a link to a webhook would bring along. `Authorization` stays: senders prove by it who they are.
 */
const LEFT_OUT = new Set(
  'connection cookie expect keep-alive proxy-authorization proxy-connection te trailer transfer-encoding upgrade'.split(
    ' ',
  ),
);

/** See `resumeWebhook`. */
export async function receiveWebhook(
  source: RunSource,
  token: string,
  request: Request,
  { timeout = ANSWER_TIMEOUT, maxBody }: ReceiveOptions,
): Promise<Response> {
  const { store } = source;
  const hook = isWebhookToken(token) ? await store.getHook(token) : null;
  const webhook = hook && webhookDataOf(token, hook.metadata);
  if (hook === null || webhook === null) throw unknownWebhook();
  // Before the body is read, which may be large.
  if (hook.disposedAt !== null) throw closed();
  const { respondWith } = webhook;
  const data: RequestData = {
    method: request.method,
    url: request.url,
    headers: [...request.headers].filter(([name]) => !LEFT_OUT.has(name)),
    body: await readBody(request, maxBody),
  };
  if (respondWith !== 'manual') {
    await deliver(source, token, data);
    return respondWith === 'default' ? new Response(null, { status: 202 }) : respondWith;
  }
  const id = randomUUID();
  const answers = await store.getHook(answerToken(token));
  const run = await store.getRun(hook.runId);
  if (answers === null || run === null) throw unknownWebhook();
  // The whole request is sent before it is waited for: a sender who goes away then has been heard all the same.
  await deliver(source, token, { ...data, answer: { token: answers.token, id } });
  const given = new AbortController();
  const giveUp = (): void => given.abort(request.signal.reason);
  const timer = setTimeout(() => given.abort(tooLate(timeout)), Math.min(timeout, LONGEST_TIMER));
  request.signal.addEventListener('abort', giveUp, { once: true });
  if (request.signal.aborted) giveUp();
  try {
    const awaited = { runId: run.id, cid: answers.cid, id, afterSeq: run.lastSeq };
    const response = await waitForAnswer(store, source.codec, awaited, given.signal);
    if (response !== null) return response;
  } finally {
    clearTimeout(timer);
    request.signal.removeEventListener('abort', giveUp);
  }
  throw new PawlError('PAWL_WEBHOOK_UNANSWERED', 'The run ended without an answer to the request.', {
    remedy: 'The workflow has the request. See that a step calls request.respondWith() on every way through it.',
  });
}

async function deliver(source: RunSource, token: string, data: RequestData): Promise<void> {
  const payload = readRequest(data);
  const text = source.codec.stringify(payload, { root: 'request', what: 'a request to a webhook' });
  try {
    await deliverData(source, token, text);
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (code === 'PAWL_HOOK_CLOSED') throw closed();
    throw error;
  }
}

/** Tokens are secrets: messages that may go out, or into a log, do not repeat them. */
function unknownWebhook(): PawlError {
  return new PawlError('PAWL_UNKNOWN_WEBHOOK', 'There is no webhook with this token.', {
    remedy: 'Check the URL: it is the `url` of a webhook, whole, and of a run in this store.',
  });
}

function closed(): PawlError {
  return new PawlError('PAWL_HOOK_CLOSED', 'The webhook takes no more requests.', {
    remedy: 'Its workflow has disposed it or has ended: nothing waits for this request any more.',
  });
}

function tooLate(timeout: number): PawlError {
  return new PawlError('PAWL_WEBHOOK_TIMEOUT', `No step has answered the request within ${timeout / 1000} s.`, {
    remedy: 'The workflow has the request; do not send it again. Answer sooner, or let the webhook respond by itself.',
  });
}
