import { mkdirSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createSession } from '../../src/checker/index.ts';
import { temporaryProject } from '../support/project.ts';

/** Variants of each module: bodies that differ, names that come and go, comments that are of use or not. */
const VARIANTS: Record<string, readonly string[]> = {
  'src/flow.ts': [
    `import { quote } from './quote';\nexport async function flow(n: number) {\n  'use workflow';\n  return quote(n);\n}\n`,
    `import { quote } from './quote';\nexport async function flow(n: number) {\n  'use workflow';\n  return n;\n}\n`,
    `import * as all from './quote';\nexport async function flow(n: number) {\n  'use workflow';\n  return all.quote(n) + all.other?.(n);\n}\n`,
  ],
  'src/quote.ts': [
    `import { rate } from './lib/rate';\nexport const quote = (n: number) => n * rate(n);\n`,
    `import { rate } from './lib/rate';\nexport const quote = (n: number) => n;\n`,
    `export { rate as quote } from './lib/rate';\nexport const other = (n: number) => fetch(String(n));\n`,
    `import { rate } from './lib/rate';\n// pawl-ignore PAWL3002 -- known\nexport const quote = (n: number) => n * rate(n);\n`,
    `import { rate } from './lib/rate';\nexport class Quote { total(n: number) { return rate(n); } }\nconst one = new Quote();\nexport const quote = (n: number) => one.total(n);\n`,
    `this does not parse (`,
  ],
  'src/lib/rate.ts': [
    `export function rate(n: number) {\n  return n;\n}\n`,
    `import { readFileSync } from 'node:fs';\nexport function rate(n: number) {\n  return readFileSync(String(n)).length;\n}\n`,
    `import { readFileSync } from 'node:fs';\nexport function rate(n: number) {\n  return n;\n}\nexport const unused = readFileSync;\n`,
    `// pawl-ignore PAWL3002 -- nothing here\nexport function rate(n: number) {\n  return n;\n}\n`,
    `let x = (n: number) => n;\nx = (n) => fetch(String(n)) as never;\nexport { x as rate };\n`,
    `export {};\n`,
  ],
};

/** What one module does decides what is said of another, whose own text stays: kinds of variables, functions that wait, effects. */
const ACROSS: Record<string, readonly string[]> = {
  'src/flow.ts': [
    `import { list, approval, help, load } from './state';\nimport { inner } from './inner';\nasync function save() {\n  'use step';\n  list.push(1);\n  approval.create();\n  globalThis.seen = 1;\n  return load();\n}\nexport async function flow() {\n  'use workflow';\n  help();\n  list.sort();\n  inner.then?.();\n  await save();\n  return list;\n}\n`,
    `import { list, help } from './state';\nexport async function flow() {\n  'use workflow';\n  [1].forEach(async () => await help());\n  for (;;) await help();\n  return list;\n}\n`,
    `import * as state from './state';\nexport async function flow() {\n  'use workflow';\n  await state.help();\n  while (true) { await state.help(); state.load(); }\n}\n`,
  ],
  'src/state.ts': [
    `import { defineHook } from 'pawl';\nimport { inner } from './inner';\nexport const list: number[] = [];\nexport const approval = defineHook();\nexport async function help() { await inner(); }\nexport function load() { return list; }\n`,
    `import { defineHook } from 'other';\nimport { inner } from './inner';\nexport const list = new Map();\nexport const approval = defineHook();\nexport function help() { return inner(); }\nexport function load() { throw new Error(); }\n`,
    `import { defineHook } from 'pawl';\nimport { inner } from './inner';\nexport const list = read();\nexport const approval = { create() {} };\nexport async function help() { setTimeout(inner, 1); }\nexport function load() { list.push(2); }\nfunction read() { return []; }\n`,
    `import { defineHook } from 'pawl';\nimport { inner } from './inner';\nfetch('https://a.example');\nexport const list: number[] = [];\nexport const approval = defineHook();\nexport async function help() { list.push(process.pid); await inner(); }\nexport function load() { return inner(); }\n`,
  ],
  'src/inner.ts': [
    `export async function inner() {\n  'use step';\n}\n`,
    `export async function inner() {\n  return globalThis.seen;\n}\n`,
    `import { sleep } from 'pawl';\nexport async function inner() {\n  await sleep(1);\n}\n`,
    `import { sleep } from 'workflow';\nexport async function inner() {\n  await sleep(1);\n  throw process.env.HOME;\n}\n`,
  ],
};

/** What is another name of what. */
const NAMES: Record<string, readonly string[]> = {
  'src/flow.ts': [
    `import { short } from './names';\nexport async function flow() {\n  'use workflow';\n  short.save();\n}\n`,
    `import { short, first } from './names';\nexport async function flow() {\n  'use workflow';\n  const { save } = short;\n  save();\n  first();\n}\n`,
    `import * as names from './names';\nexport async function flow() {\n  'use workflow';\n  const all = names;\n  all.short.save();\n  all.first?.();\n}\n`,
  ],
  'src/names.ts': [
    `import { table, handlers } from './table';\nexport const short = table.deep;\nexport const [first] = handlers;\n`,
    `import { table, handlers } from './table';\nexport const short = table.plain;\nexport const [, first] = handlers;\n`,
    `import { table, handlers } from './table';\nexport const { deep: short, ...others } = table;\nexport const first = handlers[0];\n`,
    `import { table, handlers } from './table';\nexport let short = table.deep;\nshort = table.plain;\nexport const { 0: first } = handlers;\n`,
    `import * as all from './table';\nexport const { table: { plain: short = all.table.deep } } = all;\nexport const first = globalThis.fetch;\n`,
  ],
  'src/table.ts': [
    `export const load = () => fetch('a');\nexport const pure = () => 1;\nexport const table = { deep: { save: load }, plain: { save: pure } };\nexport const handlers = [load, pure];\n`,
    `export const load = () => fetch('a');\nexport const pure = () => 1;\nexport const table = { deep: { save: pure }, plain: { save: load } };\nexport const handlers = [pure, load];\n`,
    `export const load = () => 2;\nexport const pure = () => 1;\nexport const table = { deep: { save: load }, plain: { save: pure } };\nexport const handlers = [load, pure];\n`,
    `export const load = () => fetch('a');\nexport const pure = () => 1;\nexport const table = { deep: { save: pure }, plain: { save: pure } };\ntable.plain.save = load as never;\nexport const handlers = [...[load], pure];\n`,
  ],
};

const project = (variants: Record<string, readonly string[]>, choice: readonly number[]) =>
  Object.fromEntries(Object.keys(variants).map((file, index) => [file, variant(variants, file, choice[index] ?? 0)]));
const variant = (of: Record<string, readonly string[]>, file: string, index: number): string => {
  const variants = of[file] as readonly string[];
  return variants[index % variants.length] as string;
};

describe('what a session says after any edits is what a new one says', () => {
  test.each([
    ['overlay', 'within a module', VARIANTS],
    ['disk', 'within a module', VARIANTS],
    ['overlay', 'across modules', ACROSS],
    ['disk', 'across modules', ACROSS],
    ['overlay', 'under other names', NAMES],
  ] as const)(
    '%s, %s',
    (where, _, variants) => {
      fc.assert(
        fc.property(
          fc.array(fc.nat(5), { minLength: 3, maxLength: 3 }),
          fc.array(fc.tuple(fc.nat(2), fc.nat(5)), { minLength: 1, maxLength: 6 }),
          (choice, edits) => {
            const root = temporaryProject(project(variants, choice));
            const session = createSession({ root, cache: false });
            session.checkSync();
            const now = [...choice];
            for (const [index, which] of edits) {
              const file = Object.keys(variants)[index] as string;
              now[index] = which;
              if (where === 'overlay') session.update(file, variant(variants, file, which));
              else writeFileSync(join(root, file), variant(variants, file, which));
              const expected = createSession({
                root: temporaryProject(project(variants, now)),
                cache: false,
              }).checkSync();
              const seen = session.checkSync();
              expect(seen.diagnostics).toEqual(expected.diagnostics);
              expect(seen.stats.modules).toBe(expected.stats.modules);
              expect(seen.stats.unresolved).toBe(expected.stats.unresolved);
            }
          },
        ),
        { numRuns: 60 },
      );
    },
    60_000,
  );
});

test('what changed before a file that cannot be read ended a check is seen in the next one', () => {
  const b = "export const still = () => 1;\nexport const asks = () => fetch('x');\n";
  const both = "import { still, asks } from '../lib/b';\n";
  const files = (name: string) => ({
    'src/flow.ts':
      "import { helper } from './a';\nexport async function flow() {\n  'use workflow';\n  return helper();\n}\n",
    'src/a.ts': `${both}export const helper = () => ${name}();\n`,
    'lib/b.ts': b,
  });
  const root = temporaryProject(files('still'));
  const session = createSession({ root, cache: false });
  expect(session.checkSync().diagnostics).toEqual([]);
  const path = join(root, 'lib/b.ts');
  session.update('src/a.ts', files('asks')['src/a.ts']);
  rmSync(path);
  symlinkSync('b.ts', path);
  expect(() => session.checkSync()).toThrow(/cannot be read/);
  rmSync(path);
  writeFileSync(path, b);
  const expected = createSession({ root: temporaryProject(files('asks')), cache: false }).checkSync();
  expect(expected.diagnostics).toHaveLength(1);
  expect(session.checkSync().diagnostics).toEqual(expected.diagnostics);
});

test('a write that no workflow read is lost as soon as one does', () => {
  const helper = (member: string) => `export const helper = () => globalThis.shared.${member};\n`;
  const flow = `import { helper } from './helper';
async function save() {
  'use step';
  globalThis.shared.count = 1;
}
export async function flow() {
  'use workflow';
  await save();
  return helper();
}
`;
  const root = temporaryProject({ 'src/flow.ts': flow, 'src/helper.ts': helper('other') });
  const session = createSession({ root, cache: false });
  const codes = () => session.checkSync().diagnostics.map(({ code, span }) => `${code}:${span.line}`);
  expect(codes()).toEqual([]);
  session.update('src/helper.ts', helper('count'));
  expect(codes()).toEqual(['PAWL2003:4']);
  session.update('src/helper.ts', helper('other'));
  expect(codes()).toEqual([]);
});

const FILES = Object.keys(VARIANTS);
const FLOW = 'src/flow.ts';
const SOURCES = project(VARIANTS, [0, 0, 1]);

/** With times of last week: what was written a moment ago is not trusted to stay. */
function settledProject(): string {
  const root = temporaryProject(SOURCES);
  mkdirSync(join(root, 'node_modules'), { recursive: true });
  return root;
}

const cacheOf = (root: string) => join(root, 'node_modules/.cache/pawl/facts.json');

/** The stamp holds the time of the last change too, which nobody can set: wait until it is old enough. */
async function settle(root: string): Promise<void> {
  const week = new Date(Date.now() - 7 * 24 * 3600 * 1000);
  for (const file of FILES) utimesSync(join(root, file), week, week);
  const until = Date.now() + 150;
  while (Date.now() < until) await new Promise((resolve) => setImmediate(resolve));
}

describe('the cache on disk', () => {
  test('spares the next process reading and parsing, and changes nothing that is said', async () => {
    const root = settledProject();
    await settle(root);
    const cold = createSession({ root }).checkSync();
    expect(cold.stats).toMatchObject({ read: 3, parsed: 3, cached: 0 });
    expect(cold.diagnostics.map(({ code }) => code)).toEqual(['PAWL3002']);
    const warm = createSession({ root }).checkSync();
    expect(warm.stats).toMatchObject({ read: 0, parsed: 0, cached: 3 });
    expect(warm.diagnostics).toEqual(cold.diagnostics);
  });

  test('an edited file is read again, whatever the cache says', async () => {
    const root = settledProject();
    await settle(root);
    createSession({ root }).checkSync();
    writeFileSync(join(root, 'src/lib/rate.ts'), variant(VARIANTS, 'src/lib/rate.ts', 0));
    const { diagnostics, stats } = createSession({ root }).checkSync();
    expect(diagnostics).toEqual([]);
    expect(stats).toMatchObject({ read: 1, parsed: 1, cached: 2 });
  });

  test('a text that lies over a file does not get into it', async () => {
    const root = settledProject();
    await settle(root);
    const session = createSession({ root });
    session.update(FLOW, 'export {};\n');
    expect(session.checkSync().diagnostics).toEqual([]);
    session.dispose();
    expect(createSession({ root }).checkSync().diagnostics).toHaveLength(1);
  });

  test.each([
    ['damaged', (text: string) => text.replace('rate', 'late')],
    ['cut short', (text: string) => text.slice(0, text.length / 2)],
    ['of another version', (text: string) => text.replace('pawl cache ', 'pawl cache 0')],
    ['empty', () => ''],
  ])('one that is %s is as good as none', async (_, change) => {
    const root = settledProject();
    await settle(root);
    const { diagnostics } = createSession({ root }).checkSync();
    writeFileSync(cacheOf(root), change(readFileSync(cacheOf(root), 'utf8')));
    const again = createSession({ root }).checkSync();
    expect(again.stats).toMatchObject({ read: 3, cached: 0 });
    expect(again.diagnostics).toEqual(diagnostics);
  });

  test('without node_modules there is none, and one that cannot be written does no harm', () => {
    const bare = temporaryProject(SOURCES);
    rmSync(join(bare, 'node_modules'), { recursive: true, force: true });
    expect(createSession({ root: bare }).checkSync().diagnostics).toHaveLength(1);
    const blocked = settledProject();
    writeFileSync(join(blocked, 'node_modules/.cache'), 'a file');
    expect(createSession({ root: blocked }).checkSync().diagnostics).toHaveLength(1);
  });
});
