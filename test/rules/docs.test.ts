import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { generatedDocs } from '../../scripts/generated-docs.ts';
import { CODES } from '../../src/diagnostics/codes.ts';
import { RULES, type Rule, ruleMarkdown } from '../../src/rules/index.ts';
import { ROOT } from '../support/dist.ts';

test('docs/ is what the rules say: `npm run docs`', () => {
  const expected = generatedDocs();
  for (const [file, text] of expected) expect(readFileSync(join(ROOT, 'docs', file), 'utf8'), file).toBe(text);
  for (const file of readdirSync(join(ROOT, 'docs/rules'))) expect([...expected.keys()]).toContain(`rules/${file}`);
});

test('a page says which options there are', () => {
  const [rule] = RULES as [Rule];
  const options = z.strictObject({ limit: z.int().default(5).describe('How many | at most.') });
  expect(ruleMarkdown({ ...rule, options })).toContain(
    `Options, in \`pawl.config\` and in ESLint: \`'${rule.name}': ['error', { limit: 5 }]\`\n\n` +
      '| option | default | |\n|---|---|---|\n| `limit` | `5` | How many \\| at most. |\n',
  );
  expect(ruleMarkdown(rule)).not.toContain('Options');
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
