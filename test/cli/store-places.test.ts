/** What is given as a store and is none, or cannot be one: each has its own words. And a disk that is full. */
import { execFile, spawn } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadSqlite } from '../../src/store/sqlite/driver.ts';
import { CLI, type CliResult, spawnCli } from '../support/cli.ts';

const MAIN = `import { appendFileSync } from 'node:fs';

async function large(n: number) {
  'use step';
  appendFileSync('ledger.txt', n + '\\n');
  return 'x'.repeat(20_000);
}

export async function fill(times: number) {
  'use workflow';
  let length = 0;
  for (let n = 0; n < times; n++) length += (await large(n)).length;
  return length;
}
`;

const root = mkdtempSync(join(tmpdir(), 'pawl-places-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const at = (name: string): string => join(root, name);
const cli = (...argv: string[]): Promise<CliResult> => spawnCli(argv, { cwd: root });

async function database(name: string, sql: string): Promise<void> {
  const Database = await loadSqlite();
  const db = new Database(at(name));
  db.exec(sql);
  db.close();
}

beforeAll(async () => {
  mkdirSync(at('src'));
  writeFileSync(at('src/main.ts'), MAIN);
  expect(await cli('build')).toMatchObject({ code: 0 });
  await database('foreign.db', 'CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT)');
  await database('newer.db', 'CREATE TABLE runs (id); PRAGMA application_id = 0x7061776c; PRAGMA user_version = 99');
  writeFileSync(at('text.txt'), 'A letter to the editor: dear sirs, this is no database.\n'.repeat(100));
  mkdirSync(at('folder'));
  symlinkSync('loop', at('loop'));
  symlinkSync('gone/pawl.db', at('dangling'));
});

/** Null for what is no file. */
function contentOf(name: string): Buffer | null {
  try {
    return readFileSync(at(name));
  } catch {
    return null;
  }
}

test.each<[name: string, file: string, expected: RegExp]>([
  ['tables of another program', 'foreign.db', /PAWL_STORE_FOREIGN: The file is a SQLite database of another program\./],
  ['a newer pawl', 'newer.db', /PAWL_STORE_NEWER: The store has schema version 99; .*\n.*\n {2}Update pawl/],
  [
    'a text',
    'text.txt',
    /PAWL_STORE_CORRUPT: The file is no SQLite database.*\n.*\n {2}If it is a file of another kind, name another/,
  ],
  ['a directory', 'folder', /PAWL_STORE_DIRECTORY: A directory stands where/],
  ['a file in a file', 'text.txt/pawl.db', /PAWL_STORE_OPEN: A part of the path is a file, not a directory\./],
  ['links in a circle', 'loop', /PAWL_STORE_OPEN: The links of the path lead in a circle\./],
  ['a link that leads nowhere', 'dangling', /PAWL_STORE_OPEN: The path is a link that leads to no file\./],
])('%s', async (_name, file, expected) => {
  const before = contentOf(file);
  const { code, stdout, stderr } = await cli('run', 'fill', '--input', '1', '--store', `sqlite:${file}`);
  expect(stderr).toMatch(expected);
  expect(stderr).toContain(`\n  at ${at(file)}\n`);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(contentOf(file)).toEqual(before);
});

test('a folder that does not exist is made by who writes; who only looks is told', async () => {
  const looked = await cli('runs', '--store', 'sqlite:not/yet/pawl.db');
  expect(looked).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/PAWL_STORE_MISSING: There is no store here\./),
  });
  expect(statSync(at('not'), { throwIfNoEntry: false })).toBeUndefined();
  expect(await cli('run', 'fill', '--input', '1', '--store', 'sqlite:not/yet/pawl.db')).toMatchObject({ code: 0 });
});

test('an empty file stays empty as long as one only looks', async () => {
  writeFileSync(at('empty.db'), '');
  expect(await cli('runs', '--store', 'sqlite:empty.db')).toMatchObject({ code: 2 });
  expect(statSync(at('empty.db')).size).toBe(0);
  expect(await cli('run', 'fill', '--input', '1', '--store', 'sqlite:empty.db')).toMatchObject({ code: 0 });
});

test.runIf(process.platform === 'linux')('a folder that nobody can make one in', async () => {
  const { code, stderr } = await cli('run', 'fill', '--input', '1', '--store', 'sqlite:/proc/pawl/pawl.db');
  expect(stderr).toMatch(/PAWL_STORE_OPEN: The store cannot be opened: .*\/proc\/pawl/);
  expect(code).toBe(2);
});

/** The superuser may write everywhere, unless that right is dropped. */
const obedient = (...argv: string[]): Promise<CliResult> => {
  if (process.getuid?.() !== 0) return cli(...argv);
  const command = ['--bounding-set', '-dac_override,-dac_read_search', process.execPath, CLI, ...argv];
  return new Promise((resolve) => {
    execFile('setpriv', command, { cwd: root, env: { ...process.env, NO_COLOR: '1' } }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
    });
  });
};

test.runIf(process.platform !== 'win32')('a folder and a file that may not be written', async () => {
  mkdirSync(at('locked'));
  expect(await cli('run', 'fill', '--input', '1', '--store', 'sqlite:locked/pawl.db')).toMatchObject({ code: 0 });
  cpSync(at('locked/pawl.db'), at('locked.db'));
  chmodSync(at('locked'), 0o555);
  for (const file of ['locked.db', 'locked/pawl.db']) chmodSync(at(file), 0o444);
  for (const file of ['locked/pawl.db', 'locked/other.db', 'locked.db']) {
    const { code, stderr } = await obedient('run', 'fill', '--input', '1', '--store', `sqlite:${file}`);
    expect(stderr).toMatch(/PAWL_STORE_READONLY: This user may not write the store/);
    expect(code).toBe(2);
  }
  chmodSync(at('locked'), 0o755);
});

/** A file may only grow to that size: like a full disk, and needs no disk. */
const limited = (kilobytes: number, argv: readonly string[]) =>
  spawn('bash', ['-c', `ulimit -f ${kilobytes}; exec "$0" "$@"`, process.execPath, CLI, ...argv], {
    cwd: root,
    env: { ...process.env, NO_COLOR: '1' },
  });

describe.runIf(process.platform === 'linux')('when nothing more can be written', () => {
  test('a run says so, keeps what it has, and goes on when there is room', { timeout: 60_000 }, async () => {
    rmSync(at('ledger.txt'), { force: true });
    const argv = ['run', 'fill', '--input', '30', '--id', 'f', '--store', 'sqlite:full.db'];
    const child = limited(300, argv);
    let said = '';
    let stopped = false;
    child.stderr.on('data', (text) => {
      said += text;
      // It would try for half a minute.
      if (!stopped && said.includes('the store does not answer')) stopped = child.kill('SIGINT');
    });
    const code = await new Promise((resolve) => child.once('close', resolve));
    expect(said).toMatch(
      /the store does not answer, trying again: PAWL_STORE_(?:FULL|IO): .*\n {2}at .*full\.db\n {2}.*everything that was acknowledged is kept\./,
    );
    expect(code).toBe(130);
    expect(await cli(...argv)).toMatchObject({ code: 0, stdout: '600000\n' });
    const counts = new Map<string, number>();
    for (const line of readFileSync(at('ledger.txt'), 'utf8').trim().split('\n')) {
      counts.set(line, (counts.get(line) ?? 0) + 1);
    }
    const again = [...counts.values()].filter((count) => count > 1);
    expect(counts.size).toBe(30);
    // The one whose result could not be recorded.
    expect(again.length).toBeLessThanOrEqual(1);
  });

  test('a build says so, and leaves the output of the build before', async () => {
    const before = readFileSync(at('.pawl/manifest.json'), 'utf8');
    writeFileSync(
      at('src/more.ts'),
      `export const text = '${'x'.repeat(50_000)}';\nexport async function more() { 'use step'; return text; }\n`,
    );
    const child = limited(20, ['build']);
    let said = '';
    child.stderr.on('data', (text) => {
      said += text;
    });
    const code = await new Promise((resolve) => child.once('close', resolve));
    rmSync(at('src/more.ts'));
    expect(said).toMatch(
      /^error PAWL_WRITE_FAILED: The build could not be written: the file would be larger than the system allows\.\n {2}at .*\n {2}Raise the limit/,
    );
    expect(code).toBe(2);
    expect(readFileSync(at('.pawl/manifest.json'), 'utf8')).toBe(before);
    expect(await cli('run', 'fill', '--input', '1')).toMatchObject({ code: 0 });
  });
});
