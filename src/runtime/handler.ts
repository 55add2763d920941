/**
 * The HTTP side of runs, as a function from `Request` to `Response`: to be mounted in any server.
 *
 * Webhooks are guarded by their tokens, which nobody can guess. Everything else takes the bearer token, and is off while there is none.
 * What goes wrong is said as JSON, `{ error: { code, message, remedy } }`: neither stacks nor places on this machine.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { PawlError } from '../errors.ts';
import type { EventStore } from '../store/port.ts';
import { clientCodec } from './client-codec.ts';
import { deliverPayload } from './hook-delivery.ts';
import { fail, failureOf, json } from './http-errors.ts';
import { jsonView } from './json-view.ts';
import type { RunSource } from './run-handle.ts';
import { bodyTooLarge, readBody } from './serialization/http-host.ts';
import { receiveWebhook } from './webhook-requests.ts';
import { streamRun } from './stream-route.ts';
import type { Worker } from './worker.ts';

/** Whose runs the handler serves: those of a worker in this process, or of a store that workers elsewhere work on. */
export type HandlerSource = { worker: Worker } | { store: EventStore };

export interface HandlerOptions {
  /** What `Authorization: Bearer …` must say for everything but webhooks; default: `PAWL_TOKEN`. Without one, that is off. */
  token?: string;
  /** Bytes that a body may have; default 10 MiB. */
  maxBody?: number;
  /** How long a request waits for the step that answers it, ms; default 30,000. */
  timeout?: number;
  /** Whether `GET …/runs/ID` shows arguments, results and errors; default false. */
  expose?: boolean;
  /** Told of what nobody foresaw: the sender only learns that something went wrong. */
  onError?: (error: unknown) => void;
}

export type Handler = (request: Request) => Promise<Response>;

const MAX_BODY = 10 << 20;

interface Served {
  source: RunSource;
  digest: Buffer | null;
  maxBody: number;
  timeout: number | undefined;
  expose: boolean;
}

interface Route {
  methods: readonly string[];
  /** Whether it takes the bearer token. */
  guarded: boolean;
  handle(request: Request, argument: string, served: Served): Promise<Response>;
}

const ROUTES: Record<string, Route> = {
  webhook: {
    methods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
    guarded: false,
    handle: (request, token, { source, maxBody, timeout }) =>
      receiveWebhook(source, token, request, { maxBody, timeout }),
  },
  hook: { methods: ['POST'], guarded: true, handle: resume },
  runs: { methods: ['GET'], guarded: true, handle: describeRun },
  streams: { methods: ['GET'], guarded: true, handle: (request, id, { source }) => streamRun(request, id, source) },
};

/**
 * Makes a handler of HTTP requests. It serves, under any path at which it is mounted,
 *
 * - any method `…/.well-known/pawl/v1/webhook/TOKEN`: the URL of a webhook;
 * - `POST …/.well-known/pawl/v1/hook/TOKEN`: resumes a hook with the JSON of the body, as `resumeHook` (bearer token);
 * - `GET …/.well-known/pawl/v1/runs/ID`: the status of a run (bearer token);
 * - `GET …/.well-known/pawl/v1/streams/ID?namespace=NAME&startIndex=N`: a stream of a run as it grows, a line of JSON for each chunk, or
 *   server-sent events for `Accept: text/event-stream` (bearer token).
 *
 * @param source The worker of this process, or a store.
 * @returns A function that always resolves.
 * @throws PawlError `PAWL_HANDLER_OPTIONS`
 * @example
 * const handler = createHandler({ worker });
 * new Hono().all('/.well-known/pawl/*', (context) => handler(context.req.raw));
 * @example
 * createServer(toNodeListener(createHandler({ store }))).listen(3000);
 */
export function createHandler(source: HandlerSource, options: HandlerOptions = {}): Handler {
  const { token = process.env.PAWL_TOKEN, maxBody = MAX_BODY, timeout, expose = false, onError } = options;
  if (!(maxBody >= 0) || !(timeout === undefined || timeout > 0) || typeof (token ?? '') !== 'string') {
    throw new PawlError('PAWL_HANDLER_OPTIONS', 'An option of createHandler() is wrong.', {
      remedy: 'Pass `token` as text, `maxBody` in bytes and `timeout` in ms.',
    });
  }
  const served: Served = {
    source: sourceOf(source),
    digest: token ? digestOf(token) : null,
    maxBody,
    timeout,
    expose,
  };
  return async (request) => {
    try {
      return await handle(request, served);
    } catch (error) {
      const { response, expected } = failureOf(error);
      if (!expected) onError?.(error);
      return response;
    }
  };
}

function sourceOf(source: HandlerSource): RunSource {
  if ('worker' in source) {
    const { worker } = source;
    const checkPayload: RunSource['checkPayload'] = (runId, cid, data) => worker.checkPayload(runId, cid, data);
    return { store: worker.store, codec: worker.codec, now: () => worker.now(), checkPayload };
  }
  const { store } = source;
  return { store, codec: clientCodec(store), now: () => Date.now() };
}

const PATH = /\/\.well-known\/pawl\/v1\/([^/]+)\/([^/]+)$/;

async function handle(request: Request, served: Served): Promise<Response> {
  const [, name = '', argument = ''] = PATH.exec(new URL(request.url).pathname) ?? [];
  const route = Object.hasOwn(ROUTES, name) ? ROUTES[name] : undefined;
  if (route === undefined) return fail(404, 'PAWL_HTTP_ROUTE', 'There is nothing here.', 'Check the path.');
  const { methods, guarded } = route;
  const allow = [...methods, ...(methods.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].join(', ');
  if (request.method === 'OPTIONS') return new Response(null, { status: 204, headers: { allow } });
  if (guarded) {
    const refused = refusal(request, served.digest);
    if (refused !== null) return refused;
  }
  // Programs that look at links before people follow them ask so: that must not resume anything.
  if (request.method === 'HEAD' && !guarded) return new Response(null, { status: 204 });
  const get = request.method === 'HEAD' ? 'GET' : request.method;
  if (!methods.includes(get)) {
    return fail(405, 'PAWL_HTTP_METHOD', `${request.method} does not work here.`, `Use ${methods.join(', ')}.`, {
      allow,
    });
  }
  const length = Number(request.headers.get('content-length') ?? 0);
  if (length > served.maxBody) throw bodyTooLarge(served.maxBody);
  const response = await route.handle(request, decoded(argument), served);
  return request.method === 'HEAD' ? new Response(null, response) : response;
}

/** Null: the request may pass. */
function refusal(request: Request, digest: Buffer | null): Response | null {
  if (digest === null) {
    const remedy = 'Set PAWL_TOKEN where the handler runs, and send it as `Authorization: Bearer …`.';
    return fail(403, 'PAWL_HTTP_OFF', 'This is off while there is no token.', remedy);
  }
  const [, given] = /^bearer +(.*)$/i.exec(request.headers.get('authorization') ?? '') ?? [];
  // Digests have one length, and tell nothing of how much of a guess was right.
  if (given !== undefined && timingSafeEqual(digestOf(given), digest)) return null;
  const remedy = 'Send `Authorization: Bearer …` with the token of the handler (PAWL_TOKEN).';
  return fail(401, 'PAWL_HTTP_TOKEN', 'The token is missing or wrong.', remedy, { 'www-authenticate': 'Bearer' });
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** A malformed escape is no name of anything. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

async function resume(request: Request, token: string, { source, maxBody }: Served): Promise<Response> {
  const body = await readBody(request, maxBody);
  let payload: unknown;
  try {
    if (body !== null && typeof body !== 'string') throw new SyntaxError('it is binary');
    payload = body ? JSON.parse(body) : undefined;
  } catch (error) {
    const message = `The body is no JSON: ${(error as Error).message}.`;
    return fail(400, 'PAWL_INPUT_NOT_JSON', message, 'Send the payload as JSON, or no body for `undefined`.');
  }
  return json(202, await deliverPayload(source, token, payload));
}

async function describeRun(_: Request, id: string, { source, expose }: Served): Promise<Response> {
  const run = await source.store.getRun(id);
  if (run === null) return fail(404, 'PAWL_UNKNOWN_RUN', 'There is no run of this id.', 'Check the id, and the store.');
  const { id: runId, workflowId, status, createdAt, startedAt, finishedAt, parkedReason } = run;
  const time = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString());
  return json(200, {
    runId,
    workflowId,
    status,
    createdAt: time(createdAt),
    startedAt: time(startedAt),
    finishedAt: time(finishedAt),
    ...(parkedReason && { parked: expose ? parkedReason : { code: parkedReason.code } }),
    ...(expose && { input: jsonView(run.input), output: jsonView(run.output), error: jsonView(run.error) }),
  });
}
