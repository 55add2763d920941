/** Ids, names and messages are data: a terminal must not obey them. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { shortened, visible, visibleColored, visibleLine } from '../../src/cli/visible.ts';
import { type CliResult, runCli, spawnCli } from '../support/cli.ts';

const CLEAR = '\u001b[2J\u009b1m\u202e';
const ESCAPED = '\\u001b[2J\\u009b1m\\u202e';
const ODD = `odd${CLEAR}\nid`;
const LONG = `long-${'x'.repeat(5000)}-end`;

const MAIN = `async function refuse(message: string) {
  'use step';
  class FatalError extends Error { name = 'FatalError'; }
  console.log('own \\u001b[1mbold');
  throw new FatalError(message);
}
export async function failing(message: string) {
  'use workflow';
  return await refuse(message);
}
export async function echo(value: unknown) {
  'use workflow';
  return value;
}
`;

const root = mkdtempSync(join(tmpdir(), 'pawl-control-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const look = (...argv: string[]): Promise<CliResult> => runCli(argv, { cwd: root });
const painted = (...argv: string[]): Promise<CliResult> => runCli(argv, { cwd: root, isTTY: true });

let failed: CliResult;

beforeAll(async () => {
  mkdirSync(join(root, 'src'));
  writeFileSync(join(root, 'src/main.ts'), MAIN);
  expect(await spawnCli(['build'], { cwd: root })).toMatchObject({ code: 0 });
  const run = (...argv: string[]) => spawnCli(['run', ...argv], { cwd: root });
  failed = await run('failing', '--input', JSON.stringify(`no ${CLEAR}`), '--id', ODD);
  expect(await run('echo', '--input', JSON.stringify(CLEAR), '--id', LONG)).toMatchObject({ code: 0 });
});

/** Colours of ours apart, nothing of the output is a command to the terminal. */
function expectHarmless({ stdout, stderr }: CliResult): void {
  // oxlint-disable-next-line no-control-regex
  for (const text of [stdout, stderr]) expect(stripVTControlCharacters(text)).not.toMatch(/[\u001b\u009b\u202e]/);
  // oxlint-disable-next-line no-control-regex
  expect(stdout + stderr).not.toMatch(/\u001b(?!\[[\d;]*m)/);
}

test('of a run that fails, in its end and in its listings', async () => {
  expect(failed.code).toBe(1);
  expect(failed.stderr).toContain(`FatalError: no ${ESCAPED}`);
  expect(failed.stderr).toContain(`odd${ESCAPED}\\nid  failed`);
  expectHarmless(failed);
  for (const show of [look, painted]) {
    for (const line of [
      ['runs'],
      ['inspect', ODD],
      ['inspect', ODD, '--events'],
      ['inspect', LONG],
      ['inspect', 'x\u001b'],
    ]) {
      const shown = await show(...line);
      expectHarmless(shown);
      if (line[1] === ODD && line.length === 2) expect(stripVTControlCharacters(shown.stdout)).toContain(ESCAPED);
    }
  }
});

test('programs get the text as it is', async () => {
  const runs = JSON.parse((await look('runs', '--json')).stdout) as { id: string }[];
  expect(runs.map(({ id }) => id)).toEqual([LONG, ODD]);
  expect(JSON.parse((await look('inspect', ODD, '--json')).stdout).error.message).toBe(`no ${CLEAR}`);
});

test('a long id does not pad the table; its beginning or end finds the run', async () => {
  const { stdout } = await look('runs');
  for (const line of stdout.split('\n')) expect(line.length).toBeLessThan(140);
  expect(stdout).toMatch(/^long-x+…x+-end {2}completed/m);
  expect((await look('inspect', 'long-')).stdout).toContain(LONG);
});

test('the texts themselves', () => {
  expect(visible('a\nb\tc\r\u001b\u0007\u007f\u0085\u2066é😀')).toBe(
    'a\nb\tc\\u000d\\u001b\\u0007\\u007f\\u0085\\u2066é😀',
  );
  expect(visibleLine('a\nb\tc')).toBe('a\\nb\\tc');
  expect(visibleColored('\u001b[31mred\u001b[39m \u001b[2J')).toBe('\u001b[31mred\u001b[39m \\u001b[2J');
  expect(shortened('abc', 3)).toBe('abc');
  expect(shortened('abcdefghij', 7)).toBe('abcd…ij');
});
