import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createSession, fixAll } from '../../src/checker/index.ts';
import { createDiagnostic } from '../../src/diagnostics/create.ts';
import { RULES } from '../../src/rules/index.ts';
import { ROOT } from '../support/dist.ts';
import { temporaryProject } from '../support/project.ts';

const FIXABLE = RULES.filter(({ fixable, by }) => fixable && by !== 'compat').map(({ name }) => name);

/**
 * `invalid.fixed` is what `--fix` makes of `invalid.ts`: it parses, and nothing with a fix is left. (Fixes that need a deployed
 * program to compare with: `cli/check-compat.test.ts`.)
 */
describe.each(FIXABLE)('%s', (name) => {
  test('is fixed', async () => {
    const fixture = join(ROOT, 'fixtures/rules', name, 'invalid.ts');
    const root = temporaryProject({ 'src/invalid.ts': readFileSync(fixture, 'utf8') });
    const { result, fixes } = await fixAll(createSession({ root }), (file) => join(root, file));
    expect(fixes).toBeGreaterThan(0);
    expect(result.diagnostics.filter(({ fix, rule }) => fix || rule === 'syntax-error')).toEqual([]);
    const text = readFileSync(join(root, 'src/invalid.ts'), 'utf8');
    await expect(text).toMatchFileSnapshot(fixture.replace(/\.ts$/, '.fixed'));
  });
});

test.each([
  ['lines', "async function f() {\n  g();\n  'use step';\n}\n", "async function f() {\n  'use step';\n  g();\n}\n"],
  [
    'CRLF',
    "async function f() {\r\n\tg();\r\n\t'use step';\r\n}\r\n",
    "async function f() {\r\n\t'use step';\r\n\tg();\r\n}\r\n",
  ],
  ['one line', "async function f() { g(); 'use step'; }\n", "async function f() { 'use step'; g(); }\n"],
])('a directive moves to the start of a body of %s', async (_name, before, after) => {
  const root = temporaryProject({ 'src/a.ts': before });
  await fixAll(createSession({ root }), (file) => join(root, file));
  expect(readFileSync(join(root, 'src/a.ts'), 'utf8')).toBe(after);
});

test('a fix that leaves its finding is taken back, and no other one with it', async () => {
  const field = "class Post {\n  static ['x' + 1] = async () => {\n    'use step';\n  };\n}\n";
  const misplaced = "async function f() {\n  g();\n  'use step';\n}\n";
  const root = temporaryProject({ 'src/a.ts': field + misplaced });
  const { result, fixes, files } = await fixAll(createSession({ root }), (file) => join(root, file));
  expect({ fixes, files }).toEqual({ fixes: 1, files: ['src/a.ts'] });
  expect(result.diagnostics.map(({ rule }) => rule)).toEqual(['unstable-id']);
  const text = readFileSync(join(root, 'src/a.ts'), 'utf8');
  expect(text).toBe(`${field}async function f() {\n  'use step';\n  g();\n}\n`);
});

test('a fix that makes code which does not parse is taken back', async () => {
  const text = 'f();\n';
  const root = temporaryProject({ 'src/a.ts': text });
  const inner = createSession({ root });
  const span = { start: 0, end: 3, line: 1, column: 1, endLine: 1, endColumn: 4 };
  const wrong = createDiagnostic('floating-step', {
    file: 'src/a.ts',
    span,
    message: '',
    fix: { title: '', edits: [{ start: 0, end: 0, text: '(' }] },
  });
  const check = async () => {
    const { diagnostics } = await inner.check();
    return { diagnostics: inner.source('src/a.ts') === text ? [wrong] : [syntaxError, ...diagnostics] };
  };
  const syntaxError = createDiagnostic('syntax-error', { file: 'src/a.ts', span, message: '' });
  const { fixes, files } = await fixAll({ check, source: () => text }, (file) => join(root, file));
  expect({ fixes, files }).toEqual({ fixes: 0, files: [] });
  expect(readFileSync(join(root, 'src/a.ts'), 'utf8')).toBe(text);
});
