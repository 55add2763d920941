import { describe, expect, test } from 'vitest';
import { defineCommand, JSON_OPTION } from '../../src/cli/command.ts';
import { COMMANDS } from '../../src/cli/commands/index.ts';
import { PawlError } from '../../src/errors.ts';
import { VERSION } from '../../src/version.ts';
import { runCli, spawnCli } from '../support/cli.ts';
import { ROOT } from '../support/dist.ts';

const echo = defineCommand({
  name: 'echo',
  positionals: '<word> [words...]',
  description: 'Print its arguments',
  options: {
    ...JSON_OPTION,
    suffix: { type: 'string', value: 'TEXT', description: 'What follows' },
    tag: { type: 'string', value: 'TAG', multiple: true, description: 'Any number of tags' },
  },
  examples: [{ line: 'pawl echo hello', does: 'say hello' }],
  async run({ args, options, root, out }) {
    out.printJson({ args, options, root });
    return 0;
  },
});

const fail = defineCommand({
  name: 'fail',
  positionals: '',
  description: 'Fail',
  options: { defect: { type: 'boolean', description: 'Fail as only a defect does' }, ...JSON_OPTION },
  examples: [],
  async run({ options }) {
    if (options.defect) throw new TypeError('x is not a function');
    throw new PawlError('PAWL_TEST', 'It failed.', { place: 'a.ts:1:2', remedy: 'Do not.', details: { a: 1 } });
  },
});

const commands = [echo, fail];
const run = (...argv: string[]) => runCli(argv, { cwd: '/base', commands });

test('options and arguments stay what was typed', async () => {
  const { code, stdout } = await run(
    'echo',
    '0123',
    '--suffix',
    '12345678901234567890',
    '1e3',
    '--tag=-5',
    '--tag',
    'b',
  );
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toEqual({
    args: ['0123', '1e3'],
    options: { suffix: '12345678901234567890', tag: ['-5', 'b'] },
    root: '/base',
  });
});

test('--root is relative to the working directory; -- ends the options', async () => {
  const { stdout } = await run('echo', '--root', 'app', '--', '--suffix');
  expect(JSON.parse(stdout)).toEqual({ args: ['--suffix'], options: { root: 'app' }, root: '/base/app' });
});

describe('what cannot be understood exits with 2 and says what was probably meant', () => {
  test.each<[string[], RegExp]>([
    [['ehco'], /pawl has no command `ehco`\.\n.*Did you mean `pawl echo`\?/],
    [['xylophone'], /pawl has no command `xylophone`\.\n {2}Run `pawl --help`\./],
    [['--jsn'], /pawl has no option `--jsn`/],
    [['echo', 'a', '--sufix', 'x'], /`pawl echo` has no option `--sufix`\.\n.*Did you mean `--suffix`\?/],
    [['echo', 'a', '-x'], /`pawl echo` has no option `-x`/],
    [['echo', 'a', '--suffix'], /'--suffix <value>' argument missing/],
    [['echo', 'a', '--suffix', '-5'], /written `--option=-value`/],
    [['echo', 'a', '--json=1'], /does not take an argument/],
    [['echo'], /`pawl echo` needs <word>\./],
    [['fail', 'extra'], /`pawl fail` does not know what to do with `extra`\./],
  ])('%j', async (argv, expected) => {
    const { code, stdout, stderr } = await run(...argv);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^error PAWL_USAGE: /);
    expect(stderr).toMatch(expected);
    expect(stderr).not.toMatch(/\n {4}at /);
  });
});

describe('errors', () => {
  test('a named error shows code, place and remedy', async () => {
    const { code, stderr } = await run('fail');
    expect(code).toBe(2);
    expect(stderr).toBe('error PAWL_TEST: It failed.\n  at a.ts:1:2\n  Do not.\n');
  });
  test('with --json it is JSON', async () => {
    const { stderr } = await run('fail', '--json');
    const error = { code: 'PAWL_TEST', message: 'It failed.', place: 'a.ts:1:2', remedy: 'Do not.', details: { a: 1 } };
    expect(JSON.parse(stderr)).toEqual({ error });
  });
  test('any other error is a defect of pawl, without a stack', async () => {
    const { code, stderr } = await run('fail', '--defect');
    expect(code).toBe(2);
    expect(stderr).toMatch(/This is a defect of pawl/);
    expect(stderr).not.toMatch(/\n {4}at /);
  });
  test('PAWL_DEBUG=1 adds the stack', async () => {
    const { stderr } = await runCli(['fail', '--defect'], { cwd: '/', commands, env: { PAWL_DEBUG: '1' } });
    expect(stderr).toMatch(/\n {4}at .*main\.test\.ts/);
  });
});

describe('help', () => {
  test('lists every command; nothing at all is a usage error', async () => {
    for (const argv of [['--help'], ['-h'], ['help']]) {
      const { code, stdout } = await run(...argv);
      expect(code).toBe(0);
      expect(stdout).toMatch(/echo <word> \[words\.\.\.\] +Print its arguments/);
    }
    expect((await run()).code).toBe(2);
  });
  test('of a command shows options and examples, whatever else is there', async () => {
    for (const argv of [
      ['echo', '--help'],
      ['help', 'echo'],
      ['echo', 'a', '-h'],
    ]) {
      const { code, stdout } = await run(...argv);
      expect(code).toBe(0);
      expect(stdout).toMatch(/--suffix TEXT +What follows/);
      expect(stdout).toMatch(/# say hello\n {2}pawl echo hello/);
    }
  });
  test.each(COMMANDS.map((command) => [command.name, command] as const))(
    '%s has examples that parse',
    async (name, command) => {
      expect(command.examples.length).toBeGreaterThan(0);
      for (const { line } of command.examples) expect(line).toMatch(new RegExp(`^pawl ${name}\\b`));
      expect(command.description).toMatch(/^[A-Z].*[^.]$/);
    },
  );
  test('colours only on a terminal that wants them', async () => {
    const help = async (isTTY: boolean, env: Record<string, string>) =>
      (await runCli(['--help'], { cwd: '/', commands, isTTY, env })).stdout.includes('\u001B[');
    expect(await help(false, {})).toBe(false);
    expect(await help(true, {})).toBe(true);
    expect(await help(true, { NO_COLOR: '1' })).toBe(false);
    expect(await help(false, { FORCE_COLOR: '1' })).toBe(true);
  });
});

test('the program starts as a process of its own', async () => {
  const version = await spawnCli(['--version'], { cwd: ROOT });
  expect(version).toEqual({ code: 0, stdout: `${VERSION}\n`, stderr: '' });
  const wrong = await spawnCli(['nonsense'], { cwd: ROOT });
  expect(wrong.code).toBe(2);
  expect(wrong.stdout).toBe('');
});

test.each([[['--root', 'sub', 'echo', 'a']], [['--root=sub', 'echo', 'a']], [['echo', 'a', '--root', 'sub']]])(
  'the root may stand before the command: %j',
  async (argv) => {
    const { code, stdout } = await run(...argv);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ args: ['a'], root: '/base/sub' });
  },
);

test.each([
  [['echo', 'a', '--suffix', '']],
  [['echo', 'a', '--suffix=']],
  [['echo', 'a', '--tag', 'x', '--tag', '']],
  [['--root', '', 'echo', 'a']],
  [['--root']],
])('an empty value is not the same as none: %j', async (argv) => {
  const { code, stderr } = await run(...argv);
  expect(code).toBe(2);
  expect(stderr).toMatch(/PAWL_USAGE: `--\w+` has (an empty|no) value/);
});
