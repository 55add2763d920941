/** Workflows that workflows call: runs of their own, linked to the one that waits for them. */
import { afterEach, describe, expect, test } from 'vitest';
import { FatalError } from '../../src/runtime/errors.ts';
import { createVirtualClock } from '../../src/runtime/clock.ts';
import { DEFINITION } from '../../src/runtime/serialization/symbols.ts';
import type { RunEvent } from '../../src/store/events.ts';
import { closeAll, memoryStore, program, type Setup, settle, setup, type Sources } from './support.ts';

afterEach(closeAll);

/** As the compiler writes it. */
const workflow = (name: string, code: string): string =>
  `const ${name} = workflow('${name}', ${code}, '${name}', (...args) => child('${name}', args));`;

const SOURCES: Sources = {
  workflows: [
    `const add = step('add'), fail = step('fail'), slow = step('slow');`,
    workflow('double', 'async (n) => add(n, n)'),
    workflow('nap', `async (n) => { await sleep(1_000); return n; }`),
    workflow('asks', `async (token) => createHook({ token })`),
    workflow('fails', `async () => fail()`),
    workflow('waits', `async () => slow()`),
    workflow('cleansUp', `async () => { try { await sleep('1d'); } catch (error) { await double(4); throw error; } }`),
    workflow('parent', `async (n) => 1 + await double(n)`),
    workflow('many', `async (n) => Promise.all(Array.from({ length: n }, (_, i) => double(i)))`),
    workflow('grand', `async (n) => 10 * await parent(n)`),
    workflow('naps', `async (n) => nap(n)`),
    workflow('hears', `async (token) => asks(token)`),
    workflow(
      'catches',
      `async () => { try { await fails(); } catch (error) { return [error.name, error.message, error.code]; } }`,
    ),
    workflow('races', `async () => Promise.race([nap(1), sleep(10).then(() => 'late')])`),
    workflow(
      'stops',
      `async () => { const all = await Promise.allSettled([cleansUp(), waits(), nap(1)]); return all.map(({ reason }) => reason?.name); }`,
    ),
    workflow('refused', `async () => double(() => 1)`),
    workflow('leaves', `async () => { void double(3); return 'gone'; }`),
  ].join('\n'),
  steps: {
    add: async (a: number, b: number) => a + b,
    fail: async () => {
      throw Object.assign(new FatalError('no'), { code: 'E_NO' });
    },
    slow: () => new Promise(() => {}),
  },
};

const types = (events: readonly RunEvent[]): string[] => events.map(({ type }) => type);

async function childrenOf({ store }: Setup, parent: string) {
  const { runs } = await store.listRuns();
  return runs.filter((run) => run.parent?.runId === parent);
}

describe('a workflow that is called', () => {
  test('is a run of its own, on the code of its parent, whose result is the call’s', async () => {
    const here = await setup(SOURCES);
    const run = await here.start('parent', 4);
    expect(await run.returnValue).toBe(9);
    expect(types(await run.events())).toEqual(['run_created', 'child_scheduled', 'child_completed', 'run_completed']);
    const [record] = await childrenOf(here, run.runId);
    expect(record).toMatchObject({
      id: expect.stringMatching(new RegExp(`^${run.runId}\\.1-[0-9a-f]{12}$`)),
      workflowId: 'double',
      status: 'completed',
      bundleHash: here.worker.program.workflows.hash,
      parent: { runId: run.runId, cid: 1 },
    });
    expect(types(await here.store.readEvents(record?.id as string))).toEqual([
      'run_created',
      'step_scheduled',
      'step_completed',
      'run_completed',
    ]);
  });

  test('may call others, many at once, and each has random numbers of its own', async () => {
    const here = await setup(SOURCES);
    expect(await here.run('grand', 2)).toBe(50);
    expect(await here.run('many', 40)).toEqual(Array.from({ length: 40 }, (_, n) => 2 * n));
    const { runs } = await here.store.listRuns({ limit: 1_000 });
    expect(new Set(runs.map(({ seed }) => seed)).size).toBe(runs.length);
  });

  test('that fails rejects with its very error', async () => {
    const { run } = await setup(SOURCES);
    expect(await run('catches')).toEqual(['FatalError', 'no', 'E_NO']);
  });

  test('gets only what can cross', async () => {
    const { start, store } = await setup(SOURCES);
    const run = await start('refused');
    await expect(run.returnValue).rejects.toMatchObject({
      cause: {
        code: 'PAWL_NOT_SERIALIZABLE',
        message: 'args[0] is a function.',
        place: 'the arguments of workflow double',
      },
    });
    expect((await store.listRuns()).runs).toHaveLength(1);
  });

  test('that nobody waits for any more goes on to its end', async () => {
    const here = await setup(SOURCES);
    const races = await here.start('races');
    await settle();
    await here.clock.advance(10);
    expect(await races.returnValue).toBe('late');
    await here.clock.advance(1_000);
    await settle();
    expect(await childrenOf(here, races.runId)).toMatchObject([{ status: 'completed', output: '1[1]' }]);
    const leaves = await here.start('leaves');
    expect(await leaves.returnValue).toBe('gone');
    await settle();
    expect(await childrenOf(here, leaves.runId)).toMatchObject([{ status: 'completed', output: '1[6]' }]);
  });

  test('a parent that waits costs no timer and no memory', async () => {
    const here = await setup(SOURCES, { maxRuns: 1 });
    const run = await here.start('hears', 'answer');
    await settle(60);
    expect((await here.store.getRun(run.runId))?.wakeAt).toBeNull();
    expect(here.worker.size).toBeLessThanOrEqual(1);
    expect(here.clock.next()).toBeNull();
    await here.worker.resumeHook('answer', 'yes');
    expect(await run.returnValue).toBe('yes');
  });

  test('has an id that does not grow with the generations', async () => {
    const here = await setup({
      workflows: workflow('down', 'async (n) => n === 0 ? 0 : 1 + await down(n - 1)'),
    });
    expect(await here.run('down', 60)).toBe(60);
    const { runs } = await here.store.listRuns({ limit: 100 });
    expect(Math.max(...runs.map(({ id }) => id.length))).toBeLessThan(200);
  });

  test('a worker that takes nothing by itself takes what its runs call, again after a crash', async () => {
    const store = await memoryStore();
    const clock = createVirtualClock();
    const first = await setup(SOURCES, { store, clock, claim: false, newId: () => 'run-1' });
    await first.start('naps', 7);
    await settle();
    first.worker.kill();
    await store.removeOwner(first.worker.owner);
    const second = await setup(SOURCES, { store, clock, claim: false });
    const end = second.worker.whenEnded('run-1');
    await settle();
    await clock.advance(1_000);
    expect(await end).toEqual({ status: 'completed', data: '1[7]' });
  });
});

describe('two workers', () => {
  test('one has the parent, the other the child', async () => {
    const store = await memoryStore();
    const clock = createVirtualClock();
    const one = await setup(SOURCES, { store, clock, claim: false });
    // The other one is faster than the first would be.
    const two = await setup(SOURCES, { store, clock });
    const run = await one.start('hears', 'answer');
    await settle(60);
    expect(await run.status).toBe('running');
    await two.worker.resumeHook('answer', 'yes');
    expect(await run.returnValue).toBe('yes');
  });
});

describe('a cancellation', () => {
  test('goes on to the children, which may clean up; the parent sees theirs', async () => {
    const here = await setup(SOURCES);
    const run = await here.start('stops');
    await settle(60);
    await run.cancel('enough');
    await settle(100);
    expect(await run.returnValue).toEqual(['CancelledError', 'CancelledError', 'CancelledError']);
    const children = await childrenOf(here, run.runId);
    expect(children.map(({ workflowId, status }) => [workflowId, status]).toSorted()).toEqual([
      ['cleansUp', 'cancelled'],
      ['nap', 'cancelled'],
      ['waits', 'cancelled'],
    ]);
    // What one of them asked for to clean up was not asked to stop.
    const [cleaner] = children.filter(({ workflowId }) => workflowId === 'cleansUp');
    expect(await childrenOf(here, cleaner?.id as string)).toMatchObject([{ workflowId: 'double', output: '1[8]' }]);
    expect(types(await here.store.readEvents(cleaner?.id as string))).toContain('cancel_requested');
  });

  test('of a child alone is an error to its parent, which has not been cancelled', async () => {
    const here = await setup(SOURCES);
    const run = await here.start('naps', 1);
    await settle();
    const [child] = await childrenOf(here, run.runId);
    await here.store.requestCancel(child?.id as string, { at: here.worker.now() });
    await expect(run.returnValue).rejects.toMatchObject({ code: 'PAWL_RUN_FAILED', cause: { name: 'CancelledError' } });
  });
});

describe('definitions', () => {
  const defined = (slug: string, code: string): string =>
    `const ${slug} = workflowDefinition('${slug}', { run: ${code} });`;
  const parse = async (input: unknown): Promise<unknown> => {
    if (typeof input !== 'string')
      throw Object.assign(new TypeError('expected a string'), { code: 'PAWL_INPUT_INVALID' });
    return Number(input);
  };
  const output = async (value: unknown): Promise<unknown> => {
    if (value === 13) throw Object.assign(new TypeError('unlucky'), { code: 'PAWL_OUTPUT_INVALID' });
    return value;
  };
  const sources = (more: string): Sources => ({
    workflows: [
      `const add = step('add');`,
      defined('inner', 'async (n) => add(n, 1)'),
      workflow(
        'outer',
        `async (...inputs) => (await Promise.allSettled(inputs.map((each) => inner.run(each)))).map(({ value, reason }) => value ?? reason.code)`,
      ),
      workflow('hurried', `async () => { const both = [createHook({ token: 'taken' }), inner.run(1)]; ${more} }`),
      workflow('holder', `async () => createHook({ token: 'taken' })`),
    ].join('\n'),
    steps: { add: async (a: number, b: number) => a + b },
    registry: {
      workflows: new Map([['inner', { [DEFINITION]: { kind: 'workflow', parseInput: parse, parseOutput: output } }]]),
    },
  });

  test('are given what their schema makes of the input, once; what it refuses, or what they return wrongly, is an error', async () => {
    const here = await setup(sources('return 0;'));
    const run = await here.start('outer', '1', 2, '3', '12');
    expect(await run.returnValue).toEqual([2, 'PAWL_INPUT_INVALID', 4, 'PAWL_OUTPUT_INVALID']);
    expect(types(await run.events()).filter((type) => type !== 'child_completed')).toEqual([
      'run_created',
      'child_scheduled',
      'child_refused',
      'child_scheduled',
      'child_scheduled',
      'child_failed',
      'child_failed',
      'run_completed',
    ]);
    expect((await childrenOf(here, run.runId)).map(({ input }) => input).toSorted()).toEqual([
      '1[[1],12]',
      '1[[1],1]',
      '1[[1],3]',
    ]);
  });

  test('a refusal beside a hook whose token is taken, in a run that ends at once or not, replays as it went', async () => {
    for (const more of ['return 0;', 'return (await Promise.allSettled(both)).map(({ reason }) => reason.code);']) {
      const here = await setup(sources(more));
      await here.start('holder');
      const run = await here.start('hurried');
      expect(await run.returnValue).toEqual(more === 'return 0;' ? 0 : ['PAWL_HOOK_CONFLICT', 'PAWL_INPUT_INVALID']);
      const { replayHistory } = await import('../../src/runtime/replay.ts');
      const { historyOf } = await import('../../src/runtime/history.ts');
      const history = historyOf(run.runId, await run.events());
      expect(await replayHistory(history, here.worker.program.workflows)).toBeNull();
    }
  });

  test('a crash between refusal and its telling loses neither', async () => {
    const store = await memoryStore();
    const clock = createVirtualClock();
    let commits = 0;
    const first = await setup(sources('return 0;'), {
      store,
      clock,
      newId: () => 'run-1',
      crashPoint: (point) => {
        if (point === 'committed' && ++commits === 1) throw new Error('crash');
      },
    });
    await first.worker.startRun({ workflowId: 'outer', args: [2] }).catch(() => {});
    await settle();
    expect(first.worker.closed).toBe(true);
    expect(types(await store.readEvents('run-1'))).toEqual(['run_created', 'child_refused']);
    await store.removeOwner(first.worker.owner);
    const second = await setup(sources('return 0;'), { store, clock });
    expect(await second.worker.whenEnded('run-1')).toMatchObject({ status: 'completed' });
    expect(types(await store.readEvents('run-1'))).toEqual([
      'run_created',
      'child_refused',
      'child_failed',
      'run_completed',
    ]);
  });
});

test('code that an older version compiled calls within the run', async () => {
  const here = await setup(
    program({
      workflows: `const add = step('add');
        const inner = workflow('inner', async (n) => add(n, 1), 'inner');
        const other = defineWorkflow('other', { run: async (n) => add(n, 2) });
        workflow('outer', async (n) => [await inner(n), await other.run(n)]);`,
      steps: { add: async (a: number, b: number) => a + b },
    }),
  );
  const run = await here.start('outer', 1);
  expect(await run.returnValue).toEqual([2, 3]);
  expect(await childrenOf(here, run.runId)).toEqual([]);
});
