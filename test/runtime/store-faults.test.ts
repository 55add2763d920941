import { afterEach, expect, test, vi } from 'vitest';
import { getStepMetadata, RetryableError } from '../../src/index.ts';
import { StoreError } from '../../src/store/errors.ts';
import type { NewRunEvent } from '../../src/store/events.ts';
import type { EventStore } from '../../src/store/port.ts';
import { closeAll, memoryStore, patched, settle, setup } from './support.ts';

afterEach(closeAll);

const SOURCES = { workflows: `workflow('w', async (n) => n + 1);` };

/** A store whose events of one run cannot be read. */
function failing(store: EventStore, runId: string, error: () => Error | null): { store: EventStore; reads(): number } {
  let reads = 0;
  const readEvents: EventStore['readEvents'] = async (id, options) => {
    const thrown = id === runId ? error() : null;
    if (id === runId) reads++;
    if (thrown) throw thrown;
    return store.readEvents(id, options);
  };
  const proxy = patched(store, { readEvents });
  return { store: proxy, reads: () => reads };
}

async function unfinished(): Promise<EventStore> {
  const store = await memoryStore();
  const first = await setup(SOURCES, { store, claim: false, maxRuns: 0, newId: () => 'run-1' });
  await first.start('w', 1);
  await first.close();
  return store;
}

test('a damaged log is read once; whoever waits hears of it, and other runs go on', async () => {
  const damage = new StoreError('PAWL_STORE_CORRUPT', 'The event is damaged.', {
    place: 'pawl.db, run run-1, event 1',
  });
  const broken = failing(await unfinished(), 'run-1', () => damage);
  const { worker, run, events } = await setup(SOURCES, { store: broken.store });
  await expect(worker.whenEnded('run-1')).rejects.toBe(damage);
  await settle(50);
  expect(broken.reads()).toBe(1);
  expect(events.filter(({ type }) => type === 'store-failed')).toHaveLength(1);
  await expect(worker.whenEnded('run-1')).rejects.toBe(damage);
  expect(await run('w', 4)).toBe(5);
  expect(broken.reads()).toBe(1);
});

test('a damaged run that cannot be parked is tried less and less often, told of once, and goes on when the store is mended', async () => {
  const damage = new StoreError('PAWL_STORE_CORRUPT', 'The event is damaged.');
  let isDamaged = true;
  const { store } = failing(await unfinished(), 'run-1', () => (isDamaged ? damage : null));
  let looks = 0;
  const tries: number[] = [];
  let tried = (): void => {};
  const own: Partial<EventStore> = {
    append: (request) => (isDamaged ? Promise.reject(damage) : store.append(request)),
    registerOwner: (owner) => store.registerOwner(owner, 60_000),
    renewOwner: (owner) => store.renewOwner(owner, 60_000),
    ownedRuns: (owner) => {
      looks++;
      // Some looks after a try, so that this is over.
      if (tries.length === 6 && looks > (tries[5] ?? 0) + 9) tried();
      return store.ownedRuns(owner);
    },
    readInbox: (of) => {
      if (isDamaged && 'runId' in of && tries.at(-1) !== looks) tries.push(looks);
      return store.readInbox(of);
    },
  };
  const often = new Promise<void>((resolve) => {
    tried = resolve;
  });
  // A look every two milliseconds, by a worker that is never late.
  const { events } = await setup(SOURCES, { store: patched(store, own), lease: 6 });
  await often;
  const gaps = tries.slice(1).map((at, index) => at - (tries[index] ?? 0));
  for (const [index, gap] of gaps.entries()) expect(gap).toBeGreaterThanOrEqual(2 ** index + 2);
  expect(events.filter((event) => event.type === 'store-failed' && event.runId === 'run-1')).toHaveLength(1);
  isDamaged = false;
  await vi.waitFor(async () => expect(await store.getRun('run-1')).toMatchObject({ status: 'completed' }), 20_000);
});

test('a log that cannot be read for a while is read again after a while, and not at once', async () => {
  const waits: number[] = [];
  const original = setTimeout;
  const spy = vi.spyOn(globalThis, 'setTimeout').mockImplementation(((callback: () => void, wait?: number) => {
    if (wait !== undefined && wait >= 100) waits.push(wait);
    return original(callback, 0);
  }) as typeof setTimeout);
  try {
    let failures = 8;
    const broken = failing(await unfinished(), 'run-1', () =>
      failures-- > 0 ? new StoreError('PAWL_STORE_IO', 'No answer.') : null,
    );
    const { worker } = await setup(SOURCES, { store: broken.store });
    expect(await worker.whenEnded('run-1')).toMatchObject({ status: 'completed' });
    expect(broken.reads()).toBe(9);
    expect(waits.slice(0, 8)).toEqual([100, 200, 400, 800, 1600, 3200, 5000, 5000]);
  } finally {
    spy.mockRestore();
  }
});

/** A store that fails as the test says; `fails` sees each append and each read of a log, before it is done. */
function troubled(
  store: EventStore,
  fails: (what: 'append' | 'readEvents', events: readonly NewRunEvent[]) => boolean,
) {
  const lost = (): never => {
    throw new StoreError('PAWL_STORE_CONNECTION', 'The connection was lost.');
  };
  const append: EventStore['append'] = async (request) =>
    fails('append', request.events) ? lost() : store.append(request);
  const readEvents: EventStore['readEvents'] = async (id, options) =>
    fails('readEvents', []) ? lost() : store.readEvents(id, options);
  return patched(store, { append, readEvents });
}

const isResult = ({ type }: NewRunEvent): boolean => type === 'step_completed' || type === 'step_failed';

/** Each begins when the result of the first step was not taken. */
const TROUBLES: Record<string, () => Parameters<typeof troubled>[1]> = {
  'of its result': () => {
    let failures = 1;
    return (_, events) => events.some(isResult) && failures-- > 0;
  },
  'of its result, again and again': () => {
    let failures = 4;
    return (_, events) => events.some(isResult) && failures-- > 0;
  },
  'of its result, and the log cannot be read then': () => {
    let failures = 1;
    let reads = 0;
    return (what, events) => {
      if (what === 'readEvents') return reads-- > 0;
      if (!events.some(isResult) || failures-- <= 0) return false;
      reads = 3;
      return true;
    };
  },
  'of its result, and of what is written first when the run is read again': () => {
    let after = 0;
    let isDown = false;
    return (what, events) => {
      if (what === 'append' && events.some(isResult) && !isDown) {
        isDown = true;
        after = 2;
        return true;
      }
      return what === 'append' && isDown && after-- > 0;
    };
  },
};

test.each(Object.entries(TROUBLES))(
  'a step that has ended is not made again, whatever becomes of an append %s',
  async (_name, trouble) => {
    // Pauses between attempts at the store are no matter here.
    const original = setTimeout;
    vi.spyOn(globalThis, 'setTimeout').mockImplementation(((callback: () => void) =>
      original(callback, 0)) as typeof setTimeout);
    const made: string[] = [];
    const steps = {
      s: async (name: string) => {
        made.push(name);
        return name;
      },
    };
    const workflows = `const s = step('s');
      workflow('w', async () => [await s('a'), ...(await Promise.all([s('b'), s('c'), s('d')])), await s('e')]);`;
    const store = troubled(await memoryStore(), trouble());
    const { worker, start, events } = await setup({ workflows, steps }, { store });
    const { runId } = await start('w');
    expect(await worker.whenEnded(runId)).toMatchObject({ status: 'completed' });
    expect(made).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(events.filter(({ type }) => type === 'store-failed').length).toBeGreaterThan(0);
  },
);

test.each([
  ['was not taken', false],
  ['was taken, and nobody said so', true],
])('a step whose attempt failed waits for its time when the record of that %s', async (_, isTaken) => {
  const original = setTimeout;
  vi.spyOn(globalThis, 'setTimeout').mockImplementation(((callback: () => void) =>
    original(callback, 0)) as typeof setTimeout);
  const attempts: number[] = [];
  const steps = {
    s: async () => {
      const { attempt } = getStepMetadata();
      attempts.push(attempt);
      if (attempt < 3) throw new RetryableError('not yet', { retryAfter: 60_000 });
      return 'done';
    },
  };
  const memory = await memoryStore();
  let failures = 2;
  const append: EventStore['append'] = async (request) => {
    const fails = request.events.some(({ type }) => type === 'step_attempt_failed') && failures-- > 0;
    const result = !fails || isTaken ? await memory.append(request) : null;
    if (fails || result === null) throw new StoreError('PAWL_STORE_CONNECTION', 'The connection was lost.');
    return result;
  };
  const store = patched(memory, { append });
  const workflows = `const s = step('s'); workflow('w', () => s());`;
  const { worker, start, clock, events } = await setup({ workflows, steps }, { store });
  const { runId } = await start('w');
  const ended = worker.whenEnded(runId);
  const recorded = async (attempt: number): Promise<boolean> =>
    (await memory.readEvents(runId)).some((event) => event.type === 'step_attempt_failed' && event.attempt === attempt);
  for (const attempt of [1, 2]) {
    while (!(await recorded(attempt)) || (clock.next() ?? Infinity) > clock.now() + 60_000) await settle(5);
    expect(attempts).toEqual([1, 2].slice(0, attempt));
    clock.advance(60_000);
  }
  expect(await ended).toMatchObject({ status: 'completed' });
  expect(attempts).toEqual([1, 2, 3]);
  expect(events.some(({ type }) => type === 'store-failed')).toBe(true);
});

test('a step that has ended is not made again when an append fails that was under way before it', async () => {
  const original = setTimeout;
  vi.spyOn(globalThis, 'setTimeout').mockImplementation(((callback: () => void) =>
    original(callback, 0)) as typeof setTimeout);
  const made: string[] = [];
  let fail: (error: Error) => void = () => {};
  let release = (): void => {};
  const memory = await memoryStore();
  const append: EventStore['append'] = (request) => {
    if (!request.events.some(({ type, cid }) => type === 'step_completed' && cid === 1) || made.includes('failed'))
      return memory.append(request);
    made.push('failed');
    return new Promise((_, reject) => {
      fail = reject;
      release();
    });
  };
  const store = patched(memory, { append });
  const steps = {
    // The second one ends while the result of the first is on its way.
    s: (name: string) => {
      made.push(name);
      if (name === 'a') return Promise.resolve(name);
      return new Promise((resolve) => {
        release = () => {
          resolve(name);
          queueMicrotask(() => fail(new StoreError('PAWL_STORE_CONNECTION', 'The connection was lost.')));
        };
      });
    },
  };
  const workflows = `const s = step('s'); workflow('w', () => Promise.all([s('a'), s('b')]));`;
  const { worker, start } = await setup({ workflows, steps }, { store });
  const { runId } = await start('w');
  expect(await worker.whenEnded(runId)).toMatchObject({ status: 'completed' });
  expect(made).toEqual(['a', 'b', 'failed']);
});

test('a step that did not begin before its run was parked is not made again when its result was not taken', async () => {
  const original = setTimeout;
  vi.spyOn(globalThis, 'setTimeout').mockImplementation(((callback: () => void) =>
    original(callback, 0)) as typeof setTimeout);
  const workflows = `workflow('w', async () => step('late')());`;
  let failures = 1;
  const store = troubled(await memoryStore(), (_, events) => events.some(isResult) && failures-- > 0);
  const first = await setup({ workflows }, { store });
  const { runId } = await first.start('w');
  await settle();
  expect((await store.getRun(runId))?.status).toBe('parked');
  await first.close();
  let made = 0;
  const { worker } = await setup({ workflows, steps: { late: async () => ++made } }, { store });
  expect(await worker.whenEnded(runId)).toMatchObject({ status: 'completed' });
  expect(failures).toBeLessThan(1);
  expect(made).toBe(1);
});

test('a message that comes while the end of its run is on its way does not have the run read again', async () => {
  const memory = await memoryStore();
  let answer = (): void => {};
  let isOnItsWay = false;
  let ends = 0;
  const append: EventStore['append'] = async (request) => {
    if (!request.events.some(({ type }) => type === 'run_completed')) return memory.append(request);
    ends++;
    if (!isOnItsWay) {
      isOnItsWay = true;
      await new Promise<void>((resolve) => {
        answer = resolve;
      });
    }
    return memory.append(request);
  };
  const store = patched(memory, { append });
  const workflows = `workflow('w', async () => { const hook = createHook({ token: 'h' }); await hook; });`;
  const { worker, start } = await setup({ workflows }, { store });
  const { runId } = await start('w');
  await worker.resumeHook('h', 1);
  while (!isOnItsWay) await settle(1);
  await worker.resumeHook('h', 2);
  await settle();
  answer();
  expect(await worker.whenEnded(runId)).toMatchObject({ status: 'completed' });
  // The one that did not know of the message, and the one that took it along.
  expect(ends).toBe(2);
  expect(await store.getRun(runId)).toMatchObject({ fence: 1 });
});
