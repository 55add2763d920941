/**
 * Webhooks in workflow code: hooks whose payloads are HTTP requests.
 *
 * The token is all that a sender needs, so it must not follow from anything that is public. Ids of the run (`crypto.randomUUID()`) come
 * from a generator whose state can be computed from what it gave; tokens are a one-way function of the seed, which nobody sees.
 *
 * The URL must be the same on replay, wherever that happens: the base is recorded with the run's first webhook.
 */
import { PawlError } from '../../errors.ts';
import { COMMAND } from '../protocol.ts';
import { answerToken, WEBHOOK_KEY, WEBHOOK_PATH } from '../webhook-token.ts';
import { Hook } from './hook.ts';
import { type Request, Response } from './http.ts';
import { currentRun, type Run } from './run.ts';
import { sha256 } from './sha256.ts';

interface RunWebhooks {
  baseUrl: string;
  made: number;
}

const webhooks = new WeakMap<Run, RunWebhooks>();

function webhooksOf(run: Run): RunWebhooks {
  let own = webhooks.get(run);
  if (own === undefined) {
    own = { baseUrl: '', made: 0 };
    webhooks.set(run, own);
  }
  return own;
}

/** Where the handler is reached, for webhooks that the run makes. */
export function setBaseUrl(run: Run, baseUrl: string): void {
  webhooksOf(run).baseUrl = baseUrl;
}

interface WebhookOptions {
  respondWith?: unknown;
}

/** What `createWebhook` returns. */
export class Webhook extends Hook<Request> {
  readonly #baseUrl: string;

  constructor(token: string, metadata: string, baseUrl: string) {
    super(token, metadata);
    this.#baseUrl = baseUrl;
  }

  get url(): string {
    if (this.#baseUrl !== '') return this.#baseUrl + WEBHOOK_PATH + this.token;
    throw new PawlError('PAWL_NO_BASE_URL', 'The URL of a webhook is not known: nobody said where requests come in.', {
      remedy:
        'Set PAWL_BASE_URL, for example to https://shop.example, or pass baseUrl to createWorker(); `pawl worker --port` knows its own.',
    });
  }
}

export function createWebhook(options: WebhookOptions = {}): Webhook {
  const run = currentRun();
  const { respondWith = 'default' } = options;
  const fixed = respondWith instanceof Response && respondWith.status !== 0;
  if (respondWith !== 'default' && respondWith !== 'manual' && !fixed) {
    throw new PawlError('PAWL_WEBHOOK_RESPONSE', 'respondWith is neither a Response nor "manual".', {
      remedy:
        'Pass a Response for all requests, or "manual" and let a step call request.respondWith(); or leave it out.',
    });
  }
  if ('token' in options) {
    throw new PawlError(
      'PAWL_HOOK_TOKEN',
      'The token of a webhook cannot be chosen: whoever guesses it may send requests.',
      {
        remedy: 'Leave it out, and pass `url` on; for a token of your own use createHook() and resumeHook().',
      },
    );
  }
  const own = webhooksOf(run);
  own.made += 1;
  const token = `wh_${sha256(`webhook\u0000${own.made}\u0000${run.id}\u0000${run.seed}`)}`;
  const { baseUrl } = own;
  const data = run.codec.stringify(
    { [WEBHOOK_KEY]: { baseUrl, respondWith } },
    { root: 'options', what: 'the options of a webhook' },
  );
  const webhook = new Webhook(token, data, baseUrl);
  // A hook of its own, which lives as long as the run: a request may be answered when the webhook takes no more.
  if (respondWith === 'manual') run.command(COMMAND.hook, answerToken(token), null);
  return webhook;
}
