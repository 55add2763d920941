import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createSession, fixAll } from '../../src/checker/index.ts';
import { checkSources } from '../support/checker.ts';
import { temporaryProject } from '../support/project.ts';

const places = async (files: Record<string, string>) =>
  (await checkSources(files)).diagnostics.map(({ file, span, code }) => `${file}:${span.line}:${span.column} ${code}`);

/** A workflow that calls `fetch` on line 4, with something before it. */
const flow = (before: string, behind = '') => ({
  'src/a.ts': `export async function flow() {
  'use workflow';
  ${before}
  await fetch('x');${behind}
}
`,
});

describe('a suppression', () => {
  test.each([
    ['by code', '// pawl-ignore PAWL3002 -- reason', ''],
    ['by name', '// pawl-ignore io-in-workflow -- reason', ''],
    ['in a block comment', '/* pawl-ignore PAWL3002 -- reason */', ''],
    ['on the same line', '', ' // pawl-ignore PAWL3002 -- reason'],
    ['whatever the case', '// pawl-ignore pawl3002 -- reason', ''],
  ])('%s holds a finding back', async (_name, before, behind) => {
    expect(await places(flow(before, behind))).toEqual([]);
  });

  test('before code of the same line speaks of that line', async () => {
    const text = `export async function flow() {\n  'use workflow';\n  /* pawl-ignore PAWL3002 -- reason */ await fetch('x');\n}\n`;
    expect(await places({ 'src/a.ts': text })).toEqual([]);
  });

  test.each([
    [
      'of another line',
      '// pawl-ignore PAWL3002 -- reason\n  void 0;',
      ['src/a.ts:3:18 PAWL9001', 'src/a.ts:5:9 PAWL3002'],
    ],
    ['of another code', '// pawl-ignore PAWL2003 -- reason', ['src/a.ts:3:18 PAWL9001', 'src/a.ts:4:9 PAWL3002']],
    ['without a reason', '// pawl-ignore PAWL3002', ['src/a.ts:3:3 PAWL9002']],
    ['of an unknown code', '// pawl-ignore PAWL1 -- reason', ['src/a.ts:3:18 PAWL9003', 'src/a.ts:4:9 PAWL3002']],
    ['without a code', '// pawl-ignore', ['src/a.ts:3:3 PAWL9003', 'src/a.ts:4:9 PAWL3002']],
    ['of several codes, one of them unused', '// pawl-ignore PAWL2003, PAWL3002 -- reason', ['src/a.ts:3:18 PAWL9001']],
  ])('%s', async (_name, before, expected) => {
    expect(await places(flow(before))).toEqual(expected);
  });

  test('cannot hold back what cannot be compiled', async () => {
    const text = `// pawl-ignore PAWL1002 -- please\nexport function a() { 'use step'; }\n`;
    expect(await places({ 'src/a.ts': text })).toEqual(['src/a.ts:1:16 PAWL9001', 'src/a.ts:2:17 PAWL1002']);
  });

  test('works anywhere on a chain, for that chain alone', async () => {
    const helpers = (comment: string) => `${comment}
export const one = () => fetch('x');
export const two = () => fetch('x');
export const both = () => [one(), two()];
`;
    const main = `import { both, one } from './helpers';
export async function flow() {
  'use workflow';
  one();
  both();
}
`;
    const check = (comment: string) => places({ 'src/main.ts': main, 'src/helpers.ts': helpers(comment) });
    expect(await check('')).toEqual(['src/main.ts:4:3 PAWL3002', 'src/main.ts:5:3 PAWL3002']);
    expect(await check('// pawl-ignore PAWL3002 -- cached')).toEqual(['src/main.ts:5:3 PAWL3002']);
  });

  test('in a file that nothing reaches is unused', async () => {
    const text = '// pawl-ignore PAWL3002 -- nobody comes here\nexport const a = () => fetch("x");\n';
    expect(await places({ 'src/a.ts': text })).toEqual(['src/a.ts:1:16 PAWL9001']);
  });

  test('of a rule that is off is not unused', async () => {
    const config = { 'pawl.config.json': '{ "rules": { "io-in-workflow": "off" } }' };
    expect(await places({ ...flow('// pawl-ignore PAWL3002 -- reason'), ...config })).toEqual([]);
  });

  test('can hold back findings about suppressions', async () => {
    const before = '// pawl-ignore PAWL9001 -- needed on another platform\n  void 0; // pawl-ignore PAWL2003 -- reason';
    expect(await places(flow(before))).toEqual(['src/a.ts:5:9 PAWL3002']);
  });
});

test('severities are configured by name and code', async () => {
  const config = { 'pawl.config.json': '{ "rules": { "PAWL3002": "warn", "unused-suppression": "error" } }' };
  const { diagnostics } = await checkSources({ ...flow('// pawl-ignore PAWL2003 -- reason'), ...config });
  expect(diagnostics.map(({ code, severity }) => `${code} ${severity}`)).toEqual([
    'PAWL9001 error',
    'PAWL3002 warning',
  ]);
});

describe('removing unused suppressions', () => {
  test.each([
    ['a line of its own', '  // pawl-ignore PAWL2003 -- reason\n  await null;', '  await null;'],
    ['behind code', '  await null; // pawl-ignore PAWL2003 -- reason', '  await null;'],
    ['CRLF', '  // pawl-ignore PAWL2003 -- reason\r\n  await null;', '  await null;'],
    [
      'the first of several',
      "  // pawl-ignore PAWL2003, PAWL3002 -- reason\n  fetch('x');",
      "  // pawl-ignore PAWL3002 -- reason\n  fetch('x');",
    ],
    [
      'the last of several',
      "  // pawl-ignore PAWL3002, PAWL2003 -- reason\n  fetch('x');",
      "  // pawl-ignore PAWL3002 -- reason\n  fetch('x');",
    ],
    ['a block comment within a line', '  await /* pawl-ignore PAWL2003 -- reason */ null;', '  await null;'],
    ['all of several', '  // pawl-ignore PAWL5001 PAWL2003 -- reason\n  await null;', '  await null;'],
  ])('%s', async (_name, before, after) => {
    const wrap = (body: string) => `export async function flow() {\n  'use workflow';\n${body}\n}\n`;
    const root = temporaryProject({ 'src/a.ts': wrap(before) });
    const { result, files } = await fixAll(createSession({ root }), (file) => join(root, file));
    expect(readFileSync(join(root, 'src/a.ts'), 'utf8')).toBe(wrap(after));
    expect(result.diagnostics).toEqual([]);
    expect(files).toEqual(['src/a.ts']);
  });
});

test('a reason behind a colon is no code: where it belongs is told', async () => {
  for (const words of ['the host is ours', '']) {
    const { diagnostics } = await checkSources(flow(`// pawl-ignore PAWL3002: ${words}`));
    expect(diagnostics.map(({ code, remedy }) => [code, remedy])).toEqual([
      ['PAWL9002', `Write the reason behind two hyphens: \`pawl-ignore PAWL3002 -- ${words || '…'}\`.`],
    ]);
  }
});

describe('a comment that only looks like a suppression', () => {
  test.each([
    ['on a line of its own', '// pawl-ignore-next-line PAWL3002 -- reason', ''],
    ['in a block', '/* pawl-ignore-line PAWL3002 -- reason */', ''],
    ['beside code', '', ' // pawl-ignore-line PAWL3002 -- reason'],
  ])('%s is told', async (_name, before, behind) => {
    const { diagnostics } = await checkSources(flow(before, behind));
    expect(diagnostics.map(({ code }) => code).toSorted()).toEqual(['PAWL3002', 'PAWL9003']);
  });

  test('is repaired where the meaning is the same', async () => {
    const files = flow('// pawl-ignore-next-line PAWL3002 -- reason');
    const root = temporaryProject(files);
    const { result } = await fixAll(createSession({ root }), (file) => join(root, file));
    expect(result.diagnostics).toEqual([]);
    expect(readFileSync(join(root, 'src/a.ts'), 'utf8')).toBe(files['src/a.ts'].replace('-next-line', ''));
  });

  test('in a text it is a text', async () => {
    const { diagnostics } = await checkSources(
      flow("const about = '// pawl-ignore-next-line';", ' // pawl-ignore PAWL3002 -- reason'),
    );
    expect(diagnostics).toEqual([]);
  });
});
