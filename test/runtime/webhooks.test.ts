/** Webhooks: what workflow code sees, what senders get, what steps answer. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { getHookByToken, resumeHook, resumeWebhook } from '../../src/runtime/client.ts';
import { createHandler } from '../../src/runtime/handler.ts';
import { Run } from '../../src/runtime/run-handle.ts';
import { createWorker } from '../../src/runtime/worker.ts';
import { openStore } from '../../src/store/index.ts';
import type { EventStore } from '../../src/store/port.ts';
import { postgresUrl } from '../store/support/postgres.ts';
import { closeAll, program, type Setup, settle, setup, type Sources } from './support.ts';

const BASE = 'https://shop.example/api';

beforeEach(() => {
  vi.stubEnv('PAWL_BASE_URL', BASE);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await closeAll();
});

/** Tells the test what the workflow's webhooks are: `await tell(webhook.url)`. */
function told(): { urls: string[]; first: Promise<string>; steps: NonNullable<Sources['steps']> } {
  const urls: string[] = [];
  const first = signalOf<string>();
  const tell = async (url: string): Promise<void> => {
    urls.push(url);
    first.tell(url);
  };
  return { urls, first: first.heard, steps: { tell } };
}

/** Something that a test waits for. */
function signalOf<T>(): { heard: Promise<T>; tell(value: T): void } {
  let tell!: (value: T) => void;
  const heard = new Promise<T>((resolve) => {
    tell = resolve;
  });
  return { heard, tell };
}

const tokenOf = (url: string): string => url.slice(url.lastIndexOf('/') + 1);
const post = (url: string, body?: BodyInit, headers?: HeadersInit): Request =>
  new Request(url, { method: 'POST', body, headers });

async function waiting(
  sources: Sources,
  ...args: unknown[]
): Promise<Omit<Setup, 'run'> & { run: Run; urls: string[]; tokens: string[] }> {
  const { urls, first, steps } = told();
  const made = await setup({ ...sources, steps: { ...steps, ...sources.steps } });
  const run = await made.start('w', ...args);
  await first;
  await settle();
  return { ...made, run, urls, tokens: urls.map(tokenOf) };
}

const TELL = `const tell = step('tell');`;

describe('a webhook', () => {
  test('gives the request, whole, and answers 202 by itself', async () => {
    const { run, urls, tokens } = await waiting({
      workflows: `${TELL} workflow('w', async () => { const webhook = createWebhook(); await tell(webhook.url);
        const r = await webhook; return [r instanceof Request, r.method, r.url, r.headers.get('authorization'), r.headers.get('cookie'), await r.json(), 'respondWith' in r]; });`,
    });
    expect(urls[0]).toMatch(/^https:\/\/shop\.example\/api\/\.well-known\/pawl\/v1\/webhook\/wh_[\w-]{43}$/);
    const request = post(`${urls[0]}?x=y`, '{"a":[1]}', { cookie: 'session=1', authorization: 'Basic abc' });
    const response = await resumeWebhook(tokens[0] as string, request);
    expect([response.status, await response.text()]).toEqual([202, '']);
    expect(await run.returnValue).toEqual([true, 'POST', `${urls[0]}?x=y`, 'Basic abc', null, { a: [1] }, false]);
  });

  test('hands a real request to a step, with a binary body', async () => {
    const bytes = Uint8Array.from({ length: 100_000 }, (_, index) => (index * 31) & 0xff);
    const { run, urls, tokens } = await waiting({
      workflows: `${TELL} workflow('w', async () => { const webhook = createWebhook(); await tell(webhook.url); return await step('read')(await webhook); });`,
      steps: {
        read: async (request: Request) => [request instanceof Request, Buffer.compare(await request.bytes(), bytes)],
      },
    });
    await resumeWebhook(tokens[0] as string, post(urls[0] as string, bytes));
    expect(await run.returnValue).toEqual([true, 0]);
  });

  test('answers all requests with a response of its own, and is iterated', async () => {
    const { run, urls, tokens } = await waiting({
      workflows: `${TELL} workflow('w', async () => { const webhook = createWebhook({ respondWith: Response.json({ ok: 'ž' }, { status: 201, headers: { 'x-a': 'b' } }) });
        await tell(webhook.url); const seen = []; for await (const r of webhook) { const text = await r.text(); if (text === 'end') break; seen.push(text); } return seen; });`,
    });
    for (const text of ['a', 'b', 'end']) {
      const response = await resumeWebhook(tokens[0] as string, post(urls[0] as string, text));
      expect([response.status, response.headers.get('x-a'), await response.json()]).toEqual([201, 'b', { ok: 'ž' }]);
    }
    expect(await run.returnValue).toEqual(['a', 'b']);
  });

  test('lets a step answer, after the workflow has read the body', async () => {
    const { run, urls, tokens } = await waiting({
      workflows: `${TELL} workflow('w', async () => { const webhook = createWebhook({ respondWith: 'manual' }); await tell(webhook.url); const r = await webhook; const n = Number(await r.text());
        webhook.dispose(); return await step('answer')(r, n * 2); });`,
      steps: {
        answer: async (request: Request & { respondWith(r: Response): Promise<void> }, n: number) => {
          await request.respondWith(new Response(`twice is ${n}`, { status: 203, headers: { 'x-n': '1' } }));
          return 'answered';
        },
      },
    });
    const response = await resumeWebhook(tokens[0] as string, post(urls[0] as string, '21'));
    expect([response.status, response.headers.get('x-n'), await response.text()]).toEqual([203, '1', 'twice is 42']);
    expect(await run.returnValue).toBe('answered');
  });

  test('keeps the answers of requests that come together apart', async () => {
    const { urls, tokens } = await waiting({
      workflows: `${TELL} workflow('w', async () => { const webhook = createWebhook({ respondWith: 'manual' }); await tell(webhook.url);
        const both = [await webhook, await webhook]; await step('answer')(both[1]); await step('answer')(both[0]); });`,
      steps: {
        answer: async (request: Request & { respondWith(r: Response): Promise<void> }) =>
          request.respondWith(new Response(`you said ${await request.text()}`)),
      },
    });
    const send = async (text: string): Promise<string> =>
      (await resumeWebhook(tokens[0] as string, post(urls[0] as string, text))).text();
    expect(await Promise.all([send('one'), send('two')])).toEqual(['you said one', 'you said two']);
  });

  test('that a step answers twice, or with something else, says so', async () => {
    const codes: unknown[] = [];
    const { urls, tokens } = await waiting({
      workflows: `${TELL} workflow('w', async () => { const webhook = createWebhook({ respondWith: 'manual' }); await tell(webhook.url); const r = await webhook;
        try { await r.respondWith(new Response()); } catch (e) { await step('note')(e.code); } await step('answer')(r); });`,
      steps: {
        note: async (code: string) => void codes.push(code),
        answer: async (request: Request & { respondWith(r: unknown): Promise<void> }) => {
          const note = (error: { code?: unknown }): unknown => codes.push(error.code);
          await request.respondWith('text').catch(note);
          await request.respondWith(Response.error()).catch(note);
          await request.respondWith(new Response('first'));
          await request.respondWith(new Response('second')).catch(note);
        },
      },
    });
    expect(await (await resumeWebhook(tokens[0] as string, post(urls[0] as string))).text()).toBe('first');
    await settle();
    expect(codes).toEqual([
      'PAWL_NOT_IN_WORKFLOW',
      'PAWL_WEBHOOK_RESPONSE',
      'PAWL_WEBHOOK_RESPONSE',
      'PAWL_WEBHOOK_ANSWERED',
    ]);
  });

  test('whose run ends without an answer, or too late, says so to the sender', async () => {
    const sources = {
      workflows: `${TELL} workflow('w', async (wait) => { const webhook = createWebhook({ respondWith: 'manual' }); await tell(webhook.url); await webhook; if (wait) await sleep('1h'); });`,
    };
    const ends = await waiting(sources, false);
    await expect(resumeWebhook(ends.tokens[0] as string, post(ends.urls[0] as string))).rejects.toMatchObject({
      code: 'PAWL_WEBHOOK_UNANSWERED',
    });
    const sleeps = await waiting(sources, true);
    await expect(
      resumeWebhook(sleeps.tokens[0] as string, post(sleeps.urls[0] as string), { timeout: 50 }),
    ).rejects.toMatchObject({ code: 'PAWL_WEBHOOK_TIMEOUT', remedy: expect.stringContaining('do not send it again') });
  });

  test('is looked up without what pawl keeps with it', async () => {
    const { run, tokens } = await waiting({
      workflows: `${TELL} workflow('w', async () => { const webhook = createWebhook(); await tell(webhook.url); await webhook; });`,
    });
    const [token = ''] = tokens;
    expect(await getHookByToken(token)).toEqual({ token, runId: run.runId, metadata: undefined, open: true });
  });

  test.each([
    [`{ token: 'mine' }`, 'PAWL_HOOK_TOKEN'],
    [`{ respondWith: 'something' }`, 'PAWL_WEBHOOK_RESPONSE'],
    [`{ respondWith: Response.error() }`, 'PAWL_WEBHOOK_RESPONSE'],
  ])('refuses the options %s', async (options, code) => {
    const { run } = await setup({ workflows: `workflow('w', async () => { createWebhook(${options}); });` });
    await expect(run('w')).rejects.toMatchObject({ cause: { code, remedy: expect.any(String) } });
  });
});

describe('a token', () => {
  test('is not a hook’s, and a hook’s has not its form', async () => {
    const { run } = await setup({
      workflows: `workflow('w', async () => { createHook({ token: 'wh_' + 'a'.repeat(43) }); });`,
    });
    await expect(run('w')).rejects.toMatchObject({ cause: { code: 'PAWL_HOOK_TOKEN' } });
    const { tokens } = await waiting({
      workflows: `${TELL} workflow('w', async () => { const webhook = createWebhook(); await tell(webhook.url); await webhook; });`,
    });
    await expect(resumeHook(tokens[0] as string, 1)).rejects.toMatchObject({ code: 'PAWL_HOOK_IS_WEBHOOK' });
  });

  test('follows from the seed, and from nothing that a workflow shows', async () => {
    const seeds = ['a', 'b', 'a'];
    const ids = ['1', '1', '2'];
    const seen: unknown[][] = [];
    for (const [index, seed] of seeds.entries()) {
      const { run } = await setup(
        {
          workflows: `workflow('w', async () => { const a = createWebhook(); const id = crypto.randomUUID(); const b = createWebhook(); return [a.token, b.token, id, createHook().token]; });`,
        },
        { newSeed: () => seed, newId: () => ids[index] as string },
      );
      seen.push(await run('w'));
      await closeAll();
    }
    const tokens = seen.flatMap(([a, b]) => [a, b]);
    expect(new Set(tokens).size).toBe(6);
    // Making webhooks takes nothing from the generator of ids, whose state its ids tell.
    expect(seen[2]?.slice(2)).toEqual(seen[0]?.slice(2));
    const { store, start } = await setup({ workflows: `workflow('w', async () => {});` });
    const { runId } = await start('w');
    expect((await store.getRun(runId))?.seed).toMatch(/^[\w-]{43}$/);
  });
});

describe('the URL', () => {
  const WORKFLOW = `workflow('w', async () => { const first = createWebhook(); const urls = [first.url]; await first; urls.push(first.url, createWebhook().url); return urls; });`;

  test('stays what it was when the run moves to where the base is another', async () => {
    const first = await setup({ workflows: WORKFLOW }, { baseUrl: 'https://old.example/' });
    const run = await first.start('w');
    await settle();
    first.worker.kill();
    await first.store.removeOwner(first.worker.owner);
    const hooks = (await first.store.readEvents(run.runId)).filter(({ type }) => type === 'hook_created');
    const token = hooks[0]?.name as string;
    const second = await setup({ workflows: WORKFLOW }, { store: first.store, baseUrl: 'https://new.example' });
    await resumeWebhook(token, post('https://new.example/x'));
    const urls = await new Run<string[]>(run.runId, () => second.worker).returnValue;
    expect(urls.map((url) => url.slice(0, url.lastIndexOf('/')))).toEqual(
      Array(3).fill('https://old.example/.well-known/pawl/v1/webhook'),
    );
    expect(urls[0]).toBe(urls[1]);
    expect(urls.map(tokenOf)[0]).toBe(token);
  });

  test('that nobody knows is an error when it is asked for, also on replay elsewhere', async () => {
    vi.stubEnv('PAWL_BASE_URL', '');
    const workflows = `workflow('w', async () => { const webhook = createWebhook(); const codes = []; const look = () => { try { codes.push(webhook.url); } catch (e) { codes.push(e.code); } };
      look(); await webhook; look(); return codes; });`;
    const first = await setup({ workflows });
    const run = await first.start('w');
    await settle();
    first.worker.kill();
    await first.store.removeOwner(first.worker.owner);
    const [, created] = await first.store.readEvents(run.runId);
    const second = await setup({ workflows }, { store: first.store, baseUrl: BASE });
    await resumeWebhook(created?.name as string, post(BASE));
    expect(await new Run(run.runId, () => second.worker).returnValue).toEqual(['PAWL_NO_BASE_URL', 'PAWL_NO_BASE_URL']);
  });

  test.each(['shop.example', 'ftp://shop.example', 'https://shop.example/?a', 'https://a:b@shop.example'])(
    'cannot begin with %s',
    async (baseUrl) => {
      const store = await openStore('sqlite::memory:');
      const made = createWorker({ program: program({ workflows: '' }), store, baseUrl });
      await expect(made).rejects.toMatchObject({ code: 'PAWL_BASE_URL', remedy: expect.any(String) });
      await store.close();
    },
  );
});

const STORES: Record<string, (folder: string) => string> = {
  SQLite: (folder) => `sqlite:${join(folder, 'pawl.db')}`,
  PostgreSQL: () => postgresUrl(),
};

describe.each(Object.entries(STORES))('the handler and the worker in different places, on %s', (_name, urlIn) => {
  let folder: string;
  let place: string;
  const stores: EventStore[] = [];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'pawl-webhooks-'));
    place = urlIn(folder);
  });
  afterEach(async () => {
    await closeAll();
    for (const store of stores.splice(0)) await store.close();
    rmSync(folder, { recursive: true });
  });

  /** As another process opens it. */
  async function open(): Promise<EventStore> {
    const store = await openStore(place);
    stores.push(store);
    return store;
  }

  test('have the store in common, through which answers come too', async () => {
    const { first: url, steps } = told();
    const { start } = await setup(
      {
        workflows: `${TELL} workflow('w', async () => { const webhook = createWebhook({ respondWith: 'manual' }); await tell(webhook.url); await step('answer')(await webhook); });`,
        steps: {
          ...steps,
          answer: async (request: Request & { respondWith(r: Response): Promise<void> }) =>
            request.respondWith(new Response(await request.arrayBuffer(), { status: 207 })),
        },
      },
      { store: await open() },
    );
    const run = await start('w');
    const handler = createHandler({ store: await open() });
    const response = await handler(post(await url, new Uint8Array([0, 255])));
    expect([response.status, [...(await response.bytes())]]).toEqual([207, [0, 255]]);
    await run.returnValue;
  });

  test('an answer that was kept reaches the sender also when its worker dies thereupon', async () => {
    const { first: url, steps } = told();
    const crashed = signalOf<void>();
    let answers = 0;
    const sources = {
      workflows: `${TELL} workflow('w', async () => { const webhook = createWebhook({ respondWith: 'manual' }); await tell(webhook.url); await step('answer')(await webhook); return 'over'; });`,
      steps: {
        ...steps,
        answer: async (request: Request & { respondWith(r: Response): Promise<void> }) => {
          await request.respondWith(new Response(`answer ${++answers}`));
        },
      },
    };
    const first = await setup(sources, {
      store: await open(),
      crashPoint: (point) => {
        if (point !== 'step-returned' || answers !== 1) return;
        first.worker.kill();
        crashed.tell();
      },
    });
    const run = await first.start('w');
    const handler = createHandler({ store: await open() });
    const response = handler(post(await url));
    await crashed.heard;
    await first.store.removeOwner(first.worker.owner);
    const second = await setup(sources, { store: await open() });
    expect(await (await response).text()).toBe('answer 1');
    expect(await new Run(run.runId, () => second.worker).returnValue).toBe('over');
  });
});
