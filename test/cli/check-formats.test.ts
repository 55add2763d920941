import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { checkCommand } from '../../src/cli/commands/check.ts';
import { FORMATS } from '../../src/diagnostics/index.ts';
import { CLI, runCli } from '../support/cli.ts';
import { temporaryProject } from '../support/project.ts';

const CLEAN = `export async function charge(amount: number) {
  'use step';
  return amount;
}
`;
const BROKEN = CLEAN.replace('async ', '');
const WARNING = `'use step';\n\n${CLEAN}`;

function project(files: Record<string, string>, env: Record<string, string> = {}) {
  const root = temporaryProject(files);
  return { root, check: (...argv: string[]) => runCli(['check', ...argv], { cwd: root, env }) };
}

describe('--format', () => {
  test('help names every format', () => {
    expect(checkCommand.options.format?.description).toBe(
      'pretty, tsc, json, sarif, github, gitlab or junit (default: pretty on a terminal, else tsc)',
    );
    expect(FORMATS).toEqual(['pretty', 'tsc', 'json', 'sarif', 'github', 'gitlab', 'junit']);
  });

  test.each([
    ['sarif', /"uri": "src\/a\.ts"[^]*"ruleId"|"ruleId": "PAWL1002"[^]*"uri": "src\/a\.ts"/],
    [
      'github',
      /^::error file=src\/a\.ts,line=1,endLine=1,col=17,endColumn=23,title=PAWL1002 directive-not-async::A step/,
    ],
    ['gitlab', /"path": "src\/a\.ts"/],
    ['junit', /<testcase name="PAWL1002 directive-not-async \(1:17\)" classname="src\/a\.ts"/],
  ])('%s, with the exit code of the findings', async (format, expected) => {
    const { code, stdout, stderr } = await project({ 'src/a.ts': BROKEN }).check('--format', format);
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    expect(stdout).toMatch(expected);
    const clean = await project({ 'src/a.ts': CLEAN }).check('--format', format);
    expect(clean).toMatchObject({ code: 0, stderr: '' });
    expect(clean.stdout).not.toContain('PAWL');
  });

  test('sarif carries the documentation of its rules and the version', async () => {
    const { stdout } = await project({ 'src/a.ts': BROKEN }).check('--format=sarif');
    const { driver } = JSON.parse(stdout).runs[0].tool;
    expect(driver).toMatchObject({
      name: 'pawl',
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      rules: [{ id: 'PAWL1002', name: 'directive-not-async', help: { markdown: expect.stringContaining('**Why.**') } }],
    });
  });

  test.each([
    ['github', 'GITHUB_WORKSPACE', 'file=packages/shop/src/a.ts,'],
    ['gitlab', 'CI_PROJECT_DIR', '"path": "packages/shop/src/a.ts"'],
    ['sarif', 'GITHUB_WORKSPACE', '"uri": "packages/shop/src/a.ts"'],
  ])('%s names files by their path in the checkout', async (format, variable, expected) => {
    const checkout = temporaryProject({ 'packages/shop/src/a.ts': BROKEN });
    const cwd = join(checkout, 'packages/shop');
    const run = (env: Record<string, string>) => runCli(['check', '--format', format], { cwd, env });
    expect((await run({ [variable]: checkout })).stdout).toContain(expected);
    expect((await run({ [variable]: join(checkout, 'elsewhere') })).stdout).not.toContain('packages/shop');
  });

  test('a configuration that cannot be read is reported in each', async () => {
    const { check } = project({ 'src/a.ts': CLEAN, 'pawl.config.json': '{' });
    for (const format of FORMATS) {
      const { code, stdout } = await check('--format', format);
      expect(code).toBe(2);
      expect(stdout).toContain('PAWL9005');
      expect(stdout).toContain('pawl.config.json');
    }
  });

  test('a build reports in them too', async () => {
    const root = temporaryProject({ 'src/a.ts': BROKEN });
    const { code, stdout } = await runCli(['build', '--format', 'github'], { cwd: root });
    expect(code).toBe(1);
    expect(stdout).toMatch(/^::error file=src\/a\.ts,line=1,/);
    writeFileSync(join(root, 'src/a.ts'), CLEAN);
    expect((await runCli(['build', '--format', 'gitlab'], { cwd: root })).stdout).toBe('[]\n');
  });
});

describe('--stats', () => {
  test('says on stderr what was looked at, and leaves stdout alone', async () => {
    const { check } = project({ 'src/a.ts': WARNING, 'src/b.ts': 'export const x = 1;\n' });
    const plain = await check();
    const { code, stdout, stderr } = await check('--stats');
    expect({ code, stdout }).toEqual({ code: 0, stdout: plain.stdout });
    expect(stderr).toMatch(/^ *2  files that `entries` names$/m);
    expect(stderr).toMatch(/^ *1  steps$/m);
    expect(stderr).toMatch(/^ *0  workflows$/m);
    expect(stderr).toMatch(/^ *\d+ ms  check$/m);
  });

  test('as JSON', async () => {
    const { stdout, stderr } = await project({ 'src/a.ts': CLEAN }).check('--stats', '--json');
    expect(JSON.parse(stdout)).toEqual([]);
    expect(JSON.parse(stderr)).toMatchObject({
      stats: {
        entries: 1,
        steps: 1,
        workflows: 0,
        milliseconds: { check: expect.any(Number), all: expect.any(Number) },
      },
    });
  });
});

describe('settings of rules', () => {
  const files = { 'src/a.ts': WARNING, 'src/legacy/b.ts': WARNING.replace('charge', 'refund') };

  test('hold for globs; the last that matches counts', async () => {
    const config = {
      rules: { 'duplicate-directive': 'error' },
      overrides: [
        { files: 'src/**', rules: { PAWL1007: 'warn' } },
        { files: ['src/legacy/**', '!src/legacy/c.ts'], rules: { 'duplicate-directive': 'off' } },
      ],
    };
    const { check } = project({ ...files, 'src/legacy/c.ts': WARNING, 'pawl.config.json': JSON.stringify(config) });
    const { code, stdout } = await check();
    expect(stdout.match(/^\S+ \w+ PAWL1007/gm)).toEqual([
      'src/a.ts(4,3): warning PAWL1007',
      'src/legacy/c.ts(4,3): warning PAWL1007',
    ]);
    expect(code).toBe(0);
    expect((await check('--max-warnings', '1')).code).toBe(1);
  });

  test('a comment for a rule that is off in its file is not called unused', async () => {
    const comment = `// pawl-ignore PAWL1007 -- because\n${CLEAN}`;
    const overrides = [{ files: 'src/legacy/**', rules: { 'duplicate-directive': 'off' } }];
    const { check } = project({
      'src/a.ts': comment,
      'src/legacy/b.ts': comment.replace('charge', 'refund'),
      'pawl.config.json': JSON.stringify({ overrides }),
    });
    expect((await check()).stdout).toMatch(/^src\/a\.ts\(1,\d+\): warning PAWL9001: .*\n$/);
  });

  test.each([
    [{ overrides: [{ files: 'a', rules: { 'io-in-workflo': 'off' } }] }, 'Did you mean `io-in-workflow`?'],
    [{ rules: { PAWL3020: 'off' } }, 'Did you mean `PAWL3002`?'],
    [{ rules: { 'io-in-workflow': ['error', { packageDept: 1 }] } }, 'Did you mean `packageDepth`?'],
    [{ rules: { 'io-in-workflow': ['error', { packageDepth: 'x' }] } }, 'option `packageDepth`'],
    [{ rules: { 'duplicate-id': ['error', { x: 1 }] } }, 'has no options'],
  ])('%j is a finding with a place, and exit code 2', async (config, expected) => {
    const { check } = project({ 'src/a.ts': CLEAN, 'pawl.config.json': JSON.stringify(config, null, 2) });
    const { code, stdout } = await check();
    expect(code).toBe(2);
    expect(stdout).toMatch(/^pawl\.config\.json\([2-9],\d+\): error PAWL9005: /);
    expect(stdout).toContain(expected);
  });
});

test('--watch reads a configuration that changes, and outlives one that is broken', async () => {
  const { root } = project({ 'src/a.ts': WARNING, 'pawl.config.json': '{' });
  const child = spawn(process.execPath, [CLI, 'check', '--watch'], {
    cwd: root,
    env: { ...process.env, NO_COLOR: '1' },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let text = '';
  let wake = (): void => {};
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
      wake();
    });
  }
  const until = (pattern: RegExp): Promise<void> =>
    new Promise((resolve) => {
      wake = () => pattern.test(text) && resolve();
      wake();
    });
  await until(/PAWL9005[^]*watching for changes/);
  text = '';
  writeFileSync(join(root, 'pawl.config.json'), '{ "rules": { "PAWL1007": "error" } }');
  await until(/error PAWL1007[^]*watching for changes/);
  text = '';
  writeFileSync(join(root, 'pawl.config.json'), '{ "rules": { "PAWL1007": "warning" } }');
  await until(/warning PAWL1007[^]*watching for changes/);
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  expect(await ended).toBe(0);
});
