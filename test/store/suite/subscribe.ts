import { expect, test, vi } from 'vitest';
import type { StoreChange } from '../../../src/store/port.ts';
import type { Context } from '../suite.ts';
import { append, finished, hook, LEASE, makeOwnedRun, makeRun, OWNER, request, scheduled } from '../support/make.ts';

export function subscribeTests(context: Context): void {
  test('listeners hear what was committed, in order, and nothing else', async () => {
    const { store } = context;
    await store.registerOwner(OWNER, LEASE);
    const changes: StoreChange[] = [];
    const stop = store.subscribe((change) => {
      if (change.kind !== 'external' || !context.beginsToListen) changes.push(change);
    });
    await makeRun(store, 'r1');
    await store.claimRun('r1', { owner: OWNER, now: 200 });
    await append(store, 'r1', [scheduled(0), hook(1, 't')], { wakeAt: 500 });
    await store.append(request('r1', [scheduled(9)], { fence: 9 }));
    await store.deliverHook('t', '1', 210);
    await store.requestCancel('r1', { at: 220 });
    await store.requestCancel('r1', { at: 221 });
    await store.release('r1', 1);
    expect(changes).toEqual([
      { kind: 'events', runId: 'r1', lastSeq: 1 },
      { kind: 'runnable', runId: 'r1' },
      { kind: 'status', runId: 'r1', status: 'running' },
      { kind: 'events', runId: 'r1', lastSeq: 3 },
      { kind: 'inbox', runId: 'r1' },
      { kind: 'inbox', runId: 'r1' },
      { kind: 'runnable', runId: 'r1' },
    ]);
    changes.length = 0;
    stop();
    stop();
    await makeRun(store, 'r2');
    expect(changes).toEqual([]);
  });

  test('the end of a run is heard', async () => {
    const { store } = context;
    await makeOwnedRun(store, 'r1');
    const changes: StoreChange[] = [];
    store.subscribe((change) => changes.push(change));
    await append(store, 'r1', [finished()]);
    expect(changes).toContainEqual({ kind: 'status', runId: 'r1', status: 'completed' });
  });

  test('each subscription is its own, and may end inside a call', async () => {
    const { store } = context;
    const heard: string[] = [];
    const counts = ({ kind }: StoreChange): boolean => kind !== 'external' || !context.beginsToListen;
    const listener = (change: StoreChange) => counts(change) && heard.push('both');
    store.subscribe(listener);
    store.subscribe(listener);
    const stop = store.subscribe((change) => {
      if (!counts(change)) return;
      heard.push('once');
      stop();
    });
    await store.createRun({ id: 'r1', workflowId: 'w', seed: 's', bundleHash: null, input: null, at: 1 });
    expect(heard).toEqual(['both', 'both', 'once', 'both', 'both']);
  });

  test('changes by another store object are noticed', async () => {
    const again = context.openAgain();
    if (again === null) return;
    const other = await again;
    const changes: StoreChange[] = [];
    const stop = context.store.subscribe((change) => changes.push(change));
    await makeRun(other, 'r1');
    await vi.waitFor(() => expect(changes).toContainEqual({ kind: 'external' }));
    stop();
  });
}
