import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError, loadConfig } from 'pawl/config';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { OPTION_NAMES } from '../../src/config/schema.ts';

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'pawl-config-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

async function problemsOf(file: string, text: string): Promise<string[]> {
  writeFileSync(join(root, file), text);
  const error = await loadConfig(root).then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof ConfigError)) throw error ?? new Error('no error');
  expect(error.code).toBe('PAWL9005');
  expect(error.message).not.toMatch(/\n/);
  return error.diagnostics.map(
    ({ file, span, message, remedy }) => `${file}:${span.line}:${span.column} ${message} ${remedy ?? ''}`,
  );
}

test('without a file the defaults hold', async () => {
  expect(await loadConfig(root)).toEqual({ config: { outDir: '.pawl', store: 'sqlite:.pawl/pawl.db' }, source: null });
});

test('a TypeScript file is read, with its helpers, and read anew each time', async () => {
  const text = `import { defineConfig } from 'pawl/config';
import { store } from './store.ts';
export default defineConfig({ store, rules: { 'io-in-workflow': 'warning' } });
`;
  writeFileSync(join(root, 'pawl.config.ts'), text);
  writeFileSync(join(root, 'store.ts'), `export const store: string = 'sqlite:a.db';`);
  const expected = { outDir: '.pawl', store: 'sqlite:a.db', rules: { 'io-in-workflow': 'warning' } };
  expect(await loadConfig(root)).toEqual({ config: expected, source: { file: 'pawl.config.ts', text } });
  writeFileSync(join(root, 'store.ts'), `export const store: string = 'sqlite:b.db';`);
  expect((await loadConfig(root)).config.store).toBe('sqlite:b.db');
});

test('with a cache beside its packages it is read anew all the same, and places stay', async () => {
  mkdirSync(join(root, 'node_modules'));
  const cache = join(root, 'node_modules/.cache/pawl/config');
  const write = (store: string) => {
    writeFileSync(join(root, 'store.ts'), `export const store: string = '${store}';`);
    writeFileSync(
      join(root, 'pawl.config.ts'),
      `import { store } from './store.ts';\nexport default { store, /* ${store} */ };`,
    );
  };
  for (const store of ['sqlite:a.db', 'sqlite:b.db', 'sqlite:b.db', 'sqlite:a.db']) {
    write(store);
    expect((await loadConfig(root)).config.store).toBe(store);
    expect(readdirSync(cache)).toHaveLength(2);
  }
  for (const file of readdirSync(cache)) writeFileSync(join(cache, file), 'damaged');
  expect((await loadConfig(root)).config.store).toBe('sqlite:a.db');
  const broken = `const a: number = 1;\nthrow new Error('no ' + (a as number));\n`;
  for (let round = 0; round < 2; round++)
    expect(await problemsOf('pawl.config.ts', broken)).toEqual([expect.stringContaining('pawl.config.ts:2:7 ')]);
});

test('a project of a monorepo has its cache beside the packages that it shares with others', async () => {
  const app = join(root, 'packages/app');
  mkdirSync(app, { recursive: true });
  mkdirSync(join(root, 'node_modules'));
  writeFileSync(join(app, 'pawl.config.ts'), `const store: string = 'sqlite:a.db';\nexport default { store };`);
  for (let round = 0; round < 2; round++) expect((await loadConfig(app)).config.store).toBe('sqlite:a.db');
  expect(readdirSync(join(root, 'node_modules/.cache/pawl/config'))).toHaveLength(1);
});

test.each(['mjs', 'js', 'mts'])('pawl.config.%s is read', async (ending) => {
  writeFileSync(join(root, `pawl.config.${ending}`), `export default { outDir: 'out' };`);
  expect((await loadConfig(root)).config.outDir).toBe('out');
});

test('other files of a folder are no configuration', async () => {
  writeFileSync(join(root, 'package.json'), '{ "pawl": { "outDir": "wrong" }, "type": "module" }');
  writeFileSync(join(root, '.pawlrc'), 'outDir=wrong');
  writeFileSync(join(root, 'pawl.config.json'), '{ "entries": ["lib/*.ts"] }');
  expect((await loadConfig(root)).config).toEqual({
    entries: ['lib/*.ts'],
    outDir: '.pawl',
    store: 'sqlite:.pawl/pawl.db',
  });
});

test('unknown options are named with their place and the nearest option, all at once', async () => {
  const text = `export default {\n  entrys: [],\n  "colour": 1,\n};\n`;
  expect(await problemsOf('pawl.config.ts', text)).toEqual([
    'pawl.config.ts:2:3 There is no option `entrys`. Did you mean `entries`?',
    `pawl.config.ts:3:4 There is no option \`colour\`. The options are ${OPTION_NAMES.join(', ')}.`,
  ]);
});

test.each([
  ['a call', `import { defineConfig } from 'pawl/config';\ndefineConfig({ rules: {} });\n`, '2:1'],
  ['a variable', `const config = { rules: {} };\n`, '1:1'],
  ['nothing', '', '1:1'],
])('a file of %s exports nothing, and that is told', async (_name, text, place) => {
  expect(await problemsOf('pawl.config.ts', text)).toEqual([
    `pawl.config.ts:${place} The configuration exports nothing, so none of it holds. Write \`export default defineConfig({ … })\`.`,
  ]);
});

test.each([
  ['mjs', 'export default {};'],
  ['cjs', 'module.exports = {};'],
  ['mjs', 'const config = {};\nexport { config as default };'],
])('what a file with the ending %s exports may be empty: `%s`', async (ending, text) => {
  writeFileSync(join(root, `pawl.config.${ending}`), text);
  expect((await loadConfig(root)).config.outDir).toBe('.pawl');
});

test.each([
  ['a wrong value', '{ "outDir": 7 }', /^pawl\.config\.json:1:4 `outDir` has a wrong value: .*expected string/],
  ['a wrong element', '{ "entries": ["a", 7] }', /1:4 `entries\.1` has a wrong value/],
  ['no object', '[]', /1:1 The configuration is not an object/],
  ['no JSON', '{ "outDir": "a" "b" }', /1:17 The configuration is not JSON/],
  ['no JSON, short', '{\n  "outDir": }', /:2:13 The configuration is not JSON/],
  ['no JSON, cut off', '{\n  "outDir"', /:2:11 The configuration is not JSON/],
])('%s', async (_name, text, expected) => {
  expect((await problemsOf('pawl.config.json', text)).join()).toMatch(expected);
});

test.each([
  ['throws', `export default {};\nthrow new Error('no luck');`, /2:7 The configuration could not be loaded: no luck\./],
  ['does not parse', `export default {;`, /pawl\.config\.ts:1:\d+ The configuration could not be loaded/],
  ['imports what is not there', `import './gone.ts'; export default {};`, /:1:8 .*could not be loaded: .*gone/],
  [
    'does not parse at the start of a line',
    `export default {\n  rules: { 'a':\n};`,
    /:3:1 .*: ParseError: Unexpected token/,
  ],
])('a file that %s', async (_name, text, expected) => {
  expect((await problemsOf('pawl.config.ts', text)).join()).toMatch(expected);
});

describe('an error in compiled code is at its place in the file as it was written', () => {
  const NOWHERE = 'undefined as unknown as { a: { b: string } }';
  const cases: Record<string, string> = {
    'behind types': `interface A { x: number }

const a: { readonly [key: string]: string | undefined } = {}; throw ▼new Error('no luck' as string);
export default {};`,
    'behind types, in the first line': `const a: string | undefined = 'a'; throw ▼new Error('no ' + (a as string)); export default {};`,
    'behind an import, in the first line': `import { fail } from './fail.ts'; type X = { a: 1 }; ▼fail<X>('no luck'); export default {};`,
    'in a call of an import': `import { defineConfig } from 'pawl/config';
import * as all from './fail.ts';

export default defineConfig({ outDir: (all as { fail(text: string): never }).▼fail('no luck') });`,
    'in a value': `import { defineConfig } from 'pawl/config';
const nothing = ${NOWHERE};
export default defineConfig({ store: 'sqlite:a.db' satisfies string, outDir: (nothing as { a: { b: string } }).▼a.b });`,
    'in a function, behind wide characters': `type Wide = '→ 語 😀';
const make = (): string => { const wide: Wide = '→ 語 😀'; throw ▼new Error(\`no \${wide}\`); };
export default { outDir: make() };`,
  };

  test.each(Object.entries(cases))('%s', async (_name, marked) => {
    writeFileSync(
      join(root, 'fail.ts'),
      `interface Unused { a: 1 }\nexport function fail<T>(text: string): never { throw new Error(text); }\n`,
    );
    const before = marked.slice(0, marked.indexOf('▼')).split('\n');
    const place = `pawl.config.ts:${before.length}:${(before.at(-1) as string).length + 1} `;
    const text = marked.replace('▼', '');
    expect(await problemsOf('pawl.config.ts', text)).toEqual([expect.stringContaining(place)]);
    // The second round takes from a cache what the first one compiled, the third one finds it.
    mkdirSync(join(root, 'node_modules'));
    for (let round = 0; round < 2; round++)
      expect(await problemsOf('pawl.config.ts', text)).toEqual([expect.stringContaining(place)]);
  });
});

test.each(['5', `'src'`, 'true', '[]'])('`export default %s` is no configuration', async (value) => {
  expect((await problemsOf('pawl.config.ts', `export default ${value};`)).join()).toMatch(
    /^pawl\.config\.ts:1:1 The configuration is not an object/,
  );
});

test('what the parser says ends in one full stop', async () => {
  expect((await problemsOf('pawl.config.ts', 'export default { a b };')).join()).toMatch(/[^\s.]\.\s*$/);
  expect((await problemsOf('pawl.config.ts', 'const a = 1 const b = 2;')).join()).toMatch(
    /Missing semicolon\b[^.]*\.\s*$/,
  );
});

test('a directory in place of the file', async () => {
  mkdirSync(join(root, 'pawl.config.ts'));
  await expect(loadConfig(root)).rejects.toThrow(/cannot be read: it is a directory/);
});
