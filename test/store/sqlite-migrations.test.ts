/** A store that an older pawl wrote is brought up to date when it is opened, and nothing in it is lost. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { RunEvent } from '../../src/store/events.ts';
import { openStore } from '../../src/store/open.ts';
import { Connection } from '../../src/store/sqlite/connection.ts';
import { loadSqlite } from '../../src/store/sqlite/driver.ts';
import { MAX_SEQ, migrate } from '../../src/store/sqlite/migrations.ts';
import { append, completed, finished, makeOwnedRun, makeRun, request, scheduled } from './support/make.ts';
import { temporaryDirectory } from './support/temporary.ts';

const Database = await loadSqlite();

test('version 1 kept events under two columns, and results in an index', async () => {
  const directory = temporaryDirectory();
  const url = (name: string) => `sqlite:${join(directory, name)}`;
  const expected = new Map<string, RunEvent[]>();
  const recent = await openStore(url('recent.db'));
  for (const id of ['r1', 'r2', 'r3']) {
    await makeOwnedRun(recent, id);
    const steps = Array.from({ length: 40 }, (_, cid) => [scheduled(cid), completed(cid)]).flat();
    await append(recent, id, id === 'r2' ? [...steps, finished()] : steps);
    expected.set(id, await recent.readEvents(id));
  }
  await recent.close();

  const old = new Database(join(directory, 'old.db'));
  migrate(new Connection(old, 'old.db', 0), 1);
  old.exec(`ATTACH '${join(directory, 'recent.db')}' AS recent;
    INSERT INTO owners SELECT name, host, boot, space, pid, started, lease_until FROM recent.owners;
    INSERT INTO runs (no, id, workflow_id, status, bundle_hash, seed, created_at, started_at, finished_at, wake_at, woken, owner, fence, parked, cancel_requested)
      SELECT no, id, workflow_id, status, bundle_hash, seed, created_at, started_at, finished_at, wake_at, woken, owner, fence, parked, cancel_requested FROM recent.runs;
    INSERT INTO events (run, seq, type, at, cid, name, attempt, data, meta, sum)
      SELECT run, seq, type, at, cid, name, attempt, data, meta, sum FROM recent.events;`);
  old.close();

  const store = await openStore(url('old.db'));
  for (const [id, events] of expected) expect(await store.readEvents(id)).toEqual(events);
  expect(await store.getRun('r2')).toMatchObject({ status: 'completed', lastSeq: 82, output: '"done"' });
  expect(await append(store, 'r1', [scheduled(40)])).toBe(82);
  expect(await makeRun(store, 'r4')).toMatchObject({ id: 'r4' });
  expect(await store.readEvents('r4')).toHaveLength(1);
  await store.close();
});

test('a run with as many events as a store can number is told so, and stays as it is', async () => {
  const file = join(temporaryDirectory(), 'pawl.db');
  const store = await openStore(`sqlite:${file}`);
  await makeOwnedRun(store, 'r1');
  await makeOwnedRun(store, 'r2');
  const db = new Database(file);
  db.exec(
    `INSERT INTO events (id, type, at, sum) SELECT (no << 24) | ${MAX_SEQ}, 'run_unparked', 1, 0 FROM runs WHERE id = 'r1'`,
  );
  db.close();
  for (const events of [[scheduled(0)], [scheduled(0), scheduled(1), scheduled(2)]]) {
    await expect(store.append(request('r1', events, { afterSeq: MAX_SEQ }))).rejects.toMatchObject({
      code: 'PAWL_STORE_RUN_TOO_LONG',
      message: expect.stringContaining('16777215 events'),
      place: 'run r1',
    });
  }
  expect(await append(store, 'r2', [scheduled(0)])).toBe(2);
  expect(await store.readEvents('r2')).toHaveLength(2);
  await store.close();
});
