import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { build } from '../../src/bundler/index.ts';
import { compatExample } from '../support/compat.ts';
import { CODES } from '../../src/diagnostics/codes.ts';
import { type Example, RULES, type Rule } from '../../src/rules/index.ts';
import { checkSources, sharedTypes } from '../support/checker.ts';
import { ROOT } from '../support/dist.ts';
import { temporaryProject } from '../support/project.ts';

/** Documentation that lies is worse than none: every bad example reports its rule, every good one is silent. */
describe.each(RULES.map((rule) => [rule.name, rule] as const))('%s', (name, rule) => {
  test('its bad example is reported', async () => {
    const diagnostics = await checkExample(rule, rule.bad);
    expect(diagnostics.map((diagnostic) => diagnostic.code)).toContain(CODES[name].code);
    expect(diagnostics.filter(({ rule: found }) => found !== name)).toEqual([]);
  });

  test('its good example is silent', async () => {
    expect(await checkExample(rule, rule.good)).toEqual([]);
  });

  test('it has a fix when it says so', async () => {
    const diagnostics = await checkExample(rule, rule.bad);
    expect(diagnostics.some((diagnostic) => diagnostic.fix !== undefined)).toBe(rule.fixable === true);
  });
});

async function checkExample({ name, by, types }: Rule, example: Example) {
  const files = typeof example === 'string' ? { 'src/main.ts': example } : example;
  if (by === 'compat') return compatExample(files);
  if (by === 'bundler') {
    const { diagnostics } = await build({
      root: temporaryProject(files),
      write: false,
      packages: [join(ROOT, 'node_modules')],
    });
    return diagnostics;
  }
  // Examples show one thing: the modules that they import are left out.
  const { diagnostics } = await checkSources(files, types ? sharedTypes : null);
  return diagnostics.filter(({ rule }) => rule === name || rule !== 'unresolved-import');
}
