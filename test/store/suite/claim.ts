import { expect, test } from 'vitest';
import type { Context } from '../suite.ts';
import { append, finished, LEASE, makeOwnedRun, makeRun, OWNER, request, scheduled } from '../support/make.ts';

export function claimTests(context: Context): void {
  const { claimAll } = {
    claimAll: async (owner: string, now: number, limit = 100) =>
      (await context.store.claim({ owner, now, limit })).map((run) => run.id),
  };

  test('due runs are claimed, those first that have waited longest, each once', async () => {
    const { store } = context;
    await store.registerOwner(OWNER, LEASE);
    await makeRun(store, 'late', { wakeAt: 300 });
    await makeRun(store, 'second', { wakeAt: 200 });
    await makeRun(store, 'first', { wakeAt: 150 });
    expect(await store.nextWakeAt()).toBe(150);
    expect(await claimAll(OWNER, 149)).toEqual([]);
    expect(await claimAll(OWNER, 250, 1)).toEqual(['first']);
    expect(await claimAll(OWNER, 250)).toEqual(['second']);
    expect(await claimAll(OWNER, 250)).toEqual([]);
    expect(await store.nextWakeAt()).toBe(300);
    expect(await store.getRun('first')).toMatchObject({
      status: 'running',
      owner: OWNER,
      fence: 1,
      startedAt: 250,
      leaseUntil: 1_000_000 + LEASE,
    });
    expect(await claimAll(OWNER, 300)).toEqual(['late']);
    expect(await store.nextWakeAt()).toBeNull();
  });

  test('an owner is told which runs it has', async () => {
    const { store } = context;
    await store.registerOwner(OWNER, LEASE);
    for (const id of ['r1', 'r2', 'r3']) await makeRun(store, id);
    expect(await store.ownedRuns(OWNER)).toEqual([]);
    await claimAll(OWNER, 200);
    await store.release('r2', 1);
    await append(store, 'r3', [finished()]);
    expect(await store.ownedRuns(OWNER)).toEqual([{ id: 'r1', fence: 1 }]);
    expect(await store.ownedRuns('nobody')).toEqual([]);
  });

  test('an owner must be registered', async () => {
    const { store } = context;
    await makeRun(store, 'r1');
    const refused = { code: 'PAWL_STORE_OWNER' };
    await expect(store.claim({ owner: 'nobody', now: 200, limit: 1 })).rejects.toMatchObject(refused);
    await expect(store.claimRun('r1', { owner: 'nobody', now: 200 })).rejects.toMatchObject(refused);
    expect(await store.getRun('r1')).toMatchObject({ status: 'pending', owner: null });
  });

  test('two owners never get the same run', async () => {
    const { store } = context;
    await store.registerOwner('a', LEASE);
    await store.registerOwner('b', LEASE);
    await Promise.all(Array.from({ length: 20 }, (_, index) => makeRun(store, `r${index}`)));
    const claims = await Promise.all(
      Array.from({ length: 10 }, (_, index) => claimAll(index % 2 === 0 ? 'a' : 'b', 200, 3)),
    );
    const ids = claims.flat();
    expect(ids).toHaveLength(20);
    expect(new Set(ids).size).toBe(20);
  });

  test('a released run is due by its wakeAt', async () => {
    const { store } = context;
    await makeOwnedRun(store, 'r1');
    await append(store, 'r1', [{ type: 'sleep_scheduled', at: 110, cid: 0, meta: { until: 500 } }], { wakeAt: 500 });
    expect(await store.release('r1', 1)).toBe(true);
    expect(await store.release('r1', 1)).toBe(false);
    expect(await claimAll(OWNER, 499)).toEqual([]);
    expect(await claimAll(OWNER, 500)).toEqual(['r1']);
    expect(await store.getRun('r1')).toMatchObject({ fence: 2, startedAt: 100 });
    expect(await store.release('r1', 1)).toBe(false);
  });

  test('a run without wakeAt waits for a message', async () => {
    const { store } = context;
    await makeOwnedRun(store, 'r1');
    await append(store, 'r1', [], { wakeAt: null });
    await store.release('r1', 1);
    expect(await store.nextWakeAt()).toBeNull();
    expect(await claimAll(OWNER, Number.MAX_SAFE_INTEGER)).toEqual([]);
  });

  test('runs of an owner whose lease is over are taken over, and its writes are refused', async () => {
    const { store } = context;
    await makeOwnedRun(store, 'r1');
    await store.registerOwner('b', LEASE);
    context.tick(LEASE - 1);
    await store.renewOwner('b', LEASE);
    expect(await claimAll('b', 200)).toEqual([]);
    context.tick(1);
    expect(await claimAll('b', 200)).toEqual(['r1']);
    expect(await store.append(request('r1', [scheduled(0)]))).toMatchObject({ reason: 'fenced', owner: 'b', fence: 2 });
    expect(await store.renewOwner(OWNER, LEASE)).toBe(false);
    await expect(claimAll(OWNER, 200)).resolves.toEqual([]);
    await makeRun(store, 'r2');
    await expect(claimAll(OWNER, 200)).rejects.toMatchObject({ code: 'PAWL_STORE_OWNER' });
  });

  test('a run that slept when its owner died is due when its sleep is over, not before', async () => {
    const { store } = context;
    await makeOwnedRun(store, 'r1');
    await append(store, 'r1', [], { wakeAt: 5_000 });
    await store.registerOwner('b', 10 * LEASE);
    context.tick(LEASE);
    expect(await claimAll('b', 200)).toEqual([]);
    expect(await store.getRun('r1')).toMatchObject({ owner: null, wakeAt: 5_000 });
    expect(await claimAll('b', 5_000)).toEqual(['r1']);
  });

  test('a renewed lease keeps the runs', async () => {
    const { store } = context;
    await makeOwnedRun(store, 'r1');
    await store.registerOwner('b', 10 * LEASE);
    for (let round = 0; round < 5; round++) {
      context.tick(LEASE - 1);
      expect(await store.renewOwner(OWNER, LEASE)).toBe(true);
      expect(await claimAll('b', 200)).toEqual([]);
    }
  });

  test('an owner that leaves gives all its runs back', async () => {
    const { store } = context;
    await makeOwnedRun(store, 'r1');
    await makeOwnedRun(store, 'r2');
    await store.registerOwner('b', LEASE);
    await store.removeOwner(OWNER);
    expect(await claimAll('b', 200)).toEqual(['r1', 'r2']);
  });

  test('taking one run of a dead owner declares it dead: it is told so, and all its runs are free', async () => {
    const { store } = context;
    await makeOwnedRun(store, 'r1');
    await makeOwnedRun(store, 'r2');
    context.tick(LEASE);
    await store.registerOwner('b', LEASE);
    expect(await store.claimRun('r1', { owner: 'b', now: 200 })).toMatchObject({ ok: true, run: { owner: 'b' } });
    expect(await store.renewOwner(OWNER, LEASE)).toBe(false);
    expect(await store.getRun('r2')).toMatchObject({ owner: null });
    expect(await claimAll('b', 200)).toEqual(['r2']);
  });

  test('one run can be claimed by its id', async () => {
    const { store } = context;
    await makeOwnedRun(store, 'r1');
    await makeRun(store, 'future', { wakeAt: 9_000 });
    await store.registerOwner('b', LEASE);
    expect(await store.claimRun('nope', { owner: 'b', now: 200 })).toEqual({ ok: false, reason: 'unknown-run' });
    expect(await store.claimRun('r1', { owner: 'b', now: 200 })).toEqual({ ok: false, reason: 'owned', owner: OWNER });
    expect(await store.claimRun('r1', { owner: OWNER, now: 200 })).toMatchObject({ ok: true, run: { fence: 2 } });
    expect(await store.claimRun('future', { owner: 'b', now: 200 })).toMatchObject({
      ok: true,
      run: { status: 'running', startedAt: 200, fence: 1 },
    });
    context.tick(LEASE);
    await store.renewOwner('b', LEASE);
    expect(await store.claimRun('r1', { owner: 'b', now: 200 })).toMatchObject({
      ok: true,
      run: { owner: 'b', fence: 3 },
    });
    await append(store, 'r1', [finished()]);
    expect(await store.claimRun('r1', { owner: 'b', now: 200 })).toMatchObject({
      ok: false,
      reason: 'finished',
      run: { status: 'completed', output: '"done"' },
    });
  });
}
