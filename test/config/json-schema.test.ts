/** The JSON schema accepts what pawl accepts, and nothing else. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { ConfigError, loadConfig } from '../../src/config/index.ts';
import { configJsonSchema } from '../../src/config/json-schema.ts';
import { RULES, type Rule } from '../../src/rules/index.ts';
import { checkSources } from '../support/checker.ts';
import { ROOT } from '../support/dist.ts';
import { temporaryProject } from '../support/project.ts';

const validate = new Ajv().compile(JSON.parse(readFileSync(join(ROOT, 'docs/pawl.config.schema.json'), 'utf8')));

/** What loading and checking say of a configuration. */
async function problemsOf(config: unknown): Promise<string[]> {
  const text = JSON.stringify(config);
  try {
    await loadConfig(temporaryProject({ 'pawl.config.json': text }));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.diagnostics.map(({ message }) => message);
  }
  const { diagnostics } = await checkSources({ 'src/a.ts': '', 'pawl.config.json': text });
  return diagnostics.map(({ message }) => message);
}

test.each([
  {},
  { $schema: './node_modules/pawl/docs/pawl.config.schema.json' },
  { entries: ['lib/**/*.ts'], outDir: 'out', store: 'sqlite:a.db', integrations: ['x/*'] },
  { rules: { 'io-in-workflow': 'off', PAWL9001: ['warn'], 'unstable-id': 'error' } },
  { overrides: [{ files: 'src/legacy/**', rules: { PAWL3002: 'info' } }] },
  { overrides: [{ files: ['a', '!b'], rules: {} }] },
])('accepted: %j', async (config) => {
  expect(validate(config)).toBe(true);
  expect(await problemsOf(config)).toEqual([]);
});

test.each([
  [{ colour: 1 }, /no option `colour`/],
  [{ entries: [] }, /`entries` has a wrong value/],
  [{ rules: [] }, /`rules` has a wrong value/],
  [{ rules: { 'io-in-workflo': 'off' } }, /no rule `io-in-workflo`/],
  [{ rules: { 'io-in-workflow': 'loud' } }, /no severity/],
  [{ rules: { 'io-in-workflow': [] } }, /no severity/],
  [{ rules: { 'io-in-workflow': ['error', {}, 1] } }, /no severity/],
  [{ rules: { 'unused-suppression': ['error', { x: 1 }] } }, /has no options/],
  [{ rules: { 'directive-not-async': 'warn' } }, /cannot be turned off or lowered/],
  [{ overrides: {} }, /`overrides` has a wrong value/],
  [{ overrides: [{ rules: {} }] }, /`overrides\.0\.files` has a wrong value/],
  [{ overrides: [{ files: [], rules: {} }] }, /`overrides\.0\.files` has a wrong value/],
  [{ overrides: [{ files: 'a' }] }, /`overrides\.0\.rules` has a wrong value/],
  [{ overrides: [{ files: 'a', rules: {}, exclude: 'b' }] }, /`overrides\.0` has a wrong value: Unrecognized key/],
  [{ overrides: [{ files: 'a', rules: { PAWL0000: 'off' } }] }, /no rule `PAWL0000`/],
])('refused: %j', async (config, message) => {
  expect(validate(config)).toBe(false);
  expect(await problemsOf(config)).toEqual([expect.stringMatching(message)]);
});

test('options of rules are in it', () => {
  const [first, ...others] = RULES as [Rule, ...Rule[]];
  const name = 'unused-suppression';
  const options = z.strictObject({ limit: z.int().min(1).default(5).describe('How many.') });
  const rules = [first, ...others].map((rule) => (rule.name === name ? { ...rule, options } : rule));
  const check = new Ajv().compile(JSON.parse(configJsonSchema(rules)));
  expect(check({ rules: { [name]: 'off' } })).toBe(true);
  expect(check({ rules: { [name]: ['warn', {}] } })).toBe(true);
  expect(check({ rules: { [name]: ['warn', { limit: 3 }] } })).toBe(true);
  expect(check({ rules: { [name]: ['warn', { limit: 0 }] } })).toBe(false);
  expect(check({ rules: { [name]: ['warn', { limits: 3 }] } })).toBe(false);
});
