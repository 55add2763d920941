import { PawlError } from '../errors.ts';
import type { RunSource } from './run-handle.ts';
import { stringifyWithBodies } from './serialization/http-host.ts';
import { isWebhookToken } from './webhook-token.ts';

/** Puts a payload into the inbox of the hook's run. See `resumeHook`. */
export async function deliverPayload(source: RunSource, token: string, payload: unknown): Promise<{ runId: string }> {
  if (isWebhookToken(token)) {
    throw new PawlError('PAWL_HOOK_IS_WEBHOOK', `${token} is the token of a webhook, which takes HTTP requests.`, {
      remedy: 'Send the request to its `url`, or call resumeWebhook(token, request) of pawl/client.',
    });
  }
  const { codec } = source;
  const written = stringifyWithBodies(codec, payload, { root: 'payload', what: `the payload for hook ${token}` });
  return deliverData(source, token, typeof written === 'string' ? written : await written);
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
