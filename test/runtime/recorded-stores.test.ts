/**
 * Stores that earlier versions of the tables held, with runs in flight: opened, they are brought up to date, and the runs go on.
 *
 * `fixtures/stores/sqlite-N.db` was written by the pawl whose tables had version N, which ran `WORKFLOWS` and was killed; it is never
 * written anew. PostgreSQL had the same runs in its own tables: they are made at their old version from the same files.
 */
import { copyFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { createVirtualClock } from '../../src/runtime/clock.ts';
import { historyOf } from '../../src/runtime/history.ts';
import { replayHistory } from '../../src/runtime/replay.ts';
import { openStore } from '../../src/store/index.ts';
import type { EventStore } from '../../src/store/port.ts';
import { migrate, SCHEMA_VERSION as POSTGRES_VERSION } from '../../src/store/postgres/migrations.ts';
import { loadSqlite } from '../../src/store/sqlite/driver.ts';
import { SCHEMA_VERSION as SQLITE_VERSION } from '../../src/store/sqlite/migrations.ts';
import { postgresUrl } from '../store/support/postgres.ts';
import { temporaryDirectory } from '../store/support/temporary.ts';
import { ROOT } from '../support/dist.ts';
import { closeAll, program, settle, setup } from './support.ts';

afterEach(closeAll);

/** What the recorded runs run; their code is in the stores. Only `fresh` had not begun: it begins on this. */
const WORKFLOWS = `const s = step('s');
  workflow('sleeps', async () => { const a = await s('before'); await sleep('1h'); return [a, await s('after'), Math.random()]; });
  workflow('asks', async () => { const hook = createHook({ token: 'asks', metadata: { n: 3 } }); const got = []; for await (const payload of hook) { got.push(await s(payload)); if (got.length === 3) break; } hook.dispose(); return got; });
  workflow('retries', async () => step('flaky')());
  workflow('runs', async () => [await step('interrupted')('x'), Date.now()]);
  workflow('ended', async () => s('ended'));
  workflow('fails', async () => { throw new TypeError('as it should'); });
  workflow('lacks', async () => [await s('first'), await step('late')()]);
  workflow('stops', async () => { try { await sleep('10h'); } catch (error) { return [error.name, await s('tidy')]; } });
  workflow('fresh', async (n) => s(n));
  workflow('calls', async () => [await child('sleeps', []), await s('called')]);`;

const STEPS = {
  s: async (text: unknown) => `${String(text)}!`,
  flaky: async () => 'at last',
  interrupted: async (text: string) => `${text} again`,
  late: async () => 'deployed',
};

/** What each run comes to; `calls` is in stores whose version knows runs that runs call. */
const RESULTS: Record<string, unknown> = {
  sleeps: ['before!', 'after!', expect.any(Number)],
  asks: ['one!', 'two!', 'three!'],
  retries: 'at last',
  runs: ['x again', expect.any(Number)],
  ended: 'ended!',
  lacks: ['first!', 'deployed'],
  stops: ['CancelledError', 'tidy!'],
  fresh: '7!',
  calls: [['before!', 'after!', expect.any(Number)], 'called!'],
};

const folder = join(ROOT, 'fixtures/stores');
const recorded = readdirSync(folder).map((name) => Number(/^sqlite-(\d+)\.db$/.exec(name)?.[1]));

async function goOn(store: EventStore): Promise<void> {
  onTestFinished(() => store.close());
  const before = new Map<string, unknown[]>();
  for (const { id } of (await store.listRuns()).runs) before.set(id, await store.readEvents(id));
  expect(before.size).toBeGreaterThanOrEqual(9);
  const clock = createVirtualClock(Date.UTC(2026, 0, 1));
  const { worker } = await setup(program({ workflows: WORKFLOWS, steps: STEPS }), { store, clock });
  await worker.resumeHook('asks', 'three');
  let open = [...before.keys()];
  while (open.length > 0) {
    await settle(5);
    const runs = await Promise.all(open.map((id) => store.getRun(id)));
    open = open.filter((_, index) => runs[index]?.finishedAt === null);
    const next = clock.next();
    if (next !== null) clock.advanceTo(next);
  }
  for (const [id, events] of before) {
    const run = await store.getRun(id);
    const log = await store.readEvents(id);
    // What was recorded stands as it was.
    expect(log.slice(0, events.length)).toEqual(events);
    if (id === 'fails') expect(run).toMatchObject({ status: 'failed' });
    else {
      expect(run, id).toMatchObject({ status: 'completed' });
      const result = worker.codec.parse(run?.output as string);
      expect(result, id).toEqual(RESULTS[run?.workflowId as string]);
    }
    const hash = run?.bundleHash as string;
    const bundle = await store.getBundle(hash);
    expect(await replayHistory(historyOf(id, log), { hash, code: bundle?.code as string, map: null })).toBeNull();
  }
  // It is a store like any other.
  expect(await store.readInbox({ owner: worker.owner })).toEqual([]);
  const { runId } = await (await import('../../src/runtime/client.ts')).start('calls', []);
  await settle();
  expect((await store.getRun(runId))?.status).toBe('running');
}

test('there is a file of each version of the tables but the newest ones, which no pawl of before had', () => {
  expect(recorded.toSorted()).toEqual([1, 2, 3, 4, 5]);
  expect(SQLITE_VERSION).toBeGreaterThan(5);
});

describe.each(recorded)('SQLite, version %i of the tables', (version) => {
  test('its runs in flight go on', async () => {
    const file = join(temporaryDirectory(), 'pawl.db');
    copyFileSync(join(folder, `sqlite-${version}.db`), file);
    await goOn(await openStore(`sqlite:${file}`));
    const Database = await loadSqlite();
    const db = new Database(file);
    expect(db.prepare('PRAGMA user_version').get()).toEqual({ user_version: SQLITE_VERSION });
    db.close();
  });
});

const BOOLEANS = new Set(['woken', 'cancel_requested']);

/** Tables of an older version of PostgreSQL's, with the rows of a recorded file. */
async function makeOld(url: string, schema: string, version: number, file: string): Promise<void> {
  const Database = await loadSqlite();
  const db = new Database(file);
  const client = new pg.Client(url.replace(/[?&]schema=\w+/, ''));
  await client.connect();
  try {
    await migrate(client, schema, version);
    for (const table of ['bundles', 'runs', 'events', 'hooks', 'inbox']) {
      const { rows: columns } = await client.query<{ name: string }>(
        `SELECT column_name AS name FROM information_schema.columns
         WHERE table_schema = $1 AND table_name = $2 AND is_generated = 'NEVER' ORDER BY ordinal_position`,
        [schema, table],
      );
      const names = columns.map(({ name }) => name);
      const rows = db.prepare(`SELECT ${names.join(', ')} FROM ${table}`).all() as Record<string, unknown>[];
      for (const row of rows) {
        const values = names.map((name) => (BOOLEANS.has(name) ? row[name] === 1 : row[name]));
        const marks = names.map((_, index) => `$${index + 1}`).join(', ');
        await client.query(
          `INSERT INTO "${schema}".${table} (${names.join(', ')}) OVERRIDING SYSTEM VALUE VALUES (${marks})`,
          values.map((value) => (value instanceof Uint8Array ? Buffer.from(value) : value)),
        );
      }
    }
    for (const [table, column] of [
      ['runs', 'no'],
      ['inbox', 'id'],
    ]) {
      await client.query(
        `SELECT setval(pg_get_serial_sequence('"${schema}".${table}', '${column}'), (SELECT max(${column}) FROM "${schema}".${table}))`,
      );
    }
  } finally {
    await client.end();
    db.close();
  }
}

// Its tables began with what version 2 of SQLite's held.
describe.each([1, 2, 3])('PostgreSQL, version %i of the tables', (version) => {
  test('its runs in flight go on', async () => {
    const url = postgresUrl();
    const schema = /schema=(\w+)/.exec(url)?.[1] as string;
    const file = join(temporaryDirectory(), 'recorded.db');
    copyFileSync(join(folder, `sqlite-${version + 1}.db`), file);
    await makeOld(url, schema, version, file);
    await goOn(await openStore(url));
    expect(POSTGRES_VERSION).toBeGreaterThan(version);
  });
});
