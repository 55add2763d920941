import { afterEach, expect, test, vi } from 'vitest';
import { StoreError } from '../../src/store/errors.ts';
import type { EventStore } from '../../src/store/port.ts';
import { closeAll, memoryStore, settle, setup } from './support.ts';

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
  const proxy = new Proxy(store, {
    get(target, key) {
      if (key === 'readEvents') return readEvents;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
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
