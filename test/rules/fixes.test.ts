import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createSession, fixAll } from '../../src/checker/index.ts';
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
