import { join } from 'node:path';
import { globSync } from 'tinyglobby';
import { afterAll, describe, expect, test } from 'vitest';
import { createSession } from '../../src/checker/index.ts';
import { ROOT } from '../support/dist.ts';
import { temporaryProject } from '../support/project.ts';
import { inOneLine, typedFindings, TYPESCRIPTS, typesFrom } from '../support/types.ts';

/** On correct programs types find nothing: models of databases, payments and agents, value objects, all programs among the fixtures. */

const CORRECT = [
  'fixtures/programs/*/src/**/*.{ts,tsx,js,jsx,mts,cts,mjs,cjs}',
  'fixtures/apps/*/src/**/*.{ts,tsx}',
  'fixtures/rules/{serialization-incomplete,closure-write,action-calls-action,floating-step}/valid/**/*.ts',
];

const { 'TypeScript 5.5': _oldest, ...readers } = TYPESCRIPTS;

describe.each(Object.entries(readers))('%s', (_name, candidate) => {
  const types = typesFrom(candidate);
  afterAll(() => {
    types.dispose();
    expect(types.notices).toEqual([]);
  });

  test('nothing is found in correct programs', { timeout: 120_000 }, async () => {
    expect(globSync(CORRECT, { cwd: ROOT }).length).toBeGreaterThan(30);
    expect(await typedFindings(ROOT, types, CORRECT)).toEqual([]);
  });

  test('and that is because of their types, not for want of them', { timeout: 120_000 }, async () => {
    const root = join(ROOT, 'fixtures/programs/types');
    const config = { rules: { 'any-at-boundary': 'warn' as const } };
    const { diagnostics, stats } = await createSession({ root, types, cache: false, config }).check();
    expect(diagnostics.filter(({ rule }) => rule !== 'unresolved-import').map(inOneLine)).toEqual([]);
    expect(stats.steps).toBeGreaterThanOrEqual(15);
  });

  test('types without end are looked at up to a point', { timeout: 60_000 }, async () => {
    const many = Array.from({ length: 3_000 }, (_, index) => `  field${index}: Deep<${index}>;`).join('\n');
    const variants = Array.from({ length: 1_500 }, (_, index) => `{ kind: 'k${index}'; next: All | null }`).join(' | ');
    const root = temporaryProject({
      'src/a.ts': `interface Deep<N extends number> {\n  n: N;\n  inner: Deep<N> | { list: Wider<Deep<N>>[] };\n}
interface Wider<T> {\n  value: T;\n  wider?: Wider<Wider<T>>;\n  more: { deep: Wider<T[]> }[];\n}
interface Huge {\n${many}\n}
type All = ${variants};
export async function big(huge: Huge, all: All, wide: Wider<string>) {\n  'use step';\n  return { huge, all, wide };\n}
export async function last(value: { huge: Huge; run(): void }) {\n  'use step';\n}\n`,
    });
    expect(await typedFindings(root, types)).toEqual([
      expect.stringMatching(/The parameter `value` of step `last` cannot cross: `value\.run` is a function/),
    ]);
  });
});
