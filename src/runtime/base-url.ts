/** Where HTTP requests for a run come in: as the worker was told, and as it was recorded. */
import { PawlError } from '../errors.ts';
import type { RunEvent } from '../store/events.ts';
import { isWebhookToken, WEBHOOK_KEY, type WebhookData } from './webhook-token.ts';
import { createCodec } from './serialization/codec.ts';
import { hostPlatform } from './serialization/http-host.ts';

/**
 * Checks a base URL.
 *
 * @param given as the worker was told; else what `PAWL_BASE_URL` says
 * @returns it without a slash at the end; undefined when nobody said one
 * @throws PawlError `PAWL_BASE_URL`
 */
export function baseUrlOf(given: string | undefined): string | undefined {
  const text = given ?? (process.env.PAWL_BASE_URL || undefined);
  if (text === undefined) return undefined;
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.search !== '' || url.hash !== '') {
    throw new PawlError('PAWL_BASE_URL', `${JSON.stringify(text)} is no URL under which requests could come in.`, {
      place: given === undefined ? 'PAWL_BASE_URL' : 'baseUrl',
      remedy: 'Write scheme and host, and the path where the handler is mounted: https://shop.example/api.',
    });
  }
  return url.href.replace(/\/+$/, '');
}

const codec = createCodec({
  step: ({ id }) => id,
  workflow: (id) => id,
  class: () => undefined,
  platform: hostPlatform(),
});

/** What a hook's metadata say of a webhook; null for other hooks. */
export function webhookDataOf(token: string, metadata: string | null): WebhookData | null {
  if (metadata === null || !isWebhookToken(token)) return null;
  return (codec.parse(metadata) as { [WEBHOOK_KEY]?: WebhookData })[WEBHOOK_KEY] ?? null;
}

/** The base with which the run made its first webhook: what its code saw then, it sees on every replay. */
export function recordedBaseUrl(log: readonly RunEvent[]): string | null {
  for (const event of log) {
    if (event.type === 'hook_created') {
      const data = webhookDataOf(event.name, event.data);
      if (data !== null) return data.baseUrl;
    }
  }
  return null;
}
