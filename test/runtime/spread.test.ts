/** Steps of one run that are pending together are made by several workers. */
import { afterEach, describe, expect, test } from 'vitest';
import { getStepMetadata, getWritable, RetryableError } from '../../src/index.ts';
import { createVirtualClock, type VirtualClock } from '../../src/runtime/clock.ts';
import { historyOf } from '../../src/runtime/history.ts';
import type { WorkerEvent } from '../../src/runtime/progress.ts';
import { replayHistory } from '../../src/runtime/replay.ts';
import type { EventStore } from '../../src/store/port.ts';
import { closeAll, memoryStore, patched, program, type Setup, settle, setup } from './support.ts';

afterEach(closeAll);

const WORKFLOWS = `const s = step('s');
  workflow('one', async () => s(0));
  workflow('many', async (count) => Promise.all(Array.from({ length: count }, (_, n) => s(n))));
  workflow('later', async () => { await s('first'); return Promise.all([s('a'), s('b')]); });
  workflow('hooked', async () => { await s('first'); createHook({ token: 't' }); return Promise.all([s('a'), s('b')]); });
  workflow('cancelled', async () => { try { await Promise.all([s('a'), s('b')]); } catch (error) { return error.name; } });
  workflow('stubborn', async () => {
    try { await s('first'); await Promise.all([s('a'), s('b'), s('c'), s('d')]); } catch { return s('end'); }
  });
  workflow('waves', async () => {
    const hook = createHook({ token: 'wave' });
    const first = Promise.all([s('a'), s('b')]);
    await hook;
    return Promise.all([first, s('c'), s('d')]);
  });
  workflow('first', async () => Promise.race([s('a'), s('b')]));`;

type Work = (value: unknown, worker: string) => unknown;

interface Team {
  store: EventStore;
  clock: VirtualClock;
  /** Who began which attempt, in order. */
  attempts: { by: string; value: unknown; attempt: number }[];
  events: WorkerEvent[];
  /** A worker that takes what it gets; the second one knows the first. */
  join(name: string, options?: { concurrency?: number; lacks?: boolean; store?: EventStore }): Promise<Setup>;
  /** Lets time pass, timer by timer, until the condition holds. */
  until(condition: () => boolean | Promise<boolean>): Promise<void>;
  madeBy(): Record<string, unknown[]>;
}

async function team(work: Work = (value) => value, settings = {}): Promise<Team> {
  const store = await memoryStore();
  const clock = createVirtualClock();
  const attempts: Team['attempts'] = [];
  const events: WorkerEvent[] = [];
  return {
    store,
    clock,
    attempts,
    events,
    join: async (name, { lacks = false, ...options } = {}) => {
      const s = Object.assign(async (value: unknown) => {
        attempts.push({ by: name, value, attempt: getStepMetadata().attempt });
        return work(value, name);
      }, settings);
      const made = program({ workflows: WORKFLOWS, steps: lacks ? { other: s } : { s, other: s } });
      const worker = await setup(made, { store, clock, ...options });
      await settle();
      return worker;
    },
    until: async (condition) => {
      for (let turn = 0; turn < 200; turn++) {
        await settle(5);
        if (await condition()) return;
        const next = clock.next();
        if (next !== null) clock.advanceTo(next);
      }
      throw new Error('It never came to that.');
    },
    madeBy: () => {
      const made: Record<string, unknown[]> = {};
      for (const { by, value } of attempts) {
        const values = made[by] ?? [];
        made[by] = values;
        values.push(value);
      }
      return made;
    },
  };
}

/** What a test lets go when it wants. */
function held(): { promise: Promise<unknown>; release(value?: unknown): void } {
  let release = (_?: unknown): void => {};
  const promise = new Promise((resolve) => {
    release = resolve;
  });
  return { promise, release };
}

const ended = (store: EventStore, id: string) => async (): Promise<boolean> =>
  (await store.getRun(id))?.finishedAt !== null;

describe('several workers', () => {
  test('share out what is pending together, each step made once, and the log replays', async () => {
    const { store, join, until, attempts, madeBy } = await team((value) => Number(value) * 2);
    for (const name of ['b', 'c']) await join(name);
    const a = await join('a');
    const run = await a.start('many', 9);
    await until(ended(store, run.runId));
    expect(await run.returnValue).toEqual([0, 2, 4, 6, 8, 10, 12, 14, 16]);
    expect(attempts).toHaveLength(9);
    expect(attempts.every(({ attempt }) => attempt === 1)).toBe(true);
    expect(madeBy().a).toEqual([0, 1, 2]);
    expect([...(madeBy().b ?? []), ...(madeBy().c ?? [])].toSorted()).toEqual([3, 4, 5, 6, 7, 8]);
    const log = await store.readEvents(run.runId);
    expect(await replayHistory(historyOf(run.runId, log), a.worker.program.workflows)).toBeNull();
    expect(await store.readInbox({ runId: run.runId })).toEqual([]);
  });

  test('make a lone step where its run lives, also after parallel ones', async () => {
    const { join, madeBy, store, until } = await team();
    await join('b');
    const a = await join('a');
    expect(await a.run('one')).toBe(0);
    const later = await a.start('later');
    await until(ended(store, later.runId));
    expect(madeBy()).toEqual({ a: [0, 'first', 'a'], b: ['b'] });
  });

  test('leave alone what they do not have: its owner takes it back', async () => {
    const { join, madeBy, store, until } = await team();
    await join('b', { lacks: true });
    const a = await join('a');
    const run = await a.start('many', 4);
    await until(ended(store, run.runId));
    expect(madeBy()).toEqual({ a: [0, 1, 2, 3] });
    expect(await store.listOffers(run.runId)).toEqual([]);
  });

  test('take no more than they have room for, and more when they have it again', async () => {
    const gates = new Map<unknown, ReturnType<typeof held>>();
    const { join, attempts, store, until } = await team((value) => {
      const gate = held();
      gates.set(value, gate);
      return gate.promise;
    });
    await join('b', { concurrency: 2 });
    const a = await join('a', { concurrency: 1 });
    const run = await a.start('many', 6);
    await until(() => attempts.length === 3);
    expect(attempts.map(({ by }) => by).toSorted()).toEqual(['a', 'b', 'b']);
    for (let finished = 0; finished < 6; finished++) {
      await until(() => gates.size > 0);
      const [value, gate] = [...gates][0] as [unknown, ReturnType<typeof held>];
      gates.delete(value);
      gate.release(value);
      await settle();
    }
    await until(ended(store, run.runId));
    expect(await run.returnValue).toEqual([0, 1, 2, 3, 4, 5]);
    expect(attempts).toHaveLength(6);
  });
});

describe('a taken step', () => {
  test('that fails is tried again by the owner, with what it told in its last heartbeat', async () => {
    const seen: unknown[] = [];
    const { join, store, until, attempts } = await team((value) => {
      const { attempt, heartbeat, lastHeartbeat } = getStepMetadata();
      seen.push(lastHeartbeat);
      if (value !== 'b' || attempt > 1) return value;
      heartbeat({ done: 7 });
      throw new RetryableError('not yet', { retryAfter: '3s' });
    });
    await join('b');
    const a = await join('a');
    const run = await a.start('later');
    await until(ended(store, run.runId));
    expect(attempts.slice(1)).toEqual([
      { by: 'a', value: 'a', attempt: 1 },
      { by: 'b', value: 'b', attempt: 1 },
      { by: 'a', value: 'b', attempt: 2 },
    ]);
    expect(seen.at(-1)).toEqual({ done: 7 });
    expect(a.events).toContainEqual(expect.objectContaining({ type: 'step-retrying', attempt: 1 }));
  });

  test('that ends before its owner hears that it is on offer is not made again', async () => {
    const { join, store, until, madeBy } = await team();
    await join('b');
    const answer = held();
    const append: EventStore['append'] = async (request) => {
      const result = await store.append(request);
      if (request.offers?.length) await answer.promise;
      return result;
    };
    const a = await join('a', { store: patched(store, { append }) });
    const run = await a.start('hooked');
    await until(async () => (await store.readInbox({ runId: run.runId })).length === 1);
    answer.release();
    await until(ended(store, run.runId));
    expect(madeBy()).toEqual({ a: ['first', 'a'], b: ['b'] });
    expect(await run.returnValue).toEqual(['a', 'b']);
  });

  test('that fails for good fails its caller with the error', async () => {
    const { join } = await team(
      (value) => {
        if (value === 1) throw new RangeError('no such place');
        return value;
      },
      { maxRetries: 0 },
    );
    await join('b');
    const a = await join('a');
    await expect(a.run('many', 2)).rejects.toThrow('no such place');
    expect(a.events).toContainEqual(expect.objectContaining({ type: 'step-failed', cid: 2 }));
  });

  test('has the time that its timeout gives it', async () => {
    const { join, store, until } = await team((value) => (value === 1 ? new Promise(() => {}) : value), {
      maxRetries: 0,
      timeout: '2s',
    });
    await join('b');
    const a = await join('a');
    const run = await a.start('many', 2);
    await until(ended(store, run.runId));
    await expect(run.returnValue).rejects.toThrow('timeout of 2000 ms');
  });

  test('writes to the streams of its run', async () => {
    const { join, store, until } = await team(async (value) => {
      const writer = getWritable<unknown>().getWriter();
      await writer.write(value);
      writer.releaseLock();
      return value;
    });
    await join('b');
    const a = await join('a');
    const run = await a.start('many', 2);
    await until(ended(store, run.runId));
    const chunks: unknown[] = [];
    for await (const chunk of run.readable) chunks.push(chunk);
    expect(chunks.toSorted()).toEqual([0, 1]);
  });

  test.each(['cancelled', 'first'])('of a run that waits for it no more is aborted at once (%s)', async (workflow) => {
    const signals: Record<string, AbortSignal> = {};
    const gate = held();
    const { join, store, until } = await team((value) => {
      signals[String(value)] = getStepMetadata().signal;
      return value === 'a' ? gate.promise : new Promise(() => {});
    });
    await join('b');
    const a = await join('a');
    const run = await a.start(workflow);
    await until(() => Object.keys(signals).length === 2);
    expect(signals.b?.aborted).toBe(false);
    if (workflow === 'cancelled') await run.cancel();
    else gate.release('won');
    await settle();
    expect(signals.b?.aborted).toBe(true);
    await until(ended(store, run.runId));
    expect(await store.listOffers(run.runId)).toEqual([]);
  });

  test('whose taker dies is made again by the owner', async () => {
    const { join, store, until, attempts } = await team((value, by) => (by === 'b' ? new Promise(() => {}) : value));
    const b = await join('b');
    const a = await join('a');
    const run = await a.start('many', 2);
    await until(() => attempts.length === 2);
    b.worker.kill();
    // As when its lease is over, or its process gone: whoever claims next finds that out.
    await store.removeOwner(b.worker.owner);
    await until(ended(store, run.runId));
    expect(await run.returnValue).toEqual([0, 1]);
    expect(attempts).toEqual([
      { by: 'a', value: 0, attempt: 1 },
      { by: 'b', value: 1, attempt: 1 },
      { by: 'a', value: 1, attempt: 2 },
    ]);
    const started = (await store.readEvents(run.runId)).filter(({ type }) => type === 'step_started');
    expect(started).toMatchObject([{ cid: 2, attempt: 2, meta: { reason: 'recovered' } }]);
  });

  test.each(['before its attempt ends', 'after'])('goes on when the owner dies %s', async (when) => {
    const gate = held();
    const { join, store, until, attempts } = await team((value, by) => (by === 'b' ? gate.promise : value));
    await join('b');
    const a = await join('a');
    const run = await a.start('many', 2);
    await until(() => attempts.length === 2);
    if (when === 'after') {
      // Its result is there, and the owner has not heard of it.
      a.worker.kill();
      gate.release('late');
      await settle();
      expect(await store.readInbox({ runId: run.runId })).toMatchObject([{ kind: 'step', cid: 2 }]);
    } else {
      a.worker.kill();
    }
    const c = await join('c');
    await store.removeOwner(a.worker.owner);
    await c.worker.take(run.runId);
    gate.release('late');
    await until(ended(store, run.runId));
    expect(JSON.parse((await store.getRun(run.runId))?.output?.slice(1) ?? '')).toEqual([[1, 2], 0, 'late']);
    expect(attempts.filter(({ value }) => value === 1)).toEqual([{ by: 'b', value: 1, attempt: 1 }]);
  });

  test('keeps its taker from closing until its run knows how it ended', async () => {
    const gate = held();
    const { join, store, until, attempts } = await team((value, by) => (by === 'b' ? gate.promise : value));
    const b = await join('b');
    const a = await join('a');
    const run = await a.start('many', 2);
    await until(() => attempts.length === 2);
    const closing = b.worker.close({ timeout: 60_000 });
    await settle();
    gate.release('in time');
    await closing;
    await until(ended(store, run.runId));
    expect(await run.returnValue).toEqual([0, 'in time']);
    expect(attempts).toHaveLength(2);
  });

  test('is not on offer when its run was cancelled in the turn that asked for it', async () => {
    const gate = held();
    const { store, join, until, attempts } = await team((value) => (value === 'first' ? gate.promise : value));
    await join('b');
    const withResult = new Proxy(store, {
      get(target, key) {
        const value = Reflect.get(target, key, target) as unknown;
        if (key !== 'readInbox') return typeof value === 'function' ? value.bind(target) : value;
        return async (of: Parameters<EventStore['readInbox']>[0]) => {
          const messages = await store.readInbox(of);
          // The result of the first step comes in the same turn, and in front of it.
          gate.release('first');
          for (let tick = 0; tick < 50; tick++) await Promise.resolve();
          return messages;
        };
      },
    });
    const a = await join('a', { store: withResult });
    const run = await a.start('stubborn');
    await until(() => attempts.length === 1);
    await run.cancel();
    await until(ended(store, run.runId));
    const scheduled = (await store.readEvents(run.runId)).filter(({ type }) => type === 'step_scheduled');
    expect(scheduled).toHaveLength(6);
    expect(attempts.map(({ value }) => value)).toEqual(['first', 'end']);
  });

  test.each(['append', 'answer'])(
    'is begun by its owner once, when that knows that it is on offer (late %s)',
    async (late) => {
      const { store, join, until, attempts } = await team();
      await join('b', { lacks: true });
      let failures = 1;
      const asked = held();
      const appended = held();
      let last: Promise<unknown> = Promise.resolve();
      const isLate = ({ events }: Parameters<EventStore['append']>[0]): boolean =>
        events.some(({ type, cid }) => type === 'step_scheduled' && cid === 5);
      const own: Partial<EventStore> = {
        takeBackOffers: (...args) =>
          failures-- > 0 ? Promise.reject(new Error('No answer.')) : store.takeBackOffers(...args),
        listOffers: async (runId) => {
          asked.release();
          await settle();
          return store.listOffers(runId);
        },
        append: (request) => {
          const before = last.then(() => (late === 'append' && isLate(request) ? appended.promise : undefined));
          const done = before.then(() => store.append(request));
          const answered = done.then(() => (isLate(request) ? appended.promise : undefined)).then(() => done);
          last = late === 'append' ? answered : done;
          return answered;
        },
      };
      const a = await join('a', { store: patched(store, own) });
      const run = await a.start('waves');
      void asked.promise.then(() => a.worker.resumeHook('wave', 1));
      await until(() => attempts.length >= 2);
      await settle(60);
      const before = attempts.map(({ value }) => value);
      appended.release();
      await until(ended(store, run.runId));
      expect(before).not.toContain('d');
      expect(attempts.map(({ value }) => value).toSorted()).toEqual(['a', 'b', 'c', 'd']);
    },
  );
});
