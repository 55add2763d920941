import { afterEach, describe, expect, test } from 'vitest';
import { createVirtualClock } from '../../src/runtime/clock.ts';
import type { RunEvent } from '../../src/store/events.ts';
import type { EventStore } from '../../src/store/port.ts';
import { type Ledger, shapes, sourcesOf } from './programs.ts';
import { asksTheSameAgain, goesOnFromEveryPrefix, load, recorded, survivesEviction } from './replaying.ts';
import { closeAll, memoryStore, program, type Setup, settle, setup } from './support.ts';

afterEach(closeAll);

test('a log in which a command has two results is not followed', async () => {
  const { sources, log } = await recorded(`workflow('w', async () => Promise.all([add(1, 2), add(3, 4), add(5, 6)]));`);
  const at = log.findIndex(({ type }) => type === 'step_completed');
  const twice = log.toSpliced(at, 0, log[at] as RunEvent).map((event, index) => ({ ...event, seq: index + 1 }));
  expect(load(sources, log).replay(log.slice(0, at + 1)).divergence).toBe(null);
  expect(load(sources, twice).replay(twice.slice(0, at + 2)).divergence).toMatchObject({
    seq: at + 2,
    recorded: 'a result of #1',
    requested: null,
  });
});

describe.each(Object.entries(shapes))('%s', (_name, { code, args }) => {
  test('replayed from every prefix, goes on as it did', () => goesOnFromEveryPrefix(code, args));

  test('with only the beginning recorded, asks the same again', () => asksTheSameAgain(code, args));

  test('has the same result after an eviction at every point', () => survivesEviction(code, args));
});

/** Crashes at the n-th point, and lets another worker go on; as often as the points reach. */
async function crashing(code: string, args: unknown[], options: { at: number; again: boolean }) {
  const clock = createVirtualClock();
  const ledger: Ledger = { calls: [] };
  const sources = sourcesOf(code, ledger, clock);
  const made = program(sources);
  let store: EventStore | undefined;
  let points = 0;
  let crashed = false;
  const crashPoint = (): void => {
    if (crashed && !options.again) return;
    if (points++ % (options.at + 1) !== options.at) return;
    crashed = true;
    throw new Error('crash');
  };
  const first = await setup(made, { clock, newId: () => 'run', newSeed: () => 'seed', crashPoint });
  store = first.store;
  let worker = first;
  void first.start('w', ...args).catch(() => {});
  const finished = new Set<string>();
  for (let turn = 0; turn < 400; turn++) {
    await settle(2);
    const log = await store.readEvents('run');
    for (const event of log) {
      if (event.type === 'step_completed' || event.type === 'step_failed') finished.add(`run-${event.cid}`);
    }
    // A step that has a result is never called again.
    const before = ledger.calls.length;
    if (crashed && isDead(worker)) {
      await store.removeOwner(worker.worker.owner);
      worker = await setup(made, { store, clock, crashPoint });
      if ((await store.getRun('run')) === null)
        void worker.worker.startRun({ workflowId: 'w', args, runId: 'run' }).catch(() => {});
      await settle(2);
      for (const call of ledger.calls.slice(before)) expect(finished).not.toContain(call.key);
      continue;
    }
    const record = await store.getRun('run');
    if (record && !['pending', 'running'].includes(record.status))
      return { record, log: await store.readEvents('run'), crashed, ledger };
    await feed(worker, log);
    const next = clock.next();
    if (next !== null) clock.advanceTo(next);
  }
  throw new Error(
    `The run does not end after crash ${options.at}: ${JSON.stringify(await store.readEvents('run'))} ${JSON.stringify(worker.events)}`,
  );
}

async function feed({ store, worker }: Setup, log: RunEvent[]): Promise<void> {
  const hook = await store.getHook('h');
  if (!hook || hook.disposedAt !== null) return;
  const received = log.filter((event) => event.type === 'hook_received').length;
  if (received < 2 && (await store.readInbox({ runId: 'run' })).length === 0) await worker.resumeHook('h', received);
}

const isDead = ({ worker }: Setup): boolean => worker.size === 0 && worker.closed;

describe.each(Object.entries(shapes))('%s, with a crash', (name, { code, args = [] }) => {
  test('at each point of the worker ends as without', async () => {
    const { record } = await recorded(code, args);
    let at = 0;
    for (; at < 200; at++) {
      const result = await crashing(code, args, { at, again: false });
      expect(result.record.status, `crash ${at}`).toBe(record?.status);
      if (name !== 'randomness' && name !== 'sleeps') expect(result.record.output, `crash ${at}`).toBe(record?.output);
      expect(results(result.log)).toBe(true);
      if (!result.crashed) break;
    }
    expect(at).toBeGreaterThan(1);
  });

  test('every few points ends as without', async () => {
    const { record } = await recorded(code, args);
    // Rarely enough that a step ends between two crashes.
    for (const at of [11, 14, 17]) {
      const result = await crashing(code, args, { at, again: true });
      expect(result.record.status, `every ${at}`).toBe(record?.status);
      if (name !== 'randomness' && name !== 'sleeps') expect(result.record.output).toBe(record?.output);
      expect(results(result.log)).toBe(true);
    }
  });
});

/** Whether each command has one result at most. */
function results(log: readonly RunEvent[]): boolean {
  const ends = log.filter((event) => ['step_completed', 'step_failed', 'sleep_completed'].includes(event.type));
  return new Set(ends.map((event) => event.cid)).size === ends.length;
}

describe('divergence', () => {
  const BEFORE = `const add = step('add'), sub = step('sub'); workflow('w', async () => { const a = await add(1, 2); await sleep(10); return add(a, 1); });`;
  const cases: Record<string, [code: string, message: RegExp, place: boolean]> = {
    'another step': [
      `const add = step('add'), sub = step('sub'); workflow('w', async () => { const a = await sub(1, 2); return a; });`,
      /asks for step sub \(#1\) at .*:\d+:\d+, and the event log has step add \(#1\) there \(event 2\)/,
      true,
    ],
    'a sleep for a step': [
      `workflow('w', async () => { await sleep(5); });`,
      /asks for sleep \(#1\) at .*, and the event log has step add \(#1\)/,
      true,
    ],
    'one too many': [
      `const add = step('add'); workflow('w', async () => { await Promise.all([add(1, 2), add(3, 4), add(5, 6)]); });`,
      /asks for step add \(#2\) at .*, and the event log has nothing there \(event 3\)/,
      true,
    ],
    nothing: [
      `workflow('w', async () => new Promise(() => {}));`,
      /asks for nothing where the event log has step add \(#1\) \(event 2\)/,
      false,
    ],
    'the end': [
      `const add = step('add'); workflow('w', async () => { await add(1, 2); });`,
      /asks for nothing where the event log has sleep \(#2\)/,
      false,
    ],
  };
  test.each(Object.entries(cases))('%s parks the run and names both', async (_name, [code, message, place]) => {
    const clock = createVirtualClock();
    const steps = { add: async (a: number, b: number) => a + b, sub: async (a: number, b: number) => a - b };
    const made = await setup({ workflows: BEFORE, steps }, { clock });
    const run = await made.start('w');
    await settle();
    const log = await made.store.readEvents(run.runId);
    await made.close();
    // The same log under a bundle with other text: as if the code had decided otherwise this time.
    const other = program({ workflows: code, steps });
    const store = await memoryStore();
    await store.registerOwner('before', 1000);
    const [{ at }] = log as [RunEvent];
    await store.createRun({
      id: run.runId,
      workflowId: 'w',
      seed: 's',
      bundleHash: other.workflows.hash,
      input: '1[[]]',
      at,
      owner: 'before',
      events: log.slice(1),
    });
    await store.removeOwner('before');
    const next = await setup(other, { store, clock });
    await settle();
    const record = await next.store.getRun(run.runId);
    expect(record?.status).toBe('parked');
    expect(record?.parkedReason?.code).toBe('PAWL_REPLAY_DIVERGED');
    expect(record?.parkedReason?.message).toMatch(message);
    if (place)
      expect(record?.parkedReason?.details?.place).toMatchObject({
        line: expect.any(Number),
        column: expect.any(Number),
      });
    // It can still be cancelled.
    await next.store.requestCancel(run.runId, { at: clock.now() });
    await settle();
    expect((await next.store.getRun(run.runId))?.status).toBe('cancelled');
  });
});

test('a run goes on with the bundle that it started with', async () => {
  const clock = createVirtualClock();
  const steps = { add: async (a: number, b: number) => a + b };
  const old = await setup(
    {
      workflows: `const add = step('add'); workflow('w', async () => { await sleep(10); return 'old ' + await add(1, 1); });`,
      steps,
    },
    { clock },
  );
  const run = await old.start('w');
  await settle();
  await old.close();
  const made = await setup({ workflows: `workflow('w', async () => 'new');`, steps }, { store: old.store, clock });
  await settle();
  clock.advance(10);
  await settle();
  expect((await made.store.getRun(run.runId))?.output).toContain('old 2');
  expect(await made.run('w')).toBe('new');
});

test('a run that another process started is bound to the bundle of whoever takes it', async () => {
  const made = await setup({
    workflows: `const add = step('add'); workflow('w', async (a) => add(a, 1));`,
    steps: { add: async (a: number, b: number) => a + b },
  });
  await made.store.createRun({
    id: 'r',
    workflowId: 'w',
    seed: 's',
    bundleHash: null,
    input: '1[[1],41]',
    at: made.clock.now(),
  });
  await settle();
  const record = await made.store.getRun('r');
  expect(record).toMatchObject({ status: 'completed', bundleHash: made.worker.program.workflows.hash });
  expect((await made.store.readEvents('r')).map((event) => event.type)).toEqual([
    'run_created',
    'bundle_bound',
    'step_scheduled',
    'step_completed',
    'run_completed',
  ]);
});
