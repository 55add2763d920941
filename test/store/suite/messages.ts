import { expect, test } from 'vitest';
import type { InboxMessage } from '../../../src/store/port.ts';
import type { Context } from '../suite.ts';
import { append, finished, hook, makeOwnedRun, makeRun, OWNER, request } from '../support/make.ts';

export function messageTests(context: Context): void {
  const claimAll = async (now: number) =>
    (await context.store.claim({ owner: OWNER, now, limit: 100 })).map((run) => run.id);

  const payloads = (messages: InboxMessage[]) =>
    messages.map((message) => {
      if (message.kind === 'hook') return message.payload;
      if (message.kind === 'upgrade') return message.bundleHash;
      if (message.kind === 'wake') return message.cids.join(' ');
      return message.kind === 'cancel' ? message.reason : message.data;
    });

  test('a hook can be looked up, disposed, and its token used again', async () => {
    const { store } = context;
    await makeOwnedRun(store, 'r1');
    expect(await store.getHook('t')).toBeNull();
    await append(store, 'r1', [hook(3, 't')]);
    expect(await store.getHook('t')).toEqual({
      token: 't',
      runId: 'r1',
      cid: 3,
      metadata: '"about"',
      createdAt: 110,
      disposedAt: null,
    });
    await append(store, 'r1', [{ type: 'hook_disposed', at: 140, cid: 3 }]);
    expect(await store.getHook('t')).toMatchObject({ runId: 'r1', disposedAt: 140 });
    await makeOwnedRun(store, 'r2');
    await append(store, 'r2', [hook(0, 't')]);
    expect(await store.getHook('t')).toMatchObject({ runId: 'r2', cid: 0, disposedAt: null });
  });

  test('a token can be freed and taken in one request', async () => {
    const { store } = context;
    await makeOwnedRun(store, 'r1');
    await append(store, 'r1', [hook(0, 't')]);
    await append(store, 'r1', [{ type: 'hook_disposed', at: 140, cid: 0 }, hook(1, 't')]);
    expect(await store.getHook('t')).toMatchObject({ cid: 1, disposedAt: null });
  });

  test('payloads wait in order until the owner takes them over', async () => {
    const { store } = context;
    await makeOwnedRun(store, 'r1');
    await append(store, 'r1', [hook(0, 'a'), hook(1, 'b')], { wakeAt: null });
    const sent = await Promise.all([
      store.deliverHook('a', '1', 150),
      store.deliverHook('b', '2', 150),
      store.deliverHook('a', null, 151),
    ]);
    expect(sent).toMatchObject([
      { ok: true, runId: 'r1', cid: 0 },
      { ok: true, cid: 1 },
      { ok: true, cid: 0 },
    ]);
    const messages = await store.readInbox({ owner: OWNER });
    expect(payloads(messages)).toEqual(['1', '2', null]);
    expect(messages[0]).toEqual({
      id: messages[0]?.id,
      runId: 'r1',
      kind: 'hook',
      at: 150,
      cid: 0,
      token: 'a',
      payload: '1',
    });
    expect(await store.readInbox({ runId: 'r1' })).toEqual(messages);
    expect(await store.readInbox({ runId: 'r2' })).toEqual([]);
    expect(await store.readInbox({ owner: 'other' })).toEqual([]);
    expect(payloads(await store.readInbox({ owner: OWNER }, messages[1]?.id))).toEqual([null]);

    const consume = messages.slice(0, 2).map((message) => message.id);
    await append(store, 'r1', [{ type: 'hook_received', at: 160, cid: 0, data: '1' }], { consume });
    expect(payloads(await store.readInbox({ owner: OWNER }))).toEqual([null]);
  });

  test('message ids are never used again', async () => {
    const { store } = context;
    await makeOwnedRun(store, 'r1');
    await append(store, 'r1', [hook(0, 'a')]);
    let last = 0;
    for (let round = 0; round < 3; round++) {
      await store.deliverHook('a', 'x', 150);
      const [message] = await store.readInbox({ runId: 'r1' }, last);
      expect(message?.id).toBeGreaterThan(last);
      last = message?.id ?? 0;
      await append(store, 'r1', [], { consume: [last] });
    }
  });

  test('a message is taken over once', async () => {
    const { store } = context;
    await makeOwnedRun(store, 'r1');
    await makeOwnedRun(store, 'r2');
    await append(store, 'r1', [hook(0, 'a')]);
    await store.deliverHook('a', '1', 150);
    const consume = (await store.readInbox({ runId: 'r1' })).map((message) => message.id);
    const refused = { ok: false, reason: 'consumed' };
    expect(await store.append(request('r2', [], { consume }))).toEqual(refused);
    expect(await store.append(request('r1', [], { afterSeq: 2, consume: [...consume, 999] }))).toEqual(refused);
    expect(await store.readInbox({ runId: 'r1' })).toHaveLength(1);
    await append(store, 'r1', [], { consume });
    expect(await store.append(request('r1', [], { afterSeq: 2, consume }))).toEqual(refused);
  });

  test('a payload wakes a run that nobody owns', async () => {
    const { store } = context;
    await makeOwnedRun(store, 'r1');
    await append(store, 'r1', [hook(0, 'a')], { wakeAt: null });
    await store.release('r1', 1);
    expect(await claimAll(200)).toEqual([]);
    await store.deliverHook('a', '1', 150);
    expect(await claimAll(200)).toEqual(['r1']);
    expect(payloads(await store.readInbox({ owner: OWNER }))).toEqual(['1']);
  });

  test('an owner that lies down over an unread message leaves the run due', async () => {
    const { store } = context;
    await makeOwnedRun(store, 'r1');
    await append(store, 'r1', [hook(0, 'a')]);
    await store.deliverHook('a', '1', 150);
    await append(store, 'r1', [], { wakeAt: null });
    await store.release('r1', 1);
    expect(await claimAll(200)).toEqual(['r1']);
    const consume = (await store.readInbox({ runId: 'r1' })).map((message) => message.id);
    await append(store, 'r1', [], { consume, wakeAt: null });
    await store.release('r1', 2);
    expect(await claimAll(200)).toEqual([]);
  });

  test('messages leave wakeAt alone: once they are taken over, the run waits as before', async () => {
    const { store } = context;
    await makeOwnedRun(store, 'r1');
    await append(store, 'r1', [hook(0, 'a')], { wakeAt: 5_000 });
    await store.deliverHook('a', '1', 150);
    await store.requestCancel('r1', { at: 151 });
    expect(await store.getRun('r1')).toMatchObject({ wakeAt: 5_000 });
    const consume = (await store.readInbox({ runId: 'r1' })).map((message) => message.id);
    await append(store, 'r1', [], { consume: consume.slice(0, 1) });
    await store.release('r1', 1);
    expect(await claimAll(200)).toEqual(['r1']);
    await append(store, 'r1', [], { consume: consume.slice(1) });
    await store.release('r1', 2);
    expect(await claimAll(200)).toEqual([]);
    expect(await store.nextWakeAt()).toBe(5_000);
    expect(await claimAll(5_000)).toEqual(['r1']);
  });

  test('a run that is unparked finds the payloads that came meanwhile', async () => {
    const { store } = context;
    await makeOwnedRun(store, 'r1');
    await append(store, 'r1', [hook(0, 'a')]);
    await append(store, 'r1', [{ type: 'run_parked', at: 120, meta: { code: 'C', message: 'm' } }]);
    await store.deliverHook('a', '1', 150);
    await store.claimRun('r1', { owner: OWNER, now: 200 });
    await append(store, 'r1', [{ type: 'run_unparked', at: 210 }], { wakeAt: null });
    await store.release('r1', 2);
    expect(await claimAll(200)).toEqual(['r1']);
  });

  test('a run can be made to wait for a message from the start', async () => {
    const { store } = context;
    await store.registerOwner(OWNER, 10_000);
    const base = { workflowId: 'w', seed: 's', bundleHash: null, input: null, at: 100 };
    await store.createRun({ ...base, id: 'r1', owner: OWNER, events: [hook(0, 'a')], wakeAt: null });
    await store.release('r1', 1);
    expect(await claimAll(10_000)).toEqual([]);
    await store.deliverHook('a', '1', 150);
    expect(await claimAll(200)).toEqual(['r1']);
  });

  test('a run does not end over an unread message', async () => {
    const { store } = context;
    await makeOwnedRun(store, 'r1');
    await append(store, 'r1', [hook(0, 'a')]);
    await store.deliverHook('a', '1', 150);
    const messages = await store.readInbox({ runId: 'r1' });
    expect(await store.append(request('r1', [finished()], { afterSeq: 2 }))).toEqual({
      ok: false,
      reason: 'unread',
      messages,
    });
    const consume = messages.map((message) => message.id);
    await append(store, 'r1', [{ type: 'hook_received', at: 151, cid: 0, data: '1' }, finished()], { consume });
    expect(await store.getRun('r1')).toMatchObject({ status: 'completed', lastSeq: 4 });
  });

  test('tokens that take no payloads say why', async () => {
    const { store } = context;
    expect(await store.deliverHook('t', '1', 150)).toEqual({ ok: false, reason: 'unknown-token' });
    await makeOwnedRun(store, 'r1');
    await append(store, 'r1', [hook(0, 't'), hook(1, 'u')]);
    await append(store, 'r1', [{ type: 'hook_disposed', at: 140, cid: 0 }]);
    expect(await store.deliverHook('t', '1', 150)).toEqual({
      ok: false,
      reason: 'disposed',
      runId: 'r1',
      status: 'running',
    });
    await append(store, 'r1', [finished(170)]);
    expect(await store.deliverHook('u', '1', 180)).toEqual({
      ok: false,
      reason: 'disposed',
      runId: 'r1',
      status: 'completed',
    });
    expect(await store.getHook('u')).toMatchObject({ disposedAt: 170 });
    expect(await store.readInbox({ runId: 'r1' })).toEqual([]);
  });

  test('a cancellation reaches the owner, once', async () => {
    const { store } = context;
    await makeOwnedRun(store, 'r1');
    const asked = await store.requestCancel('r1', { at: 150, reason: 'changed my mind' });
    expect(asked).toEqual({ ok: true, messageId: expect.any(Number) });
    expect(await store.requestCancel('r1', { at: 151 })).toEqual({ ok: true, messageId: null });
    expect(await store.getRun('r1')).toMatchObject({ cancelRequested: true, status: 'running' });
    const messages = await store.readInbox({ owner: OWNER });
    expect(messages).toEqual([
      { id: messages[0]?.id, runId: 'r1', kind: 'cancel', at: 150, reason: 'changed my mind' },
    ]);
  });

  test('a cancellation wakes runs that wait, are parked or lie in the future', async () => {
    const { store } = context;
    await makeOwnedRun(store, 'waits');
    await append(store, 'waits', [], { wakeAt: null });
    await store.release('waits', 1);
    await makeRun(store, 'future', { wakeAt: 9_000 });
    await makeOwnedRun(store, 'parked');
    await append(store, 'parked', [{ type: 'run_parked', at: 120, meta: { code: 'C', message: 'm' } }]);
    for (const id of ['waits', 'future', 'parked']) await store.requestCancel(id, { at: 150 });
    expect((await claimAll(200)).sort()).toEqual(['future', 'parked', 'waits']);
  });

  test('a run that is parked over an unread cancellation stays due; over a payload it does not', async () => {
    const { store } = context;
    const parked = { type: 'run_parked', at: 120, meta: { code: 'C', message: 'm' } } as const;
    await makeOwnedRun(store, 'r1');
    await makeOwnedRun(store, 'r2');
    await store.requestCancel('r1', { at: 150 });
    await append(store, 'r2', [hook(0, 'a')]);
    await store.deliverHook('a', '1', 150);
    await append(store, 'r1', [parked]);
    await append(store, 'r2', [parked]);
    expect(await claimAll(200)).toEqual(['r1']);
    await store.deliverHook('a', '2', 150);
    expect(await claimAll(200)).toEqual([]);
    expect(payloads(await store.readInbox({ runId: 'r2' }))).toEqual(['1', '2']);
  });

  test('a request to move a run to other code reaches its owner, and wakes a run that waits, but no parked one', async () => {
    const { store } = context;
    const request = { at: 150.5, bundleHash: 'sha256-b' };
    await makeOwnedRun(store, 'r1');
    expect(await store.requestUpgrade('r1', request)).toEqual({ ok: true, messageId: expect.any(Number) });
    const messages = await store.readInbox({ owner: OWNER });
    expect(messages).toEqual([{ id: messages[0]?.id, runId: 'r1', kind: 'upgrade', at: 150, bundleHash: 'sha256-b' }]);
    const upgraded = { type: 'run_upgraded', at: 160, meta: { bundleHash: 'sha256-b', from: null } } as const;
    await append(store, 'r1', [upgraded], { consume: messages.map(({ id }) => id) });
    expect(await store.getRun('r1')).toMatchObject({ bundleHash: 'sha256-b' });
    expect(await store.readInbox({ runId: 'r1' })).toEqual([]);
    await makeOwnedRun(store, 'waits');
    await append(store, 'waits', [], { wakeAt: null });
    await store.release('waits', 1);
    await makeOwnedRun(store, 'parked');
    await append(store, 'parked', [{ type: 'run_parked', at: 120, meta: { code: 'C', message: 'm' } }]);
    for (const id of ['waits', 'parked']) await store.requestUpgrade(id, request);
    expect(await claimAll(200)).toEqual(['waits']);
    await append(store, 'r1', [finished()]);
    expect(await store.requestUpgrade('r1', request)).toEqual({ ok: false, reason: 'finished', status: 'completed' });
    expect(await store.requestUpgrade('nope', request)).toEqual({ ok: false, reason: 'unknown-run' });
  });

  test('runs that are over or unknown cannot be cancelled', async () => {
    const { store } = context;
    expect(await store.requestCancel('nope', { at: 1 })).toEqual({ ok: false, reason: 'unknown-run' });
    await makeOwnedRun(store, 'r1');
    await append(store, 'r1', [finished()]);
    expect(await store.requestCancel('r1', { at: 150 })).toEqual({
      ok: false,
      reason: 'finished',
      status: 'completed',
    });
  });
}
