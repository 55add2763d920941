import { describe, expect, test } from 'vitest';
import { CODES } from '../../src/diagnostics/codes.ts';
import { type Example, RULES } from '../../src/rules/index.ts';
import { checkSources } from '../support/checker.ts';

/** Documentation that lies is worse than none: every bad example reports its rule, every good one is silent. */
describe.each(RULES.map((rule) => [rule.name, rule] as const))('%s', (name, rule) => {
  test('its bad example is reported', async () => {
    const diagnostics = await checkExample(rule.bad);
    expect(diagnostics.map((diagnostic) => diagnostic.code)).toContain(CODES[name].code);
    expect(diagnostics.filter(({ rule: found }) => found !== name)).toEqual([]);
  });

  test('its good example is silent', async () => {
    expect(await checkExample(rule.good)).toEqual([]);
  });

  test('it has a fix when it says so', async () => {
    const diagnostics = await checkExample(rule.bad);
    expect(diagnostics.some((diagnostic) => diagnostic.fix !== undefined)).toBe(rule.fixable === true);
  });
});

async function checkExample(example: Example) {
  const files = typeof example === 'string' ? { 'src/main.ts': example } : example;
  return (await checkSources(files)).diagnostics;
}
