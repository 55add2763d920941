/** What `openStore` says of a PostgreSQL that it cannot use: each part of the URL that may be wrong, and what stands there already. */
import pg from 'pg';
import { expect, test } from 'vitest';
import { StoreError } from '../../src/store/errors.ts';
import { openStore } from '../../src/store/open.ts';
import { makeOwnedRun, makeRun, request, scheduled } from './support/make.ts';
import { postgresUrl } from './support/postgres.ts';

const base = (): string => process.env.PAWL_TEST_POSTGRES ?? '';

async function refusal(url: string, create = true): Promise<StoreError> {
  const error = await openStore(url, { create }).then(
    () => new Error('it opened'),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(StoreError);
  const { message, remedy, place } = error as StoreError;
  expect(message).toMatch(/^['A-Z].*\.$/);
  expect(remedy).toMatch(/^[A-Z].*\./);
  expect(JSON.stringify({ message, remedy, place })).not.toMatch(/secret|alice/);
  return error as StoreError;
}

async function sql(text: string): Promise<void> {
  const client = new pg.Client(base());
  await client.connect();
  await client.query(text).finally(() => client.end());
}

test.each([
  ['postgres://alice:secret@host.invalid/db', 'PAWL_STORE_CONNECTION', /has no address/],
  ['postgres://alice:secret@127.0.0.1:1/db', 'PAWL_STORE_CONNECTION', /Nobody listens/],
  ['postgres://alice:secret@127.0.0.1:65536/db', 'PAWL_STORE_URL', /cannot be read/],
  ['postgres://alice:sec%ret@[::g]/db', 'PAWL_STORE_URL', /cannot be read/],
  ['postgresql://alice:secret@localhost/db?schema=My%20Runs', 'PAWL_STORE_URL', /no name for a schema/],
  ['postgres://alice:secret@localhost/db?schema=a"b', 'PAWL_STORE_URL', /no name for a schema/],
])('%s', async (url, code, message) => {
  expect(await refusal(url)).toMatchObject({ code, message: expect.stringMatching(message) });
});

test('a database and a user that are not there', async () => {
  const database = base().replace('postgres:///postgres', 'postgres:///no_such_database');
  expect(await refusal(database)).toMatchObject({ code: 'PAWL_STORE_MISSING' });
  const user = base().replace('user=postgres', 'user=alice_secret');
  expect(await refusal(user)).toMatchObject({ code: 'PAWL_STORE_LOGIN' });
});

test('who only looks makes no tables', async () => {
  const url = postgresUrl();
  expect(await refusal(url, false)).toMatchObject({
    code: 'PAWL_STORE_MISSING',
    message: expect.stringMatching(/no schema/),
  });
  const store = await openStore(url);
  await makeRun(store, 'r1');
  await store.close();
  const again = await openStore(url, { create: false });
  expect(await again.getRun('r1')).toMatchObject({ id: 'r1' });
  await again.close();
});

test('a schema of another program, and one of a newer pawl, are left alone', async () => {
  const foreign = postgresUrl();
  const schema = new URL(foreign).searchParams.get('schema');
  await sql(`CREATE SCHEMA "${schema}"; CREATE TABLE "${schema}".customers (id int)`);
  expect(await refusal(foreign)).toMatchObject({ code: 'PAWL_STORE_FOREIGN' });

  const newer = postgresUrl();
  await (await openStore(newer)).close();
  await sql(`UPDATE "${new URL(newer).searchParams.get('schema')}".pawl_version SET version = 999`);
  expect(await refusal(newer)).toMatchObject({ code: 'PAWL_STORE_NEWER', message: expect.stringContaining('999') });
});

test('many that start at once make the tables once', async () => {
  const url = postgresUrl();
  const stores = await Promise.all(Array.from({ length: 8 }, () => openStore(url)));
  await Promise.all(stores.map((store, index) => makeRun(store, `r${index}`)));
  expect((await stores[0]?.listRuns())?.runs).toHaveLength(8);
  await Promise.all(stores.map((store) => store.close()));
});

test('when its connections are cut off, reads go through, and the write after the one that failed', async () => {
  const url = postgresUrl();
  const store = await openStore(url);
  await makeRun(store, 'r1');
  // Of this store alone: other tests work on the same server.
  const own = `application_name = 'pawl ${new URL(url).searchParams.get('schema')}'`;
  const cut = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE ${own}`;
  for (let time = 0; time < 5; time++) {
    await sql(cut);
    expect(await Promise.all(['r1', 'r1', 'r1'].map((id) => store.getRun(id)))).toMatchObject([
      { id: 'r1' },
      { id: 'r1' },
      { id: 'r1' },
    ]);
  }
  await sql(cut);
  await makeRun(store, 'r2').catch(() => null);
  await makeRun(store, 'r2');
  expect(await store.getRun('r2')).toMatchObject({ id: 'r2' });
  await store.close();
});

test('a step whose connection is cut off is told so, and what follows finds another', async () => {
  const url = postgresUrl();
  const store = await openStore(url);
  const own = `application_name = 'pawl ${new URL(url).searchParams.get('schema')}'`;
  await makeOwnedRun(store, 'r1');
  for (let cid = 0; cid < 3; cid++)
    expect(await store.append(request('r1', [scheduled(cid)], { afterSeq: cid + 1 }))).toMatchObject({ ok: true });
  await sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE ${own}`);
  const next = request('r1', [scheduled(3)], { afterSeq: 4 });
  // Whether the news of the cut or the statement comes first is up to the network.
  const first = await store.append(next).catch((error: { code: string }) => error.code);
  expect([{ ok: true, lastSeq: 5 }, 'PAWL_STORE_CONNECTION']).toContainEqual(first);
  if (typeof first === 'string') expect(await store.append(next)).toEqual({ ok: true, lastSeq: 5 });
  expect(await store.readEvents('r1')).toHaveLength(5);
  // Those who ask for the end are not left waiting by what was lost.
  await store.close();
});
