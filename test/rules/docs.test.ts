import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { CODES } from '../../src/diagnostics/codes.ts';
import { RULES, rulesMarkdown } from '../../src/rules/index.ts';
import { ROOT } from '../support/dist.ts';

test('docs/rules.md is what the rules say: `npm run docs`', () => {
  expect(readFileSync(join(ROOT, 'docs/rules.md'), 'utf8')).toBe(rulesMarkdown(RULES));
});

test('the catalogue is in the order of codes, and whole', () => {
  const codes = RULES.map(({ name }) => CODES[name].code);
  expect(codes).toEqual([...codes].sort());
  expect(RULES.map(({ name }) => name).sort()).toEqual(Object.keys(CODES).sort());
});

describe.each(RULES.map((rule) => [rule.name, rule] as const))('%s', (_name, rule) => {
  test('is documented in sentences', () => {
    expect(rule.description).toMatch(/^[A-Z].*[^.]$/);
    for (const text of Object.values(rule.explanation)) {
      expect(text).toMatch(/^[A-Z`'].*[.]$/s);
      expect(text).not.toContain('\n');
    }
  });

  test('program rules have a check, the others none', () => {
    expect(rule.check !== undefined).toBe(rule.by.includes('program'));
  });
});
