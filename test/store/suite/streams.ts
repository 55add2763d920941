import { describe, expect, test, vi } from 'vitest';
import type { AppendChunksRequest, Chunk, EventStore, StoreChange } from '../../../src/store/port.ts';
import type { Context } from '../suite.ts';
import { append, child, finished, LEASE, makeOwnedRun, makeRun, OWNER } from '../support/make.ts';

/** Chunks of the first owner of a run, unless told otherwise. */
const chunks = (runId: string, written: Chunk[], more: Partial<AppendChunksRequest> = {}): AppendChunksRequest => ({
  runId,
  stream: 's',
  writer: { runId, fence: 1, by: `${runId} 1` },
  chunks: written,
  ...more,
});

/** All of a stream, page by page. */
async function readAll(store: EventStore, runId: string, stream = 's', limit?: number): Promise<Chunk[]> {
  const all: Chunk[] = [];
  for (;;) {
    const page = await store.readChunks(runId, stream, { from: all.length, limit });
    if (page === null) throw new Error('no such run');
    expect(page.from).toBe(all.length);
    all.push(...page.chunks);
    if (all.length >= page.count) return all;
  }
}

export function streamTests(context: Context): void {
  describe('streams', () => {
    test('chunks come back as they were written, in order, from any index', async () => {
      const { store } = context;
      await makeOwnedRun(store, 'r1');
      const written: Chunk[] = ['1["ä€😀"]', new Uint8Array([0, 255, 128, 10]), '', new Uint8Array(0), '1[5]'];
      expect(await store.appendChunks(chunks('r1', written.slice(0, 2)))).toEqual({ ok: true, count: 2 });
      expect(await store.appendChunks(chunks('r1', written.slice(2)))).toEqual({ ok: true, count: 5 });
      const page = await store.readChunks('r1', 's');
      expect(page).toEqual({ from: 0, chunks: written, count: 5, ended: false });
      expect(await readAll(store, 'r1', 's', 2)).toEqual(written);
      expect(await store.readChunks('r1', 's', { from: 3, limit: 1 })).toMatchObject({ from: 3, chunks: [written[3]] });
      expect(await store.readChunks('r1', 's', { from: 5 })).toEqual({ from: 5, chunks: [], count: 5, ended: false });
      expect(await store.readChunks('r1', 's', { from: 9 })).toMatchObject({ from: 9, chunks: [] });
      expect(await store.readChunks('r1', 's', { from: -2 })).toMatchObject({ from: 3, chunks: written.slice(3) });
      expect(await store.readChunks('r1', 's', { from: -9 })).toMatchObject({ from: 0, chunks: written });
      expect(await store.readEvents('r1')).toHaveLength(1);
    });

    test('somebody who does not have the run writes to its streams while it is registered', async () => {
      const { store } = context;
      await makeOwnedRun(store, 'r1');
      await store.registerOwner('client', 10_000);
      const writer = { runId: 'r1', owner: 'client', by: 'client' };
      expect(await store.appendChunks(chunks('r1', ['a'], { writer }))).toEqual({ ok: true, count: 1 });
      expect(await store.appendChunks(chunks('r1', [], { writer: { ...writer, owner: 'other' } }))).toEqual({
        ok: false,
        reason: 'fenced',
      });
      expect(await store.isAlive('client')).toBe(true);
      await store.removeOwner('client');
      expect(await store.isAlive('client')).toBe(false);
      expect(await store.appendChunks(chunks('r1', ['b'], { writer }))).toEqual({ ok: false, reason: 'fenced' });
    });

    test('an owner whose lease is over is declared dead by who asks: it writes and owns nothing more', async () => {
      const { store } = context;
      await makeOwnedRun(store, 'r1');
      expect(await store.isAlive(OWNER)).toBe(true);
      context.tick(LEASE);
      expect(await store.isAlive(OWNER)).toBe(false);
      expect(await store.getRun('r1')).toMatchObject({ owner: null });
      expect(await store.renewOwner(OWNER, LEASE)).toBe(false);
      const writer = { runId: 'r1', owner: OWNER, by: OWNER };
      expect(await store.appendChunks(chunks('r1', ['b'], { writer }))).toEqual({ ok: false, reason: 'fenced' });
    });

    test('a page holds no more bytes than was asked for, but one chunk in any case', async () => {
      const { store } = context;
      await makeOwnedRun(store, 'r1');
      const written = [3, 4, 5, 100, 1].map((length) => 'x'.repeat(length));
      await store.appendChunks(chunks('r1', written));
      const sizes = async (from: number, bytes: number): Promise<number[] | undefined> =>
        (await store.readChunks('r1', 's', { from, bytes }))?.chunks.map((chunk) => chunk.length);
      expect(await sizes(0, 7)).toEqual([3, 4]);
      expect(await sizes(0, 8)).toEqual([3, 4, 5]);
      expect(await sizes(3, 10)).toEqual([100]);
      expect(await sizes(4, 0)).toEqual([1]);
    });

    test('streams are apart, and listed by name', async () => {
      const { store } = context;
      for (const id of ['r1', 'r2']) await makeOwnedRun(store, id);
      await store.appendChunks(chunks('r1', ['aa'], { stream: 'b' }));
      await store.appendChunks(chunks('r1', [new Uint8Array(3)], { stream: 'A', close: true }));
      await store.appendChunks(chunks('r2', ['r2'], { stream: 'b' }));
      await store.appendChunks(chunks('r1', [], { stream: 'untouched' }));
      expect(await store.listStreams('r1')).toEqual([
        { name: 'A', chunks: 1, size: 3, closed: true },
        { name: 'b', chunks: 1, size: 2, closed: false },
      ]);
      expect(await readAll(store, 'r2', 'b')).toEqual(['r2']);
      expect(await store.listStreams('nobody')).toEqual([]);
      expect(await store.readChunks('nobody', 's')).toBeNull();
      expect(await store.readChunks('r1', 'never')).toEqual({ from: 0, chunks: [], count: 0, ended: false });
    });

    test('what is closed stays closed, and knows who closed it', async () => {
      const { store } = context;
      await makeOwnedRun(store, 'r1');
      const last = await store.appendChunks(chunks('r1', ['a', 'b'], { close: true }));
      expect(last).toEqual({ ok: true, count: 2 });
      expect(await store.appendChunks(chunks('r1', ['c']))).toEqual({ ok: false, reason: 'closed', by: 'r1 1' });
      const again = await store.appendChunks(chunks('r1', [], { close: true }));
      expect(again).toEqual({ ok: false, reason: 'closed', by: 'r1 1' });
      expect(await store.readChunks('r1', 's')).toEqual({ from: 0, chunks: ['a', 'b'], count: 2, ended: true });
      expect(await store.appendChunks(chunks('r1', [], { stream: 'empty', close: true }))).toMatchObject({ ok: true });
      expect(await store.readChunks('r1', 'empty')).toEqual({ from: 0, chunks: [], count: 0, ended: true });
    });

    test('only the owner of the run writes: one that lost it is refused', async () => {
      const { store } = context;
      await makeOwnedRun(store, 'r1');
      await store.appendChunks(chunks('r1', ['a']));
      await store.release('r1', 1);
      expect(await store.appendChunks(chunks('r1', ['zombie']))).toEqual({ ok: false, reason: 'fenced' });
      await store.registerOwner('worker-2', LEASE);
      const claimed = await store.claimRun('r1', { owner: 'worker-2', now: 200 });
      if (!claimed.ok) throw new Error(claimed.reason);
      expect(await store.appendChunks(chunks('r1', ['zombie']))).toEqual({ ok: false, reason: 'fenced' });
      const writer = { runId: 'r1', fence: claimed.run.fence, by: 'r1 1' };
      expect(await store.appendChunks(chunks('r1', ['b'], { writer }))).toEqual({ ok: true, count: 2 });
      expect(await readAll(store, 'r1')).toEqual(['a', 'b']);
      const stranger = { runId: 'nobody', fence: 1, by: '' };
      expect(await store.appendChunks(chunks('r1', ['c'], { writer: stranger }))).toEqual({
        ok: false,
        reason: 'unknown-run',
      });
      expect(await store.appendChunks(chunks('nobody', ['c']))).toEqual({ ok: false, reason: 'unknown-run' });
    });

    test('streams end with their run', async () => {
      const { store } = context;
      await makeOwnedRun(store, 'r1');
      await store.appendChunks(chunks('r1', ['a']));
      await append(store, 'r1', [finished()]);
      expect(await store.readChunks('r1', 's')).toEqual({ from: 0, chunks: ['a'], count: 1, ended: true });
      expect(await store.readChunks('r1', 'never')).toMatchObject({ ended: true });
      expect(await store.appendChunks(chunks('r1', ['b']))).toEqual({
        ok: false,
        reason: 'finished',
        status: 'completed',
      });
    });

    test('a run writes to the stream of another, by its own fence', async () => {
      const { store } = context;
      await makeOwnedRun(store, 'r1');
      await append(store, 'r1', [child(1, 'r1.1')]);
      const writer = { runId: 'r1.1', fence: 1, by: 'r1.1 1' };
      expect(await store.appendChunks(chunks('r1', ['x'], { writer }))).toEqual({ ok: false, reason: 'fenced' });
      await store.claimRun('r1.1', { owner: OWNER, now: 200 });
      expect(await store.appendChunks(chunks('r1', ['x'], { writer }))).toEqual({ ok: true, count: 1 });
      expect(await store.appendChunks(chunks('r1', ['y']))).toEqual({ ok: true, count: 2 });
      await append(store, 'r1', [finished()]);
      expect(await store.appendChunks(chunks('r1', ['z'], { writer }))).toMatchObject({ reason: 'finished' });
      expect(await readAll(store, 'r1')).toEqual(['x', 'y']);
    });

    test('requests of one turn keep their order; a faulty one stands alone', async () => {
      const { store } = context;
      await makeOwnedRun(store, 'r1');
      const results = await Promise.allSettled([
        store.appendChunks(chunks('r1', ['a'])),
        store.appendChunks(chunks('r1', ['nul \0'])),
        store.appendChunks(chunks('r1', ['b'], { close: true })),
        store.appendChunks(chunks('r1', ['c'])),
      ]);
      expect(results).toEqual([
        { status: 'fulfilled', value: { ok: true, count: 1 } },
        { status: 'rejected', reason: expect.objectContaining({ code: 'PAWL_STORE_MISUSE' }) },
        { status: 'fulfilled', value: { ok: true, count: 2 } },
        { status: 'fulfilled', value: { ok: false, reason: 'closed', by: 'r1 1' } },
      ]);
      expect(await readAll(store, 'r1')).toEqual(['a', 'b']);
    });

    test('listeners hear of chunks, also in another store object', async () => {
      const { store } = context;
      await makeOwnedRun(store, 'r1');
      const changes: StoreChange[] = [];
      store.subscribe((change) => changes.push(change));
      await store.appendChunks(chunks('r1', ['a']));
      await store.appendChunks(chunks('r1', []));
      expect(changes.filter(({ kind }) => kind !== 'external')).toEqual([{ kind: 'chunks', runId: 'r1', stream: 's' }]);
      const again = context.openAgain();
      if (again === null) return;
      const other = await again;
      const heard = vi.fn<(change: StoreChange) => void>();
      const stop = other.subscribe(heard);
      await vi.waitFor(async () => {
        await store.appendChunks(chunks('r1', ['b']));
        expect(heard).toHaveBeenCalledWith({ kind: 'external' });
      });
      stop();
      expect((await readAll(other, 'r1')).slice(0, 2)).toEqual(['a', 'b']);
    });

    test('a chunk of megabytes is kept as it is', async () => {
      const { store } = context;
      await makeRun(store, 'other');
      await makeOwnedRun(store, 'r1');
      const large = Buffer.alloc(3 << 20, '0123456');
      await store.appendChunks(chunks('r1', [large, '1["after"]']));
      const first = await store.readChunks('r1', 's');
      expect(first?.chunks).toHaveLength(1);
      expect(large.equals(first?.chunks[0] as Uint8Array)).toBe(true);
      expect((await store.readChunks('r1', 's', { from: 1 }))?.chunks).toEqual(['1["after"]']);
    });
  });
}
