import { PawlError } from '../errors.ts';
import type { RunSource } from './run-handle.ts';

/** Puts a payload into the inbox of the hook's run. See `resumeHook`. */
export async function deliverPayload(source: RunSource, token: string, payload: unknown): Promise<{ runId: string }> {
  const { store, codec } = source;
  const data = codec.stringify(payload, { root: 'payload', what: `the payload for hook ${token}` });
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
