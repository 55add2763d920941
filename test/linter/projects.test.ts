import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { LintProjects } from '../../src/linter/index.ts';
import { temporaryProject } from '../support/project.ts';

const HELPER = `export async function priceOf(sku) {\n  return fetch(sku);\n}\n`;
const PURE = `export async function priceOf(sku) {\n  return sku;\n}\n`;
const WORKFLOW = `import { priceOf } from './pricing.js';\n\nexport async function fulfil(sku) {\n  'use workflow';\n  return priceOf(sku);\n}\n`;
const BROKEN = `export function charge(amount) {\n  'use step';\n  return amount;\n}\n`;

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => void vi.useRealTimers());

const RULES = ['io-in-workflow', 'directive-not-async', 'unused-suppression', 'any-at-boundary', 'duplicate-directive'];

/** A linter that asks every rule of interest about one file after the other. */
function linter(files: Record<string, string>) {
  const root = temporaryProject({ 'package.json': '{}', ...files });
  const projects = new LintProjects();
  const lint = (
    file: string,
    text: string,
    more: { options?: Record<string, unknown>; root?: string } = {},
  ): string[] =>
    RULES.flatMap((rule) => {
      const { options, ...others } = more;
      const own = rule === 'io-in-workflow' ? options : undefined;
      const found = projects.find({
        path: join(root, file),
        text,
        cwd: root,
        rule,
        types: false,
        options: own,
        ...others,
      });
      return found.map(({ span, message, rule: name }) => `${name || message}:${span.line}`);
    });
  const write = (file: string, text: string): void => {
    mkdirSync(join(root, file, '..'), { recursive: true });
    writeFileSync(join(root, file), text);
  };
  return { root, lint, write };
}

describe('what a file is checked with', () => {
  test('unsaved texts of other files', () => {
    const { lint } = linter({ 'src/a.js': WORKFLOW, 'src/pricing.js': PURE });
    expect(lint('src/a.js', WORKFLOW)).toEqual([]);
    expect(lint('src/pricing.js', HELPER)).toEqual([]);
    expect(lint('src/a.js', WORKFLOW)).toEqual(['io-in-workflow:5']);
    expect(lint('src/pricing.js', PURE)).toEqual([]);
    expect(lint('src/a.js', WORKFLOW)).toEqual([]);
  });

  test('what others wrote to disk, soon', () => {
    const { lint, write } = linter({ 'src/a.js': WORKFLOW, 'src/pricing.js': PURE });
    expect(lint('src/a.js', WORKFLOW)).toEqual([]);
    write('src/pricing.js', HELPER);
    expect(lint('src/a.js', WORKFLOW)).toEqual([]);
    vi.advanceTimersByTime(1_500);
    expect(lint('src/a.js', `${WORKFLOW}\n`)).toEqual(['io-in-workflow:5']);
    expect(lint('src/a.js', WORKFLOW)).toEqual(['io-in-workflow:5']);
  });

  test('a new file at once, be it saved or not', () => {
    const { lint, write } = linter({ 'src/a.js': 'export {};\n' });
    expect(lint('src/a.js', 'export {};\n')).toEqual([]);
    write('src/b.js', BROKEN);
    expect(lint('src/b.js', BROKEN)).toEqual(['directive-not-async:1']);
    expect(lint('src/c.js', BROKEN.replace('charge', 'refund'))).toEqual(['directive-not-async:1']);
  });

  test('a configuration that changed', () => {
    const { lint, write } = linter({ 'src/a.js': WORKFLOW, 'src/pricing.js': HELPER, 'pawl.config.json': '{}' });
    expect(lint('src/a.js', WORKFLOW)).toEqual(['io-in-workflow:5']);
    write('pawl.config.json', '{ "rules": { "io-in-workflow": "off" } }');
    expect(lint('src/b.js', '')).toEqual([]);
    expect(lint('src/a.js', WORKFLOW)).toEqual([]);
    write('pawl.config.json', '{ "colour": 1 }');
    expect(lint('src/b.js', '')).toEqual([]);
    expect(lint('src/a.js', WORKFLOW)).toEqual(
      [
        'Nothing was checked. PAWL9005 at pawl.config.json:1:4: There is no option `colour`. Did you mean `compat`?:1',
      ].map((text) => expect.stringContaining(text.slice(0, 80)) as unknown as string),
    );
  });
});

describe('whose a file is', () => {
  test('of the innermost configuration whose entries it is one of, else of its package', () => {
    const rule = (level: string): string => JSON.stringify({ rules: { 'duplicate-directive': level } });
    const doubled = `'use step';\n\nexport async function a() {\n  'use step';\n}\n`;
    const { lint } = linter({
      'pawl.config.json': JSON.stringify({ entries: ['packages/*/src/**/*.js'] }),
      'packages/a/package.json': '{}',
      'packages/a/src/a.js': doubled,
      'packages/b/pawl.config.json': rule('off'),
      'packages/b/src/b.js': doubled.replace('function a', 'function b'),
      'elsewhere/package.json': '{}',
      'elsewhere/src/c.js': doubled,
    });
    expect(lint('packages/a/src/a.js', doubled)).toEqual(['duplicate-directive:4']);
    expect(lint('packages/b/src/b.js', doubled.replace('function a', 'function b'))).toEqual([]);
    expect(lint('elsewhere/src/c.js', doubled)).toEqual(['duplicate-directive:4']);
  });

  test('a folder that is named counts', () => {
    const { root, lint } = linter({
      'package.json': '{}',
      'app/package.json': '{}',
      'app/src/a.js': BROKEN,
      'app/pawl.config.json': '{}',
    });
    expect(lint('app/src/a.js', BROKEN)).toEqual(['directive-not-async:1']);
    expect(lint('app/src/a.js', BROKEN, { root })).toEqual([]);
  });

  test("files of other kinds are nobody's", () => {
    const { lint } = linter({ 'src/a.d.ts': BROKEN, 'src/a.md': BROKEN });
    expect(lint('src/a.d.ts', BROKEN)).toEqual([]);
    expect(lint('src/a.md', BROKEN)).toEqual([]);
    expect(new LintProjects().find({ path: '<input>', text: BROKEN, cwd: '/', rule: 'directive-not-async' })).toEqual(
      [],
    );
  });
});

describe('settings', () => {
  test('of pawl.config hold: off is off, for globs too', () => {
    const overrides = [{ files: 'src/old/**', rules: { PAWL1007: 'off' } }];
    const doubled = `'use step';\n\nexport async function a() {\n  'use step';\n}\n`;
    const { lint } = linter({
      'pawl.config.json': JSON.stringify({ overrides }),
      'src/a.js': doubled,
      'src/old/b.js': doubled.replace('function a', 'function b'),
    });
    expect(lint('src/a.js', doubled)).toEqual(['duplicate-directive:4']);
    expect(lint('src/old/b.js', doubled.replace('function a', 'function b'))).toEqual([]);
  });

  test('a comment for a rule that is off unless set is not called unused', () => {
    const text = `// pawl-ignore PAWL2006 -- untyped for now\nexport const a = 1;\n`;
    const { lint } = linter({ 'src/a.js': text });
    expect(lint('src/a.js', text)).toEqual([]);
    const judged = linter({ 'src/a.js': text, 'pawl.config.json': '{ "rules": { "any-at-boundary": "warn" } }' });
    expect(judged.lint('src/a.js', text)).toEqual(['unused-suppression:1']);
  });

  test('options of the linter go before those of pawl.config, and leave its severities alone', () => {
    const files = {
      'node_modules/fetcher/package.json':
        '{ "name": "fetcher", "version": "1.0.0", "type": "module", "main": "index.js" }',
      'node_modules/fetcher/index.js': 'export const load = (url) => fetch(url);\n',
      'src/a.js': `import { load } from 'fetcher';\n\nexport async function through(url) {\n  'use workflow';\n  return load(url);\n}\n`,
    };
    const config = (entry: unknown): Record<string, string> => ({
      'pawl.config.json': JSON.stringify({ rules: { PAWL3002: entry } }),
    });
    const shallow = linter({ ...files, ...config(['error', { packageDepth: 0 }]) });
    expect(shallow.lint('src/a.js', files['src/a.js'])).toEqual([]);
    expect(shallow.lint('src/a.js', files['src/a.js'], { options: { packageDepth: 1 } })).toEqual(['io-in-workflow:5']);
    expect(shallow.lint('src/a.js', files['src/a.js'], { options: { packageDepth: 0 } })).toEqual([]);
    const off = linter({ ...files, ...config('off') });
    expect(off.lint('src/a.js', files['src/a.js'], { options: { packageDepth: 1 } })).toEqual([]);
  });
});

test('edits of a fix are those of `--fix`', () => {
  const { root } = linter({ 'src/a.js': BROKEN });
  const [finding] = new LintProjects().find({
    path: join(root, 'src/a.js'),
    text: BROKEN,
    cwd: root,
    rule: 'directive-not-async',
    types: false,
  });
  expect(finding?.edits).toEqual([{ start: 7, end: 7, text: 'async ' }]);
});

test('a thousand questions are answered from one check', () => {
  const files = Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`src/m${index}.js`, PURE]));
  const { lint, write } = linter({ ...files, 'src/a.js': BROKEN });
  expect(lint('src/a.js', BROKEN)).toEqual(['directive-not-async:1']);
  // What a second check would see.
  write('src/a.js', '');
  for (const [file, text] of Object.entries(files)) expect(lint(file, text)).toEqual([]);
  expect(lint('src/a.js', BROKEN)).toEqual(['directive-not-async:1']);
});
