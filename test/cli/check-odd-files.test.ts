/** Files that are not what they should be: each is told with what it is, and nothing waits for it. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createSession } from '../../src/checker/index.ts';
import { formatTsc } from '../../src/diagnostics/index.ts';
import { runCli } from '../support/cli.ts';
import { temporaryProject } from '../support/project.ts';

const STEP = `export async function work() { 'use step'; return 1; }\n`;

function project(files: Record<string, string>) {
  const root = temporaryProject(files);
  return { root, check: (...argv: string[]) => runCli(['check', ...argv], { cwd: root }) };
}

describe.runIf(process.platform !== 'win32')('a pipe', () => {
  test('that is named is refused: nobody would ever write into it', async () => {
    const { root, check } = project({ 'src/a.ts': STEP });
    execFileSync('mkfifo', [join(root, 'src/pipe.ts')]);
    const { code, stderr } = await check('src/pipe.ts');
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error PAWL_FILE_UNREADABLE: The file cannot be read: it is no regular file\.\n/);
    expect(await check('src/a.ts')).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  test('that is imported is told at the import', async () => {
    const { root, check } = project({ 'src/a.ts': `import './pipe.ts';\n${STEP}` });
    execFileSync('mkfifo', [join(root, 'src/pipe.ts')]);
    const { code, stdout } = await check('--format', 'tsc');
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /^src\/a\.ts\(1,8\): error PAWL9006: `\.\/pipe\.ts` does not resolve: it is no regular file\./,
    );
  });
});

test('a file that is no module is none to check', async () => {
  const { check } = project({ 'src/a.ts': STEP, 'package.json': '{ "name": "a" }', 'README.md': 'Read me' });
  for (const name of ['package.json', 'README.md']) {
    expect(await check(name)).toEqual({
      code: 0,
      stdout: '',
      stderr: `${name} is no module: pawl checks JavaScript and TypeScript (.ts, .tsx, .mts, .cts, .js, .jsx, .mjs, .cjs)\n`,
    });
  }
});

describe('a tsconfig.json that no import needs', () => {
  const broken: [name: string, text: string, message: string][] = [
    [
      'does not parse',
      '{\n  "compilerOptions": {',
      '(2,22): error PAWL9005: This file does not parse: EOF while parsing an object.',
    ],
    ['is a list', '// mine\n[]', '(2,1): error PAWL9005: This cannot be used: it holds no object.'],
    ['is a text', '"strict"', '(1,1): error PAWL9005: This cannot be used: it holds no object.'],
  ];

  test.each(broken)('%s: that is told, and the rest is checked', async (_name, text, message) => {
    const root = temporaryProject({ 'src/a.ts': STEP, 'src/b.ts': STEP.replace('async ', ''), 'tsconfig.json': text });
    const session = createSession({ root });
    const lines = async () =>
      formatTsc((await session.check()).diagnostics)
        .split('\n')
        .filter(Boolean);
    expect(await lines()).toEqual([
      expect.stringContaining('src/b.ts(1,17): error PAWL1002'),
      `tsconfig.json${message} Imports were resolved without it. Repair it; \`npx tsc --showConfig\` tells more.`,
    ]);
    writeFileSync(join(root, 'tsconfig.json'), '{}');
    expect(await lines()).toEqual([expect.stringContaining('src/b.ts(1,17): error PAWL1002')]);
    writeFileSync(join(root, 'tsconfig.json'), text);
    expect(await lines()).toHaveLength(2);
  });

  test('is a directory', async () => {
    const { root, check } = project({ 'src/a.ts': STEP });
    mkdirSync(join(root, 'tsconfig.json'));
    const { code, stdout } = await check('--format', 'tsc');
    expect(code).toBe(1);
    expect(stdout).toMatch(/^tsconfig\.json\(1,1\): error PAWL9005: This cannot be used: it is a directory\. /);
    rmSync(join(root, 'tsconfig.json'), { recursive: true });
    expect(await check()).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  test.each([
    ['has comments and commas', '// ours\n{\n  "compilerOptions": { "strict": true, }, /* all */\n}\n'],
    ['is empty', ''],
    ['extends what is not installed', '{ "extends": "@tsconfig/node20/tsconfig.json" }'],
    ['has a value that only tsc knows', '{ "compilerOptions": { "strict": "x" } }'],
  ])('%s: no finding', async (_name, text) => {
    const root = temporaryProject({ 'src/a.ts': STEP, 'tsconfig.json': text });
    expect((await createSession({ root }).check()).diagnostics).toEqual([]);
  });
});

test('an unknown option and a wrong rule are told at once', async () => {
  const { check } = project({
    'src/a.ts': STEP,
    'pawl.config.json': '{\n  "rulez": {},\n  "rules": { "io-in-workflows": "off" },\n  "overrides": 7\n}\n',
  });
  const { code, stdout } = await check('--format', 'tsc');
  expect(code).toBe(2);
  expect(stdout.split('\n').filter(Boolean)).toEqual([
    'pawl.config.json(2,4): error PAWL9005: There is no option `rulez`. Did you mean `rules`?',
    'pawl.config.json(3,15): error PAWL9005: There is no rule `io-in-workflows`. Did you mean `io-in-workflow`?',
    expect.stringContaining('pawl.config.json(4,4): error PAWL9005: `overrides` has a wrong value'),
  ]);
});
