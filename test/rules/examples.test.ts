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
    // It shows one thing: modules that it imports may be left out. What is to be written instead stands alone.
    const others = diagnostics.filter(({ rule: found }) => found !== name && found !== 'unresolved-import');
    expect(others).toEqual([]);
  });

  test('its good example is silent as it stands', async () => {
    expect(await checkExample(rule, rule.good)).toEqual([]);
  });

  test('it has a fix when it says so', async () => {
    const diagnostics = await checkExample(rule, rule.bad);
    expect(diagnostics.some((diagnostic) => diagnostic.fix !== undefined)).toBe(rule.fixable === true);
  });
});

async function checkExample({ by, types }: Rule, example: Example) {
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
  const { diagnostics } = await checkSources(files, types ? sharedTypes : null);
  return diagnostics;
}
