import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { CLI, runCli, spawnCli } from '../support/cli.ts';
import { temporaryProject } from '../support/project.ts';

const CLEAN = `export async function charge(amount: number) {
  'use step';
  return amount;
}
`;
const BROKEN_RULE = CLEAN.replace('async ', '');
const WARNING = `'use step';\n\n${CLEAN}`;

function project(files: Record<string, string>) {
  const root = temporaryProject(files);
  return { root, check: (...argv: string[]) => runCli(['check', ...argv], { cwd: root }) };
}

describe('exit codes', () => {
  test('0 without findings, with nothing to read in a pipe', async () => {
    const { check } = project({ 'src/a.ts': CLEAN });
    expect(await check()).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  test('1 with errors, one line each', async () => {
    const { check } = project({ 'src/a.ts': BROKEN_RULE, 'src/b.ts': CLEAN });
    expect(await check()).toEqual({
      code: 1,
      stdout:
        "src/a.ts(1,17): error PAWL1002: A step is called through the event log, so it has to be async. Add 'async'.\n",
      stderr: '',
    });
  });

  test('warnings are free until they are limited', async () => {
    const { check } = project({ 'src/a.ts': WARNING });
    expect((await check()).code).toBe(0);
    expect((await check('--max-warnings', '1')).code).toBe(0);
    expect(await check('--max-warnings=0')).toMatchObject({
      code: 1,
      stderr: '1 warning, more than the 0 that --max-warnings allows\n',
    });
  });

  test.each([
    ['a path that does not exist', ['src/gone.ts'], 'PAWL_FILE_NOT_FOUND'],
    ['a root that does not exist', ['--root', 'gone'], 'PAWL_ROOT_NOT_FOUND'],
    ['a format that does not exist', ['--format', 'prety'], 'PAWL_USAGE'],
    ['a limit that is no number', ['--max-warnings', 'many'], 'PAWL_USAGE'],
    ['an option that does not exist', ['--fixx'], 'PAWL_USAGE'],
  ])('2 for %s', async (_name, argv, code) => {
    const { check } = project({ 'src/a.ts': CLEAN });
    const result = await check(...argv);
    expect(result).toMatchObject({ code: 2, stdout: '' });
    expect(result.stderr).toMatch(new RegExp(`^error ${code}: .+\n`));
    expect(result.stderr).not.toMatch(/^ +at .+:\d+:\d+/m);
  });

  test('2 where there is nothing to check', async () => {
    expect(await project({ 'readme.md': '' }).check()).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('PAWL_NO_ENTRIES'),
    });
  });

  test.each([
    [
      'names a rule that does not exist',
      'export default { rules: { "io-in-workflo": "off" } };',
      'Did you mean `io-in-workflow`?',
    ],
    ['has an option that does not exist', 'export default { entrys: [] };', 'Did you mean `entries`?'],
    ['does not parse', 'export default {', 'could not be loaded'],
  ])('2 for a configuration that %s', async (_name, text, expected) => {
    const { check } = project({ 'src/a.ts': CLEAN, 'pawl.config.ts': text });
    const { code, stdout } = await check();
    expect(code).toBe(2);
    expect(stdout).toMatch(/^pawl\.config\.ts\(\d+,\d+\): error PAWL9005: /);
    expect(stdout).toContain(expected);
  });

  test('an unreadable file is named, with its reason', async () => {
    const { root, check } = project({ 'src/a.ts': CLEAN });
    symlinkSync(join(root, 'src/b.ts'), join(root, 'src/b.ts'));
    const { code, stderr } = await check('src/b.ts');
    expect(code).toBe(2);
    expect(stderr).toContain('error PAWL_FILE_UNREADABLE: The file cannot be read: its links lead in a circle.');
    expect(stderr).toContain(join(root, 'src/b.ts'));
  });
});

describe('what is checked', () => {
  test('a directory is walked; what is reported is limited to it', async () => {
    const { check } = project({ 'src/a/a.ts': BROKEN_RULE, 'src/b/b.ts': BROKEN_RULE });
    expect((await check('src/b')).stdout).toMatch(/^src\/b\/b\.ts\(1,17\).*\n$/);
    expect((await check('src/b', 'src/a/a.ts')).stdout.trim().split('\n')).toHaveLength(2);
  });

  test('a file that does not parse is a finding, and the rest is checked', async () => {
    const { check } = project({ 'src/a.ts': `${CLEAN}}{`, 'src/b.ts': BROKEN_RULE });
    const { code, stdout } = await check();
    expect(code).toBe(1);
    expect(stdout).toMatch(/^src\/a\.ts\(5,1\): error PAWL9004: /m);
    expect(stdout).toMatch(/^src\/b\.ts\(1,17\): error PAWL1002: /m);
  });

  test('the configuration takes effect', async () => {
    const { check } = project({
      'lib/a.ts': WARNING,
      'pawl.config.json': '{ "entries": ["lib/**/*.ts"], "rules": { "duplicate-directive": "error" } }',
    });
    expect(await check()).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/^lib\/a\.ts\(4,3\): error PAWL1007/),
    });
  });
});

describe('formats', () => {
  test('pretty on a terminal, with a summary', async () => {
    const { root } = project({ 'src/a.ts': BROKEN_RULE });
    const { stdout } = await runCli(['check'], { cwd: root, isTTY: true, env: { NO_COLOR: '1' } });
    expect(stdout).toContain('> 1 | export function charge(amount: number) {');
    expect(stdout).toMatch(/\n1 error in 1 file\n$/);
    const clean = project({ 'src/a.ts': CLEAN });
    expect((await runCli(['check'], { cwd: clean.root, isTTY: true, env: { NO_COLOR: '1' } })).stdout).toBe(
      'no findings\n',
    );
  });

  test('colours only on a terminal', async () => {
    const { root, check } = project({ 'src/a.ts': BROKEN_RULE });
    expect((await check('--format', 'pretty')).stdout).not.toContain('\u001b[');
    expect((await runCli(['check'], { cwd: root, isTTY: true })).stdout).toContain('\u001b[');
  });

  test('json is an array, also for a configuration that cannot be read', async () => {
    const broken = project({ 'src/a.ts': BROKEN_RULE });
    for (const argv of [['--format', 'json'], ['--json']]) {
      const { code, stdout } = await broken.check(...argv);
      expect(code).toBe(1);
      expect(JSON.parse(stdout)).toMatchObject([
        { code: 'PAWL1002', file: 'src/a.ts', line: 1, column: 17, endColumn: 23 },
      ]);
    }
    expect((await project({ 'src/a.ts': CLEAN }).check('--json')).stdout).toBe('[]\n');
    const config = project({ 'src/a.ts': CLEAN, 'pawl.config.json': '{' });
    const { code, stdout } = await config.check('--json');
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject([{ code: 'PAWL9005', file: 'pawl.config.json' }]);
  });
});

describe('--fix', () => {
  test('repairs, checks again, and reports what is left', async () => {
    const { root, check } = project({
      'src/a.ts': `export function charge() {\n  'use steps';\n}\nexport function* pages() {\n  'use step';\n}\n`,
    });
    const { code, stdout, stderr } = await check('--fix');
    expect(readFileSync(join(root, 'src/a.ts'), 'utf8')).toBe(
      `export async function charge() {\n  'use step';\n}\nexport function* pages() {\n  'use step';\n}\n`,
    );
    expect(stderr).toBe('fixed 2 findings in src/a.ts\n');
    expect(stdout).toMatch(/^src\/a\.ts\(4,18\): error PAWL1002: .*generator.*\n$/);
    expect(code).toBe(1);
  });

  test('keeps byte order mark, line ends, mode and links', async () => {
    const { root, check } = project({ 'src/real.ts': `\ufeffexport function a() {\r\n  'use step';\r\n}\r\n` });
    chmodSync(join(root, 'src/real.ts'), 0o640);
    symlinkSync(join(root, 'src/real.ts'), join(root, 'src/link.ts'));
    expect((await check('--fix')).code).toBe(0);
    expect(readFileSync(join(root, 'src/real.ts'), 'utf8')).toBe(
      `\ufeffexport async function a() {\r\n  'use step';\r\n}\r\n`,
    );
    expect(statSync(join(root, 'src/real.ts')).mode & 0o777).toBe(0o640);
  });

  test('changes nothing where there is nothing to fix', async () => {
    const { root, check } = project({ 'src/a.ts': CLEAN });
    const before = statSync(join(root, 'src/a.ts')).mtimeMs;
    expect(await check('--fix')).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(statSync(join(root, 'src/a.ts')).mtimeMs).toBe(before);
  });
});

test('the built program checks from any working directory', async () => {
  const { root } = project({ 'src/a.ts': BROKEN_RULE });
  const here = await spawnCli(['check'], { cwd: root });
  const elsewhere = await spawnCli(['check', '--root', root], { cwd: '/' });
  expect(here).toMatchObject({ code: 1, stderr: '' });
  expect(elsewhere).toEqual(here);
  writeFileSync(join(root, 'src/a.ts'), CLEAN);
  expect(await spawnCli(['check'], { cwd: root })).toEqual({ code: 0, stdout: '', stderr: '' });
});

test('--watch checks again when a file changes, and ends with the last result', async () => {
  const { root } = project({ 'src/a.ts': CLEAN });
  const child = spawn(process.execPath, [CLI, 'check', '--watch'], {
    cwd: root,
    env: { ...process.env, NO_COLOR: '1' },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const seen = collect(child);
  await seen.until(/watching for changes/);
  expect(seen.text()).not.toContain('error');
  writeFileSync(join(root, 'src/a.ts'), BROKEN_RULE);
  await seen.until(/src\/a\.ts\(1,17\): error PAWL1002/);
  child.kill('SIGINT');
  expect(await seen.exit).toBe(1);
});

/** What a process has written so far, and a way to wait for more. */
function collect(child: ChildProcess) {
  let text = '';
  let wake = () => {};
  const add = (chunk: Buffer) => {
    text += chunk;
    wake();
  };
  child.stdout?.on('data', add);
  child.stderr?.on('data', add);
  return {
    text: () => text,
    exit: new Promise<number | null>((resolve) => child.once('close', resolve)),
    until: (pattern: RegExp) =>
      new Promise<void>((resolve) => {
        wake = () => pattern.test(text) && resolve();
        wake();
      }),
  };
}

test('the output folder is no source, whatever the globs say', async () => {
  const { check } = project({
    'src/a.ts': CLEAN,
    'build/old.js': BROKEN_RULE,
    'pawl.config.json': '{ "entries": ["**/*.{ts,js}"], "outDir": "build" }',
  });
  expect((await check()).code).toBe(0);
});
