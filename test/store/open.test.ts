/** What `openStore` refuses, and how it says so: the code, the place, the remedy, and nothing touched. */
import { chmodSync, copyFileSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { StoreError } from '../../src/store/errors.ts';
import { openStore } from '../../src/store/open.ts';
import type { EventStore, StoreOptions } from '../../src/store/port.ts';
import { Connection } from '../../src/store/sqlite/connection.ts';
import { loadSqlite } from '../../src/store/sqlite/driver.ts';
import { APPLICATION_ID } from '../../src/store/sqlite/migrations.ts';
import { makeRun } from './support/make.ts';
import { spawnChild } from './support/spawn.ts';
import { temporaryDirectory } from './support/temporary.ts';

/** The library that the store uses: locks of two SQLite libraries in one process do not see each other. */
const DatabaseSync = await loadSqlite();

let opened: EventStore[] = [];

async function open(url: string, options?: StoreOptions): Promise<EventStore> {
  const store = await openStore(url, options);
  opened.push(store);
  return store;
}

afterEach(async () => {
  await Promise.all(opened.map((store) => store.close()));
  opened = [];
});

async function refusal(url: string, options?: StoreOptions): Promise<StoreError> {
  const error = await open(url, options).then(
    () => new Error('it opened'),
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(StoreError);
  const { message, remedy, place } = error as StoreError;
  expect(message).toMatch(/^['A-Z].*\.$/);
  expect(remedy).toMatch(/^[A-Z].*/);
  expect(place).toBeTruthy();
  return error as StoreError;
}

describe('URLs', () => {
  test.each([
    ['mysql://host', 'PAWL_STORE_UNSUPPORTED', /'mysql:'/],
    ['./runs.db', 'PAWL_STORE_URL', /by a path/],
    ['C:\\runs.db', 'PAWL_STORE_URL', /by a path/],
    ['', 'PAWL_STORE_URL', /by a path/],
    ['sqlite:', 'PAWL_STORE_URL', /names no file/],
    ['sqlite:x.db?sync=off', 'PAWL_STORE_URL', /'sync'/],
    ['sqlite:x.db?durability=none', 'PAWL_STORE_URL', /'none'/],
  ])('%j is refused', async (url, code, message) => {
    const error = await refusal(url || ' ').catch(() => refusal(url));
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
    expect(error.place).not.toContain('secret');
  });

  test('a scheme is read in any case, and slashes are allowed', async () => {
    const path = join(temporaryDirectory(), 'pawl.db');
    await makeRun(await open(`SQLite:${path}`), 'r1');
    expect(await (await open(`sqlite://${path}?durability=full`)).getRun('r1')).toMatchObject({ id: 'r1' });
  });

  test('a weaker durability is a named option', async () => {
    const store = await open(`sqlite:${join(temporaryDirectory(), 'pawl.db')}?durability=normal`);
    expect(await makeRun(store, 'r1')).toMatchObject({ id: 'r1' });
  });
});

describe('places', () => {
  test('missing directories are made', async () => {
    const path = join(temporaryDirectory(), 'a', 'b', 'pawl.db');
    await open(`sqlite:${path}`);
    expect(existsSync(path)).toBe(true);
  });

  test('a missing store is made only if that is wanted', async () => {
    const directory = temporaryDirectory();
    const error = await refusal(`sqlite:${join(directory, 'a', 'pawl.db')}`, { create: false });
    expect(error.code).toBe('PAWL_STORE_MISSING');
    expect(readdirSync(directory)).toEqual([]);
  });

  test('a closed store is one file, with everything in it', async () => {
    const file = join(temporaryDirectory(), 'pawl.db');
    const store = await openStore(`sqlite:${file}`);
    await makeRun(store, 'r1');
    await store.close();
    expect(statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0).toBe(0);
    const copy = join(temporaryDirectory(), 'copy.db');
    copyFileSync(file, copy);
    expect(await (await open(`sqlite:${copy}`)).getRun('r1')).toMatchObject({ id: 'r1' });
  });

  test('a directory is no store', async () => {
    const directory = temporaryDirectory();
    expect(await refusal(`sqlite:${directory}`)).toMatchObject({ code: 'PAWL_STORE_DIRECTORY', place: directory });
  });

  test('a file is no directory', async () => {
    const file = join(temporaryDirectory(), 'file');
    writeFileSync(file, 'x');
    expect((await refusal(`sqlite:${join(file, 'pawl.db')}`)).code).toBe('PAWL_STORE_OPEN');
  });

  test('a file of another kind is left alone', async () => {
    const file = join(temporaryDirectory(), 'notes.txt');
    const text = 'Dear diary, today I was nearly taken for a database.\n'.repeat(100);
    writeFileSync(file, text);
    expect(await refusal(`sqlite:${file}`)).toMatchObject({ code: 'PAWL_STORE_CORRUPT', place: file });
    expect(readFileSync(file, 'utf8')).toBe(text);
  });

  test.each([
    ['that names itself', 'PRAGMA application_id = 1234'],
    ['that has tables', 'CREATE TABLE users (id)'],
    ['that has a version', 'PRAGMA user_version = 1'],
  ])('a database of another program %s is left alone', async (_, sql) => {
    const file = join(temporaryDirectory(), 'other.db');
    const other = new DatabaseSync(file);
    other.exec(sql);
    other.close();
    const before = readFileSync(file);
    expect(await refusal(`sqlite:${file}`)).toMatchObject({ code: 'PAWL_STORE_FOREIGN', place: file });
    expect(readFileSync(file)).toEqual(before);
    expect(readdirSync(join(file, '..'))).toEqual(['other.db']);
  });

  test('an empty file becomes a store', async () => {
    const file = join(temporaryDirectory(), 'pawl.db');
    writeFileSync(file, '');
    expect(await makeRun(await open(`sqlite:${file}`), 'r1')).toMatchObject({ id: 'r1' });
  });

  test('a store of a newer pawl is left alone', async () => {
    const file = join(temporaryDirectory(), 'pawl.db');
    await (await openStore(`sqlite:${file}`)).close();
    const newer = new DatabaseSync(file);
    newer.exec('PRAGMA user_version = 999');
    newer.close();
    const error = await refusal(`sqlite:${file}`);
    expect(error.code).toBe('PAWL_STORE_NEWER');
    expect(error.message).toContain('999');
  });

  test('a read-only store, and one in a read-only directory, says so', async () => {
    const directory = temporaryDirectory();
    const file = join(directory, 'sub', 'pawl.db');
    const store = await openStore(`sqlite:${file}`);
    await makeRun(store, 'r1');
    await store.close();
    const { mode } = statSync(directory);
    // Nobody's process: for root every file is writable.
    const asNobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
    chmodSync(directory, 0o755);
    chmodSync(join(directory, 'sub'), 0o555);
    chmodSync(file, 0o444);
    try {
      for (const path of [file, join(directory, 'sub', 'new.db')]) {
        const child = spawnChild('try', `sqlite:${path}`, 'nobody', asNobody);
        await child.ended;
        expect(JSON.parse(child.lines[0] ?? '')).toMatchObject({ code: 'PAWL_STORE_READONLY', place: path });
      }
    } finally {
      chmodSync(join(directory, 'sub'), 0o755);
      chmodSync(directory, mode);
    }
    chmodSync(file, 0o644);
    expect(await (await open(`sqlite:${file}`)).getRun('r1')).toMatchObject({ id: 'r1' });
  });
});

describe('locks', () => {
  test.each(['BEGIN IMMEDIATE', 'BEGIN EXCLUSIVE'])('a store behind %s is waited for, then refused', async (begin) => {
    const file = join(temporaryDirectory(), 'pawl.db');
    const store = await open(`sqlite:${file}`, { lockTimeout: 30 });
    await makeRun(store, 'r1');
    const other = new DatabaseSync(file);
    other.exec(begin);
    await expect(makeRun(store, 'r2')).rejects.toMatchObject({ code: 'PAWL_STORE_LOCKED', place: file });
    expect((await refusal(`sqlite:${file}`, { lockTimeout: 30 })).code).toBe('PAWL_STORE_LOCKED');
    // Readers are not disturbed.
    expect(await store.getRun('r1')).toMatchObject({ id: 'r1' });

    other.exec('ROLLBACK');
    expect(await makeRun(store, 'r3')).toMatchObject({ id: 'r3' });
    expect((await store.listRuns()).runs.map((run) => run.id)).toEqual(['r3', 'r1']);
    other.close();
  });

  test('what is handed in while the store is locked is written in order once it is free', async () => {
    const file = join(temporaryDirectory(), 'pawl.db');
    const store = await open(`sqlite:${file}`);
    await makeRun(store, 'r0');
    const other = new DatabaseSync(file);
    other.exec('BEGIN IMMEDIATE');
    const first = makeRun(store, 'r1');
    await new Promise((resolve) => setImmediate(resolve));
    const second = makeRun(store, 'r2');
    const closing = store.close();
    other.exec('ROLLBACK');
    other.close();
    expect(await Promise.all([first, second])).toMatchObject([{ id: 'r1' }, { id: 'r2' }]);
    await closing;
  });
});

test('a store that another process makes while this one looks is no database of another program', async () => {
  const path = join(temporaryDirectory(), 'pawl.db');
  const other = new DatabaseSync(path);
  const original = Connection.prototype.sql;
  let looks = 0;
  vi.spyOn(Connection.prototype, 'sql').mockImplementation(function (this: Connection, text) {
    // Between the first look at the file and the second.
    if (text === 'PRAGMA user_version' && looks++ === 0) {
      try {
        other.exec(`PRAGMA application_id = ${APPLICATION_ID}; CREATE TABLE runs (id); PRAGMA user_version = 0`);
      } catch (error) {
        // Who looks holds it off; it would try again.
        expect(String(error)).toMatch(/locked/);
      }
    }
    return original.call(this, text);
  });
  try {
    await makeRun(await open(`sqlite:${path}`), 'r1');
    expect(looks).toBeGreaterThan(0);
  } finally {
    other.close();
  }
});
