import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createBuildSession } from '../../src/bundler/index.ts';
import { compatExample, filesIn } from '../support/compat.ts';
import { createSession } from '../../src/checker/index.ts';
import { CODES } from '../../src/diagnostics/codes.ts';
import { type Diagnostic, formatPretty } from '../../src/diagnostics/index.ts';
import { RULES, type Rule } from '../../src/rules/index.ts';
import { sharedTypes } from '../support/checker.ts';
import { ROOT } from '../support/dist.ts';

/**
 * `fixtures/rules/<rule>/invalid` is reported as `invalid.expected` says, to the column; `valid` is silent. Either is one
 * file, or a folder where it takes several.
 */
const FIXTURES = join(ROOT, 'fixtures/rules');

test('there is a folder for each rule, and a file', () => {
  const names = RULES.map(({ name }) => name).sort();
  expect(readdirSync(FIXTURES).sort()).toEqual(names);
  expect(Object.keys(CODES).sort()).toEqual(names);
  const files = new Set(readdirSync(join(ROOT, 'src/rules')));
  expect(names.filter((name) => !files.has(`${name}.ts`))).toEqual([]);
});

describe.each(RULES.map((rule) => [rule.name, rule] as const))('%s', (name, rule) => {
  test('invalid is reported', async () => {
    const { text, rules } = await check(join(FIXTURES, name, 'invalid'), rule);
    expect(rules).toContain(name);
    await expect(text).toMatchFileSnapshot(join(FIXTURES, name, 'invalid.expected'));
  });

  test('valid is silent', async () => {
    expect((await check(join(FIXTURES, name, 'valid'), rule)).text).toBe('no findings\n');
  });
});

async function check(path: string, { name, by, types }: Rule): Promise<{ text: string; rules: string[] }> {
  const folder = existsSync(path) && statSync(path).isDirectory();
  const root = folder ? path : join(path, '..');
  if (by === 'compat') {
    const files = filesIn(root);
    const diagnostics = await compatExample(files);
    return describeFindings(diagnostics, (file) => files[file] ?? null);
  }
  if (by === 'bundler') {
    const session = createBuildSession({ root, write: false });
    const { diagnostics } = await session.build();
    return describeFindings(diagnostics, (file) => session.source(file));
  }
  const configFile = join(root, 'pawl.config.json');
  const text = existsSync(configFile) ? readFileSync(configFile, 'utf8') : null;
  const session = createSession({
    cache: false,
    root,
    types: types ? sharedTypes : null,
    config: folder ? JSON.parse(text ?? '{}') : { entries: [`${path.slice(root.length + 1)}.ts`] },
    configSource: text === null ? undefined : { file: 'pawl.config.json', text },
  });
  const { diagnostics } = await session.check();
  // Fixtures speak of packages and files that nobody has.
  const meant = diagnostics.filter(({ rule }) => rule === name || rule !== 'unresolved-import');
  return describeFindings(meant, (file) => session.source(file));
}

function describeFindings(
  diagnostics: readonly Diagnostic[],
  source: (file: string) => string | null,
): { text: string; rules: string[] } {
  return { text: formatPretty(diagnostics, { source }), rules: diagnostics.map(({ rule }) => rule) };
}
