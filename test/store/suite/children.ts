import { expect, test } from 'vitest';
import type { NewRunEvent } from '../../../src/store/events.ts';
import type { RunRecord, StoreChange } from '../../../src/store/port.ts';
import type { Context } from '../suite.ts';
import { append, child, finished, makeOwnedRun, OWNER, request, scheduled } from '../support/make.ts';

/** Runs that another run waits for. */
export function childTests(context: Context): void {
  const take = async (id: string): Promise<RunRecord> => {
    const claimed = await context.store.claimRun(id, { owner: OWNER, now: 200 });
    if (!claimed.ok) throw new Error(claimed.reason);
    return claimed.run;
  };
  const cancelled: NewRunEvent = { type: 'cancel_requested', at: 150, meta: { reason: 'too late' } };

  test('a command makes a run of its own: on the code of its parent, due at once, for anybody', async () => {
    const { store } = context;
    await makeOwnedRun(store, 'r1');
    const heard: StoreChange[] = [];
    store.subscribe((change) => heard.push(change));
    await append(store, 'r1', [{ type: 'bundle_bound', at: 105, meta: { bundleHash: 'h' } }, child(3, 'r1.3')]);
    expect(await store.getRun('r1.3')).toEqual({
      id: 'r1.3',
      workflowId: 'src/a.ts#child',
      status: 'pending',
      bundleHash: 'h',
      seed: 'seed of r1.3',
      input: '1[[]]',
      createdAt: 110,
      startedAt: null,
      finishedAt: null,
      wakeAt: 110,
      owner: null,
      leaseUntil: null,
      fence: 0,
      lastSeq: 1,
      output: null,
      error: null,
      parkedReason: null,
      cancelRequested: false,
      parent: { runId: 'r1', cid: 3 },
    });
    expect(await store.readEvents('r1.3')).toMatchObject([
      { seq: 1, type: 'run_created', name: 'src/a.ts#child', meta: { seed: 'seed of r1.3', bundleHash: 'h' } },
    ]);
    expect(heard).toContainEqual({ kind: 'runnable', runId: 'r1.3' });
    expect((await store.claim({ owner: OWNER, now: 110, limit: 10 })).map(({ id }) => id)).toContain('r1.3');
    expect((await store.getRun('r1'))?.parent).toBeNull();
  });

  test('the first events of a run may make one', async () => {
    const { store } = context;
    await store.registerOwner(OWNER, 1_000);
    const base = { workflowId: 'src/a.ts#main', seed: 's', bundleHash: null, input: null, at: 100, owner: OWNER };
    await store.createRun({ ...base, id: 'r1', events: [child(0, 'r1.0')] });
    expect(await store.getRun('r1.0')).toMatchObject({ status: 'pending', parent: { runId: 'r1', cid: 0 } });
  });

  test('an append that is refused makes none, and none that fails writes anything', async () => {
    const { store } = context;
    await makeOwnedRun(store, 'r1');
    expect(await store.append(request('r1', [child(0, 'r1.0')], { fence: 7 }))).toMatchObject({ reason: 'fenced' });
    expect(await store.append(request('r1', [child(0, 'r1.0')], { afterSeq: 7 }))).toMatchObject({ ok: false });
    expect(await store.getRun('r1.0')).toBeNull();
    await makeOwnedRun(store, 'taken');
    await expect(store.append(request('r1', [scheduled(0), child(1, 'taken')]))).rejects.toMatchObject({
      code: 'PAWL_STORE_MISUSE',
      place: 'run taken',
    });
    expect(await store.readEvents('r1')).toHaveLength(1);
    expect(await store.readEvents('taken')).toHaveLength(1);
  });

  test.each<[string, NewRunEvent, object]>([
    ['completed', finished(), { status: 'completed', data: '"done"' }],
    ['failed', { type: 'run_failed', at: 130, data: '"no"' }, { status: 'failed', data: '"no"' }],
    ['cancelled', { type: 'run_cancelled', at: 130 }, { status: 'cancelled', data: null }],
  ])('one that %s tells its parent, in the same commit, and wakes it', async (_, end, expected) => {
    const { store } = context;
    await makeOwnedRun(store, 'r1');
    await append(store, 'r1', [child(3, 'r1.3')], { wakeAt: null });
    expect(await store.release('r1', 1)).toBe(true);
    await take('r1.3');
    expect(await store.claim({ owner: OWNER, now: 1_000, limit: 10 })).toEqual([]);
    const heard: StoreChange[] = [];
    store.subscribe((change) => heard.push(change));
    await append(store, 'r1.3', [end]);
    expect(heard).toContainEqual({ kind: 'inbox', runId: 'r1' });
    const [message] = await store.readInbox({ runId: 'r1' });
    expect(message).toEqual({ id: message?.id, runId: 'r1', kind: 'child', at: 130, cid: 3, ...expected });
    const [parent] = await store.claim({ owner: OWNER, now: 1_000, limit: 10 });
    expect(parent?.id).toBe('r1');
    expect(await store.append(request('r1', [finished(140)], { fence: 2, afterSeq: 2 }))).toMatchObject({
      reason: 'unread',
      messages: [message],
    });
    await append(store, 'r1', [{ type: 'child_completed', at: 140, cid: 3 }], { consume: [message?.id as number] });
    expect(await store.readInbox({ runId: 'r1' })).toEqual([]);
  });

  test('a parent that has ended hears nothing; one that is parked hears it when it goes on', async () => {
    const { store } = context;
    for (const id of ['ended', 'parked']) {
      await makeOwnedRun(store, id);
      await append(store, id, [child(0, `${id}.0`)]);
      await take(`${id}.0`);
    }
    await append(store, 'ended', [finished()]);
    await append(store, 'ended.0', [finished()]);
    expect(await store.readInbox({ runId: 'ended' })).toEqual([]);

    await append(store, 'parked', [{ type: 'run_parked', at: 120, meta: { code: 'C', message: 'm' } }]);
    await append(store, 'parked.0', [finished()]);
    expect(await store.claim({ owner: OWNER, now: 1_000, limit: 10 })).toEqual([]);
    await take('parked');
    await append(store, 'parked', [{ type: 'run_unparked', at: 150 }]);
    expect(await store.readInbox({ runId: 'parked' })).toHaveLength(1);
  });

  test('a cancellation goes on to the children that are there: once, and to the next ones not', async () => {
    const { store } = context;
    await makeOwnedRun(store, 'r1');
    await append(store, 'r1', [child(0, 'r1.0'), child(1, 'r1.1'), child(2, 'r1.2')]);
    await take('r1.0');
    await append(store, 'r1.0', [finished()]);
    await store.requestCancel('r1.1', { at: 140 });
    const [ended] = await store.readInbox({ runId: 'r1' });
    const consume = [ended?.id as number];
    await append(store, 'r1', [{ type: 'child_completed', at: 150, cid: 0 }, cancelled, child(3, 'r1.3')], { consume });
    expect(await store.readInbox({ runId: 'r1.0' })).toEqual([]);
    expect(await store.readInbox({ runId: 'r1.1' })).toMatchObject([{ kind: 'cancel', at: 140, reason: null }]);
    expect(await store.readInbox({ runId: 'r1.2' })).toMatchObject([{ kind: 'cancel', at: 150, reason: 'too late' }]);
    expect(await store.readInbox({ runId: 'r1.3' })).toEqual([]);
    expect(await store.getRun('r1.2')).toMatchObject({ cancelRequested: true });
    expect(await store.requestCancel('r1.2', { at: 160 })).toEqual({ ok: true, messageId: null });
  });

  test('parents and children that end and are cancelled at once get along', async () => {
    const { store } = context;
    const other = (await context.openAgain()) ?? store;
    await makeOwnedRun(store, 'r1');
    const ids = Array.from({ length: 8 }, (_, n) => `r1.${n}`);
    await append(
      store,
      'r1',
      ids.map((id, n) => child(n, id)),
    );
    for (const id of ids) await take(id);
    const [parent, ...ends] = await Promise.all([
      store.append(request('r1', [cancelled], { afterSeq: 9 })),
      ...ids.map((id) => other.append(request(id, [finished()]))),
    ]);
    expect(parent).toMatchObject({ ok: true });
    // A child whose cancellation came first has to read it first.
    for (const [n, end] of ends.entries()) {
      if (!end?.ok) expect(end).toMatchObject({ reason: 'unread', messages: [{ kind: 'cancel', runId: ids[n] }] });
    }
    const told = await store.readInbox({ runId: 'r1' });
    expect(told).toHaveLength(ends.filter((end) => end?.ok).length);
  });
}
