/**
 * Faults of the disk: SQLite's statements are made to fail as they fail on a real one. Nothing that was acknowledged is lost,
 * nothing that was refused is there, and the store works on once the fault is gone.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { RunEvent } from '../../src/store/events.ts';
import { StoreError } from '../../src/store/errors.ts';
import { openStore } from '../../src/store/open.ts';
import type { SqliteStatement } from '../../src/store/sqlite/driver.ts';
import { append, makeOwnedRun, request, scheduled } from './support/make.ts';
import { temporaryDirectory } from './support/temporary.ts';

const faults = vi.hoisted(() => ({
  /** The code with which the next run of a statement that starts like this fails. */
  armed: null as { sql: string; errcode: number; times: number } | null,
  maxPages: 0,
}));

vi.mock('../../src/store/sqlite/driver.ts', async (original) => {
  const driver = await original<typeof import('../../src/store/sqlite/driver.ts')>();
  const DatabaseSync = await driver.loadSqlite();
  class FaultyDatabase extends DatabaseSync {
    constructor(path: string) {
      super(path);
      if (faults.maxPages > 0) this.exec(`PRAGMA max_page_count = ${faults.maxPages}`);
    }

    override prepare(sql: string): SqliteStatement {
      const statement = super.prepare(sql);
      return {
        get: (...values) => statement.get(...values),
        all: (...values) => statement.all(...values),
        run: (...values) => {
          const { armed } = faults;
          if (armed === null || armed.times === 0 || !sql.trimStart().startsWith(armed.sql))
            return statement.run(...values);
          armed.times -= 1;
          throw Object.assign(new Error('injected'), { code: 'ERR_SQLITE_ERROR', errcode: armed.errcode });
        },
      };
    }
  }
  return { ...driver, loadSqlite: async () => FaultyDatabase };
});

beforeEach(() => {
  faults.armed = null;
  faults.maxPages = 0;
});

const freshUrl = () => `sqlite:${join(temporaryDirectory(), 'pawl.db')}`;

test('a full disk: what was acknowledged stays, and the store goes on once there is room', async () => {
  const url = freshUrl();
  faults.maxPages = 60;
  const store = await openStore(url);
  await makeOwnedRun(store, 'r1');
  let seq = 1;
  let refused: unknown;
  while (refused === undefined) {
    const event = { type: 'step_scheduled', at: 1, cid: seq, name: 's', data: `${seq} ${'x'.repeat(3_000)}` } as const;
    await store.append(request('r1', [event], { afterSeq: seq })).then(
      () => {
        seq += 1;
      },
      (error) => {
        refused = error;
      },
    );
  }
  expect(refused).toMatchObject({ code: 'PAWL_STORE_FULL', remedy: expect.stringContaining('Make room') });
  expect(seq).toBeGreaterThan(10);
  expect(await store.readEvents('r1')).toHaveLength(seq);
  await store.close();

  faults.maxPages = 0;
  const roomy = await openStore(url);
  expect(await roomy.readEvents('r1')).toHaveLength(seq);
  expect(await append(roomy, 'r1', [scheduled(seq)])).toBe(seq + 1);
  await roomy.close();
});

describe('a commit that fails', () => {
  test.each([
    ['full', 13, 'PAWL_STORE_FULL'],
    ['sync failed', 1034, 'PAWL_STORE_IO'],
    ['read-only', 8, 'PAWL_STORE_READONLY'],
    ['damaged', 11, 'PAWL_STORE_CORRUPT'],
  ])('(%s) rejects its whole group, and the next one goes through', async (_, errcode, code) => {
    const store = await openStore(freshUrl());
    await makeOwnedRun(store, 'r1');
    await makeOwnedRun(store, 'r2');
    faults.armed = { sql: 'COMMIT', errcode, times: 1 };
    const results = await Promise.allSettled(['r1', 'r2'].map((id) => store.append(request(id, [scheduled(0)]))));
    for (const result of results) expect(result).toMatchObject({ status: 'rejected', reason: { code } });
    for (const id of ['r1', 'r2']) expect(await append(store, id, [scheduled(0)])).toBe(2);
    await store.close();
  });

  test('does not wait for a lock that it has', async () => {
    const store = await openStore(freshUrl());
    await makeOwnedRun(store, 'r1');
    faults.armed = { sql: 'INSERT INTO events', errcode: 13, times: 1 };
    const results = await Promise.allSettled([
      store.append(request('r1', [scheduled(0)])),
      store.append(request('r1', [scheduled(1)], { afterSeq: 2 })),
    ]);
    // The group failed in its first job; done one by one, both go through.
    expect(results).toMatchObject([{ value: { ok: true, lastSeq: 2 } }, { value: { ok: true, lastSeq: 3 } }]);
    await store.close();
  });
});

test('a lock that comes between the jobs of a failed group keeps their order', async () => {
  const store = await openStore(freshUrl());
  await makeOwnedRun(store, 'r1');
  faults.armed = { sql: 'INSERT INTO events', errcode: 13, times: 1 };
  const pending = [1, 2, 3].map((seq) => store.append(request('r1', [scheduled(seq)], { afterSeq: seq })));
  setImmediate(() => {
    faults.armed = { sql: 'BEGIN IMMEDIATE', errcode: 5, times: 2 };
  });
  expect(await Promise.all(pending)).toEqual([2, 3, 4].map((lastSeq) => ({ ok: true, lastSeq })));
  await store.close();
});

test('a lock that a lone write has waited for is no lock for the next one', async () => {
  const store = await openStore(freshUrl());
  await makeOwnedRun(store, 'r1');
  // First the single statement, then the transaction that is tried in its place.
  faults.armed = { sql: '', errcode: 5, times: 2 };
  expect(await store.append(request('r1', [scheduled(0)]))).toEqual({ ok: true, lastSeq: 2 });
  expect(faults.armed.times).toBe(0);
  expect(await store.append(request('r1', [scheduled(1)], { afterSeq: 2 }))).toEqual({ ok: true, lastSeq: 3 });
  await store.close();
});

test('a damaged file is noticed: no value that was not written is ever read', { timeout: 60_000 }, async () => {
  const file = join(temporaryDirectory(), 'pawl.db');
  const url = `sqlite:${file}`;
  const store = await openStore(url);
  for (const id of ['r1', 'r2', 'r3']) {
    await makeOwnedRun(store, id);
    await append(
      store,
      id,
      Array.from({ length: 40 }, (_, cid) => scheduled(cid)),
    );
  }
  const truth = new Map<string, RunEvent[]>();
  for (const id of ['r1', 'r2', 'r3']) truth.set(id, await store.readEvents(id));
  await store.close();
  const sound = readFileSync(file);

  let noticed = 0;
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: sound.length - 1 }), fc.integer({ min: 1, max: 255 }), async (offset, flip) => {
      const damaged = Buffer.from(sound);
      damaged[offset] = (damaged[offset] ?? 0) ^ flip;
      writeFileSync(file, damaged);
      try {
        const reopened = await openStore(url);
        try {
          for (const [id, events] of truth) {
            const read = await reopened.readEvents(id);
            for (const event of read) expect(event).toEqual(events[event.seq - 1]);
            // Nothing but the whole log is read, up to where it ends.
            expect(read).toHaveLength((await reopened.getRun(id))?.lastSeq ?? 0);
          }
          await reopened.listRuns();
        } finally {
          await reopened.close();
        }
      } catch (error) {
        if (!(error instanceof StoreError)) throw error;
        expect(error.code).toMatch(/PAWL_STORE_(CORRUPT|FOREIGN|NEWER|READONLY|OPEN)/);
        noticed += 1;
      }
    }),
    { numRuns: 300 },
  );
  expect(noticed).toBeGreaterThan(0);
});
