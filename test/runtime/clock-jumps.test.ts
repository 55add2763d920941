/** The clock of the machine is set while steps run: what they have taken goes by a clock that nobody sets. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { getStepMetadata } from '../../src/index.ts';
import { fullClock, systemClock } from '../../src/runtime/clock.ts';
import type { WorkerEvent } from '../../src/runtime/progress.ts';
import { createWorker, type Worker } from '../../src/runtime/worker.ts';
import type { EventStore } from '../../src/store/port.ts';
import { closeAll, memoryStore, program, settle } from './support.ts';

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;
const FAKED = ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance'] as const;

beforeEach(() => void vi.useFakeTimers({ toFake: [...FAKED], now: Date.UTC(2026, 0, 1, 12) }));
const workers: Worker[] = [];
afterEach(async () => {
  for (const worker of workers.splice(0)) worker.kill();
  await closeAll();
  vi.useRealTimers();
});

const jump = (ms: number): void => void vi.setSystemTime(Date.now() + ms);
async function pass(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 10 * SECOND) {
    vi.advanceTimersByTime(Math.min(left, 10 * SECOND));
    await settle();
  }
}

type Options = Parameters<typeof program>[0]['options'];

async function began(workflow: string, steps: Record<string, () => unknown>, options: Options = {}) {
  const store: EventStore = await memoryStore();
  const events: WorkerEvent[] = [];
  const workflows = `const work = step('work'); workflow('w', async () => ${workflow});`;
  const made = program({ workflows, steps, options });
  const worker = await createWorker({ program: made, store, onEvent: (event) => events.push(event) });
  workers.push(worker);
  const begin = async (): Promise<void> => {
    await worker.startRun({ workflowId: 'w', args: [] });
    await settle();
  };
  return { store, begin, types: () => events.map(({ type }) => type), events };
}

describe('the time of an attempt', () => {
  test.each([
    ['its timeout', { timeout: '2h', maxRetries: 0 }],
    ['its heartbeatTimeout', { heartbeatTimeout: '2h', maxRetries: 0 }],
  ])('is %s, wherever the clock goes', async (_, options) => {
    const signals: AbortSignal[] = [];
    const work = (): Promise<never> => {
      signals.push(getStepMetadata().signal);
      return new Promise(() => {});
    };
    const { begin, types } = await began('work()', { work }, { work: options });
    await begin();
    await pass(SECOND);
    jump(3 * HOUR);
    await pass(HOUR - SECOND);
    expect(signals[0]?.aborted).toBe(false);
    jump(-5 * HOUR);
    await pass(HOUR - SECOND);
    expect(signals[0]?.aborted).toBe(false);
    await pass(SECOND);
    expect(signals[0]?.aborted).toBe(true);
    expect(types()).toContain('step-failed');
  });

  test('is told as it was', async () => {
    let finish = (_: string): void => {};
    const work = () =>
      new Promise<string>((resolve) => {
        finish = resolve;
      });
    const { begin, events } = await began('work()', { work });
    await begin();
    await pass(5 * SECOND);
    jump(-HOUR);
    finish('done');
    await settle();
    expect(events.find(({ type }) => type === 'step-completed')).toMatchObject({ durationMs: 5 * SECOND });
  });
});

test('steps that nobody takes are made by their owner at once, though the clock has gone back', async () => {
  const { store, begin, types } = await began('Promise.all([work(), work()])', { work: async () => 'done' });
  await store.registerOwner('other', 24 * HOUR, { takes: true });
  // The worker looks for others when its lease is extended.
  await pass(10 * SECOND);
  await begin();
  expect(types().filter((type) => type === 'step-completed')).toHaveLength(1);
  jump(-HOUR);
  await pass(SECOND);
  expect(types()).toContain('run-finished');
});

test('sleeps go by the clock, as it is set', async () => {
  const { begin, types } = await began(`sleep('1h')`, {});
  await begin();
  jump(HOUR);
  await pass(31 * SECOND);
  expect(types()).toContain('run-finished');
});

test('a clock of somebody else goes by its own time alone', () => {
  const timers: { at: number; callback(): void }[] = [];
  const own = {
    time: 100.5,
    now(): number {
      return this.time;
    },
    setTimer(at: number, callback: () => void) {
      timers.push({ at, callback });
      return () => {};
    },
  };
  const clock = fullClock(own);
  const callback = (): void => {};
  clock.after(50, callback);
  expect(timers).toEqual([{ at: 150.5, callback }]);
  expect([clock.now(), clock.steady()]).toEqual([100, 100.5]);
});

test('a timer may be longer than one of Node, and is given up as a whole', async () => {
  const called = vi.fn<() => void>();
  const month = 31 * 24 * HOUR;
  systemClock.after(month, called);
  const cancel = systemClock.after(month, called);
  vi.advanceTimersByTime(month - 1);
  expect(called).not.toHaveBeenCalled();
  cancel();
  vi.advanceTimersByTime(1);
  expect(called).toHaveBeenCalledTimes(1);
});
