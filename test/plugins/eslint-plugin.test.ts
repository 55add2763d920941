/** The plugin in ESLint's own `Linter`, in this process: its shape, and the texts that are none of its business. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type ESLint as ESLint10, Linter as Linter10 } from 'eslint';
import { defineConfig as defineConfig10 } from 'eslint/config';
import { type ESLint as ESLint9, Linter as Linter9 } from 'eslint-9';
import { defineConfig as defineConfig9 } from 'eslint-9/config';
import plugin from 'pawl/eslint';
import { describe, expect, test } from 'vitest';
import { CODES, type RuleName } from '../../src/diagnostics/codes.ts';
import { ROOT } from '../support/dist.ts';
import { temporaryProject } from '../support/project.ts';

const BROKEN = `export function charge(amount) {\n  'use step';\n  return amount;\n}\n`;

test('the types of both ESLints take it', () => {
  const plugins: [ESLint9.Plugin, ESLint10.Plugin] = [plugin, plugin];
  expect(plugins[0]).toBe(plugins[1]);
  expect(defineConfig9([plugin.configs.recommended])).toHaveLength(1);
  expect(defineConfig10([plugin.configs.strict, { plugins: { pawl: plugin } }])).toHaveLength(2);
});

describe('derived from the catalogue', () => {
  test('every rule has its name, its page and a fix where it says so', () => {
    expect(Object.keys(plugin.rules)).toHaveLength(Object.keys(CODES).length);
    for (const [name, { meta }] of Object.entries(plugin.rules)) {
      expect(existsSync(join(ROOT, `src/rules/${name}.ts`)), name).toBe(true);
      expect(meta.docs.url).toMatch(new RegExp(`/docs/rules/${name}\\.md$`));
      expect(meta.docs.description).toMatch(/^\S.*[^.]$/);
    }
    expect(plugin.rules['directive-not-async']?.meta.fixable).toBe('code');
    expect(plugin.rules['duplicate-id']?.meta.fixable).toBeUndefined();
    expect(plugin.rules['io-in-workflow']?.meta.schema).toMatchObject([
      { properties: { packageDepth: { default: 3 } } },
    ]);
    expect(plugin.rules['duplicate-id']?.meta.schema).toEqual([]);
  });

  test('recommended has what is wrong or probably is, strict has all', () => {
    const { recommended, strict } = plugin.configs;
    expect(recommended.rules['pawl/io-in-workflow']).toBe('error');
    expect(recommended.rules['pawl/duplicate-directive']).toBe('warn');
    expect(recommended.rules).not.toHaveProperty('pawl/any-at-boundary');
    expect(strict.rules['pawl/any-at-boundary']).toBe('warn');
    const infos = (Object.keys(CODES) as RuleName[]).filter((name) => CODES[name].severity === 'info');
    for (const name of infos) expect(recommended.rules).not.toHaveProperty(`pawl/${name}`);
    expect(Object.keys(strict.rules)).toHaveLength(Object.keys(CODES).length);
    expect(recommended.plugins.pawl).toBe(plugin);
  });
});

describe.each([
  ['ESLint 9', Linter9],
  ['ESLint 10', Linter10],
] as const)('%s', (_name, Linter) => {
  const verify = (root: string, filename: string | undefined, text: string, more: object = {}): string[] => {
    // The two have one shape.
    const linter = new (Linter as typeof Linter10)({ cwd: root });
    const config = { settings: { pawl: { types: false } }, files: ['**/*.js', '**/*.md', '**/*.md/*'], ...more };
    const messages = linter.verify(
      text,
      [plugin.configs.recommended, config],
      filename === undefined ? {} : { filename },
    );
    return messages.map(({ ruleId, line, column, message }) => `${line}:${column} ${ruleId ?? message}`);
  };

  test('reports where a finding is, with its fix', () => {
    const root = temporaryProject({ 'package.json': '{}', 'src/a.js': '' });
    expect(verify(root, join(root, 'src/a.js'), BROKEN)).toEqual(['1:17 pawl/directive-not-async']);
    const linter = new (Linter as typeof Linter10)({ cwd: root });
    expect(
      linter.verifyAndFix(BROKEN, [plugin.configs.recommended], { filename: join(root, 'src/a.js') }),
    ).toMatchObject({
      fixed: true,
      output: BROKEN.replace('function', 'async function'),
      messages: [],
    });
  });

  test('is silent about texts that are no files, tests and other files', () => {
    const root = temporaryProject({
      'package.json': '{}',
      'src/a.js': BROKEN,
      'src/a.test.js': BROKEN,
      'other/b.js': BROKEN,
    });
    expect(verify(root, undefined, BROKEN)).toEqual([]);
    expect(verify(root, 'src/a.js', BROKEN)).toEqual(['1:17 pawl/directive-not-async']);
    expect(verify(root, join(root, 'src/a.test.js'), BROKEN)).toEqual([]);
    expect(verify(root, join(root, 'other/b.js'), BROKEN)).toEqual([]);
  });

  test('is silent about code within other files', () => {
    const root = temporaryProject({ 'package.json': '{}', 'src/readme.md': '' });
    const processor = {
      preprocess: () => [{ text: BROKEN, filename: '0.js' }],
      postprocess: (found: unknown[][]) => found.flat(),
    };
    expect(verify(root, join(root, 'src/readme.md'), '…', { processor })).toEqual([]);
  });

  test("comments of ESLint's own silence a finding", () => {
    const root = temporaryProject({ 'package.json': '{}', 'src/a.js': '' });
    const text = `// eslint-disable-next-line pawl/directive-not-async -- later\n${BROKEN}`;
    expect(verify(root, join(root, 'src/a.js'), text)).toEqual([]);
  });
});
