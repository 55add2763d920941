/** Several processes on one SQLite file. */
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { openStore } from '../../src/store/open.ts';
import type { EventStore, StoreChange } from '../../src/store/port.ts';
import { makeRun } from './support/make.ts';
import { spawnChild } from './support/spawn.ts';
import { temporaryDirectory } from './support/temporary.ts';

let opened: EventStore[] = [];

async function open(url: string): Promise<EventStore> {
  const store = await openStore(url, { watchInterval: 1 });
  opened.push(store);
  return store;
}

const freshUrl = () => `sqlite:${join(temporaryDirectory(), 'pawl.db')}`;

afterEach(async () => {
  await Promise.all(opened.map((store) => store.close()));
  opened = [];
});

test('processes that write at the same time all get through', { timeout: 60_000 }, async () => {
  const url = freshUrl();
  const names = ['p1', 'p2', 'p3'];
  const children = names.map((name) => spawnChild('contend', url, name));
  for (const child of children) expect(await child.ended).toEqual({ code: 0, signal: null, errors: '' });
  const store = await open(url);
  for (const name of names) expect(await store.readEvents(name)).toHaveLength(201);
});

test('runs of a killed process are taken over at once, those of a living one are not', async () => {
  const url = freshUrl();
  const store = await open(url);
  await makeRun(store, 'r1');
  await makeRun(store, 'r2');
  const child = spawnChild('hold', url, 'holder');
  await child.printed(1);
  expect(child.lines).toEqual(['holding 2']);
  await store.registerOwner('me', 60_000);
  expect(await store.claim({ owner: 'me', now: 1_000, limit: 10 })).toEqual([]);
  expect(await store.claimRun('r1', { owner: 'me', now: 1_000 })).toMatchObject({ ok: false, owner: 'holder' });

  child.process.kill('SIGKILL');
  await child.ended;
  expect(await store.claimRun('r1', { owner: 'me', now: 1_000 })).toMatchObject({ ok: true, run: { fence: 2 } });
  expect(await store.claim({ owner: 'me', now: 1_000, limit: 10 })).toMatchObject([{ id: 'r2', fence: 2 }]);
});

test('what another process commits is heard', async () => {
  const url = freshUrl();
  const store = await open(url);
  await makeRun(store, 'r1');
  const changes: StoreChange[] = [];
  const stop = store.subscribe((change) => changes.push(change));
  const child = spawnChild('hold', url, 'holder');
  await vi.waitFor(() => expect(changes).toContainEqual({ kind: 'external' }), { timeout: 10_000 });
  stop();
  child.process.kill('SIGKILL');
  await child.ended;
});

test('processes that open a new store at the same time make it once', async () => {
  const url = freshUrl();
  const children = Array.from({ length: 4 }, (_, index) => spawnChild('try', url, `p${index}`));
  await Promise.all(children.map((child) => child.ended));
  for (const child of children) expect(child.lines).toEqual(['fine']);
  const store = await open(url);
  expect(await store.listRuns()).toEqual({ runs: [], next: null });
});
