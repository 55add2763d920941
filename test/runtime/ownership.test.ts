import { afterEach, describe, expect, test, vi } from 'vitest';
import { getStepMetadata } from '../../src/index.ts';
import { createVirtualClock } from '../../src/runtime/clock.ts';
import { Run } from '../../src/runtime/run-handle.ts';
import { openStore } from '../../src/store/index.ts';
import type { CrashPoint, EventStore } from '../../src/store/port.ts';
import { type Ledger, shapes, sourcesOf } from './programs.ts';
import { closeAll, memoryStore, program, settle, setup } from './support.ts';

afterEach(closeAll);

const WORK = `const work = step('work'); workflow('w', async (...args) => work(...args));`;

describe('a store that fails around a commit', () => {
  const failingStore = async (
    at: number,
    point: CrashPoint,
  ): Promise<{ store: EventStore; failed(): boolean; arm(on: boolean): void }> => {
    let count = 0;
    let armed = false;
    let failed = false;
    const store = await openStore('sqlite::memory:', {
      crashPoint: (name) => {
        if (!armed || name !== point || count++ !== at) return;
        failed = true;
        throw new Error(`failed ${point}`);
      },
    });
    return { store, failed: () => failed, arm: (on) => (armed = on) };
  };

  /** A worker whose store failed waits a little before it asks again. */
  const hurry = (): void => {
    const original = setTimeout;
    const soon = (callback: () => void): NodeJS.Timeout => original(callback, 0);
    vi.spyOn(globalThis, 'setTimeout').mockImplementation(soon as typeof setTimeout);
  };

  test.each(['before-begin', 'before-commit', 'after-commit'] as const)(
    '%s, at each commit: the run ends as without',
    async (point) => {
      hurry();
      for (const name of ['sequence', 'parallel', 'errors', 'retries', 'sleeps', 'floating']) {
        const { code, args = [] } = shapes[name] as { code: string; args?: unknown[] };
        let expected: string | null | undefined;
        for (let at = -1; at < 60; at++) {
          const { store, failed, arm } = await failingStore(at, point);
          const clock = createVirtualClock();
          const ledger: Ledger = { calls: [] };
          const made = await setup(sourcesOf(code, ledger, clock), {
            store,
            clock,
            newId: () => 'run',
            newSeed: () => 'seed',
          });
          arm(true);
          const started = await made.start('w', ...args).catch(() => null);
          // When the very first commit fails, the caller hears of it; whether the run exists is for the store to say.
          if (started === null && (await store.getRun('run')) === null) continue;
          for (let turn = 0; turn < 300; turn++) {
            await settle(3);
            const record = await store.getRun('run');
            if (record && !['pending', 'running'].includes(record.status)) break;
            const next = clock.next();
            if (next !== null) clock.advanceTo(next);
          }
          arm(false);
          const record = await store.getRun('run');
          expected ??= record?.output;
          expect(record?.status, `${name} ${at}`).toBe('completed');
          if (name !== 'sleeps') expect(record?.output, `${name} ${at}`).toBe(expected);
          const log = await store.readEvents('run');
          const ends = log.filter((event) => event.type === 'step_completed' || event.type === 'step_failed');
          expect(new Set(ends.map((event) => event.cid)).size).toBe(ends.length);
          await made.close();
          await store.close();
          if (at >= 0 && !failed()) break;
        }
      }
    },
  );
});

describe('two workers', () => {
  test('who both believe they own a run: the one without the fence is refused, and its steps are told', async () => {
    const calls: { signal: AbortSignal; finish(value: string): void }[] = [];
    const steps = {
      work: () => {
        const { signal } = getStepMetadata();
        return new Promise<string>((finish) => calls.push({ signal, finish }));
      },
    };
    const both = {
      workflows: `const work = step('work'); workflow('w', async () => Promise.all([work(), work()]));`,
      steps,
    };
    const first = await setup(both);
    const run = await first.start('w');
    await settle();
    // The store declares it dead; it does not know.
    await first.store.removeOwner(first.worker.owner);
    const second = await setup(both, { store: first.store, clock: first.clock });
    await settle();
    expect(calls).toHaveLength(4);
    calls[0]?.finish('from the zombie');
    await settle();
    expect(calls[1]?.signal.reason).toMatchObject({ message: 'Another worker has taken over the run' });
    expect(calls[2]?.signal.aborted).toBe(false);
    calls[2]?.finish('a');
    calls[3]?.finish('b');
    expect(await new Run(run.runId, () => second.worker).returnValue).toEqual(['a', 'b']);
    // Who waited at the first one hears of it too.
    expect(await run.returnValue).toEqual(['a', 'b']);
    const log = await first.store.readEvents(run.runId);
    expect(log.map(({ type, cid, attempt }) => [type, cid, attempt])).toEqual([
      ['run_created', null, null],
      ['step_scheduled', 1, null],
      ['step_scheduled', 2, null],
      ['step_started', 1, 2],
      ['step_started', 2, 2],
      ['step_completed', 1, 2],
      ['step_completed', 2, 2],
      ['run_completed', null, null],
    ]);
  });

  test('share the runs of one store', async () => {
    const steps = { work: async (n: number) => n * 2 };
    const store = await memoryStore();
    const made = program({ workflows: WORK, steps });
    const clock = createVirtualClock();
    const first = await setup(made, { store, clock });
    const second = await setup(made, { store, clock });
    for (let n = 0; n < 20; n++) {
      await store.createRun({
        id: `r${n}`,
        workflowId: 'w',
        seed: 's',
        bundleHash: null,
        input: `1[[1],${n}]`,
        at: clock.now(),
      });
    }
    for (let n = 0; n < 20; n++)
      expect(await new Run(`r${n}`, () => (n % 2 ? first : second).worker).returnValue).toBe(n * 2);
    const owners = [first, second].map(({ events }) => events.filter((event) => event.type === 'run-finished').length);
    expect(owners.reduce((a, b) => a + b)).toBe(20);
  });
});

describe('a worker that closes', () => {
  test('lets attempts end, and records their results', async () => {
    let finish = (_value: string): void => {};
    const made = await setup({
      workflows: WORK,
      steps: {
        work: () =>
          new Promise<string>((resolve) => {
            finish = resolve;
          }),
      },
    });
    const run = await made.start('w');
    await settle();
    const closed = made.worker.close({ timeout: 60_000 });
    await settle();
    finish('in time');
    await closed;
    const record = await made.store.getRun(run.runId);
    expect(record).toMatchObject({ status: 'completed', owner: null });
    await expect(made.start('w')).rejects.toMatchObject({ code: 'PAWL_WORKER_CLOSED' });
  });

  test('aborts those that do not end, and gives the run back for the next one', async () => {
    const signals: AbortSignal[] = [];
    const attempts: number[] = [];
    const steps = {
      work: () => {
        const { signal, attempt } = getStepMetadata();
        signals.push(signal);
        attempts.push(attempt);
        return attempt === 1 ? new Promise(() => {}) : Promise.resolve('second try');
      },
    };
    const first = await setup({ workflows: WORK, steps });
    const run = await first.start('w');
    await settle();
    await first.worker.close({ timeout: 0 });
    expect(signals[0]?.reason).toMatchObject({ name: 'CancelledError', message: 'The worker was closed' });
    const second = await setup({ workflows: WORK, steps }, { store: first.store, clock: first.clock });
    expect(await new Run(run.runId, () => second.worker).returnValue).toBe('second try');
    expect(attempts).toEqual([1, 2]);
  });
});

test('a step that kills the process again and again parks its run', async () => {
  const clock = createVirtualClock();
  const store = await memoryStore();
  const made = program({ workflows: WORK, steps: { work: () => new Promise(() => {}) } });
  let worker = await setup(made, { store, clock, newId: () => 'run' });
  await worker.start('w');
  for (let crash = 0; crash < 40; crash++) {
    await settle(6);
    worker.worker.kill();
    await store.removeOwner(worker.worker.owner);
    worker = await setup(made, { store, clock });
  }
  await settle();
  expect(await store.getRun('run')).toMatchObject({ status: 'parked', parkedReason: { code: 'PAWL_STEP_CRASHES' } });
  // It may try again when someone says so.
  expect(await worker.worker.unpark('run')).toBe(true);
});

test('10,000 steps in one run', async () => {
  const { run, worker } = await setup({
    workflows: `const work = step('work'); workflow('w', async (n) => { let sum = 0; for (let i = 0; i < n; i++) sum += await work(i); return sum; });`,
    steps: { work: async (n: number) => n },
  });
  expect(await run('w', 10_000)).toBe((9_999 * 10_000) / 2);
  expect(worker.size).toBe(0);
});
