import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { z } from 'zod';
import { defineWorkflow } from '../../src/index.ts';
import { cls, workflow } from '../../src/internal/client.ts';
import { getRun, listRuns, resumeHook, RunFailedError, start } from '../../src/runtime/client.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { clientCodec } from '../../src/runtime/client-codec.ts';
import type { Run } from '../../src/runtime/run-handle.ts';
import { openStore } from '../../src/store/index.ts';
import type { EventStore } from '../../src/store/port.ts';
import { closeAll, settle, setup } from './support.ts';

afterEach(closeAll);
afterEach(() => vi.unstubAllEnvs());

/** The store of the environment: a process opens it once. */
const SHARED = `sqlite:${join(mkdtempSync(join(tmpdir(), 'pawl-client-')), 'pawl.db')}`;
afterAll(() => rmSync(dirname(SHARED.slice('sqlite:'.length)), { recursive: true, force: true }));

/** Runs of other programs have other times than those of a virtual clock. */
const clock = systemClock as never;

/** Starts a run without a worker, in a store that a worker can have. */
async function leave(begin: () => Promise<Run<unknown>>): Promise<{ run: Run<unknown>; store: EventStore }> {
  vi.stubEnv('PAWL_STORE', SHARED);
  const run = await begin();
  const store = await openStore(SHARED);
  onTestFinished(() => store.close());
  return { run, store };
}

const ADD = {
  workflows: `workflow('add', async (a, b) => a + b); workflow('fail', async () => { throw new TypeError('no'); });`,
};

describe('start', () => {
  test('takes a compiled function, a definition or an id', async () => {
    const double = defineWorkflow({ slug: 'double', input: z.number(), output: z.number(), run: async (n) => n });
    await setup({
      workflows: `${ADD.workflows} defineWorkflow('double', { run: async (n) => n * 2 });`,
      registry: { workflows: new Map([['double', double]]) },
    });
    const add = workflow('add', async (a: number, b: number): Promise<number> => a - b);
    const run = await start(add, [1, 2]);
    const value: number = await run.returnValue;
    expect(value).toBe(3);
    expect(await (await start('add', [3, 4])).returnValue).toBe(7);
    expect(await (await start(double, [4])).returnValue).toBe(8);
  });

  test.each([
    [() => {}, /is not a workflow/],
    [{}, /is not a workflow/],
    ['', /is not a workflow/],
  ])('refuses %s', async (value, message) => {
    await setup(ADD);
    await expect(start(value as never, [] as never)).rejects.toMatchObject({
      code: 'PAWL_NOT_A_WORKFLOW',
      message: expect.stringMatching(message),
    });
  });

  test('refuses arguments that are no array', async () => {
    await setup(ADD);
    await expect(start('add', 5 as never)).rejects.toMatchObject({ code: 'PAWL_ARGUMENTS' });
  });

  test('with an id starts once', async () => {
    const { store } = await setup(ADD);
    const runs = await Promise.all([start('add', [1, 1], { runId: 'mine' }), start('add', [9, 9], { runId: 'mine' })]);
    expect(await Promise.all(runs.map((run) => run.returnValue))).toEqual([2, 2]);
    expect(await (await start('add', [5, 5], { runId: 'mine' })).returnValue).toBe(2);
    expect((await store.listRuns()).runs).toHaveLength(1);
  });

  test('without a worker and a store says what to do', async () => {
    vi.stubEnv('PAWL_STORE', '');
    await expect(start('add', [1, 2])).rejects.toMatchObject({
      code: 'PAWL_NO_STORE',
      remedy: expect.stringContaining('PAWL_STORE'),
    });
  });

  test('without a worker puts the run into the store of the environment, for any worker to take', async () => {
    const { run, store } = await leave(() => start('add', [20, 22]));
    expect(await run.status).toBe('pending');
    const value = run.returnValue;
    const { close } = await setup(ADD, { store, clock });
    expect(await value).toBe(42);
    await close();
  });
});

describe('the input of a defined workflow that was started without a worker', () => {
  const price = z.string().transform(Number);
  const schema = { input: z.object({ price, items: z.array(z.string()).default([]) }), output: z.any() };
  const order = defineWorkflow({ slug: 'order', ...schema, run: async (input) => input });
  const PROGRAM = {
    workflows: `defineWorkflow('order', { run: async (input) => [input, await createHook({ token: getWorkflowMetadata().workflowRunId })] });`,
    registry: { workflows: new Map([['order', order]]) },
  };

  test.each<[string, () => Promise<Run<unknown>>]>([
    ['its slug', () => start('order', [{ price: '21' }])],
    ['the definition', () => start(order, [{ price: '21' }])],
  ])('is parsed once by the worker that takes the run: by %s', async (_, begin) => {
    const { store, run } = await leave(begin);
    const first = await setup(PROGRAM, { store, clock });
    await vi.waitFor(async () => expect(await store.getHook(run.runId)).not.toBeNull());
    // What the schema made of it is kept: the next worker replays on that.
    await first.close();
    const second = await setup(PROGRAM, { store, clock });
    await resumeHook(run.runId, 'gone on');
    expect(await getRun(run.runId).returnValue).toEqual([{ price: 21, items: [] }, 'gone on']);
    expect((await store.readEvents(run.runId)).map(({ type }) => type)).toEqual([
      'run_created',
      'bundle_bound',
      'hook_created',
      'hook_received',
      'run_completed',
    ]);
    await second.close();
  });

  test('fails the run when it does not match, with the side and the path', async () => {
    const { store, run } = await leave(() => start('order', [{ price: '21', items: ['a', 7] }]));
    const ended = run.returnValue.catch((thrown: unknown) => thrown);
    const { events, close } = await setup(PROGRAM, { store, clock });
    expect(await ended).toMatchObject({
      code: 'PAWL_RUN_FAILED',
      cause: {
        code: 'PAWL_INPUT_INVALID',
        message: expect.stringMatching(/^The input of workflow order does not match its schema\. input\.items\[1\]: /),
        details: { side: 'input', issues: [{ path: 'input.items[1]' }] },
      },
    });
    expect(events).toMatchObject([{ type: 'run-finished', runId: run.runId, status: 'failed' }]);
    expect((await run.record()).error).not.toContain('src/runtime');
    await close();
  });

  test('is refused at once where the definition is at hand', async () => {
    vi.stubEnv('PAWL_STORE', SHARED);
    const refused = start(order, [{ price: 21 } as never], { runId: 'refused' });
    await expect(refused).rejects.toMatchObject({ code: 'PAWL_INPUT_INVALID' });
    await expect(getRun('refused').status).rejects.toMatchObject({ code: 'PAWL_UNKNOWN_RUN' });
  });
});

describe('a run', () => {
  test('that fails rejects with its cause', async () => {
    await setup(ADD);
    const run = await start('fail', []);
    const error = await run.returnValue.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(RunFailedError);
    expect(error).toMatchObject({ code: 'PAWL_RUN_FAILED', runId: run.runId, cause: expect.any(TypeError) });
    expect((await run.record()).status).toBe('failed');
  });

  test('is found by its id, while it goes on and afterwards', async () => {
    const { clock } = await setup({ workflows: `workflow('nap', async () => { await sleep(10); return 'awake'; });` });
    const { runId } = await start('nap', []);
    await settle();
    const found = getRun<string>(runId);
    expect(await found.status).toBe('running');
    const value = found.returnValue;
    clock.advance(10);
    expect(await value).toBe('awake');
    expect(await getRun(runId).returnValue).toBe('awake');
    expect((await found.events()).at(-1)?.type).toBe('run_completed');
  });

  test('that is not there is refused by name', async () => {
    await setup(ADD);
    const unknown = getRun('nobody');
    const asks = [() => unknown.status, () => unknown.returnValue, () => unknown.cancel(), () => unknown.record()];
    for (const ask of asks) {
      await expect(ask()).rejects.toMatchObject({ code: 'PAWL_UNKNOWN_RUN', message: 'There is no run nobody.' });
    }
  });

  test('cancelled from anywhere: before its first step, twice, after its end', async () => {
    const { start: begin, worker } = await setup({ workflows: `workflow('nap', async () => { await sleep('1h'); });` });
    const run = await begin('nap');
    const both = await Promise.all([run.cancel('a'), getRun(run.runId).cancel('b')]);
    expect(both).toEqual([true, true]);
    await expect(run.returnValue).rejects.toMatchObject({ code: 'PAWL_RUN_CANCELLED', cause: { message: 'a' } });
    expect(await getRun(run.runId).cancel()).toBe(false);
    expect(worker.size).toBe(0);
  });
});

test('listRuns filters and pages', async () => {
  const { run } = await setup(ADD);
  for (let count = 0; count < 5; count++) await run('add', count, 1);
  await run('fail').catch(() => {});
  expect((await listRuns({ status: ['failed'] })).runs.map((each) => each.workflowId)).toEqual(['fail']);
  const first = await listRuns({ workflowId: 'add', limit: 3 });
  const second = await listRuns({ workflowId: 'add', limit: 3, cursor: first.next ?? undefined });
  expect([first.runs.length, second.runs.length, second.next]).toEqual([3, 2, null]);
});

test('an instance comes back as one when its class is known here', async () => {
  class Point {
    readonly x: number;
    constructor(x: number) {
      this.x = x;
    }
    static [Symbol.for('pawl-serialize')](point: Point): unknown {
      return { x: point.x };
    }
    static [Symbol.for('pawl-deserialize')]({ x }: { x: number }): Point {
      return new Point(x);
    }
  }
  cls('src/p.ts#Point', Point);
  const folder = mkdtempSync(join(tmpdir(), 'pawl-client-'));
  try {
    const store = await openStore(`sqlite:${join(folder, 'pawl.db')}`);
    const { close } = await setup(
      {
        workflows: `class Point { constructor(x) { this.x = x; } static [Symbol.for('pawl-serialize')](p) { return { x: p.x }; } static [Symbol.for('pawl-deserialize')](d) { return new Point(d.x); } }
          cls('src/p.ts#Point', Point); workflow('next', async (p) => new Point(p.x + 1));`,
        registry: { classes: new Map([['src/p.ts#Point', Point]]) },
      },
      { store },
    );
    const { runId } = await start('next', [new Point(1)]);
    await getRun(runId).returnValue;
    await close();
    const output = (await store.getRun(runId))?.output as string;
    const point = clientCodec(store).parse(output);
    expect(point).toBeInstanceOf(Point);
    expect(point).toEqual(new Point(2));
    await store.close();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('start, getRun and resumeHook work from within a step', async () => {
  const { run, start: begin } = await setup({
    workflows: `
      workflow('child', async (x) => x * 2);
      workflow('waits', async () => createHook({ token: 'from-step' }));
      workflow('parent', async (x) => { const id = await step('spawn')(x); await step('resume')(x); return step('result')(id); });`,
    steps: {
      spawn: async (x: number) => (await start('child', [x])).runId,
      resume: async (x: number) => resumeHook('from-step', x),
      result: async (runId: string) => getRun(runId).returnValue,
    },
  });
  const waits = await begin('waits');
  await settle();
  expect(await run('parent', 21)).toBe(42);
  expect(await waits.returnValue).toBe(21);
});
