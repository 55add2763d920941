import { expect, test } from 'vitest';
import type { EndOfferRequest, InboxMessage, StoreChange, TakenStep } from '../../../src/store/port.ts';
import type { Context } from '../suite.ts';
import { append, completed, makeOwnedRun, OWNER, scheduled } from '../support/make.ts';

/** Steps that other workers may make. */
export function offerTests(context: Context): void {
  const STEPS = ['src/a.ts#charge'];
  const take = (owner: string, limit = 10, steps = STEPS): Promise<TakenStep[]> =>
    context.store.takeOffers({ owner, steps, limit });
  const end = (cid: number, more: Partial<EndOfferRequest> = {}): Promise<boolean> =>
    context.store.endOffer({
      owner: 'b',
      runId: 'r1',
      cid,
      at: 140,
      status: 'step_completed',
      meta: '{"startedAt":130}',
      data: `"result ${cid}"`,
      ...more,
    });
  const cids = (taken: readonly { cid: number }[]): number[] => taken.map(({ cid }) => cid);

  /** A run of `OWNER` with three steps, all but the first on offer, and another worker `b`. */
  async function offered(): Promise<void> {
    const { store } = context;
    await store.registerOwner('b', 10_000, { takes: true });
    await makeOwnedRun(store, 'r1');
    await append(store, 'r1', [scheduled(0), scheduled(1), scheduled(2)], { offers: [1, 2] });
  }

  test('a taker gets all that an attempt needs, once, in the order of the offers', async () => {
    const { store } = context;
    await offered();
    expect(await store.listOffers('r1')).toEqual([1, 2]);
    const run = await store.getRun('r1');
    const [first] = await take('b', 1);
    expect(first).toEqual({
      runId: 'r1',
      cid: 1,
      stepId: STEPS[0],
      data: '"input 1"',
      scheduledAt: 110,
      workflowId: run?.workflowId,
      seed: run?.seed,
      createdAt: run?.createdAt,
    });
    expect(cids(await take('b'))).toEqual([2]);
    expect(await take('b')).toEqual([]);
    expect(await store.listOffers('r1')).toEqual([1, 2]);
    expect(await store.takenSteps('b')).toEqual([
      { runId: 'r1', cid: 1 },
      { runId: 'r1', cid: 2 },
    ]);
    expect(await store.takenSteps(OWNER)).toEqual([]);
  });

  test('the first events of a run may put steps on offer', async () => {
    const { store } = context;
    for (const owner of [OWNER, 'b']) await store.registerOwner(owner, 1_000);
    const base = { workflowId: 'src/a.ts#main', seed: 's', bundleHash: null, input: null, at: 100, owner: OWNER };
    await store.createRun({ ...base, id: 'r1', events: [scheduled(0), scheduled(1)], offers: [1] });
    expect(cids(await take('b'))).toEqual([1]);
  });

  test('nobody takes what is its own, what it does not have, or without being registered', async () => {
    await offered();
    expect(await take(OWNER)).toEqual([]);
    expect(await take('b', 10, ['src/a.ts#other'])).toEqual([]);
    await expect(take('nobody')).rejects.toMatchObject({ code: 'PAWL_STORE_OWNER' });
    expect(cids(await take('b'))).toEqual([1, 2]);
  });

  test('how an attempt ended is a message, once, and only from whoever took the step', async () => {
    const { store } = context;
    await offered();
    expect(await end(1)).toBe(false);
    await take('b');
    expect(await end(1, { owner: 'c' })).toBe(false);
    const heard: StoreChange[] = [];
    store.subscribe((change) => heard.push(change));
    expect(await end(1)).toBe(true);
    expect(await end(1)).toBe(false);
    expect(heard).toContainEqual({ kind: 'inbox', runId: 'r1' });
    expect(await store.listOffers('r1')).toEqual([2]);
    const [message, ...others] = await store.readInbox({ runId: 'r1' });
    expect(others).toEqual([]);
    expect(message).toEqual({
      id: message?.id as number,
      runId: 'r1',
      kind: 'step',
      at: 140,
      cid: 1,
      status: 'step_completed',
      meta: '{"startedAt":130}',
      data: '"result 1"',
    } satisfies InboxMessage);
    await append(store, 'r1', [completed(1)], { consume: [message?.id as number] });
    expect(await store.readInbox({ runId: 'r1' })).toEqual([]);
  });

  test('an owner takes back what nobody has taken, so far as it wants', async () => {
    const { store } = context;
    await offered();
    const fence = (await store.getRun('r1'))?.fence as number;
    expect(await store.takeBackOffers('r1', fence - 1, 10)).toEqual({ cids: [], left: false });
    expect(await store.takeBackOffers('r1', fence, 1)).toEqual({ cids: [1], left: true });
    await take('b');
    expect(await store.takeBackOffers('r1', fence, 10)).toEqual({ cids: [], left: false });
    expect(await store.listOffers('r1')).toEqual([2]);
    expect(await store.takeBackOffers('r9', 1, 10)).toEqual({ cids: [], left: false });
    expect(await store.listOffers('r9')).toEqual([]);
  });

  test.each([
    ['is cancelled', { type: 'cancel_requested', at: 150 }],
    ['ends', { type: 'run_completed', at: 150, data: '1' }],
  ] as const)('a run that %s waits for no step', async (_, event) => {
    const { store } = context;
    await offered();
    await take('b', 1);
    const heard: StoreChange[] = [];
    store.subscribe((change) => heard.push(change));
    await append(store, 'r1', [event]);
    expect(heard).toContainEqual({ kind: 'offers', runId: 'r1' });
    expect(await store.takenSteps('b')).toEqual([]);
    expect(await end(1)).toBe(false);
    expect(await take('b')).toEqual([]);
    expect(await store.readInbox({ runId: 'r1' })).toEqual([]);
  });

  test('what a cancelled run schedules thereupon may be on offer, also in the append that says so', async () => {
    const { store } = context;
    await offered();
    const events = [{ type: 'cancel_requested', at: 150 } as const, scheduled(3), scheduled(4)];
    await append(store, 'r1', events, { offers: [4] });
    expect(await store.listOffers('r1')).toEqual([4]);
    expect(cids(await take('b'))).toEqual([4]);
  });

  test('what a dead taker, or one that leaves, had taken comes back as a message, and wakes the run', async () => {
    const { store } = context;
    await offered();
    await take('b', 1);
    await store.release('r1', (await store.getRun('r1'))?.fence as number);
    context.tick(20_000);
    await store.registerOwner('c', 10_000);
    const claimed = await store.claim({ owner: 'c', now: 150, limit: 10 });
    expect(claimed.map(({ id }) => id)).toEqual(['r1']);
    expect(await store.readInbox({ runId: 'r1' })).toMatchObject([
      { kind: 'step', cid: 1, status: 'lost', data: null },
    ]);
    expect(await end(1)).toBe(false);

    await store.registerOwner('d', 10_000);
    expect(cids(await take('d'))).toEqual([2]);
    await store.removeOwner('d');
    expect(await store.readInbox({ runId: 'r1' })).toMatchObject([
      { cid: 1, status: 'lost' },
      { cid: 2, status: 'lost' },
    ]);
    expect(await store.listOffers('r1')).toEqual([]);
  });

  test('an owner whose run is claimed from it because it is dead loses what it had taken, too', async () => {
    const { store } = context;
    await offered();
    await makeOwnedRun(store, 'r2');
    await store.registerOwner('b', 10_000);
    await take('b', 1);
    const fence = (await store.getRun('r2'))?.fence as number;
    await store.release('r2', fence);
    await store.claimRun('r2', { owner: 'b', now: 150 });
    await store.registerOwner(OWNER, 1_000_000);
    context.tick(20_000);
    expect(await store.claimRun('r2', { owner: OWNER, now: 150 })).toMatchObject({ ok: true });
    expect(await store.readInbox({ runId: 'r1' })).toMatchObject([{ kind: 'step', cid: 1, status: 'lost' }]);
  });

  test('only living takers count', async () => {
    const { store } = context;
    await store.registerOwner('a', 1_000, { takes: true });
    await store.registerOwner('b', 1_000);
    expect(await store.countTakers('a')).toBe(0);
    await store.registerOwner('c', 100_000, { takes: true });
    expect(await store.countTakers('a')).toBe(1);
    expect(await store.countTakers('b')).toBe(2);
    context.tick(50_000);
    expect(await store.countTakers('b')).toBe(1);
  });

  test('a taken step writes to streams, until its offer ends', async () => {
    const { store } = context;
    await offered();
    const write = (cid: number, taker: string) =>
      store.appendChunks({
        runId: 'r1',
        stream: 'out',
        writer: { runId: 'r1', offer: { cid, taker }, by: `r1 ${cid}` },
        chunks: ['1'],
      });
    expect(await write(1, 'b')).toEqual({ ok: false, reason: 'fenced' });
    await take('b');
    expect(await write(1, 'c')).toEqual({ ok: false, reason: 'fenced' });
    expect(await write(1, 'b')).toEqual({ ok: true, count: 1 });
    await end(1);
    expect(await write(1, 'b')).toEqual({ ok: false, reason: 'fenced' });
  });

  test('a parked run keeps its offers, and is not woken by how they end', async () => {
    const { store } = context;
    await offered();
    await take('b');
    await append(store, 'r1', [{ type: 'run_parked', at: 150, meta: { code: 'X', message: 'for a test' } }]);
    expect(await end(1)).toBe(true);
    await store.registerOwner('c', 10_000);
    expect(await store.claim({ owner: 'c', now: 1_000, limit: 10 })).toEqual([]);
    expect(await store.listOffers('r1')).toEqual([2]);
    expect(await store.readInbox({ runId: 'r1' })).toMatchObject([{ kind: 'step', cid: 1 }]);
  });
}
