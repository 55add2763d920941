import { PawlError } from '../errors.ts';
import { hasSchema } from './payload-schema.ts';
import type { RunSource } from './run-handle.ts';
import { stringifyWithBodies } from './serialization/http-host.ts';
import { isWebhookToken } from './webhook-token.ts';

/** Characters that a payload may have when it is serialized. It is read whole, again and again: with every replay of its run. */
const MAX_PAYLOAD = 32 << 20;

function tooLarge(token: string, length: number): PawlError {
  const size = `more than 32 MiB when it is serialized, with bytes as base64: ${Math.ceil(length / 2 ** 20)}`;
  return new PawlError('PAWL_PAYLOAD_TOO_LARGE', `The payload for hook ${token} has ${size}.`, {
    place: `hook ${token}`,
    remedy: 'Keep the data elsewhere, and send its name: a step reads it. Nothing was kept of this payload.',
  });
}

/** Puts a payload into the inbox of the hook's run. See `resumeHook`. */
export async function deliverPayload(source: RunSource, token: string, payload: unknown): Promise<{ runId: string }> {
  const { codec, store } = source;
  if (typeof token !== 'string') {
    throw new PawlError('PAWL_HOOK_TOKEN', `The token of a hook is a string, and this is ${typeof token}.`, {
      place: store.url,
      remedy: 'Pass the token that the workflow gave its hook: `hook.token`, or the `token` of createHook().',
    });
  }
  if (isWebhookToken(token)) {
    throw new PawlError('PAWL_HOOK_IS_WEBHOOK', `${token} is the token of a webhook, which takes HTTP requests.`, {
      remedy: 'Send the request to its `url`, or call resumeWebhook(token, request) of pawl/client.',
    });
  }
  const written = stringifyWithBodies(codec, payload, { root: 'payload', what: `the payload for hook ${token}` });
  const data = typeof written === 'string' ? written : await written;
  if (data.length > MAX_PAYLOAD) throw tooLarge(token, data.length);
  const hook = await store.getHook(token);
  if (hook !== null && hook.disposedAt === null && hasSchema(hook.metadata)) {
    // The realm is not for programs that never need it.
    const { checkPayload } = await import('./payload-check.ts');
    await checkPayload(source, hook, data);
  }
  return deliverData(source, token, data);
}

/** As `deliverPayload`, for what is serialized already. */
export async function deliverData(source: RunSource, token: string, data: string): Promise<{ runId: string }> {
  const { store } = source;
  const result = await store.deliverHook(token, data, source.now());
  if (result.ok) return { runId: result.runId };
  if (result.reason === 'unknown-token') {
    throw new PawlError('PAWL_UNKNOWN_HOOK', `There is no hook with the token ${JSON.stringify(token)}.`, {
      place: store.url,
      remedy: 'Check the token, and that the workflow has come to createHook().',
    });
  }
  throw new PawlError('PAWL_HOOK_CLOSED', `The hook ${JSON.stringify(token)} takes no more payloads.`, {
    place: `run ${result.runId} (${result.status})`,
    remedy: 'Its workflow has disposed it or has ended: nothing waits for this payload any more.',
  });
}
