/** The HTTP handler: what it lets through and what it refuses, in servers in which people mount it. */
import { serve } from '@hono/node-server';
import { createServer, type RequestListener, request as rawRequest, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Hono } from 'hono';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createHandler, type Handler, type HandlerOptions } from '../../src/runtime/handler.ts';
import { toNodeListener } from '../../src/runtime/node-listener.ts';
import type { EventStore } from '../../src/store/port.ts';
import { closeAll, type Setup, setup } from './support.ts';

const TOKEN = 'a secret';
const API = 'https://shop.example/.well-known/pawl/v1';
const servers = new Set<{ close(): unknown }>();

beforeEach(() => {
  vi.stubEnv('PAWL_BASE_URL', 'https://shop.example');
  vi.stubEnv('PAWL_TOKEN', TOKEN);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  for (const server of servers) server.close();
  servers.clear();
  await closeAll();
});

const WORKFLOWS = `const tell = step('tell');
  workflow('once', async () => { const webhook = createWebhook(); await tell(webhook.url); return (await (await webhook).bytes()).length; });
  workflow('disposed', async () => { const webhook = createWebhook(); webhook.dispose(); await tell(webhook.url); await sleep('1h'); });
  workflow('manual', async () => { const webhook = createWebhook({ respondWith: 'manual' }); await tell(webhook.url); await step('echo')(await webhook); });
  workflow('silent', async () => { const webhook = createWebhook({ respondWith: 'manual' }); await tell(webhook.url); await webhook; await sleep('1h'); });
  workflow('hook', async (token) => { const hook = createHook({ token }); await tell(token); return await hook; });
  workflow('fails', async () => { throw new Error('a secret of the program'); });
  workflow('rich', async (x) => new Map([['big', 2n], ['at', new Date(0)]]));`;

interface Served extends Setup {
  handler: Handler;
  /** Starts a run; resolves to what it tells. */
  begin(workflow: string, ...args: unknown[]): Promise<{ runId: string; told: string; returnValue: Promise<unknown> }>;
}

async function served(options: HandlerOptions = {}): Promise<Served> {
  const waiting: ((text: string) => void)[] = [];
  const made = await setup({
    workflows: WORKFLOWS,
    steps: {
      tell: async (text: string) => waiting.shift()?.(text),
      echo: async (request: Request & { respondWith(r: Response): Promise<void> }) =>
        request.respondWith(
          new Response(await request.bytes(), {
            status: 201,
            headers: [
              ['content-type', request.headers.get('content-type') ?? 'none'],
              ['set-cookie', 'a=1'],
              ['set-cookie', 'b=2'],
            ],
          }),
        ),
    },
  });
  const begin: Served['begin'] = async (workflow, ...args) => {
    const heard = new Promise<string>((resolve) => waiting.push(resolve));
    const run = await made.start(workflow, ...args);
    return {
      runId: run.runId,
      told: await heard,
      get returnValue() {
        return run.returnValue;
      },
    };
  };
  return { ...made, handler: createHandler({ worker: made.worker }, options), begin };
}

const post = (url: string, body?: BodyInit, headers?: HeadersInit): Request =>
  new Request(url, { method: 'POST', body, headers, ...(body instanceof ReadableStream && { duplex: 'half' }) });
const bearer = (token: string): HeadersInit => ({ authorization: `Bearer ${token}` });

async function refused(response: Response): Promise<[number, string]> {
  expect(response.headers.get('content-type')).toBe('application/json');
  expect(response.headers.get('cache-control')).toBe('no-store');
  const text = await response.text();
  expect(text).not.toMatch(/ {4}at |\.ts|sqlite/);
  const { error } = JSON.parse(text) as { error: { code: string; message: string; remedy: string } };
  expect(error).toEqual({
    code: expect.any(String),
    message: expect.stringMatching(/\.$/),
    remedy: expect.stringMatching(/\.$/),
  });
  return [response.status, error.code];
}

/** The log as it is, for what must not change it. */
const logOf = async (store: EventStore, runId: string): Promise<unknown[]> => [
  await store.readEvents(runId),
  await store.readInbox({ runId }),
];

describe('a webhook', () => {
  test.each(['GET', 'POST', 'PUT', 'PATCH', 'DELETE'])('takes %s', async (method) => {
    const { handler, begin } = await served();
    const run = await begin('once');
    const body = method === 'GET' ? undefined : 'four';
    expect((await handler(new Request(run.told, { method, body }))).status).toBe(202);
    expect(await run.returnValue).toBe(body?.length ?? 0);
  });

  test('is not resumed by who only looks, and takes no other method', async () => {
    const { handler, begin, store } = await served();
    const { told, runId } = await begin('once');
    const before = await logOf(store, runId);
    const head = await handler(new Request(told, { method: 'HEAD' }));
    expect([head.status, head.body]).toEqual([204, null]);
    const options = await handler(new Request(told, { method: 'OPTIONS' }));
    expect([options.status, options.headers.get('allow')]).toEqual([
      204,
      'GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS',
    ]);
    const purge = await handler(new Request(told, { method: 'PURGE' }));
    expect(purge.headers.get('allow')).toBe('GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS');
    expect(await refused(purge)).toEqual([405, 'PAWL_HTTP_METHOD']);
    expect(await logOf(store, runId)).toEqual(before);
  });

  test('that is unknown, used up or of a run that has ended refuses, before it reads the body', async () => {
    const { handler, begin, store } = await served();
    const body = new ReadableStream({
      pull() {
        throw new Error('it was read');
      },
    });
    const unknown = `${API}/webhook/wh_${'x'.repeat(43)}`;
    expect(await refused(await handler(post(unknown, body)))).toEqual([404, 'PAWL_UNKNOWN_WEBHOOK']);
    const disposed = await begin('disposed');
    expect(await refused(await handler(post(disposed.told)))).toEqual([410, 'PAWL_HOOK_CLOSED']);
    const ended = await begin('once');
    await handler(post(ended.told));
    await ended.returnValue;
    const before = await logOf(store, ended.runId);
    expect(await refused(await handler(post(ended.told)))).toEqual([410, 'PAWL_HOOK_CLOSED']);
    expect(await logOf(store, ended.runId)).toEqual(before);
  });

  test('takes no body that is too large, whether it says so or not', async () => {
    const { handler, begin, store } = await served({ maxBody: 1000 });
    const { told, runId, returnValue } = await begin('once').then((run) => ({
      ...run,
      returnValue: () => run.returnValue,
    }));
    const before = await logOf(store, runId);
    let sent = 0;
    const endless = (): ReadableStream =>
      new ReadableStream({
        pull(controller) {
          sent += 600;
          controller.enqueue(new Uint8Array(600));
        },
      });
    expect(await refused(await handler(post(told, endless())))).toEqual([413, 'PAWL_BODY_TOO_LARGE']);
    expect(sent).toBeLessThan(5000);
    const said = await handler(post(told, endless(), { 'content-length': '100000000' }));
    expect(await refused(said)).toEqual([413, 'PAWL_BODY_TOO_LARGE']);
    expect(await logOf(store, runId)).toEqual(before);
    expect((await handler(post(told, new Uint8Array(1000)))).status).toBe(202);
    expect(await returnValue()).toBe(1000);
  });

  test('is no way to a hook, whose token may be guessed', async () => {
    const { handler, begin, store } = await served();
    const { runId } = await begin('hook', 'approval:7');
    const before = await logOf(store, runId);
    for (const token of ['approval:7', 'approval%3A7']) {
      expect(await refused(await handler(post(`${API}/webhook/${token}`)))).toEqual([404, 'PAWL_UNKNOWN_WEBHOOK']);
    }
    expect(await logOf(store, runId)).toEqual(before);
  });

  test('that nobody answers in time says so', async () => {
    const { handler, begin } = await served({ timeout: 20 });
    const { told } = await begin('silent');
    expect(await refused(await handler(post(told)))).toEqual([504, 'PAWL_WEBHOOK_TIMEOUT']);
  });
});

describe('everything else', () => {
  const paths = [`hook/approval:7`, 'runs/r'];

  test.each(paths)('%s needs the token', async (path) => {
    const { handler, begin, store } = await served();
    const { runId } = await begin('hook', 'approval:7');
    const before = await logOf(store, runId);
    const request = (headers?: HeadersInit): Request =>
      path.startsWith('hook') ? post(`${API}/${path}`, '1', headers) : new Request(`${API}/${path}`, { headers });
    for (const headers of [{}, bearer(''), bearer('wrong'), bearer(`${TOKEN}x`), { authorization: `Basic ${TOKEN}` }]) {
      const response = await handler(request(headers));
      expect(response.headers.get('www-authenticate')).toBe('Bearer');
      expect(await refused(response)).toEqual([401, 'PAWL_HTTP_TOKEN']);
    }
    expect(await logOf(store, runId)).toEqual(before);
    vi.stubEnv('PAWL_TOKEN', '');
    const off = createHandler({ store });
    for (const headers of [{}, bearer(''), bearer(TOKEN), bearer('undefined')])
      expect(await refused(await off(request(headers)))).toEqual([403, 'PAWL_HTTP_OFF']);
  });

  test('a hook is resumed with the JSON of the body', async () => {
    const { handler, begin } = await served();
    const send = async (token: string, body?: BodyInit): Promise<Response> =>
      handler(post(`${API}/hook/${encodeURIComponent(token)}`, body, bearer(TOKEN)));
    const run = await begin('hook', 'a/b:ž');
    expect(await refused(await send('a/b:ž', '{"a":'))).toEqual([400, 'PAWL_INPUT_NOT_JSON']);
    expect(await refused(await send('a/b:ž', new Uint8Array([0xff])))).toEqual([400, 'PAWL_INPUT_NOT_JSON']);
    expect(await refused(await send('a/b:ž', `${'['.repeat(2000)}${']'.repeat(2000)}`))).toEqual([
      400,
      'PAWL_NOT_SERIALIZABLE',
    ]);
    const sent = await send('a/b:ž', '{"a":[1]}');
    expect([sent.status, await sent.json()]).toEqual([202, { runId: run.runId }]);
    expect(await run.returnValue).toEqual({ a: [1] });
    expect(await refused(await send('a/b:ž', '1'))).toEqual([410, 'PAWL_HOOK_CLOSED']);
    expect(await refused(await send('nobody'))).toEqual([404, 'PAWL_UNKNOWN_HOOK']);
    expect(await refused(await send('%'))).toEqual([404, 'PAWL_UNKNOWN_HOOK']);
    const empty = await begin('hook', 'empty');
    await send('empty');
    expect(await empty.returnValue).toBeUndefined();
    const webhook = await begin('once');
    expect(await refused(await send(webhook.told.slice(-46), '1'))).toEqual([400, 'PAWL_HOOK_IS_WEBHOOK']);
  });

  test('a hook takes no body that is too large, said or not', async () => {
    const { handler, begin, store } = await served({ maxBody: 1000 });
    const { runId } = await begin('hook', 'h');
    const before = await logOf(store, runId);
    const url = `${API}/hook/h`;
    const large = JSON.stringify('x'.repeat(2000));
    expect(await refused(await handler(post(url, large, bearer(TOKEN))))).toEqual([413, 'PAWL_BODY_TOO_LARGE']);
    const said = { ...bearer(TOKEN), 'content-length': '100000000' };
    expect(await refused(await handler(post(url, '1', said)))).toEqual([413, 'PAWL_BODY_TOO_LARGE']);
    expect(await logOf(store, runId)).toEqual(before);
  });

  test('a run is described, without what it holds unless that is wanted', async () => {
    const { handler, worker, start } = await served();
    const exposing = createHandler({ worker }, { expose: true });
    const look = async (by: Handler, id: string): Promise<unknown> =>
      (await by(new Request(`${API}/runs/${id}`, { headers: bearer(TOKEN) }))).json();
    const rich = await start('rich', 'an argument');
    await rich.returnValue;
    const at = expect.stringMatching(/^\d{4}-/);
    const about = {
      runId: rich.runId,
      workflowId: 'rich',
      status: 'completed',
      createdAt: at,
      startedAt: at,
      finishedAt: at,
    };
    expect(await look(handler, rich.runId)).toEqual(about);
    const output = [
      ['big', '2'],
      ['at', '1970-01-01T00:00:00.000Z'],
    ];
    expect(await look(exposing, rich.runId)).toEqual({ ...about, input: ['an argument'], output, error: null });
    const fails = await start('fails');
    await fails.end();
    expect(JSON.stringify(await look(handler, fails.runId))).not.toContain('secret');
    expect(await look(exposing, fails.runId)).toMatchObject({
      status: 'failed',
      error: { name: 'Error', message: 'a secret of the program' },
    });
    const unknown = await handler(new Request(`${API}/runs/none`, { headers: bearer(TOKEN) }));
    expect(await refused(unknown)).toEqual([404, 'PAWL_UNKNOWN_RUN']);
    const head = await handler(new Request(`${API}/runs/${rich.runId}`, { method: 'HEAD', headers: bearer(TOKEN) }));
    expect([head.status, head.body]).toEqual([200, null]);
    const wrong = await handler(post(`${API}/runs/${rich.runId}`, '', bearer(TOKEN)));
    expect(wrong.headers.get('allow')).toBe('GET, HEAD, OPTIONS');
    expect(await refused(wrong)).toEqual([405, 'PAWL_HTTP_METHOD']);
  });

  test.each(['', '/', '/webhook', '/webhook/', '/hook/a/b', '/constructor/a', '/nothing/x', '/../v2/webhook/a'])(
    '%s is nothing',
    async (path) => {
      const { handler } = await served();
      expect(await refused(await handler(post(API + path)))).toEqual([404, 'PAWL_HTTP_ROUTE']);
    },
  );

  test('what goes wrong here is told here, and not to the sender', async () => {
    const { worker, begin } = await served();
    const { told } = await begin('once');
    const broken = (error: unknown): EventStore => {
      const getHook = async (): Promise<never> => {
        throw error;
      };
      return new Proxy(worker.store, {
        get: (target, name) => (name === 'getHook' ? getHook : Reflect.get(target, name)),
      });
    };
    const errors: unknown[] = [];
    const failing = (error: unknown): Promise<Response> =>
      createHandler({ store: broken(error) }, { onError: (each) => errors.push(each) })(post(told));
    const unforeseen = new Error('the password is 1234');
    expect(await refused(await failing(unforeseen))).toEqual([500, 'PAWL_HTTP_INTERNAL']);
    const locked = Object.assign(new Error('/home/ada/pawl.db is locked'), { code: 'PAWL_STORE_LOCKED' });
    const response = await failing(locked);
    expect(response.headers.get('retry-after')).toBe('5');
    expect(await refused(response)).toEqual([503, 'PAWL_HTTP_STORE']);
    expect(errors).toEqual([unforeseen, locked]);
  });

  test.each([{ maxBody: -1 }, { timeout: 0 }, { token: 5 as never }])('the options %j are refused', async (options) => {
    const { worker } = await setup({ workflows: '' });
    expect(() => createHandler({ worker }, options)).toThrow(expect.objectContaining({ code: 'PAWL_HANDLER_OPTIONS' }));
  });
});

/** Servers in which it is mounted; each gives the origin. */
const MOUNTED: Record<string, (handler: Handler) => Promise<string>> = {
  'a plain Node server': async (handler) => listening(createServer(toNodeListener(handler))),
  'a Node server under a path': async (handler) => {
    const listener = toNodeListener(handler);
    const other: RequestListener = (_, response) => response.writeHead(418).end();
    const route: RequestListener = (request, response) =>
      (request.url?.startsWith('/api/') ? listener : other)(request, response);
    return `${await listening(createServer(route))}/api`;
  },
  'Hono, as a route': async (handler) =>
    honoOf(new Hono().all('/.well-known/pawl/*', (context) => handler(context.req.raw))),
  'Hono, mounted': async (handler) => `${await honoOf(new Hono().mount('/api', handler))}/api`,
};

async function listening(server: Server): Promise<string> {
  servers.add({ close: () => server.close(() => {}) && server.closeAllConnections() });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function honoOf(app: Hono): Promise<string> {
  return await new Promise((resolve) => {
    const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) =>
      resolve(`http://127.0.0.1:${port}`),
    );
    servers.add(server);
  });
}

describe.each(Object.entries(MOUNTED))('in %s', (_, mount) => {
  test('it serves webhooks with binary bodies, and answers', async () => {
    const { handler, begin } = await served();
    const origin = await mount(handler);
    const { told } = await begin('manual');
    const url = told.replace('https://shop.example', origin);
    const body = Uint8Array.from({ length: 3 << 20 }, (_each, index) => (index * 31) & 0xff);
    const response = await fetch(url, { method: 'POST', body, headers: { 'content-type': 'image/x-mine' } });
    expect([response.status, response.headers.get('content-type')]).toEqual([201, 'image/x-mine']);
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    expect(Buffer.compare(await response.bytes(), body)).toBe(0);
    const again = await fetch(url, { method: 'POST', body });
    expect(await refused(again)).toEqual([410, 'PAWL_HOOK_CLOSED']);
  });
});

describe('in a plain Node server', () => {
  test('100 MB are refused with an answer that arrives', async () => {
    const { handler, begin } = await served();
    const origin = await listening(createServer(toNodeListener(handler)));
    const { told } = await begin('once');
    const url = told.replace('https://shop.example', origin);
    const piece = new Uint8Array(1 << 20);
    let pieces = 0;
    const body = new ReadableStream({
      pull(controller) {
        if (++pieces > 100) controller.close();
        else controller.enqueue(piece);
      },
    });
    const response = await fetch(url, { method: 'POST', body, duplex: 'half' } as RequestInit);
    expect(await refused(response)).toEqual([413, 'PAWL_BODY_TOO_LARGE']);
    expect((await fetch(url, { method: 'POST', body: 'small' })).status).toBe(202);
  });

  test('a request that makes no sense is refused', async () => {
    const { handler } = await served();
    const origin = await listening(createServer(toNodeListener(handler)));
    const status = (options: {
      method?: string;
      path?: string;
      headers?: Record<string, string>;
    }): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        const sent = rawRequest(origin, options, (response) => {
          response.resume();
          resolve(response.statusCode);
        });
        sent.once('error', reject).end();
      });
    expect(await status({ method: 'TRACE' })).toBe(400);
    expect(await status({ headers: { host: 'a b' } })).toBe(400);
    expect(await status({ path: 'http://else.example/x' })).toBe(404);
  });

  test('a sender who goes away is no longer waited for', async () => {
    let gone!: () => void;
    const aborted = new Promise<void>((resolve) => {
      gone = resolve;
    });
    let arrived!: () => void;
    const there = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const slow: Handler = (request) =>
      new Promise(() => {
        request.signal.addEventListener('abort', () => gone());
        arrived();
      });
    const origin = await listening(createServer(toNodeListener(slow)));
    const controller = new AbortController();
    const sent = fetch(origin, { signal: controller.signal });
    await there;
    controller.abort();
    await expect(sent).rejects.toThrow('aborted');
    await aborted;
  });
});
