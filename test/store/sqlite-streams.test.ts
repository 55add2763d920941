/** Chunks in a damaged file: what is not as it was written is not handed out. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openStore } from '../../src/store/open.ts';
import { loadSqlite } from '../../src/store/sqlite/driver.ts';
import { makeOwnedRun } from './support/make.ts';
import { temporaryDirectory } from './support/temporary.ts';

const Database = await loadSqlite();

test.each([
  ['a flipped bit in bytes', "UPDATE chunks SET bytes = x'0103' WHERE bytes IS NOT NULL", 1],
  ['a value for another', 'UPDATE chunks SET value = \'1["other"]\' WHERE id & 3 = 2', 2],
  ['chunks in each other’s place', 'UPDATE chunks SET value = (SELECT value FROM chunks WHERE id & 3 = 2)', 0],
  ['a chunk that is gone', 'DELETE FROM chunks WHERE id & 3 = 2', 2],
  ['all that is gone', 'DELETE FROM chunks', 0],
])('%s is noticed', async (_, damage, index) => {
  const file = join(temporaryDirectory(), 'pawl.db');
  const store = await openStore(`sqlite:${file}`);
  await makeOwnedRun(store, 'r1');
  const writer = { runId: 'r1', fence: 1, by: 'r1 1' };
  const chunks = ['1["a"]', new Uint8Array([1, 2]), '1["b"]'];
  await store.appendChunks({ runId: 'r1', stream: 's', writer, chunks });
  const db = new Database(file);
  db.exec(damage);
  db.close();
  await expect(store.readChunks('r1', 's')).rejects.toMatchObject({
    code: 'PAWL_STORE_CORRUPT',
    place: expect.stringContaining(`run r1, stream s, chunk ${index}`),
  });
  await store.close();
});
