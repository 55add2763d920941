import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readManifest } from '../../src/manifest/index.ts';
import { CLI, type CliResult, runCli } from '../support/cli.ts';
import { temporaryProject } from '../support/project.ts';

const CLEAN = `export async function charge(amount: number) {
  'use step';
  return amount;
}

export async function fulfil(amount: number) {
  'use workflow';
  return charge(amount);
}
`;
const BROKEN = CLEAN.replace('async function charge', 'function charge');
const WARNING = CLEAN.replace(
  'export async function charge',
  '// pawl-ignore PAWL3002 -- none\nexport async function charge',
);

function project(files: Record<string, string>): { root: string; build: (...argv: string[]) => Promise<CliResult> } {
  const root = temporaryProject(files);
  return { root, build: (...argv) => runCli(['build', ...argv], { cwd: root }) };
}

test('0: it writes the output and says what it built', async () => {
  const { root, build } = project({ 'src/a.ts': CLEAN });
  const { code, stdout, stderr } = await build();
  expect([code, stdout]).toEqual([0, '']);
  expect(stderr).toMatch(/^built 1 workflow and 1 step in \d+ ms, wrote .*\.pawl\n$/);
  expect(Object.keys(readManifest(join(root, '.pawl')).steps)).toEqual(['src/a.ts#charge']);
  expect((await build()).stderr).toMatch(/nothing changed in/);
});

test('0 with warnings, which are shown', async () => {
  const { build } = project({ 'src/a.ts': WARNING });
  const { code, stdout } = await build();
  expect(code).toBe(0);
  expect(stdout).toMatch(/^src\/a\.ts\(1,16\): warning PAWL9001: /);
});

test('1 with errors: a line each, and nothing is written', async () => {
  const { root, build } = project({ 'src/a.ts': BROKEN });
  expect(await build()).toEqual({
    code: 1,
    stdout:
      "src/a.ts(1,17): error PAWL1002: A step is called through the event log, so it has to be async. Add 'async'.\n",
    stderr: '',
  });
  expect(existsSync(join(root, '.pawl'))).toBe(false);
});

test('--types: what only TypeScript knows is found too, and nothing is written', async () => {
  const { root, build } = project({
    'src/a.ts': `class Money { cents = 1; format(): string { return ''; } }\nexport async function charge(money: Money) { 'use step'; return money.cents; }\n`,
  });
  expect(await build('--types')).toMatchObject({
    code: 1,
    stdout: expect.stringMatching(
      /^src\/a\.ts\(2,\d+\): error PAWL2001: The parameter `money` of step `charge` cannot/,
    ),
  });
  expect(existsSync(join(root, '.pawl'))).toBe(false);
  expect(await build()).toMatchObject({ code: 0 });
});

test('with --format pretty, a code frame', async () => {
  const { build } = project({ 'src/a.ts': BROKEN });
  expect((await build('--format', 'pretty')).stdout).toContain('> 1 | export function charge(amount: number) {');
});

test('--json: what was built and found, and nothing else', async () => {
  const { root, build } = project({ 'src/a.ts': WARNING });
  const { code, stdout, stderr } = await build('--json');
  expect([code, stderr]).toEqual([0, '']);
  expect(JSON.parse(stdout)).toEqual({
    ok: true,
    outDir: join(root, '.pawl'),
    workflows: ['src/a.ts#fulfil'],
    steps: ['src/a.ts#charge'],
    written: ['package.json', 'workflows.js.map', 'steps.js.map', 'workflows.js', 'steps.js', 'manifest.json'],
    diagnostics: [expect.objectContaining({ code: 'PAWL9001', file: 'src/a.ts', line: 1, column: 16 })],
  });
  writeFileSync(join(root, 'src/a.ts'), BROKEN);
  const broken = await build('--json');
  expect(broken.code).toBe(1);
  expect(JSON.parse(broken.stdout)).toMatchObject({ ok: false, written: [], diagnostics: [{ code: 'PAWL1002' }] });
});

test.each([
  [
    'a configuration that is wrong',
    { 'src/a.ts': CLEAN, 'pawl.config.json': '{ "entrys": [] }' },
    [],
    /pawl\.config\.json\(1,\d+\): error PAWL9005/,
  ],
  [
    'a rule that does not exist',
    { 'src/a.ts': CLEAN, 'pawl.config.json': '{ "rules": { "io-in-workflo": "off" } }' },
    [],
    /pawl\.config\.json\(1,\d+\): error PAWL9005/,
  ],
  ['an empty project', {}, [], /error PAWL_NOTHING_TO_BUILD: No file matches `entries`/],
  [
    'a format that does not exist',
    { 'src/a.ts': CLEAN },
    ['--format', 'prety'],
    /error PAWL_USAGE: There is no format `prety`/,
  ],
  [
    'a folder that cannot be written',
    { 'src/a.ts': CLEAN, '.pawl': '' },
    [],
    /error PAWL_WRITE_FAILED: The build could not be written: a file stands/,
  ],
])('2 for %s', async (_name, files, argv, expected) => {
  const { build } = project(files as Record<string, string>);
  const { code, stdout, stderr } = await build(...argv);
  expect(code).toBe(2);
  expect(stdout + stderr).toMatch(expected);
  expect(stdout + stderr).not.toMatch(/^ +at .+:\d+:\d+/m);
});

test('the folder of the output is the one of the configuration', async () => {
  const { root, build } = project({ 'src/a.ts': CLEAN, 'pawl.config.json': '{ "outDir": "build/pawl" }' });
  expect((await build()).code).toBe(0);
  expect(existsSync(join(root, 'build/pawl/manifest.json'))).toBe(true);
});

test('--watch builds again when a file changes, comes or goes, and outlives errors', async () => {
  const root = temporaryProject({ 'src/a.ts': CLEAN, 'shared/c.ts': '' });
  // Links that never end, and one that is followed.
  symlinkSync('../src', join(root, 'src/again'));
  symlinkSync('self.ts', join(root, 'src/self.ts'));
  symlinkSync('../src', join(root, 'shared/back'));
  symlinkSync('../shared', join(root, 'src/shared'));
  const child = spawn(process.execPath, [CLI, 'build', '--watch'], {
    cwd: root,
    env: { ...process.env, NO_COLOR: '1' },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let seen = '';
  let wake = (): void => {};
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      seen += chunk;
      wake();
    });
  }
  const until = (pattern: RegExp): Promise<void> =>
    new Promise((resolve) => {
      wake = () => {
        if (!pattern.test(seen)) return;
        seen = '';
        resolve();
      };
      wake();
    });
  const manifest = (): string => readFileSync(join(root, '.pawl/manifest.json'), 'utf8');
  await until(/built 1 workflow and 1 step .*\n(?:.*\n)*?watching for changes/);
  writeFileSync(join(root, 'src/a.ts'), BROKEN);
  await until(/src\/a\.ts\(1,17\): error PAWL1002(?:.*\n)*?watching for changes/);
  expect(manifest()).toContain('src/a.ts#charge');
  writeFileSync(join(root, 'src/a.ts'), CLEAN);
  writeFileSync(join(root, 'src/b.ts'), `export async function more() { 'use step'; }`);
  await until(/built 1 workflow and 2 steps .*\n(?:.*\n)*?watching for changes/);
  expect(manifest()).toContain('src/b.ts#more');
  rmSync(join(root, 'src/b.ts'));
  await until(/built 1 workflow and 1 step .*\n(?:.*\n)*?watching for changes/);
  expect(manifest()).not.toContain('src/b.ts#more');
  writeFileSync(join(root, 'shared/c.ts'), `export async function linked() { 'use step'; }`);
  await until(/built 1 workflow and 2 steps .*\n(?:.*\n)*?watching for changes/);
  expect(manifest()).toContain('"shared/c.ts#linked"');
});
