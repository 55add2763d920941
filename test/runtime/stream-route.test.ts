/** Streams of runs over HTTP. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { getWritable } from '../../src/index.ts';
import { createHandler, type Handler } from '../../src/runtime/handler.ts';
import { toNodeListener } from '../../src/runtime/node-listener.ts';
import { closeAll, settle, type Setup, setup } from './support.ts';

const API = 'https://shop.example/.well-known/pawl/v1/streams';
const TOKEN = 'a secret';
const closing = new Set<() => unknown>();

afterEach(async () => {
  for (const close of closing) await close();
  closing.clear();
  await closeAll();
});

async function write(chunks: unknown[], namespace?: string): Promise<void> {
  const writer = getWritable(namespace === undefined ? {} : { namespace }).getWriter();
  for (const chunk of chunks) await writer.write(chunk);
}

async function served(): Promise<
  Setup & { handler: Handler; ask: (path: string, init?: RequestInit) => Promise<Response> }
> {
  const made = await setup({
    workflows: `workflow('w', async (chunks, namespace) => step('write')(chunks, namespace));
      workflow('waits', async () => { await step('write')(['first']); const hook = createHook({ token: 't' }); await hook; await step('write')(['second']); });`,
    steps: { write },
  });
  const handler = createHandler({ worker: made.worker }, { token: TOKEN });
  const ask = (path: string, { headers, ...init }: RequestInit = {}): Promise<Response> =>
    handler(new Request(`${API}/${path}`, { ...init, headers: { authorization: `Bearer ${TOKEN}`, ...headers } }));
  return { ...made, handler, ask };
}

const lines = async (response: Response): Promise<unknown[]> =>
  (await response.text())
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);

describe('GET /streams/ID', () => {
  test('gives a line for each chunk, and says that nothing follows', async () => {
    const { start, ask } = await served();
    const run = await start('w', ['a\n"b"', { at: new Date(0), big: 2n }, new Uint8Array([255, 0]), undefined]);
    await run.returnValue;
    const response = await ask(run.runId);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/x-ndjson');
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await lines(response)).toEqual([
      { index: 0, value: 'a\n"b"' },
      { index: 1, value: { at: '1970-01-01T00:00:00.000Z', big: '2' } },
      { index: 2, base64: '/wA=' },
      { index: 3, value: null },
      { index: 4, end: true },
    ]);
    expect(await lines(await ask(`${run.runId}?startIndex=3`))).toEqual([
      { index: 3, value: null },
      { index: 4, end: true },
    ]);
    expect(await lines(await ask(`${run.runId}?startIndex=-1`))).toHaveLength(2);
    expect(await lines(await ask(`${run.runId}?namespace=other`))).toEqual([{ index: 0, end: true }]);
  });

  test('gives server-sent events, which begin behind the one that came last', async () => {
    const { start, ask } = await served();
    const run = await start('w', ['a\nb', 'c'], 'n/m');
    await run.returnValue;
    const accept = 'text/event-stream';
    const path = `${run.runId}?namespace=n%2Fm`;
    const response = await ask(path, { headers: { accept } });
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    expect(await response.text()).toBe(
      'id: 0\ndata: {"value":"a\\nb"}\n\nid: 1\ndata: {"value":"c"}\n\nevent: end\ndata: {"index":2}\n\n',
    );
    const again = await ask(path, { headers: { accept, 'last-event-id': '0' } });
    expect(await again.text()).toBe('id: 1\ndata: {"value":"c"}\n\nevent: end\ndata: {"index":2}\n\n');
  });

  test.each([
    ['a run that is not there', 'nobody', 404, 'PAWL_UNKNOWN_RUN'],
    ['a wrong index', 'RUN?startIndex=1e3', 400, 'PAWL_STREAM_INDEX'],
    ['an empty namespace', 'RUN?namespace=', 400, 'PAWL_STREAM_NAMESPACE'],
  ])('refuses %s', async (_, path, status, code) => {
    const { start, ask } = await served();
    const run = await start('w', []);
    const response = await ask(path.replace('RUN', run.runId));
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error: { code, remedy: expect.any(String) } });
  });

  test('says now and then that it goes on, to who reads events', async () => {
    const { start, ask, worker } = await served();
    const run = await start('waits');
    await settle();
    const response = await ask(run.runId, { headers: { accept: 'text/event-stream' } });
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    const next = async (): Promise<string> => new TextDecoder().decode((await reader.read()).value);
    expect(await next()).toBe('id: 0\ndata: {"value":"first"}\n\n');
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      for (let times = 0; times < 2; times++) {
        const read = next();
        await settle();
        vi.advanceTimersByTime(15_000);
        expect(await read).toBe(': goes on\n\n');
      }
    } finally {
      vi.useRealTimers();
    }
    const read = next();
    await worker.resumeHook('t', null);
    expect(await read).toBe('id: 1\ndata: {"value":"second"}\n\n');
    expect(await next()).toMatch(/^event: end\n/);
    expect((await reader.read()).done).toBe(true);
  });

  test('takes the token, and nothing but GET', async () => {
    const { start, ask, handler, worker } = await served();
    const run = await start('w', ['secret']);
    await run.returnValue;
    const url = `${API}/${run.runId}`;
    expect((await handler(new Request(url))).status).toBe(401);
    expect((await handler(new Request(`${url}?token=${TOKEN}`))).status).toBe(401);
    vi.stubEnv('PAWL_TOKEN', '');
    expect((await createHandler({ worker })(new Request(url))).status).toBe(403);
    vi.unstubAllEnvs();
    expect((await ask(run.runId, { method: 'POST' })).status).toBe(405);
    const head = await ask(run.runId, { method: 'HEAD' });
    expect([head.status, head.body]).toEqual([200, null]);
  });

  test('tails a run that goes on; a listener that goes away is noticed while nothing happens', async () => {
    const { start, store, worker, handler } = await served();
    let listening = 0;
    const subscribe = store.subscribe.bind(store);
    store.subscribe = (listener) => {
      listening++;
      const stop = subscribe(listener);
      return () => {
        listening--;
        stop();
      };
    };
    const server = createServer(toNodeListener(handler)).listen(0);
    closing.add(() => server.close());
    await new Promise((resolve) => server.once('listening', resolve));
    const run = await start('waits');
    const ask = async (startIndex: number, signal?: AbortSignal): Promise<ReadableStreamDefaultReader<Uint8Array>> => {
      const { port } = server.address() as AddressInfo;
      const url = `http://localhost:${port}/.well-known/pawl/v1/streams/${run.runId}?startIndex=${startIndex}`;
      const { body } = await fetch(url, { headers: { authorization: `Bearer ${TOKEN}` }, signal });
      return (body as ReadableStream<Uint8Array>).getReader();
    };
    const next = async (reader: ReadableStreamDefaultReader<Uint8Array>): Promise<string> =>
      Buffer.from((await reader.read()).value ?? []).toString();
    const gone = new AbortController();
    const first = await ask(0, gone.signal);
    expect(await next(first)).toBe('{"index":0,"value":"first"}\n');
    await vi.waitFor(() => expect(listening).toBe(1));
    gone.abort();
    await vi.waitFor(() => expect(listening).toBe(0));
    const second = await ask(1);
    await settle();
    await worker.resumeHook('t', 1);
    expect(await next(second)).toBe('{"index":1,"value":"second"}\n');
    expect(await next(second)).toBe('{"index":2,"end":true}\n');
    expect(await second.read()).toMatchObject({ done: true });
  });
});
