import { describe, expect, test } from 'vitest';
import type { NewRunEvent } from '../../../src/store/events.ts';
import type { Context } from '../suite.ts';
import {
  append,
  completed,
  finished,
  hook,
  makeOwnedRun,
  makeRun,
  OWNER,
  request,
  scheduled,
} from '../support/make.ts';

/** One event of every type, as it is written. */
const EVERY_EVENT: NewRunEvent[] = [
  { type: 'bundle_bound', at: 1, meta: { bundleHash: 'sha256-y' } },
  { type: 'bundle_bound', at: 1, data: '["parsed"]', meta: { bundleHash: 'sha256-x' } },
  { type: 'step_scheduled', at: 2, cid: 0, name: 'src/a.ts#charge', data: '[1]' },
  { type: 'step_attempt_failed', at: 3, cid: 0, attempt: 1, data: '"e"', meta: { retryAt: 10, startedAt: 2 } },
  { type: 'step_started', at: 4, cid: 0, attempt: 2, meta: { reason: 'retry' } },
  { type: 'step_completed', at: 5, cid: 0, attempt: 2, data: '"ok"', meta: { startedAt: 4 } },
  { type: 'step_scheduled', at: 5, cid: 1, name: 'src/a.ts#ship' },
  { type: 'step_started', at: 6, cid: 1, attempt: 2, meta: { reason: 'recovered' } },
  { type: 'step_failed', at: 7, cid: 1, attempt: 2, data: '"fatal"' },
  { type: 'sleep_scheduled', at: 8, cid: 2, meta: { until: 100 } },
  { type: 'sleep_completed', at: 100, cid: 2, meta: { woken: true } },
  { type: 'hook_created', at: 101, cid: 3, name: 'token', data: '"meta"' },
  { type: 'hook_conflicted', at: 102, cid: 4, name: 'other', meta: { runId: 'r9' } },
  { type: 'hook_received', at: 103, cid: 3, data: '"payload"' },
  { type: 'hook_disposed', at: 104, cid: 3 },
  { type: 'cancel_requested', at: 105, meta: { reason: 'why not' } },
  { type: 'run_parked', at: 106, meta: { code: 'PAWL_X', message: 'm', details: { step: 's' } } },
];

export function appendTests(context: Context): void {
  test('every event comes back as it was written', async () => {
    const { store } = context;
    await makeOwnedRun(store, 'r1');
    expect(await append(store, 'r1', EVERY_EVENT)).toBe(EVERY_EVENT.length + 1);
    const blank = { cid: null, name: null, attempt: null, data: null, meta: null };
    expect(await store.readEvents('r1', { afterSeq: 1 })).toEqual(
      EVERY_EVENT.map((event, index) => ({ ...blank, ...event, seq: index + 2 })),
    );
    expect(await store.getRun('r1')).toMatchObject({
      status: 'parked',
      bundleHash: 'sha256-x',
      cancelRequested: true,
      parkedReason: { code: 'PAWL_X', message: 'm', details: { step: 's' } },
    });
  });

  test.each([
    [finished(), { status: 'completed', output: '"done"', error: null }],
    [{ type: 'run_failed', at: 130, data: '"boom"' } as const, { status: 'failed', output: null, error: '"boom"' }],
    [{ type: 'run_cancelled', at: 130, data: null } as const, { status: 'cancelled', output: null, error: null }],
  ])('%o ends the run', async (event, expected) => {
    const { store } = context;
    await makeOwnedRun(store, 'r1');
    await append(store, 'r1', [event], { wakeAt: 500 });
    expect(await store.getRun('r1')).toMatchObject({
      ...expected,
      finishedAt: 130,
      owner: null,
      wakeAt: null,
      lastSeq: 2,
    });
    const later = await store.append(request('r1', [scheduled(0)], { afterSeq: 2 }));
    expect(later).toMatchObject({ ok: false, reason: 'finished', status: expected.status });
  });

  test('nothing follows the end, not even in one request', async () => {
    const { store } = context;
    await makeOwnedRun(store, 'r1');
    await expect(store.append(request('r1', [finished(), scheduled(0)]))).rejects.toMatchObject({
      code: 'PAWL_STORE_MISUSE',
    });
    expect(await store.readEvents('r1')).toHaveLength(1);
  });

  test('what could not be read is not written', async () => {
    const { store } = context;
    await makeOwnedRun(store, 'r1');
    const step = { type: 'step_completed', at: 1, cid: 0, attempt: 1, data: '1' };
    const bad: [event: object, problem: string][] = [
      [{ type: 'sleep_scheduled', at: 1, cid: 0, meta: { until: 'soon' } }, 'meta.until'],
      [{ type: 'step_dreamt', at: 1 }, 'type: '],
      [scheduled(0, 110.5), 'at: '],
      [scheduled(-1), 'cid: '],
      [{ ...scheduled(0), name: undefined }, 'name: '],
      [{ ...scheduled(0), attempt: 1 }, 'attempt: '],
      [{ ...scheduled(0), meta: {} }, 'meta: '],
      [{ ...scheduled(0), data: 1 }, 'data: '],
      [{ ...step, attempt: undefined }, 'attempt: '],
      [{ ...step, cid: 1.5 }, 'cid: '],
      [{ ...step, name: 'x' }, 'name: '],
      [{ ...step, meta: {} }, 'meta.startedAt'],
      [{ ...step, meta: { startedAt: Number.NaN } }, 'meta.startedAt'],
    ];
    for (const [event, problem] of bad) {
      await expect(store.append(request('r1', [scheduled(0), event as NewRunEvent]))).rejects.toMatchObject({
        code: 'PAWL_STORE_MISUSE',
        message: expect.stringContaining(problem),
      });
    }
    expect(await store.readEvents('r1')).toHaveLength(1);
  });

  test('large values come back whole, among small ones', async () => {
    const { store } = context;
    await makeOwnedRun(store, 'r1');
    const sizes = [0, 1, 16_383, 16_384, 16_385, 3, 5_000_000, 2];
    const events = sizes.map(
      (size, cid): NewRunEvent => ({ ...scheduled(cid), data: 'é'.repeat(size) }) as NewRunEvent,
    );
    await append(store, 'r1', events);
    const read = await store.readEvents('r1', { afterSeq: 1 });
    expect(read.map((event) => event.data === 'é'.repeat(event.data?.length ?? 0))).toEqual(sizes.map(() => true));
    expect(read.map((event) => event.data?.length)).toEqual(sizes);
  });

  test('a parked run goes on after it was claimed and unparked', async () => {
    const { store } = context;
    await makeOwnedRun(store, 'r1');
    await append(store, 'r1', [{ type: 'run_parked', at: 120, meta: { code: 'C', message: 'm' } }]);
    expect(await store.getRun('r1')).toMatchObject({ status: 'parked', owner: null, wakeAt: null });
    expect(await store.claim({ owner: OWNER, now: 1_000_000, limit: 10 })).toEqual([]);

    const claimed = await store.claimRun('r1', { owner: OWNER, now: 200 });
    expect(claimed).toMatchObject({ ok: true, run: { status: 'parked', fence: 2 } });
    await append(store, 'r1', [{ type: 'run_unparked', at: 210 }]);
    expect(await store.getRun('r1')).toMatchObject({ status: 'running', parkedReason: null, owner: OWNER });
  });

  describe('refuses, and writes nothing,', () => {
    async function expectRefused(more: Parameters<typeof request>[2], events: NewRunEvent[], refusal: object) {
      const { store } = context;
      const before = await store.getRun('r1');
      expect(await store.append(request('r1', events, more))).toEqual({ ok: false, ...refusal });
      expect(await store.getRun('r1')).toEqual(before);
      expect(await store.readEvents('r1')).toHaveLength(before?.lastSeq ?? 0);
    }

    test('a run that is not there', async () => {
      await expectRefused({}, [scheduled(0)], { reason: 'unknown-run' });
    });

    test('a stale fence', async () => {
      const { store } = context;
      await makeOwnedRun(store, 'r1');
      await store.registerOwner('worker-2', 10);
      await store.release('r1', 1);
      await store.claimRun('r1', { owner: 'worker-2', now: 200 });
      await expectRefused({}, [scheduled(0)], { reason: 'fenced', owner: 'worker-2', fence: 2 });
    });

    test('a run that was given back', async () => {
      const { store } = context;
      await makeOwnedRun(store, 'r1');
      await store.release('r1', 1);
      await expectRefused({}, [scheduled(0)], { reason: 'fenced', owner: null, fence: 1 });
    });

    test('a run that nobody claimed', async () => {
      await makeRun(context.store, 'r1');
      await expectRefused({ fence: 0 }, [scheduled(0)], { reason: 'fenced', owner: null, fence: 0 });
    });

    test('a number that is taken, and one that leaves a gap', async () => {
      const { store } = context;
      await makeOwnedRun(store, 'r1');
      await append(store, 'r1', [scheduled(0), scheduled(1)]);
      await expectRefused({ afterSeq: 1 }, [completed(0)], { reason: 'conflict', lastSeq: 3 });
      await expectRefused({ afterSeq: 4 }, [completed(0)], { reason: 'conflict', lastSeq: 3 });
    });

    test('a hook token in use, by another run or its own', async () => {
      const { store } = context;
      await makeOwnedRun(store, 'r1');
      await makeOwnedRun(store, 'r2');
      await append(store, 'r2', [hook(0, 'token')]);
      await expectRefused({}, [scheduled(0), hook(1, 'token')], {
        reason: 'hook-conflict',
        token: 'token',
        ownerRunId: 'r2',
      });
      await expectRefused({}, [hook(1, 'twice'), hook(2, 'twice')], {
        reason: 'hook-conflict',
        token: 'twice',
        ownerRunId: 'r1',
      });
    });
  });

  test('the same command of two runs is not the same command', async () => {
    const { store } = context;
    for (const id of ['r1', 'r2']) {
      await makeOwnedRun(store, id);
      await append(store, id, [scheduled(0), completed(0)]);
    }
    expect(await store.readEvents('r2')).toHaveLength(3);
  });

  test('wakeAt can be set without events, and is left alone without being named', async () => {
    const { store } = context;
    await makeOwnedRun(store, 'r1');
    await append(store, 'r1', [], { wakeAt: 500.2 });
    expect(await store.getRun('r1')).toMatchObject({ wakeAt: 501, lastSeq: 1 });
    await append(store, 'r1', [scheduled(0)]);
    expect(await store.getRun('r1')).toMatchObject({ wakeAt: 501, lastSeq: 2 });
    await append(store, 'r1', [], { wakeAt: null });
    expect(await store.getRun('r1')).toMatchObject({ wakeAt: null });
  });

  test('what was written is there for the next one who opens the place', async () => {
    const again = context.openAgain();
    if (again === null) return;
    const { store } = context;
    const other = await again;
    await makeOwnedRun(store, 'r1');
    await append(store, 'r1', [scheduled(0)]);
    expect(await other.getRun('r1')).toEqual(await store.getRun('r1'));
    await append(other, 'r1', [completed(0)]);
    expect(await store.readEvents('r1')).toHaveLength(3);
  });
}
