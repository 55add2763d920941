/** A newer pawl changes the tables while this one has the store open. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openStore } from '../../src/store/open.ts';
import { loadSqlite } from '../../src/store/sqlite/driver.ts';
import { makeOwnedRun, request, scheduled } from './support/make.ts';
import { temporaryDirectory } from './support/temporary.ts';

const CHANGES = {
  'a table that has another name': 'ALTER TABLE events RENAME TO events_2',
  'a column that is gone': 'DROP INDEX runs_due; DROP INDEX runs_parked; ALTER TABLE runs DROP COLUMN cancel_requested',
  'a column that must be written': 'ALTER TABLE events ADD COLUMN shard INTEGER NOT NULL CHECK (shard > 0) DEFAULT 0',
};

async function openAndChange(sql: string) {
  const path = join(temporaryDirectory(), 'pawl.db');
  const store = await openStore(`sqlite:${path}`);
  await makeOwnedRun(store, 'r1');
  const Database = await loadSqlite();
  const other = new Database(path);
  other.exec(`PRAGMA ignore_check_constraints = ON; ${sql}`);
  other.close();
  return store;
}

test.each(Object.entries(CHANGES))('%s: the store is newer, not damaged', async (_, sql) => {
  const store = await openAndChange(`${sql}; PRAGMA user_version = 99`);
  const newer = {
    code: 'PAWL_STORE_NEWER',
    message: expect.stringMatching(/^The store has schema version 99; this pawl knows versions up to \d+\.$/),
    remedy: expect.stringMatching(/^Update pawl .* Nothing is damaged/),
  };
  await expect(store.append(request('r1', [scheduled(1)]))).rejects.toMatchObject(newer);
  await store.close();
});

test('tables that somebody else changed are damaged', async () => {
  const store = await openAndChange(CHANGES['a table that has another name']);
  await expect(store.readEvents('r1')).rejects.toMatchObject({ code: 'PAWL_STORE_CORRUPT' });
  await expect(store.append(request('r1', [scheduled(1)]))).rejects.toMatchObject({ code: 'PAWL_STORE_CORRUPT' });
  await store.close();
});
