/**
 * Tokens of webhooks. Whoever knows one may send requests, so they are made by the runtime alone, and have a form that no other
 * hook's token may have: what comes in over HTTP reaches webhooks only.
 */
const WEBHOOK_TOKEN = /^wh_[\w-]{43}$/;

export function isWebhookToken(token: unknown): boolean {
  return typeof token === 'string' && WEBHOOK_TOKEN.test(token);
}

/** The hook on which steps answer the requests of a webhook. */
export function answerToken(token: string): string {
  return `${token}.answer`;
}

/** Whether a hook is there for answers: nobody outside is waited for. */
export function isAnswerToken(token: string): boolean {
  return token.endsWith('.answer') && isWebhookToken(token.slice(0, -'.answer'.length));
}

/** What comes after the base URL in that of a webhook. */
export const WEBHOOK_PATH = '/.well-known/pawl/v1/webhook/';

/** The path under which a handler takes requests for a hook, by its token; null when the hook is no webhook. */
export function webhookPath(token: string): string | null {
  return isWebhookToken(token) ? WEBHOOK_PATH + token : null;
}

/** Metadata of the hook behind a webhook. */
export interface WebhookData {
  /** Where the handler was to be reached when the run made its first webhook; empty when nobody had said it. */
  baseUrl: string;
  respondWith: 'default' | 'manual' | Response;
}

export const WEBHOOK_KEY = 'pawl.webhook';
