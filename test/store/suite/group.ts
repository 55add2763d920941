import { expect, test } from 'vitest';
import type { CrashPoint } from '../../../src/store/port.ts';
import type { Context } from '../suite.ts';
import { completed, makeOwnedRun, makeRun, request, scheduled } from '../support/make.ts';

export function groupTests(context: Context): void {
  test('what is handed in during one turn is one commit', async () => {
    const points: CrashPoint[] = [];
    const store = await context.openFresh({ crashPoint: (point) => points.push(point) });
    await makeOwnedRun(store, 'r0');
    points.length = 0;
    const results = await Promise.all([
      ...Array.from({ length: 50 }, (_, index) => makeRun(store, `new ${index}`)),
      store.append(request('r0', [scheduled(0)])),
      // Also what a microtask of the same turn hands in.
      Promise.resolve().then(() => store.append(request('r0', [completed(0)], { afterSeq: 2 }))),
    ]);
    expect(results.at(-2)).toEqual({ ok: true, lastSeq: 2 });
    expect(results.at(-1)).toEqual({ ok: true, lastSeq: 3 });
    expect(points).toEqual(['before-begin', 'before-commit', 'after-commit']);
  });

  test('a refused request does not harm its neighbours', async () => {
    const { store } = context;
    await makeOwnedRun(store, 'r1');
    await makeOwnedRun(store, 'r2');
    await makeOwnedRun(store, 'r3');
    const results = await Promise.all([
      store.append(request('r1', [scheduled(0)])),
      store.append(request('r2', [scheduled(0)], { fence: 7 })),
      store.append(request('r3', [completed(0)], { consume: [999] })),
      store.append(request('r1', [completed(0)], { afterSeq: 2 })),
      store.append(request('r3', [completed(0)])),
    ]);
    expect(results).toEqual([
      { ok: true, lastSeq: 2 },
      { ok: false, reason: 'fenced', owner: 'worker-1', fence: 1 },
      { ok: false, reason: 'consumed' },
      { ok: true, lastSeq: 3 },
      { ok: true, lastSeq: 2 },
    ]);
  });

  test('a request that throws does not harm its neighbours', async () => {
    const { store } = context;
    await makeOwnedRun(store, 'r1');
    const results = await Promise.allSettled([
      store.append(request('r1', [scheduled(0)])),
      store.append(request('r1', [{ type: 'run_completed', at: 1, data: null }, scheduled(1)], { afterSeq: 2 })),
      store.append(request('r1', [completed(0)], { afterSeq: 2 })),
    ]);
    expect(results.map((result) => result.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(await store.readEvents('r1')).toHaveLength(3);
  });

  test('of two writers of one number the first wins', async () => {
    const { store } = context;
    await makeOwnedRun(store, 'r1');
    const results = await Promise.all([
      store.append(request('r1', [scheduled(0)])),
      store.append(request('r1', [scheduled(0)])),
    ]);
    expect(results).toEqual([
      { ok: true, lastSeq: 2 },
      { ok: false, reason: 'conflict', lastSeq: 2 },
    ]);
  });

  test.each([
    ['before-begin', false],
    ['before-commit', false],
    ['after-commit', true],
  ] as const)('a failure %s rejects the whole group; written: %s', async (where, written) => {
    let armed = false;
    const store = await context.openFresh({
      crashPoint: (point) => {
        if (armed && point === where) throw new Error('crash');
      },
    });
    await makeOwnedRun(store, 'r1');
    await makeOwnedRun(store, 'r2');
    armed = true;
    const results = await Promise.allSettled(['r1', 'r2'].map((id) => store.append(request(id, [scheduled(0)]))));
    armed = false;
    expect(results.map((result) => result.status)).toEqual(['rejected', 'rejected']);
    const lengths = await Promise.all(['r1', 'r2'].map(async (id) => (await store.readEvents(id)).length));
    expect(lengths).toEqual(written ? [2, 2] : [1, 1]);
    expect(await store.append(request('r1', [scheduled(0)], { afterSeq: written ? 2 : 1 }))).toMatchObject({
      ok: true,
    });
  });

  test.each([
    ['before-begin', false],
    ['before-commit', false],
    ['after-commit', true],
  ] as const)('a failure %s rejects a lone request; written: %s', async (where, written) => {
    let armed = false;
    const store = await context.openFresh({
      crashPoint: (point) => {
        if (!armed || point !== where) return;
        armed = false;
        throw new Error('crash');
      },
    });
    await makeOwnedRun(store, 'r1');
    // Of what has been appended to before, stores take a shorter way.
    await store.append(request('r1', [scheduled(0)]));
    armed = true;
    await expect(store.append(request('r1', [scheduled(1)], { afterSeq: 2 }))).rejects.toThrow('crash');
    expect(await store.readEvents('r1')).toHaveLength(written ? 3 : 2);
    expect(await store.append(request('r1', [scheduled(1)], { afterSeq: written ? 3 : 2 }))).toMatchObject({
      ok: true,
    });
  });

  test.each([
    ['of another owner', { fence: 2 }, { reason: 'fenced', owner: 'worker-1', fence: 1 }],
    ['of who has not read all', { afterSeq: 1 }, { reason: 'conflict', lastSeq: 2 }],
    ['of who has read more than there is', { afterSeq: 3 }, { reason: 'conflict', lastSeq: 2 }],
  ] as const)('a lone request %s is refused, and the next one is not', async (_who, more, refusal) => {
    const { store } = context;
    await makeOwnedRun(store, 'r1');
    await store.append(request('r1', [scheduled(0)]));
    expect(await store.append(request('r1', [scheduled(1)], { afterSeq: 2, ...more }))).toEqual({
      ok: false,
      ...refusal,
    });
    expect(await store.append(request('r1', [scheduled(1)], { afterSeq: 2 }))).toEqual({ ok: true, lastSeq: 3 });
    expect(await store.append(request('r1', [completed(0)], { afterSeq: 3 }))).toEqual({ ok: true, lastSeq: 4 });
  });

  test('a flush commits what was handed in, together', async () => {
    const points: CrashPoint[] = [];
    const store = await context.openFresh({ crashPoint: (point) => points.push(point) });
    if (store.flush === undefined) return;
    await makeOwnedRun(store, 'r1');
    await makeOwnedRun(store, 'r2');
    points.length = 0;
    const appends = [store.append(request('r1', [scheduled(0)])), store.append(request('r2', [scheduled(0)]))];
    store.flush();
    expect(await Promise.all(appends)).toEqual([
      { ok: true, lastSeq: 2 },
      { ok: true, lastSeq: 2 },
    ]);
    expect(points).toEqual(['before-begin', 'before-commit', 'after-commit']);
    // Nothing waits: nothing to do.
    store.flush();
    expect(points).toHaveLength(3);
  });

  test('a lone request is refused for the same reasons as one of many', async () => {
    const { store } = context;
    await makeOwnedRun(store, 'r1');
    expect(await store.append(request('r1', [scheduled(0), scheduled(1)]))).toEqual({ ok: true, lastSeq: 3 });
    expect(await store.append(request('r1', [scheduled(2)], { afterSeq: 3, fence: 7 }))).toEqual({
      ok: false,
      reason: 'fenced',
      owner: 'worker-1',
      fence: 1,
    });
    expect(await store.append(request('r1', [scheduled(2)], { afterSeq: 2 }))).toEqual({
      ok: false,
      reason: 'conflict',
      lastSeq: 3,
    });
    expect(await store.append(request('r1', [scheduled(2)], { afterSeq: 4 }))).toMatchObject({ reason: 'conflict' });
    expect(await store.append(request('r1', [completed(0), scheduled(2)], { afterSeq: 3 }))).toMatchObject({
      lastSeq: 5,
    });
    expect(await store.append(request('r1', [completed(1)], { afterSeq: 5, consume: [999] }))).toEqual({
      ok: false,
      reason: 'consumed',
    });
    expect(await store.append(request('nobody', [scheduled(0)]))).toEqual({ ok: false, reason: 'unknown-run' });
    expect((await store.readEvents('r1')).map((event) => event.type)).toEqual([
      'run_created',
      'step_scheduled',
      'step_scheduled',
      'step_completed',
      'step_scheduled',
    ]);
  });

  test('a lone request that another process was faster than is refused, and says where the log is', async () => {
    const { store } = context;
    const other = await context.openAgain();
    if (other === null) return;
    await makeOwnedRun(store, 'r1');
    await store.append(request('r1', [scheduled(0), scheduled(1)]));
    expect(await other.append(request('r1', [completed(0)], { afterSeq: 3 }))).toEqual({ ok: true, lastSeq: 4 });
    for (const events of [[completed(1)], [completed(1), scheduled(2)], [completed(1), scheduled(2), scheduled(3)]]) {
      expect(await store.append(request('r1', events, { afterSeq: 3 }))).toEqual({
        ok: false,
        reason: 'conflict',
        lastSeq: 4,
      });
    }
    expect(await store.append(request('r1', [completed(1), scheduled(2)], { afterSeq: 4 }))).toMatchObject({
      lastSeq: 6,
    });
  });
}
