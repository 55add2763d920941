/** `pawl run` as a process: results, errors, crashes, Ctrl-C. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openStore } from 'pawl/runtime';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { CLI, type CliResult, spawnCli } from '../support/cli.ts';
import { ROOT } from '../support/dist.ts';

const MAIN = `import { appendFileSync, existsSync, writeFileSync } from 'node:fs';
import { FatalError, getWritable, sleep } from 'pawl';

async function note(text: string) {
  'use step';
  console.log('step says', text);
  appendFileSync('ledger.txt', text + '\\n');
  return text.length;
}

async function dieOnce(id: string) {
  'use step';
  if (existsSync('died-' + id)) return 'survived';
  writeFileSync('died-' + id, '');
  process.kill(process.pid, 'SIGKILL');
  return 'never';
}

async function refuse(what: string) {
  'use step';
  throw new FatalError('no ' + what);
}

export async function greet(name: string, times = 1) {
  'use workflow';
  console.log('workflow says hello');
  let letters = 0;
  for (let n = 0; n < times; n++) letters += await note(name);
  return { name, letters, at: new Date(0), tags: new Set(['a']) };
}

export async function crashing(id: string) {
  'use workflow';
  await note('before ' + id);
  const fate = await dieOnce(id);
  await note('after ' + id);
  return fate;
}

async function write(chunks: string[], close = false) {
  'use step';
  const writer = getWritable<string>({ namespace: 'log' }).getWriter();
  try {
    for (const chunk of chunks) await writer.write(chunk);
  } finally {
    if (close) await writer.close();
    else writer.releaseLock();
  }
}

export async function streaming(id: string) {
  'use workflow';
  await write(['a', 'b']);
  const fate = await dieOnce(id);
  await write(['c'], true);
  return fate;
}

export async function failing(what: string) {
  'use workflow';
  return await refuse(what);
}

export async function sleepy(id: string) {
  'use workflow';
  await note('awake ' + id);
  await sleep('1 h');
  return id;
}

export async function nothing() {
  'use workflow';
}
`;

const ADD = `import { defineWorkflow } from 'pawl';
import { z } from 'zod';

export const add = defineWorkflow({
  slug: 'add-up',
  name: 'Add',
  input: z.object({ numbers: z.array(z.number()), start: z.number().default(0) }),
  output: z.number(),
  run: async ({ numbers, start }) => numbers.reduce((sum, n) => sum + n, start),
});
`;

mkdirSync(join(ROOT, '.cache'), { recursive: true });
const root = mkdtempSync(join(ROOT, '.cache/run-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

beforeAll(async () => {
  mkdirSync(join(root, 'src'));
  writeFileSync(join(root, 'src/main.ts'), MAIN);
  writeFileSync(join(root, 'src/add.ts'), ADD);
  const { code, stderr } = await cli('build');
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringMatching(/^built/) });
});

beforeEach(() => {
  for (const file of ['ledger.txt', '.pawl/pawl.db', '.pawl/pawl.db-wal', '.pawl/pawl.db-shm'])
    rmSync(join(root, file), { force: true });
});

const cli = (...argv: string[]): Promise<CliResult> => spawnCli(argv, { cwd: root });
const ledger = (): string[] =>
  existsSync(join(root, 'ledger.txt')) ? readFileSync(join(root, 'ledger.txt'), 'utf8').trim().split('\n') : [];

/** Starts a command and resolves once the run of that id sleeps: then nothing of it is under way. */
async function startUntilAsleep(id: string, ...argv: string[]): Promise<ChildProcess> {
  const store = await openStore(`sqlite:${join(root, '.pawl/pawl.db')}`);
  const asleep = new Promise<void>((resolve) => {
    store.subscribe(() => {
      void store.readEvents(id).then((events) => {
        if (events.some(({ type }) => type === 'sleep_scheduled')) resolve();
      });
    });
  });
  const child = spawn(process.execPath, [CLI, ...argv], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  await asleep;
  await store.close();
  return child;
}

describe('a run that completes', () => {
  test('prints its result to stdout, and the program prints to stderr', async () => {
    const { code, stdout, stderr } = await cli('run', 'greet', '--args', '["Ada", 2]');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ name: 'Ada', letters: 6, at: '1970-01-01T00:00:00.000Z', tags: ['a'] });
    expect(stderr).toBe('workflow says hello\nstep says Ada\nstep says Ada\n');
    expect(ledger()).toEqual(['Ada', 'Ada']);
  });

  test('--json describes it', async () => {
    const { code, stdout } = await cli('run', 'src/main.ts#greet', '--input', '"Ada"', '--id', 'g-1', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      id: 'g-1',
      workflow: 'src/main.ts#greet',
      status: 'completed',
      args: ['Ada'],
      result: { letters: 3 },
      timeline: [{ kind: 'step', name: 'src/main.ts#note', state: 'completed', result: 3, attempts: [{ number: 1 }] }],
    });
  });

  test('a definition, by slug and by name, its input read by its schema', async () => {
    expect(await cli('run', 'add-up', '--input', '{ "numbers": [1, 2] }')).toMatchObject({ code: 0, stdout: '3\n' });
    expect(await cli('run', 'Add', '--input', '{ "numbers": [], "start": 7 }')).toMatchObject({
      code: 0,
      stdout: '7\n',
    });
  });

  test('without a result nothing is printed', async () => {
    expect(await cli('run', 'nothing')).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  test('--id makes it once; again it shows how it ended', async () => {
    await cli('run', 'greet', '--input', '"Ada"', '--id', 'once');
    const { code, stdout, stderr } = await cli('run', 'greet', '--input', '"Ada"', '--id', 'once');
    expect({ code, letters: JSON.parse(stdout).letters }).toEqual({ code: 0, letters: 3 });
    expect(stderr).toMatch(/the run once has ended before/);
    expect(ledger()).toEqual(['Ada']);
  });

  test('a run that an application left goes on, though nobody has parsed its input yet', async () => {
    const begun = { cwd: root, env: { ...process.env, PAWL_STORE: 'sqlite:.pawl/pawl.db' } };
    const code = `import { start } from 'pawl/client'; await start('add-up', [{ numbers: [1, 2] }], { runId: 'left' });`;
    writeFileSync(join(root, 'left.mjs'), code);
    execFileSync(process.execPath, ['left.mjs'], begun);
    expect(await cli('run', 'add-up', '--input', '{ "numbers": [3] }', '--id', 'left')).toMatchObject({
      stderr: expect.stringContaining('PAWL_RUN_OTHER_INPUT'),
    });
    const argv = ['run', 'add-up', '--input', '{ "numbers": [1, 2] }', '--id', 'left'];
    expect(await cli(...argv)).toMatchObject({ code: 0, stdout: '3\n' });
    expect(await cli(...argv)).toMatchObject({ code: 0, stdout: '3\n' });
  });
});

test('a run goes on when nobody reads its output any more', async () => {
  const child = spawn(process.execPath, [CLI, 'run', 'greet', '--args', '["Ada", 2]'], { cwd: root });
  child.stdout.destroy();
  child.stderr.destroy();
  const code = await new Promise((resolve) => child.once('exit', resolve));
  expect(code).toBe(0);
  expect(ledger()).toEqual(['Ada', 'Ada']);
});

test('a run that fails exits with 1, and shows the error at its place in the sources', async () => {
  const { code, stdout, stderr } = await cli('run', 'failing', '--input', '"luck"');
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(/^\w+ {2}failed in /);
  expect(stderr).toMatch(/FatalError: no luck/);
  const line = MAIN.split('\n').findIndex((text) => text.includes("'no '")) + 1;
  expect(stderr).toContain(`src/main.ts:${line}:9`);
  expect(stderr).not.toMatch(/node_modules|dist\//);
});

describe('after a crash', () => {
  test('the same command goes on with the same run', async () => {
    const first = await cli('run', 'crashing', '--input', '"x"');
    expect(first.code).not.toBe(0);
    expect(ledger()).toEqual(['before x']);
    const second = await cli('run', 'crashing', '--input', '"x"');
    expect(second).toMatchObject({ code: 0, stdout: '"survived"\n' });
    expect(second.stderr).toMatch(/^resuming run \w+, which was left unfinished after \d+ events\n/);
    expect(ledger()).toEqual(['before x', 'after x']);
    expect(JSON.parse((await cli('runs', '--json')).stdout)).toHaveLength(1);
  });

  test('what was written to a stream is there, once, and told of', async () => {
    expect((await cli('run', 'streaming', '--input', '"stream"')).code).not.toBe(0);
    const [{ id }] = JSON.parse((await cli('runs', '--json')).stdout) as [{ id: string }];
    const cut = JSON.parse((await cli('inspect', id, '--json')).stdout) as { streams: unknown };
    expect(cut.streams).toMatchObject([{ namespace: 'log', chunks: 2, closed: false }]);
    const second = await cli('run', 'streaming', '--input', '"stream"');
    expect(second).toMatchObject({ code: 0, stdout: '"survived"\n' });
    expect(second.stderr).toMatch(/^stream 'log': 3 chunks, \d+ B, closed$/m);
  });

  test('so does one without input, for all runs of the workflow; another input starts another run', async () => {
    await cli('run', 'crashing', '--input', '"y"');
    const other = await cli('run', 'crashing', '--input', '"z"');
    expect(other.stderr).toMatch(/1 other run of src\/main\.ts#crashing unfinished/);
    const { code, stdout } = await cli('run', 'crashing');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^\w+ {2}"survived"\n/);
    const runs = JSON.parse((await cli('runs', '--json')).stdout) as { status: string }[];
    expect(runs.map(({ status }) => status)).toEqual(['completed', 'completed']);
    expect(ledger().sort()).toEqual(['after y', 'after z', 'before y', 'before z']);
  });
});

describe('a run that waits', () => {
  test('Ctrl-C leaves it to be resumed; --id goes on with it; cancelling ends it', { timeout: 60_000 }, async () => {
    const child = await startUntilAsleep('nap', 'run', 'sleepy', '--input', '"s"', '--id', 'nap');
    let stderr = '';
    child.stderr?.on('data', (chunk) => {
      stderr += chunk;
    });
    child.kill('SIGINT');
    const code = await new Promise((resolve) => child.once('close', resolve));
    expect(code).toBe(130);
    expect(stderr).toMatch(/interrupted; nothing is lost: `pawl run src\/main\.ts#sleepy --id nap` goes on/);
    expect(JSON.parse((await cli('runs', '--json')).stdout)).toMatchObject([{ id: 'nap', status: 'running' }]);

    expect(await cli('cancel', 'nap')).toMatchObject({ code: 0 });
    const resumed = await cli('run', 'sleepy', '--id', 'nap');
    expect(resumed.code).toBe(1);
    expect(resumed.stderr).toMatch(/resuming run nap/);
    expect(resumed.stderr).toMatch(/nap {2}cancelled in /);
    expect(ledger()).toEqual(['awake s']);
  });
});

describe('what cannot be done exits with 2, and nothing is started', () => {
  test.each<[string, string[], RegExp]>([
    ['an unknown workflow', ['gret'], /PAWL_WORKFLOW_UNKNOWN: There is no workflow `gret`\.[^]*Did you mean `greet`\?/],
    ['input that is no JSON', ['greet', '--input', 'Ada'], /PAWL_INPUT_NOT_JSON: /],
    ['input that does not match', ['add-up', '--input', '{ "numbers": "1" }'], /PAWL_INPUT_INVALID: [^]*numbers/],
    ['no input where one is needed', ['add-up'], /PAWL_INPUT_INVALID/],
    ['a directory in place of the input', ['greet', '--input', '@src'], /PAWL_INPUT_FILE: .*it is a directory/],
    ['both kinds of input', ['greet', '--input', '1', '--args', '[]'], /PAWL_USAGE/],
    ['another project', ['greet', '--root', 'src'], /PAWL_MANIFEST_MISSING[^]*`pawl build`/],
    ['a root that is not there', ['greet', '--root', 'gone'], /PAWL_\w+: /],
    ['a directory in place of the store', ['greet', '--store', 'sqlite:src'], /PAWL_STORE_DIRECTORY/],
  ])('%s', async (_name, argv, expected) => {
    const { code, stdout, stderr } = await cli('run', ...argv);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(expected);
    expect(stderr).not.toMatch(/\n {4}at /);
    expect(ledger()).toEqual([]);
  });

  test('--id of another run', async () => {
    await cli('run', 'greet', '--input', '"Ada"', '--id', 'mine');
    expect((await cli('run', 'failing', '--id', 'mine')).stderr).toMatch(/PAWL_RUN_OTHER_WORKFLOW/);
    expect((await cli('run', 'greet', '--input', '"Bob"', '--id', 'mine')).stderr).toMatch(/PAWL_RUN_OTHER_INPUT/);
  });

  test.each<[string, string, (text: string) => string, RegExp]>([
    [
      'a manifest with a flipped byte',
      'manifest.json',
      (text) => text.replace('greet', 'greed'),
      /PAWL_MANIFEST_CORRUPT[^]*`pawl build`/,
    ],
    [
      'a manifest of another version',
      'manifest.json',
      (text) => text.replace('"version": 1', '"version": 2'),
      /PAWL_MANIFEST_VERSION/,
    ],
    ['a manifest that is no JSON', 'manifest.json', () => '{', /PAWL_MANIFEST_NOT_JSON/],
    ['a bundle of another build', 'steps.js', (text) => `${text}\n`, /PAWL_BUNDLE_MISMATCH[^]*`pawl build`/],
  ])('%s', async (_name, file, change, expected) => {
    const path = join(root, '.pawl', file);
    const text = readFileSync(path, 'utf8');
    try {
      writeFileSync(path, change(text));
      const { code, stderr } = await cli('run', 'greet', '--input', '"Ada"');
      expect(code).toBe(2);
      expect(stderr).toMatch(expected);
    } finally {
      writeFileSync(path, text);
    }
  });
});
