/** Values that nest deeply, from the command line to the log and back to the terminal. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { jsonText } from '../../src/cli/output.ts';
import { toJsonValue } from '../../src/cli/values.ts';
import { type CliResult, runCli, spawnCli } from '../support/cli.ts';

const MAIN = `async function same(value: unknown) {
  'use step';
  return value;
}

export async function echo(value: unknown) {
  'use workflow';
  return await same(value);
}

export async function deep(levels: number) {
  'use workflow';
  return await nest(levels);
}

async function nest(levels: number) {
  'use step';
  let value: unknown = 'end';
  for (let level = 0; level < levels; level++) value = { next: value };
  return value;
}
`;

const root = mkdtempSync(join(tmpdir(), 'pawl-deep-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const cli = (...argv: string[]): Promise<CliResult> => spawnCli(argv, { cwd: root });
const look = (...argv: string[]): Promise<CliResult> => runCli(argv, { cwd: root });
const lists = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);

beforeAll(async () => {
  mkdirSync(join(root, 'src'));
  writeFileSync(join(root, 'src/main.ts'), MAIN);
  expect(await cli('build')).toMatchObject({ code: 0 });
});

test.each(['--input', '--args'])('%s that is too deep is refused by name', async (option) => {
  writeFileSync(join(root, 'd.json'), lists(2000));
  for (const value of ['@d.json', lists(2000)]) {
    const { code, stdout, stderr } = await look('run', 'echo', option, value);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^error PAWL_INPUT_TOO_DEEP: .* deeper than 1000 levels, at \[0\]\[0\]/);
    expect(stderr).toMatch(value === '@d.json' ? /at .*d\.json\n {2}Pass it flat/ : /at --input\n/);
  }
});

test('a value as deep as allowed goes in, comes out and is shown', async () => {
  const input = lists(990);
  const run = await cli('run', 'echo', '--input', input, '--id', 'deep');
  expect(run).toMatchObject({ code: 0, stderr: '' });
  expect(JSON.parse(run.stdout)).toEqual(JSON.parse(input));
  expect(await cli('run', 'echo', '--id', 'deep')).toMatchObject({ code: 0, stdout: run.stdout });
  for (const line of [
    ['inspect', 'deep', '--json'],
    ['inspect', 'deep', '--json', '--events'],
    ['inspect', 'deep'],
  ])
    expect(await look(...line)).toMatchObject({ code: 0, stderr: '' });
  const { args, result } = JSON.parse((await look('inspect', 'deep', '--json')).stdout);
  expect([args, result]).toEqual([[JSON.parse(input)], JSON.parse(input)]);
});

test('a step whose result is too deep fails at once, and says where and what to do', async () => {
  const { code, stdout, stderr } = await cli('run', 'deep', '--input', '5000', '--id', 'too-deep');
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toContain(
    'error PAWL_NOT_SERIALIZABLE: result.next.next.next.next… is nested deeper than 1000 levels.',
  );
  expect(stderr).toMatch(/at the result of step src\/main\.ts#nest\n {2}Pass it flat/);
  const { timeline } = JSON.parse((await look('inspect', 'too-deep', '--json')).stdout);
  expect(timeline[0].attempts).toHaveLength(1);
});

test('the form for JSON needs no stack', () => {
  let value: unknown = [new Map([['k', new Set([1n])]])];
  for (let level = 0; level < 6_000; level++) value = level % 2 === 0 ? { value } : [value];
  let json = toJsonValue(value);
  for (let level = 5_999; level >= 0; level--)
    json = level % 2 === 0 ? (json as { value: unknown }).value : (json as unknown[])[0];
  expect(json).toEqual([[['k', ['1']]]]);
  expect(() => jsonText(toJsonValue(value))).toThrow(
    expect.objectContaining({ code: 'PAWL_OUTPUT_TOO_LARGE', message: expect.stringMatching(/nested too deeply/) }),
  );
});

test('the form for JSON keeps order, cycles and errors', () => {
  const ring: { a: number; self?: unknown } = { a: 1 };
  ring.self = [ring];
  const error = Object.assign(new Error('e', { cause: new TypeError('c') }), { code: 'E', at: new Date(0) });
  error.stack = '';
  (error.cause as Error).stack = '';
  expect(JSON.stringify(toJsonValue({ ring, twice: [ring, ring], error, no: undefined, list: [undefined] }))).toBe(
    '{"ring":{"a":1,"self":["[circular]"]},"twice":[{"a":1,"self":["[circular]"]},{"a":1,"self":["[circular]"]}],' +
      '"error":{"name":"Error","message":"e","cause":{"name":"TypeError","message":"c"},"code":"E","at":"1970-01-01T00:00:00.000Z"},"list":[null]}',
  );
});
