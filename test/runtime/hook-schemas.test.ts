/** Schemas of hooks: payloads that do not match are refused where they are sent, and change nothing. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { z } from 'zod';
import { createHook, defineHook, type Hook } from '../../src/index.ts';
import { getHookByToken, resumeHook, resumeHookIn } from '../../src/runtime/client.ts';
import { createHandler } from '../../src/runtime/handler.ts';
import { replayHistory } from '../../src/runtime/replay.ts';
import { historyOf } from '../../src/runtime/history.ts';
import { openStore } from '../../src/store/index.ts';
import type { EventStore } from '../../src/store/port.ts';
import { createTestRuntime } from '../../src/testing/index.ts';
import { runCli } from '../support/cli.ts';
import { closeAll, program, settle, setup } from './support.ts';

afterEach(async () => {
  vi.unstubAllEnvs();
  await closeAll();
});

/** A schema as libraries make them, in the words of workflow code: a whole number, which it doubles. */
const SCHEMA = `
  const schemaOf = (validate) => ({ '~standard': { version: 1, vendor: 'test', validate } });
  const even = schemaOf((value) => Number.isInteger(value?.n) ? { value: value.n * 2 } : { issues: [{ path: ['n'], message: 'no whole number' }] });`;

const stateOf = async (store: EventStore, runId: string): Promise<unknown> => [
  await store.getRun(runId).then((run) => run && { ...run, leaseUntil: 0 }),
  await store.readEvents(runId),
  await store.readInbox({ runId }),
];

const INVALID = {
  code: 'PAWL_PAYLOAD_INVALID',
  message: 'The payload for hook h does not match its schema. payload.n: no whole number.',
  remedy: expect.stringMatching(/\.$/),
  details: { issues: [{ path: 'payload.n', message: 'no whole number' }] },
};

describe('a hook with a schema', () => {
  test('refuses what does not match, without a trace, and gives the workflow what the schema makes of the rest', async () => {
    const { start, store } = await setup({
      workflows: `${SCHEMA} workflow('w', async () => [await createHook({ token: 'h', schema: even, metadata: { a: 1 } }), Math.random()]);`,
    });
    const run = await start('w');
    await settle();
    const before = await stateOf(store, run.runId);
    for (const payload of [{ n: 1.5 }, undefined, null, 'n', { n: '4' }])
      await expect(resumeHook('h', payload)).rejects.toMatchObject(INVALID);
    await settle();
    expect(await stateOf(store, run.runId)).toEqual(before);
    expect(await getHookByToken('h')).toMatchObject({ metadata: { a: 1 }, open: true });
    expect(await resumeHook('h', { n: 21 })).toEqual({ runId: run.runId });
    expect(await run.returnValue).toEqual([42, expect.any(Number)]);
  });

  test('of which the run is not in memory is asked by a replay, on the code that the run began with', async () => {
    const first = await setup({
      workflows: `${SCHEMA} const s = step('s'); workflow('w', async () => { await s(); return createHook({ token: 'h', schema: even }); });`,
      steps: { s: async () => 1 },
    });
    const run = await first.start('w');
    await settle();
    await first.close();
    const before = await stateOf(first.store, run.runId);
    await expect(resumeHookIn(first.store, 'h', { n: 'x' })).rejects.toMatchObject(INVALID);
    expect(await stateOf(first.store, run.runId)).toEqual(before);
    await resumeHookIn(first.store, 'h', { n: 2 });
    const next = await setup(program({ workflows: '', steps: { s: async () => 1 } }), { store: first.store });
    expect(await next.worker.whenEnded(run.runId)).toMatchObject({ status: 'completed' });
  });

  test('leaves no trace of what it does when it is only asked', async () => {
    const source = (schema: string): string => `const schemaOf = (validate) => ({ '~standard': { validate } });
      workflow('w', async () => { const hook = createHook({ token: 'h', schema: schemaOf(${schema}) }); const got = await hook; return [got, Math.random(), crypto.randomUUID()]; });`;
    const busy = await setup({
      workflows: source(
        `(value) => { console.log('asked'); Math.random(); crypto.randomUUID(); void sleep(5).catch(() => {}); createHook(); return { value } }`,
      ),
    });
    const run = await busy.start('w');
    await settle();
    const { worker, store } = busy;
    const hook = await store.getHook('h');
    for (let n = 0; n < 3; n++) expect(await worker.checkPayload(run.runId, hook?.cid ?? 0, '1')).not.toBeUndefined();
    expect(busy.events.filter(({ type }) => type === 'console')).toEqual([]);
    expect((await store.readEvents(run.runId)).map(({ type }) => type)).toEqual(['run_created', 'hook_created']);
    await resumeHook('h', 1);
    const value = await run.returnValue;
    const log = await store.readEvents(run.runId);
    // The log is one of a run whose schema was asked once: when it got the payload.
    expect(await replayHistory(historyOf(run.runId, log), busy.worker.program.workflows)).toBeNull();
    expect(value).toEqual([1, expect.any(Number), expect.any(String)]);
  });

  test('may answer later by itself, but not wait; a schema that throws refuses', async () => {
    const { start } = await setup({
      workflows: `const schemaOf = (validate) => ({ '~standard': { validate } });
        workflow('w', async (kind) => createHook({ token: kind, schema: schemaOf({
          later: async (value) => { await null; return value === 1 ? { value: 'one' } : { issues: [{ message: 'not one' }] }; },
          never: () => new Promise(() => {}), throws: () => { throw new Error('boom'); } }[kind]) }));`,
    });
    const run = await start('w', 'later');
    await start('w', 'never');
    await start('w', 'throws');
    await settle();
    await expect(resumeHook('later', 2)).rejects.toMatchObject({
      message: expect.stringContaining('payload: not one'),
    });
    await expect(resumeHook('never', 2)).rejects.toMatchObject({
      message: expect.stringContaining('must decide by itself'),
    });
    await expect(resumeHook('throws', 2)).rejects.toMatchObject({
      message: expect.stringContaining('the schema threw boom'),
    });
    await resumeHook('later', 1);
    expect(await run.returnValue).toBe('one');
  });

  test('that never comes to an end refuses; a run in memory, which cannot go on then, is parked', async () => {
    const { start, store, close } = await setup(
      {
        workflows: `const schemaOf = (validate) => ({ '~standard': { validate } });
          workflow('w', async () => createHook({ token: 'h', schema: schemaOf((value) => { while (value === 'loop'); return { value }; }) }));`,
      },
      { activationTimeout: 100 },
    );
    const run = await start('w');
    await settle();
    const endless = { code: 'PAWL_PAYLOAD_INVALID', message: expect.stringContaining('did not come to an end') };
    await expect(resumeHook('h', 'loop')).rejects.toMatchObject(endless);
    await expect(run.returnValue).rejects.toMatchObject({ code: 'PAWL_RUN_PARKED' });
    expect(await store.readInbox({ runId: run.runId })).toEqual([]);
    await resumeHook('h', 'fine');
    await close();
    const next = await setup(program({ workflows: '' }), { store });
    expect(await next.worker.unpark(run.runId)).toBe(true);
    expect(await next.worker.whenEnded(run.runId)).toMatchObject({ status: 'completed' });
  });

  test('that is none is refused', async () => {
    const { run } = await setup({ workflows: `workflow('w', async (schema) => createHook({ schema }));` });
    for (const schema of [5, null, {}, 'z'])
      await expect(run('w', schema)).rejects.toMatchObject({ cause: { code: 'PAWL_HOOK_SCHEMA' } });
    expect(() => defineHook({ schema: 5 as never })).toThrow(expect.objectContaining({ code: 'PAWL_HOOK_SCHEMA' }));
  });

  test('records what it refuses when nobody asked it before, and the workflow waits on', async () => {
    const { start, store, worker } = await setup({
      workflows: `${SCHEMA} workflow('w', async () => createHook({ token: 'h', schema: even }));`,
    });
    const run = await start('w');
    await settle();
    const codec = worker.codec;
    const data = (value: unknown): string => codec.stringify(value, { root: 'payload', what: 'a test' });
    await store.deliverHook('h', data({ n: 'x' }), 5);
    await settle();
    expect(await run.status).toBe('running');
    const log = await store.readEvents(run.runId);
    expect(log.map(({ type }) => type)).toEqual(['run_created', 'hook_created', 'hook_received', 'hook_refused']);
    expect(codec.parse(log[3]?.data as string)).toMatchObject({ message: INVALID.message, code: INVALID.code });
    expect(await replayHistory(historyOf(run.runId, log), worker.program.workflows)).toBeNull();
    await resumeHook('h', { n: 4 });
    expect(await run.returnValue).toBe(8);
    const lax = program({ workflows: `workflow('w', async () => createHook({ token: 'h' }));` });
    expect(await replayHistory(historyOf(run.runId, await store.readEvents(run.runId)), lax.workflows)).toMatchObject({
      code: 'PAWL_REPLAY_DIVERGED',
      message: expect.stringContaining('the event log has the refusal of a payload (#1)'),
    });
  });

  test('over HTTP: 422, with the path of what is wrong', async () => {
    vi.stubEnv('PAWL_TOKEN', 'secret');
    const { start, store, worker } = await setup({
      workflows: `${SCHEMA} workflow('w', async () => createHook({ token: 'h', schema: even }));`,
    });
    const run = await start('w');
    await settle();
    const before = await stateOf(store, run.runId);
    for (const handler of [createHandler({ worker }), createHandler({ store })]) {
      const response = await handler(
        new Request('http://x/.well-known/pawl/v1/hook/h', {
          method: 'POST',
          body: '{"n":"x"}',
          headers: { authorization: 'Bearer secret' },
        }),
      );
      expect(response.status).toBe(422);
      const { code, message, remedy, details } = INVALID;
      expect(await response.json()).toEqual({
        error: { code, message, remedy, path: 'payload.n', issues: details.issues },
      });
    }
    expect(await stateOf(store, run.runId)).toEqual(before);
  });
});

test('payloads of more than 32 MiB are refused', async () => {
  const { start, store } = await setup({ workflows: `workflow('w', async () => createHook({ token: 'h' }));` });
  const run = await start('w');
  await settle();
  const before = await stateOf(store, run.runId);
  await expect(resumeHook('h', 'x'.repeat(33 << 20))).rejects.toMatchObject({
    code: 'PAWL_PAYLOAD_TOO_LARGE',
    message: expect.stringMatching(/ has more than 32 MiB when it is serialized, with bytes as base64: 34\.$/),
    place: 'hook h',
    remedy: expect.any(String),
  });
  expect(await stateOf(store, run.runId)).toEqual(before);
});

test.each([[undefined], [5], [{}]])('%s is no token', async (token) => {
  await setup({ workflows: `workflow('w', async () => {});` });
  await expect(resumeHook(token as never, 1)).rejects.toMatchObject({
    code: 'PAWL_HOOK_TOKEN',
    message: expect.stringContaining(`this is ${typeof token}`),
    place: expect.any(String),
    remedy: expect.any(String),
  });
});

describe('in a program that is built', () => {
  const MAIN = `
    import { createHook, defineHook, defineWorkflow } from 'pawl';
    import { z } from 'zod';
    export const approval = defineHook({ schema: z.object({ approved: z.boolean(), at: z.iso.datetime().transform((text) => new Date(text)) }) });
    export async function first(token: string) { 'use workflow'; const { approved, at } = await approval.create({ token }); return [approved, at.getTime()]; }
    export async function second(token: string) { 'use workflow'; return await createHook({ token, schema: z.string().min(2) }); }
    export default defineWorkflow({ slug: 'third', input: z.string(), output: z.number(), run: async (token, ctx) => ctx.hook({ token, schema: z.coerce.number() }) });`;

  test('schemas of zod are those of defineHook, createHook and ctx.hook', async () => {
    const runtime = await createTestRuntime({ sources: { 'src/main.ts': MAIN } });
    onTestFinished(() => runtime.close());
    expect(runtime.diagnostics).toEqual([]);
    const cases: [workflow: string, bad: unknown, path: string, good: unknown, result: unknown][] = [
      [
        'first',
        { approved: 'yes', at: '2026-01-01T00:00:00Z' },
        'payload.approved',
        { approved: true, at: '1970-01-01T00:00:01Z' },
        [true, 1000],
      ],
      ['second', 'x', 'payload', 'xy', 'xy'],
      ['third', 'x', 'payload', '12', 12],
    ];
    for (const [workflow, bad, path, good, result] of cases) {
      const run = await runtime.start(workflow, [workflow]);
      const hook = await runtime.waitForHook(run);
      expect(hook.metadata).toBeUndefined();
      await expect(hook.resume(bad)).rejects.toMatchObject({
        code: 'PAWL_PAYLOAD_INVALID',
        details: { issues: [{ path }] },
      });
      await hook.resume(good);
      expect(await run.returnValue).toEqual(result);
    }
  });

  test('schemas give types to both ends', () => {
    const schema = z.object({ at: z.string().transform((text) => new Date(text)) });
    const approval = defineHook({ schema });
    const ends = {
      create: (): Hook<{ at: Date }> => approval.create(),
      resume: () => approval.resume('t', { at: 'text' }),
      inline: (): Hook<{ at: Date }> => createHook({ schema }),
      plain: (): Hook<number> => createHook<number>({ token: 't' }),
    };
    expect(Object.keys(ends)).toHaveLength(4);
  });
});

describe('pawl resume', () => {
  test('refuses what a person may get wrong, and changes nothing', async () => {
    const root = mkdtempSync(join(tmpdir(), 'pawl-resume-'));
    onTestFinished(() => rmSync(root, { recursive: true, force: true }));
    const url = `sqlite:${join(root, '.pawl/pawl.db')}`;
    const store = await openStore(url);
    const { start, close } = await setup(
      {
        workflows: `${SCHEMA} workflow('w', async () => createHook({ token: 'h', schema: even }));
          workflow('done', async () => { createHook({ token: 'used' }); return 1; });`,
      },
      { store },
    );
    const run = await start('w');
    await (await start('done')).returnValue;
    await settle();
    await close();
    const before = await stateOf(store, run.runId);
    writeFileSync(join(root, 'large.json'), `"${'x'.repeat(100_000_000)}"`);
    const refusals: [args: string[], code: string, says: string][] = [
      [['h', '--payload', '{"n":"x"}'], 'PAWL_PAYLOAD_INVALID', 'payload.n: no whole number'],
      [['h'], 'PAWL_PAYLOAD_INVALID', 'payload.n: no whole number'],
      [['h', '--payload', '@large.json'], 'PAWL_PAYLOAD_TOO_LARGE', 'more than 32 MiB'],
      [['nobody', '--payload', '1'], 'PAWL_UNKNOWN_HOOK', 'no hook with the token "nobody"'],
      [['used', '--payload', '1'], 'PAWL_HOOK_CLOSED', 'takes no more payloads'],
    ];
    for (const [args, code, says] of refusals) {
      const text = await runCli(['resume', ...args], { cwd: root });
      expect([text.code, text.stdout]).toEqual([2, '']);
      expect(text.stderr).toContain(says);
      const json = await runCli(['resume', ...args, '--json'], { cwd: root });
      expect(json.code).toBe(2);
      expect(JSON.parse(json.stdout || json.stderr)).toMatchObject({ error: { code, remedy: expect.any(String) } });
    }
    expect(await stateOf(store, run.runId)).toEqual(before);
    expect((await runCli(['resume', 'h', '--payload', '{"n":2}'], { cwd: root })).code).toBe(0);
    await store.close();
  });

  test('pawl inspect shows what was refused later', async () => {
    const root = mkdtempSync(join(tmpdir(), 'pawl-refused-'));
    onTestFinished(() => rmSync(root, { recursive: true, force: true }));
    const store = await openStore(`sqlite:${join(root, '.pawl/pawl.db')}`);
    const { start, worker, close } = await setup(
      { workflows: `${SCHEMA} workflow('w', async () => createHook({ token: 'h', schema: even }));` },
      { store },
    );
    const run = await start('w');
    await settle();
    await store.deliverHook('h', worker.codec.stringify('x', { root: 'payload', what: 'a test' }), 5);
    await settle();
    await close();
    await store.close();
    const text = await runCli(['inspect', run.runId], { cwd: root });
    expect(text.stdout).toMatch(/hook h +waiting {2}1 payload\n +└─ refused: .*payload\.n: no whole number/);
    const { timeline } = JSON.parse((await runCli(['inspect', run.runId, '--json'], { cwd: root })).stdout);
    expect(timeline).toMatchObject([{ kind: 'hook', received: 1, refused: [{ code: 'PAWL_PAYLOAD_INVALID' }] }]);
  });
});
