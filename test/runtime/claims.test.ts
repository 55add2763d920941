/** Runs that a worker claims in more than one way at the same time: one of them has the run. */
import { afterEach, expect, test, vi } from 'vitest';
import { StoreError } from '../../src/store/errors.ts';
import type { EventStore } from '../../src/store/port.ts';
import { closeAll, memoryStore, patched, settle, setup } from './support.ts';

afterEach(async () => {
  await closeAll();
  vi.restoreAllMocks();
});

const HOOKED = {
  workflows: `workflow('w', async () => { const hook = createHook({ token: 'h' }); return [await step('s')(), await hook]; });`,
};

async function made(store: EventStore): Promise<string> {
  await store.createRun({ id: 'run', workflowId: 'w', seed: 's', bundleHash: null, input: '1[[]]', at: 0 });
  return 'run';
}

test('a run that is taken, while another request claims it, goes on with the newer claim', async () => {
  const memory = await memoryStore();
  const runId = await made(memory);
  // Another request of the same worker has its claim once the run is in memory.
  let claims = 0;
  const store = patched(memory, {
    claim: async (request) => {
      if (claims++ > 0) return memory.claim(request);
      await settle(60);
      const claimed = await memory.claimRun(runId, request);
      return claimed.ok ? [claimed.run] : [];
    },
  });
  let calls = 0;
  const { worker } = await setup({ ...HOOKED, steps: { s: async () => ++calls } }, { store });
  await worker.take(runId);
  await settle(100);
  await worker.resumeHook('h', 'payload');
  expect(await worker.whenEnded(runId)).toEqual({ status: 'completed', data: '1[[1,2],1,"payload"]' });
  expect(calls).toBe(1);
});

test('requests that take one run at the same time claim it once', async () => {
  const memory = await memoryStore();
  const runId = await made(memory);
  const { worker } = await setup({ ...HOOKED, steps: { s: async () => 1 } }, { store: memory, claim: false });
  expect(await Promise.all([worker.take(runId), worker.take(runId), worker.take(runId)])).toEqual(
    Array.from({ length: 3 }, () => 'taken'),
  );
  expect((await memory.getRun(runId))?.fence).toBe(1);
});

test('a run that is claimed under a new name, before it was read again, takes the results along', async () => {
  const memory = await memoryStore();
  let calls = 0;
  let owner = '';
  let failures = 1;
  const store = patched(memory, {
    append: async (request) => {
      if (!request.events.some(({ type }) => type === 'step_completed') || failures-- <= 0)
        return memory.append(request);
      // As when the connection was lost for longer than the lease.
      await memory.removeOwner(owner);
      throw new StoreError('PAWL_STORE_CONNECTION', 'The connection was lost.');
    },
  });
  const { worker, start } = await setup(
    { workflows: `workflow('w', async () => step('s')());`, steps: { s: async () => ++calls } },
    { store, lease: 30 },
  );
  owner = worker.owner;
  const { runId } = await start('w');
  expect(await worker.whenEnded(runId)).toEqual({ status: 'completed', data: '1[1]' });
  expect(worker.owner).not.toBe(owner);
  expect(calls).toBe(1);
});

test('a run that its own append has parked, whose answer got lost, stays parked', async () => {
  const original = setTimeout;
  vi.spyOn(globalThis, 'setTimeout').mockImplementation(((callback: () => void) =>
    original(callback, 0)) as typeof setTimeout);
  const memory = await memoryStore();
  const store = patched(memory, {
    append: async (request) => {
      const result = await memory.append(request);
      if (!request.events.some(({ type }) => type === 'run_parked')) return result;
      throw new StoreError('PAWL_STORE_CONNECTION', 'The connection was lost.');
    },
  });
  const workflows = `workflow('w', async () => { await createHook({ token: 'h' }); await step('absent')(); });`;
  const { worker, start } = await setup({ workflows }, { store });
  const { runId } = await start('w');
  await worker.resumeHook('h', 1);
  await settle(60);
  const types = (await memory.readEvents(runId)).map(({ type }) => type);
  expect(types.filter((type) => type === 'run_parked')).toHaveLength(1);
  expect(types).not.toContain('run_unparked');
});

test.each(['claimRun', 'readEvents'] as const)(
  'a worker that takes nothing by itself takes what somebody waits for when the store answers again (%s)',
  async (method) => {
    const original = setTimeout;
    vi.spyOn(globalThis, 'setTimeout').mockImplementation(((callback: () => void) =>
      original(callback, 0)) as typeof setTimeout);
    const memory = await memoryStore();
    const runId = await made(memory);
    let failures = 2;
    const failing = (...args: never[]): Promise<never> => {
      if (failures-- > 0) return Promise.reject(new StoreError('PAWL_STORE_CONNECTION', 'The connection was lost.'));
      return (memory[method] as (...args: never[]) => Promise<never>).apply(memory, args);
    };
    const { worker } = await setup(
      { workflows: `workflow('w', async () => step('s')());`, steps: { s: async () => 1 } },
      { store: patched(memory, { [method]: failing }), claim: false },
    );
    expect(await worker.whenEnded(runId)).toEqual({ status: 'completed', data: '1[1]' });
  },
);

test('a worker that is closed keeps its runs for as long as it lets attempts end', async () => {
  const memory = await memoryStore();
  let isClosing = false;
  let renewals = 0;
  let end = (_: string): void => {};
  const store = patched(memory, {
    renewOwner: (owner, ms) => {
      if (isClosing && ++renewals === 4) end('in time');
      return memory.renewOwner(owner, ms);
    },
  });
  let calls = 0;
  const s = (): Promise<string> => {
    calls++;
    return new Promise((resolve) => {
      end = resolve;
    });
  };
  const { worker, start } = await setup(
    { workflows: `workflow('w', async () => step('s')());`, steps: { s } },
    { store, lease: 30 },
  );
  const { runId } = await start('w');
  await settle();
  isClosing = true;
  await worker.close({ timeout: 60_000 });
  expect(renewals).toBeGreaterThanOrEqual(4);
  expect(calls).toBe(1);
  expect(await memory.getRun(runId)).toMatchObject({ status: 'completed', output: '1["in time"]' });
});
