/** A clock that goes back: what waits for it is told of, what need not wait begins. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { clockNotice } from '../../src/cli/clock-notice.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import type { WorkerEvent } from '../../src/runtime/progress.ts';
import { createWorker, type Worker } from '../../src/runtime/worker.ts';
import type { EventStore } from '../../src/store/port.ts';
import { closeAll, memoryStore, program } from './support.ts';

const NOON = Date.UTC(2026, 0, 1, 12);
const HOUR = 3_600_000;

// The wall clock alone: timers go by the steady one.
beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'], now: NOON }));
afterEach(async () => {
  await closeAll();
  vi.useRealTimers();
});

const made = program({ workflows: `workflow('w', async () => 'done');` });

async function open(store: EventStore, options: { claim?: boolean } = {}) {
  const events: WorkerEvent[] = [];
  let heard = (): void => {};
  const onEvent = (event: WorkerEvent): void => {
    events.push(event);
    heard();
  };
  // Its lease is looked after every 10 ms.
  const worker = await createWorker({ program: made, store, clock: systemClock, lease: 30, onEvent, ...options });
  const until = (type: WorkerEvent['type'], runId?: string): Promise<void> =>
    new Promise((resolve) => {
      heard = () => {
        if (events.some((event) => event.type === type && (!runId || ('runId' in event && event.runId === runId))))
          resolve();
      };
      heard();
    });
  return { worker, events, until };
}

const create = (store: EventStore, id: string, at: number) =>
  store.createRun({ id, workflowId: 'w', seed: 's', bundleHash: null, input: '1[[]]', at });

const close = (worker: Worker): Promise<void> => worker.close({ timeout: 0 });

test('new runs from before it do not wait, and it is told by how much it went', async () => {
  const store = await memoryStore();
  const { worker, events, until } = await open(store);
  await create(store, 'early', NOON + HOUR);
  vi.setSystemTime(NOON - 2 * HOUR);
  await until('run-finished', 'early');
  expect(events.find(({ type }) => type === 'clock-went-back')).toEqual({
    type: 'clock-went-back',
    at: NOON - 2 * HOUR,
    ms: expect.closeTo(2 * HOUR, -3),
  });
  expect(events.filter(({ type }) => type === 'clock-went-back')).toHaveLength(1);
  await close(worker);
});

test('a worker that starts with a clock that is behind begins what was started elsewhere', async () => {
  const store = await memoryStore();
  await create(store, 'early', NOON + HOUR);
  const { worker, events, until } = await open(store);
  await until('run-finished', 'early');
  expect(events.map(({ type }) => type)).not.toContain('clock-went-back');
  await close(worker);
});

test('a worker that takes nothing by itself leaves them to others', async () => {
  const store = await memoryStore();
  const { worker, until } = await open(store, { claim: false });
  await create(store, 'early', NOON + HOUR);
  vi.setSystemTime(NOON - HOUR);
  await until('clock-went-back');
  expect(await store.getRun('early')).toMatchObject({ status: 'pending', owner: null });
  await close(worker);
});

test('what is corrected by the way is not told of', async () => {
  const store = await memoryStore();
  const { worker, events, until } = await open(store);
  vi.setSystemTime(NOON - 900);
  vi.setSystemTime(NOON + HOUR);
  await create(store, 'now', NOON + HOUR);
  await until('run-finished', 'now');
  expect(events.map(({ type }) => type)).not.toContain('clock-went-back');
  await close(worker);
});

test('people are told what waits, and what to do', () => {
  expect(clockNotice(2 * HOUR)).toBe(
    'PAWL_CLOCK_WENT_BACK: the clock of this machine went back by 2 h; sleeps and retries go by it, so those under way end 2 h later\n' +
      '  See to the clock. `pawl wake RUN` ends the sleeps of a run now.',
  );
});
