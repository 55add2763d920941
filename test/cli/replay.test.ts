/** `pawl replay`, and the histories that `pawl runs` and `pawl inspect` print. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CliResult, runCli, spawnCli } from '../support/cli.ts';
import { ROOT } from '../support/dist.ts';

const SOURCE = `export async function add(a: number, b: number) {
  'use step';
  return a + b;
}

export async function sum(n: number) {
  'use workflow';
  const one = await add(n, 1);
  return await add(one, 2);
}

export async function other(n: number) {
  'use workflow';
  return await add(n, n);
}
`;

mkdirSync(join(ROOT, '.cache'), { recursive: true });
const root = mkdtempSync(join(ROOT, '.cache/replay-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const cli = (...argv: string[]): Promise<CliResult> => runCli(argv, { cwd: root });
const file = join(root, 'all.jsonl');

async function build(source: string): Promise<void> {
  writeFileSync(join(root, 'src/main.ts'), source);
  const { code, stderr } = await cli('build');
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringMatching(/^built/) });
}

beforeAll(async () => {
  mkdirSync(join(root, 'src'));
  await build(SOURCE);
  for (const [name, id] of [
    ['sum', 's-1'],
    ['sum', 's-2'],
    ['other', 'o-1'],
  ] as const)
    expect(await spawnCli(['run', name, '--id', id, '--input', '5'], { cwd: root })).toMatchObject({ code: 0 });
  const { code, stdout } = await cli('runs', '--history', '--limit', '0');
  expect(code).toBe(0);
  writeFileSync(file, stdout);
});

test('the code that recorded a run goes the same way', async () => {
  await build(SOURCE);
  expect(await cli('replay', 's-1')).toEqual({ code: 0, stdout: 'same    sum  s-1  6 events\n', stderr: '' });
  const { code, stdout, stderr } = await cli('replay', '--histories', 'all.jsonl');
  expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '', stderr: '3 runs replayed, all the same\n' });
});

describe('changed code', () => {
  beforeAll(() =>
    build(
      SOURCE.replace('const one = await add(n, 1);', 'const one = await subtract(n, 1);').concat(`
export async function subtract(a: number, b: number) {
  'use step';
  return a - b;
}
`),
    ),
  );

  test('is shown with the place in the source where it parts', async () => {
    const { code, stdout } = await cli('replay', 's-1');
    expect(code).toBe(1);
    expect(stdout).toBe(`differs sum  s-1
  PAWL_REPLAY_DIVERGED: On replay the workflow asks for step src/main.ts#subtract (#1) at src/main.ts:8:21, and the event log has step src/main.ts#add (#1) there (event 2). The code has changed since the run began.
`);
  });

  test('takes other runs as before; --json tells of all', async () => {
    const { code, stdout, stderr } = await cli('replay', '--histories', file, '--json');
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    expect(JSON.parse(stdout)).toEqual([
      { id: 'o-1', workflow: 'src/main.ts#other', events: 4, problem: null },
      {
        id: 's-2',
        workflow: 'src/main.ts#sum',
        events: 6,
        problem: expect.objectContaining({ code: 'PAWL_REPLAY_DIVERGED' }),
      },
      {
        id: 's-1',
        workflow: 'src/main.ts#sum',
        events: 6,
        problem: expect.objectContaining({ code: 'PAWL_REPLAY_DIVERGED' }),
      },
    ]);
    expect(await cli('replay', '--histories', file)).toMatchObject({
      code: 1,
      stderr: '3 runs replayed, 2 different\n',
    });
  });

  test('leaves the recorded code as it was', async () => {
    expect(await cli('replay', 's-1', '--recorded')).toMatchObject({ code: 0, stdout: 'same    sum  s-1  6 events\n' });
  });
});

test('one run is printed as the same line of JSON', async () => {
  const { stdout } = await cli('inspect', 's-1', '--history');
  expect(readFileSync(file, 'utf8').split('\n')).toContain(stdout.trimEnd());
});

test.each([
  [['replay'], 'PAWL_USAGE'],
  [['replay', 's-1', '--histories', 'all.jsonl'], 'PAWL_USAGE'],
  [['replay', '--histories', 'all.jsonl', '--recorded'], 'PAWL_USAGE'],
  [['replay', '--histories', 'nothing.jsonl'], 'PAWL_HISTORY_FILE'],
  [['replay', '--histories', 'src/main.ts'], 'PAWL_HISTORY_INVALID'],
  [['replay', 'zzz'], 'PAWL_RUN_UNKNOWN'],
])('%j is refused', async (argv, wanted) => {
  const { code, stdout, stderr } = await cli(...argv, '--json');
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(JSON.parse(stderr)).toMatchObject({ error: { code: wanted, remedy: expect.any(String) } });
});
