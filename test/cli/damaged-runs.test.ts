/** Damage in the rows of one run: that run is parked, with its reason, and no other run suffers. */
import { cpSync, mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore } from 'pawl/runtime';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createWorker } from '../../src/runtime/index.ts';
import { loadSqlite } from '../../src/store/sqlite/driver.ts';
import { type CliResult, runCli, spawnCli } from '../support/cli.ts';

const MAIN = `import { existsSync } from 'node:fs';

async function first(id: string) {
  'use step';
  return 'first of ' + id;
}

async function second(id: string) {
  'use step';
  if (!existsSync('go')) process.kill(process.pid, 'SIGKILL');
  return 'second of ' + id;
}

export async function both(id: string) {
  'use workflow';
  return [await first(id), await second(id)];
}
`;

const root = mkdtempSync(join(tmpdir(), 'pawl-damaged-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
/** In a process of its own: it dies, or it loads code of the project. */
const cli = (...argv: string[]): Promise<CliResult> => spawnCli(argv, { cwd: root });
const look = (...argv: string[]): Promise<CliResult> => runCli(argv, { cwd: root });
const url = `sqlite:${join(root, '.pawl/pawl.db')}`;

beforeAll(async () => {
  mkdirSync(join(root, 'src'));
  writeFileSync(join(root, 'src/main.ts'), MAIN);
  expect(await cli('build')).toMatchObject({ code: 0 });
  // Two runs that were cut short in the middle.
  for (const id of ['bad', 'good']) await cli('run', 'both', '--input', `"${id}"`, '--id', id);
  writeFileSync(join(root, 'go'), '');
  cpSync(join(root, '.pawl'), join(root, 'cut-short'), { recursive: true });
});

beforeEach(() => {
  rmSync(join(root, '.pawl'), { recursive: true });
  cpSync(join(root, 'cut-short'), join(root, '.pawl'), { recursive: true });
});

async function damage(sql: string): Promise<void> {
  const Database = await loadSqlite();
  const db = new Database(join(root, '.pawl/pawl.db'));
  db.exec(sql);
  db.close();
}

const OF_BAD = `run = (SELECT no FROM runs WHERE id = 'bad')`;

test.each<[what: string, sql: string, expected: RegExp]>([
  [
    'a result',
    `UPDATE events SET data = replace(data, 'first', 'fjrst') WHERE ${OF_BAD} AND type = 'step_completed'`,
    /event 3/,
  ],
  ['the arguments', `UPDATE events SET data = '[[1' WHERE ${OF_BAD} AND seq = 1`, /event 1/],
  [
    'bytes that are no text',
    `UPDATE events SET data = CAST(x'22fffe22' AS TEXT) WHERE ${OF_BAD} AND seq = 3`,
    /event 3|from here on/,
  ],
  ['a type', `UPDATE events SET type = 'step_compl\u0001ted' WHERE ${OF_BAD} AND seq = 3`, /event 3/],
  ['a time', `UPDATE events SET at = at + 1024 WHERE ${OF_BAD} AND seq = 2`, /event 2/],
  ['an event that is gone', `DELETE FROM events WHERE ${OF_BAD} AND seq = 2`, /event 2/],
  [
    'the seed',
    `UPDATE runs SET seed = 'x' || seed WHERE id = 'bad'`,
    /its seed is not the one that the log begins with/,
  ],
  ['the workflow', `UPDATE runs SET workflow_id = 'src/main.ts#bosh' WHERE id = 'bad'`, /its workflow is not the one/],
  ['the bundle', `UPDATE runs SET bundle_hash = 'sha256-0' WHERE id = 'bad'`, /its workflow bundle is not the one/],
])('%s: the run is parked, the other one ends', async (_what, sql, expected) => {
  await damage(sql);
  const store = await openStore(url);
  const worker = await createWorker({ manifest: join(root, '.pawl'), store });
  const cwd = process.cwd();
  process.chdir(root);
  try {
    expect(await worker.whenEnded('good')).toMatchObject({ status: 'completed' });
    await expect(worker.whenEnded('bad')).rejects.toMatchObject({ code: 'PAWL_STORE_CORRUPT' });
  } finally {
    process.chdir(cwd);
    await worker.close();
    await store.close();
  }
  const { code, stdout } = await look('runs');
  expect(code).toBe(0);
  expect(stdout).toMatch(/^good {2}completed /m);
  expect(stdout).toMatch(/^bad {3}parked .*\n {2}PAWL_STORE_CORRUPT: The run cannot be read: /m);

  const inspected = await look('inspect', 'bad');
  expect(inspected.stdout).toMatch(/^\w+ {2}parked\n/);
  const reason = inspected.stdout + inspected.stderr;
  expect(reason).toMatch(/PAWL_STORE_CORRUPT: /);
  expect(reason).toMatch(expected);
  expect(reason).not.toMatch(/\n {4}at |PAWL_INTERNAL/);

  const again = await cli(
    'run',
    String(JSON.parse((await look('runs', '--json')).stdout).find(({ id }: { id: string }) => id === 'bad').workflow),
    '--id',
    'bad',
  );
  expect(again.stderr).toMatch(/PAWL_(?:STORE_CORRUPT|WORKFLOW_UNKNOWN)/);
  expect(again.code).not.toBe(0);

  expect(await look('cancel', 'bad')).toMatchObject({ code: 0 });
});

test.each<[what: string, sql: string]>([
  ['the status', `UPDATE runs SET status = 'runnjng' WHERE id = 'bad'`],
  ['the owner', `UPDATE runs SET owner = 'worker-of-nobody' WHERE id = 'bad'`],
  ['the reason of a parked one', `UPDATE runs SET status = 'parked', parked = '{"code"' WHERE id = 'bad'`],
])('%s: the log decides, and the run goes on', async (_what, sql) => {
  await damage(sql);
  const { code, stdout } = await look('runs');
  expect({ code, lines: stdout.match(/^(?:good|bad) /gm)?.length }).toEqual({ code: 0, lines: 2 });
  expect(await cli('run', 'both', '--id', 'good')).toMatchObject({ code: 0 });
  const { stdout: result, code: ended } = await cli('run', 'both', '--id', 'bad');
  expect(ended).toBe(0);
  expect(JSON.parse(result)).toEqual(['first of bad', 'second of bad']);
});

test('the status of a run that has ended: it stays at its end', async () => {
  await cli('run', 'both', '--id', 'bad');
  await damage(`UPDATE runs SET status = 'comp1eted' WHERE id = 'bad'`);
  expect((await look('runs')).stdout).toMatch(/^bad {3}completed /m);
  const { code, stdout } = await cli('run', 'both', '--id', 'bad');
  expect({ code, result: JSON.parse(stdout) }).toEqual({ code: 0, result: ['first of bad', 'second of bad'] });
});
