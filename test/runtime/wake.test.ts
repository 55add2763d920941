/** Sleeps that somebody ends before their time. */
import { afterEach, expect, test } from 'vitest';
import { createVirtualClock } from '../../src/runtime/clock.ts';
import { historyOf } from '../../src/runtime/history.ts';
import { replayHistory } from '../../src/runtime/replay.ts';
import { Run } from '../../src/runtime/run-handle.ts';
import { closeAll, memoryStore, program, settle, setup } from './support.ts';

afterEach(closeAll);

const SOURCES = {
  workflows: `const s = step('s');
    workflow('two', async () => { const before = Date.now(); await sleep('30d'); await s('between'); await sleep('1h'); return Date.now() - before; });
    workflow('both', async () => { await Promise.all([sleep('30d'), sleep('60d')]); return 'over'; });
    workflow('raced', async () => Promise.race([sleep('30d').then(() => 'slept'), createHook({ token: 'h' })]));
    workflow('quick', async () => 1);`,
  steps: { s: async (text: string) => text },
};

test('a sleep ends at once, the next one takes its time, and the log replays', async () => {
  const { start, clock, store, worker } = await setup(SOURCES);
  const run = await start<number>('two');
  await settle();
  clock.advance(5_000);
  expect(await run.wakeUp()).toEqual({ stoppedCount: 1 });
  await settle();
  expect((await run.record()).wakeAt).toBe(clock.now() + 3_600_000);
  clock.advance(3_600_000);
  expect(await run.returnValue).toBe(3_605_000);
  const log = await run.events();
  const woken = log.filter((event) => event.type === 'sleep_completed').map(({ meta }) => meta);
  expect(woken).toEqual([{ woken: true }, null]);
  expect(await replayHistory(historyOf(run.runId, log), worker.program.workflows)).toBeNull();
  expect(await store.readInbox({ runId: run.runId })).toEqual([]);
});

test('all sleeps of the moment end; a run in none, or at its end, is left alone', async () => {
  const { start, run, worker } = await setup(SOURCES);
  const both = await start('both');
  await settle();
  expect(await both.wakeUp()).toEqual({ stoppedCount: 2 });
  expect(await both.returnValue).toBe('over');
  expect(await both.wakeUp()).toEqual({ stoppedCount: 0 });
  expect(await run('quick')).toBe(1);
  await expect(new Run('nobody', () => worker).wakeUp()).rejects.toMatchObject({ code: 'PAWL_UNKNOWN_RUN' });
});

test('of several sleeps those end that are named', async () => {
  const { start } = await setup(SOURCES);
  const both = await start('both');
  await settle();
  const cids = (await both.events()).flatMap((event) => (event.type === 'sleep_scheduled' ? [event.cid] : []));
  expect(await both.wakeUp({ correlationIds: [] })).toEqual({ stoppedCount: 0 });
  expect(await both.wakeUp({ correlationIds: ['wait_elsewhere', String(cids[1])] })).toEqual({ stoppedCount: 1 });
  await settle();
  const over = (await both.events()).flatMap((event) => (event.type === 'sleep_completed' ? [event.cid] : []));
  expect(over).toEqual([cids[1]]);
  expect(await both.wakeUp({ correlationIds: cids })).toEqual({ stoppedCount: 1 });
  expect(await both.returnValue).toBe('over');
});

test('twice asked is once woken, also when the sleep is over meanwhile', async () => {
  const { start, worker, clock, store } = await setup(SOURCES);
  const raced = await start('raced');
  await settle();
  await Promise.all([raced.wakeUp(), raced.wakeUp()]);
  expect(await raced.returnValue).toBe('slept');
  const two = await start<number>('two');
  await settle();
  clock.advance(30 * 86_400_000);
  // Its time has come, and the worker has not looked yet.
  await Promise.all([two.wakeUp(), settle()]);
  expect((await two.events()).filter(({ type }) => type === 'sleep_completed')).toHaveLength(1);
  expect(await store.readInbox({ runId: two.runId })).toEqual([]);
  expect(worker.size).toBe(1);
});

test('a run that nobody has in memory goes on, one that was woken while no worker was there too', async () => {
  const store = await memoryStore();
  const clock = createVirtualClock();
  const made = program(SOURCES);
  const first = await setup(made, { store, clock });
  const run = await first.start('both');
  await settle();
  await first.close();
  expect(await run.wakeUp()).toEqual({ stoppedCount: 2 });
  const second = await setup(made, { store, clock });
  expect(await new Run(run.runId, () => second.worker).returnValue).toBe('over');
});
