import { expect, test } from 'vitest';
import type { Context } from '../suite.ts';
import { append, finished, hook, LEASE, makeOwnedRun, makeRun, OWNER, request, scheduled } from '../support/make.ts';

export function runTests(context: Context): void {
  test('a created run is there, with its first event', async () => {
    const { store } = context;
    const made = await store.createRun({
      id: 'r1',
      workflowId: 'src/a.ts#main',
      seed: 'seed',
      bundleHash: 'sha256-b',
      input: '["x"]',
      at: 100,
    });
    const record = {
      id: 'r1',
      workflowId: 'src/a.ts#main',
      status: 'pending',
      bundleHash: 'sha256-b',
      seed: 'seed',
      input: '["x"]',
      createdAt: 100,
      startedAt: null,
      finishedAt: null,
      wakeAt: 100,
      owner: null,
      leaseUntil: null,
      fence: 0,
      lastSeq: 1,
      output: null,
      error: null,
      parkedReason: null,
      cancelRequested: false,
      parent: null,
    };
    expect(made).toEqual({ created: true, run: record });
    expect(await store.getRun('r1')).toEqual(record);
    expect(await store.readEvents('r1')).toEqual([
      {
        seq: 1,
        type: 'run_created',
        at: 100,
        cid: null,
        name: 'src/a.ts#main',
        attempt: null,
        data: '["x"]',
        meta: { seed: 'seed', bundleHash: 'sha256-b' },
      },
    ]);
  });

  test('a run that exists is not made again', async () => {
    const { store } = context;
    const first = await makeRun(store, 'r1');
    const again = await store.createRun({
      id: 'r1',
      workflowId: 'other',
      seed: 'other',
      bundleHash: null,
      input: '[2]',
      at: 999,
    });
    expect(again).toEqual({ created: false, run: first });
    expect(await store.readEvents('r1')).toHaveLength(1);
  });

  test('a run can be made owned, with its first commands', async () => {
    const { store } = context;
    await store.registerOwner(OWNER, LEASE);
    const { run } = await store.createRun({
      id: 'r1',
      workflowId: 'w',
      seed: 's',
      bundleHash: null,
      input: null,
      at: 100,
      owner: OWNER,
      events: [scheduled(0), scheduled(1)],
    });
    expect(run).toMatchObject({ status: 'running', owner: OWNER, fence: 1, startedAt: 100, lastSeq: 3 });
    expect(run.leaseUntil).toBe(1_000_000 + LEASE);
    expect((await store.readEvents('r1')).map((event) => event.type)).toEqual([
      'run_created',
      'step_scheduled',
      'step_scheduled',
    ]);
  });

  test('a run is made even if its first events are refused', async () => {
    const { store } = context;
    await makeOwnedRun(store, 'r0');
    await append(store, 'r0', [hook(0, 'token')]);
    const base = { workflowId: 'w', seed: 's', bundleHash: null, input: null, at: 100, owner: OWNER };
    const made = await store.createRun({ ...base, id: 'r1', events: [scheduled(0), hook(1, 'token')] });
    expect(made).toMatchObject({
      created: true,
      run: { id: 'r1', lastSeq: 1, fence: 1 },
      refusal: { reason: 'hook-conflict', token: 'token', ownerRunId: 'r0' },
    });
    expect(await store.getHook('token')).toMatchObject({ runId: 'r0' });
    const afterTheEnd = [finished(), scheduled(0)];
    const misuse = { code: 'PAWL_STORE_MISUSE' };
    await expect(store.createRun({ ...base, id: 'r2', events: afterTheEnd })).rejects.toMatchObject(misuse);
    expect(await store.getRun('r2')).toBeNull();
  });

  test('a run may be over when it is made', async () => {
    const { store } = context;
    await store.registerOwner(OWNER, LEASE);
    const base = { workflowId: 'w', seed: 's', bundleHash: null, input: null, at: 100, owner: OWNER };
    const { run } = await store.createRun({ ...base, id: 'r1', events: [finished()] });
    expect(run).toMatchObject({ status: 'completed', output: '"done"', owner: null, lastSeq: 2 });
    expect(run).toEqual(await store.getRun('r1'));
  });

  test('what is returned of a new run is what is read of it', async () => {
    const { store } = context;
    const future = await makeRun(store, 'r1', { wakeAt: 500.5 });
    expect(await store.getRun('r1')).toEqual(future);
    const owned = await makeOwnedRun(store, 'r2');
    expect(await store.getRun('r2')).toEqual(owned);
  });

  test('bad requests make no run', async () => {
    const { store } = context;
    const base = { id: 'r1', workflowId: 'w', seed: 's', bundleHash: null, input: null, at: 100 };
    await expect(store.createRun({ ...base, owner: 'nobody' })).rejects.toMatchObject({ code: 'PAWL_STORE_OWNER' });
    await expect(store.createRun({ ...base, at: 1.5 })).rejects.toMatchObject({ code: 'PAWL_STORE_MISUSE' });
    await expect(store.createRun({ ...base, events: [scheduled(0)] })).rejects.toMatchObject({
      code: 'PAWL_STORE_MISUSE',
    });
    expect(await store.getRun('r1')).toBeNull();
  });

  test('unknown runs are null, and have no events', async () => {
    const { store } = context;
    expect(await store.getRun('nope')).toBeNull();
    expect(await store.readEvents('nope')).toEqual([]);
  });

  test('ids and values may hold any text', async () => {
    const { store } = context;
    const odd = `'"; DROP TABLE runs; --\n\t ünïcödé 🐢 ${'x'.repeat(100_000)}`;
    await store.registerOwner(OWNER, LEASE);
    await store.createRun({ id: odd, workflowId: odd, seed: odd, bundleHash: odd, input: odd, at: 100, owner: OWNER });
    await append(store, odd, [{ type: 'step_completed', at: 1, cid: 0, attempt: 1, data: odd }]);
    expect(await store.getRun(odd)).toMatchObject({ id: odd, workflowId: odd, seed: odd, bundleHash: odd, input: odd });
    expect((await store.readEvents(odd, { afterSeq: 1 }))[0]?.data).toBe(odd);
  });

  test('text that databases do not keep is refused, or simply unknown', async () => {
    const { store } = context;
    await makeOwnedRun(store, 'r1');
    await append(store, 'r1', [hook(0, 'token')]);
    const misuse = { code: 'PAWL_STORE_MISUSE' };
    for (const odd of ['token\0', 'token\ud800']) {
      await expect(makeRun(store, odd)).rejects.toMatchObject(misuse);
      await expect(store.registerOwner(odd, LEASE)).rejects.toMatchObject(misuse);
      await expect(store.deliverHook('token', odd, 1)).rejects.toMatchObject(misuse);
      await expect(store.requestCancel('r1', { at: 1, reason: odd })).rejects.toMatchObject(misuse);
      const event = { type: 'run_completed', at: 1, data: odd } as const;
      await expect(store.append(request('r1', [event], { afterSeq: 2 }))).rejects.toMatchObject(misuse);
      expect(await store.deliverHook(odd, '1', 1)).toEqual({ ok: false, reason: 'unknown-token' });
      expect(await store.getHook(odd)).toBeNull();
    }
    expect(await store.getRun('r1')).toMatchObject({ lastSeq: 2, cancelRequested: false });
    expect(await store.readInbox({ runId: 'r1' })).toEqual([]);
  });

  test('events are read in pages', async () => {
    const { store } = context;
    await makeOwnedRun(store, 'r1');
    await append(
      store,
      'r1',
      Array.from({ length: 9 }, (_, cid) => scheduled(cid)),
    );
    const seqs = async (options: { afterSeq?: number; limit?: number }) =>
      (await store.readEvents('r1', options)).map((event) => event.seq);
    expect(await seqs({ limit: 3 })).toEqual([1, 2, 3]);
    expect(await seqs({ afterSeq: 3, limit: 3 })).toEqual([4, 5, 6]);
    expect(await seqs({ afterSeq: 8 })).toEqual([9, 10]);
    expect(await seqs({ afterSeq: 10 })).toEqual([]);
    expect(await seqs({ limit: 0 })).toEqual([]);
  });

  test('a long log is read whole', async () => {
    const { store } = context;
    await makeOwnedRun(store, 'r1');
    const events = Array.from({ length: 5_000 }, (_, cid) => scheduled(cid));
    await append(store, 'r1', events);
    const read = await store.readEvents('r1');
    expect(read.map((event) => event.seq)).toEqual(Array.from({ length: 5_001 }, (_, index) => index + 1));
    expect(read.at(-1)).toMatchObject({ cid: 4_999, data: '"input 4999"' });
  });

  test('runs are listed newest first, in pages, and filtered', async () => {
    const { store } = context;
    for (let index = 0; index < 7; index++) await makeRun(store, `r${index}`, { at: 100 + index });
    const first = await store.listRuns({ limit: 3 });
    expect(first.runs.map((run) => run.id)).toEqual(['r6', 'r5', 'r4']);
    const second = await store.listRuns({ limit: 3, cursor: first.next as string });
    expect(second.runs.map((run) => run.id)).toEqual(['r3', 'r2', 'r1']);
    const third = await store.listRuns({ limit: 3, cursor: second.next as string });
    expect(third).toMatchObject({ runs: [{ id: 'r0' }], next: null });

    await store.registerOwner(OWNER, LEASE);
    await store.claimRun('r2', { owner: OWNER, now: 200 });
    await append(store, 'r2', [finished()]);
    await store.claimRun('r4', { owner: OWNER, now: 200 });
    const ids = async (filter: Parameters<typeof store.listRuns>[0]) =>
      (await store.listRuns(filter)).runs.map((run) => run.id);
    expect(await ids({ status: ['completed'] })).toEqual(['r2']);
    expect(await ids({ status: ['completed', 'running'] })).toEqual(['r4', 'r2']);
    expect(await ids({ status: [] })).toEqual([]);
    expect(await ids({ createdSince: 105 })).toEqual(['r6', 'r5']);
    expect(await ids({ workflowId: 'src/a.ts#other' })).toEqual([]);
    expect(await ids({ workflowId: 'src/a.ts#main', status: ['pending'], limit: 1_000_000 })).toHaveLength(5);
    expect((await store.listRuns({ status: ['completed'] })).runs[0]?.output).toBe('"done"');
    await expect(store.listRuns({ cursor: 'x' })).rejects.toMatchObject({ code: 'PAWL_STORE_MISUSE' });
  });

  test('a closed store says so', async () => {
    const store = await context.openFresh();
    const pending = makeRun(store, 'r1');
    await store.close();
    expect(await pending).toMatchObject({ id: 'r1' });
    await store.close();
    await expect(store.getRun('r1')).rejects.toMatchObject({ code: 'PAWL_STORE_CLOSED' });
    await expect(makeRun(store, 'r2')).rejects.toMatchObject({ code: 'PAWL_STORE_CLOSED' });
  });
}
