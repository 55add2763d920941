import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createSession, type Diagnostic } from '../../src/checker/index.ts';
import { checkSources } from '../support/checker.ts';
import { temporaryProject } from '../support/project.ts';

const places = (diagnostics: readonly Diagnostic[]) =>
  diagnostics.map(({ file, span, code }) => `${file}:${span.line}:${span.column} ${code}`);

const WORKFLOW = `import { priceOf } from './pricing';
export async function quote(sku: string) {
  'use workflow';
  return priceOf(sku);
}
`;
const PURE = 'export const priceOf = (sku: string) => sku.length;\n';
const IMPURE = 'export const priceOf = (sku: string) => fetch(sku);\n';

describe('a session is incremental', () => {
  test('an unchanged file is read and parsed once', async () => {
    const root = temporaryProject({ 'src/quote.ts': WORKFLOW, 'src/pricing.ts': PURE, 'src/other.ts': 'export {};\n' });
    const session = createSession({ root });
    const first = await session.check();
    expect(first.stats).toMatchObject({ entries: 3, read: 3, parsed: 2, modules: 2, workflows: 1 });
    const second = await session.check();
    expect(second.stats).toMatchObject({ entries: 3, read: 3, parsed: 2 });
  });

  test('an edit of a helper is seen, and nothing else is read again', async () => {
    const root = temporaryProject({ 'src/quote.ts': WORKFLOW, 'src/pricing.ts': PURE });
    const session = createSession({ root });
    expect((await session.check()).diagnostics).toEqual([]);
    writeFileSync(join(root, 'src/pricing.ts'), IMPURE);
    const { diagnostics, stats } = await session.check();
    expect(places(diagnostics)).toEqual(['src/quote.ts:4:10 PAWL3002']);
    expect(stats).toMatchObject({ read: 3, parsed: 3 });
  });

  test('a file that is written with the same text is not parsed again', async () => {
    const root = temporaryProject({ 'src/quote.ts': WORKFLOW, 'src/pricing.ts': PURE });
    const session = createSession({ root });
    await session.check();
    rmSync(join(root, 'src/pricing.ts'));
    writeFileSync(join(root, 'src/pricing.ts'), PURE);
    expect((await session.check()).stats).toMatchObject({ parsed: 2 });
  });

  describe('beyond the entries', () => {
    const KIT = 'packages/kit/src/index.ts';
    const SOURCES = {
      'tsconfig.json': `{ "compilerOptions": { "paths": { "kit": ["./${KIT}"], "@/*": ["./src/*"] } } }`,
      'node_modules/other/package.json': '{ "name": "other" }',
      'packages/kit/src/other.ts': 'export {};\n',
      'src/quote.ts': WORKFLOW.replace('./pricing', 'kit'),
    };
    const missing = 'src/quote.ts:1:25 PAWL9006';
    const found = 'src/quote.ts:4:10 PAWL3002';

    test('files come and go', async () => {
      const root = temporaryProject({ ...SOURCES, [KIT]: IMPURE });
      const session = createSession({ root, cache: false });
      const seen = async () => places((await session.check()).diagnostics);
      expect(await seen()).toEqual([found]);
      rmSync(join(root, KIT));
      expect(await seen()).toEqual([missing]);
      writeFileSync(join(root, KIT), PURE);
      expect(await seen()).toEqual([]);
    });

    test('a file comes that nobody was told to miss', async () => {
      const guarded = `export async function quote() {
  'use workflow';
  try {
    return require('kit').priceOf('a');
  } catch {
    return 0;
  }
}
`;
      const root = temporaryProject({ ...SOURCES, 'src/quote.ts': guarded });
      const session = createSession({ root, cache: false });
      expect((await session.check()).diagnostics).toEqual([]);
      writeFileSync(join(root, KIT), IMPURE);
      expect(places((await session.check()).diagnostics)).toEqual(['src/quote.ts:4:12 PAWL3002']);
    });

    test('a file that is saved, or deleted while it is open, leads aliases elsewhere', async () => {
      const aliased = WORKFLOW.replace('./pricing', '@/pricing');
      const root = temporaryProject({ ...SOURCES, 'src/quote.ts': aliased, 'src/pricing.ts': IMPURE });
      const session = createSession({ root, cache: false });
      session.update('src/pricing.ts', IMPURE);
      const seen = async () => places((await session.check()).diagnostics);
      expect(await seen()).toEqual([found]);
      rmSync(join(root, 'src/pricing.ts'));
      expect(await seen()).toEqual([missing]);
      writeFileSync(join(root, 'src/pricing.ts'), PURE);
      expect(await seen()).toEqual([found]);
      session.update('src/pricing.ts', null);
      expect(await seen()).toEqual([]);
    });
  });

  test('a module that the aliases of a tsconfig are not for keeps them from none beside it', async () => {
    const root = temporaryProject({
      'tsconfig.json': '{ "compilerOptions": { "paths": { "@/*": ["./src/*"] } } }',
      'node_modules/other/package.json': '{ "name": "other" }',
      'src/a.cjs': `const { priceOf } = require('@/pricing');\nexports.a = async () => {\n  'use step';\n  return priceOf('a');\n};\n`,
      'src/quote.ts': WORKFLOW.replace('./pricing', '@/pricing'),
      'src/pricing.ts': PURE,
    });
    const session = createSession({ root, cache: false });
    expect(places((await session.check()).diagnostics)).toEqual(['src/a.cjs:1:29 PAWL9006']);
  });

  test('files come and go', async () => {
    const root = temporaryProject({ 'src/quote.ts': WORKFLOW });
    const session = createSession({ root });
    expect(places((await session.check()).diagnostics)).toEqual(['src/quote.ts:1:25 PAWL9006']);
    writeFileSync(join(root, 'src/pricing.js'), IMPURE);
    expect(places((await session.check()).diagnostics)).toEqual(['src/quote.ts:4:10 PAWL3002']);
    writeFileSync(join(root, 'src/pricing.ts'), PURE);
    expect((await session.check()).diagnostics).toEqual([]);
    rmSync(join(root, 'src/pricing.ts'));
    rmSync(join(root, 'src/pricing.js'));
    expect(places((await session.check()).diagnostics)).toEqual(['src/quote.ts:1:25 PAWL9006']);
  });

  test('dispose forgets', async () => {
    const root = temporaryProject({ 'src/quote.ts': WORKFLOW });
    const session = createSession({ root });
    await session.check();
    session.dispose();
    expect((await session.check()).stats).toMatchObject({ read: 1, parsed: 1 });
  });
});

describe('unsaved texts', () => {
  test('lie over the disk until they are taken away', async () => {
    const root = temporaryProject({ 'src/quote.ts': WORKFLOW, 'src/pricing.ts': PURE });
    const session = createSession({ root });
    session.update(join(root, 'src/pricing.ts'), IMPURE);
    expect(places((await session.check()).diagnostics)).toEqual(['src/quote.ts:4:10 PAWL3002']);
    expect(session.source('src/pricing.ts')).toBe(IMPURE);
    session.update('src/pricing.ts', null);
    expect((await session.check()).diagnostics).toEqual([]);
    expect(session.source('src/pricing.ts')).toBe(PURE);
  });

  test('may belong to files that do not exist yet', async () => {
    const root = temporaryProject({ 'package.json': '{}' });
    const session = createSession({ root });
    session.update('src/quote.ts', WORKFLOW);
    session.update('src/pricing.ts', IMPURE);
    expect(places((await session.check()).diagnostics)).toEqual(['src/quote.ts:4:10 PAWL3002']);
    session.update('src/quote.ts', null);
    session.update('src/pricing.ts', null);
    expect((await session.check()).stats.entries).toBe(0);
  });

  test('in the middle of being typed do no harm', async () => {
    const root = temporaryProject({ 'src/quote.ts': WORKFLOW, 'src/pricing.ts': PURE });
    const session = createSession({ root });
    for (let length = 0; length <= WORKFLOW.length; length += 7) {
      session.update('src/quote.ts', WORKFLOW.slice(0, length));
      const { diagnostics } = await session.check();
      for (const { file } of diagnostics) expect(file).toBe('src/quote.ts');
    }
  });
});

describe('which files', () => {
  test('tests, declarations, installed packages and build output are no entries', async () => {
    const bad = `export function no() { 'use step'; }\n`;
    const root = temporaryProject({
      'src/a.ts': `export async function ok() { 'use step'; }\n`,
      'src/a.test.ts': bad,
      'src/__tests__/b.ts': bad,
      'src/types.d.ts': bad,
      'src/node_modules/x/index.js': bad,
      'node_modules/y/index.js': bad,
      '.pawl/steps.js': bad,
      'other/c.ts': bad,
    });
    expect(places((await createSession({ root }).check()).diagnostics)).toEqual([]);
    const tests = createSession({ root, config: { entries: ['src/**/*.ts', 'other/*.ts'] } });
    expect(places((await tests.check()).diagnostics)).toEqual([
      'other/c.ts:1:17 PAWL1002',
      'src/__tests__/b.ts:1:17 PAWL1002',
      'src/a.test.ts:1:17 PAWL1002',
    ]);
  });

  test('named files and directories limit what is reported, not what is looked at', async () => {
    const root = temporaryProject({
      'src/quote.ts': WORKFLOW,
      'src/pricing.ts': IMPURE,
      'src/jobs/a.ts': `export function a() { 'use step'; }\n`,
      'src/jobs/b.ts': 'not parsed on its own, but named: it is (',
    });
    const check = async (...files: string[]) => places((await createSession({ root, files }).check()).diagnostics);
    expect(await check('src/quote.ts')).toEqual(['src/quote.ts:4:10 PAWL3002']);
    expect(await check('src/pricing.ts')).toEqual([]);
    expect(await check(join(root, 'src/jobs'))).toEqual([
      'src/jobs/a.ts:1:17 PAWL1002',
      expect.stringMatching(/^src\/jobs\/b\.ts:1:\d+ PAWL9004$/),
    ]);
    expect(await check('./src/jobs/', 'src/quote.ts')).toHaveLength(3);
    await expect(check('src/nothing.ts')).rejects.toMatchObject({ code: 'PAWL_FILE_NOT_FOUND' });
  });

  test('a file that does not parse is reported, and the rest is checked', async () => {
    const root = temporaryProject({
      'src/broken.ts': `export async function a() { 'use step'; return (; }\n`,
      'src/quote.ts': WORKFLOW,
      'src/pricing.ts': `${IMPURE}export const broken = {{;\n`,
    });
    const found = places((await createSession({ root }).check()).diagnostics);
    expect(found.some((place) => place.startsWith('src/broken.ts') && place.endsWith('PAWL9004'))).toBe(true);
    expect(found.some((place) => place.startsWith('src/pricing.ts') && place.endsWith('PAWL9004'))).toBe(true);
  });

  test('a byte order mark and CRLF change no place', async () => {
    const text = `export function a() {\r\n  'use step';\r\n}\r\n`;
    const root = temporaryProject({ 'src/a.ts': `\ufeff${text}`, 'src/b.ts': text });
    expect(places((await createSession({ root }).check()).diagnostics)).toEqual([
      'src/a.ts:1:17 PAWL1002',
      'src/b.ts:1:17 PAWL1002',
    ]);
  });

  test('links that lead nowhere or in a circle are no crash', async () => {
    const root = temporaryProject({ 'src/a.ts': `export async function a() { 'use step'; }\n` });
    symlinkSync(join(root, 'gone.ts'), join(root, 'src/gone.ts'));
    expect((await createSession({ root }).check()).diagnostics).toEqual([]);
    symlinkSync(join(root, 'src/circle.ts'), join(root, 'src/circle.ts'));
    const session = createSession({ root, files: ['src/circle.ts'] });
    await expect(session.check()).rejects.toMatchObject({ code: expect.stringMatching(/^PAWL_FILE_/) });
  });
});

describe('imports resolve as they do for the project', () => {
  const END = `export async function io() { return fetch('x'); }\n`;
  const main = (specifier: string) => `import { io } from '${specifier}';
export async function flow() {
  'use workflow';
  return io();
}
`;
  const FOUND = ['src/main.ts:4:10 PAWL3002'];

  test.each<[name: string, specifier: string, files: Record<string, string>]>([
    ['a file', './io', { 'src/io.ts': END }],
    ['a file by the name of its output', './io.js', { 'src/io.ts': END }],
    ['an .mts by the name of its output', './io.mjs', { 'src/io.mts': END }],
    ['with its TypeScript ending', './io.ts', { 'src/io.ts': END }],
    ['an index', './lib', { 'src/lib/index.tsx': END }],
    [
      'paths',
      '@/io',
      { 'src/io.ts': END, 'tsconfig.json': '{ "compilerOptions": { "paths": { "@/*": ["./src/*"] } } }' },
    ],
    [
      'paths that are inherited, in a tsconfig with comments',
      '@lib/io',
      {
        'src/lib/io.ts': END,
        'tsconfig.json': '{ /* base */ "extends": "./tsconfig.base.json", }',
        'tsconfig.base.json': '{ "compilerOptions": { "paths": { "@lib/*": ["./src/lib/*"] } } }',
      },
    ],
    ['baseUrl', 'src/lib/io', { 'src/lib/io.ts': END, 'tsconfig.json': '{ "compilerOptions": { "baseUrl": "." } }' }],
    ['package imports', '#io', { 'src/io.ts': END, 'package.json': '{ "imports": { "#io": "./src/io.ts" } }' }],
    [
      "the package's own name",
      'shop/io',
      { 'src/io.ts': END, 'package.json': '{ "name": "shop", "exports": { "./io": "./src/io.ts" } }' },
    ],
  ])('%s', async (_name, specifier, files) => {
    const root = temporaryProject({ 'src/main.ts': main(specifier), ...files });
    expect(places((await createSession({ root }).check()).diagnostics)).toEqual(FOUND);
  });

  test('a workspace package, whose steps count too', async () => {
    const root = temporaryProject({
      'app/src/main.ts': `import { io, step } from '@shop/lib';
export async function flow() {
  'use workflow';
  await step();
  return io();
}
`,
      'lib/package.json': '{ "name": "@shop/lib", "exports": "./index.ts" }',
      'lib/index.ts': `${END}export async function step() { 'use step'; return io(); }\nexport function bad() { 'use step'; }\n`,
    });
    mkdirSync(join(root, 'app/node_modules/@shop'), { recursive: true });
    symlinkSync(join(root, 'lib'), join(root, 'app/node_modules/@shop/lib'));
    const { diagnostics, stats } = await createSession({ root: join(root, 'app') }).check();
    expect(places(diagnostics)).toEqual(['../lib/index.ts:3:17 PAWL1002', 'src/main.ts:5:10 PAWL3002']);
    expect(stats).toMatchObject({ modules: 2, entries: 1 });
  });

  test('an installed package is outside', async () => {
    const root = temporaryProject({
      'src/main.ts': main('some-sdk'),
      'node_modules/some-sdk/package.json': '{ "name": "some-sdk", "main": "index.js" }',
      'node_modules/some-sdk/index.js': END,
    });
    expect((await createSession({ root }).check()).diagnostics).toEqual([]);
  });

  test('what does not resolve is told, and nothing else', async () => {
    for (const specifier of ['./gone', '../../../../../outside', './data.json', './style.css?inline']) {
      const root = temporaryProject({ 'src/main.ts': main(specifier) });
      expect((await createSession({ root }).check()).diagnostics.map(({ code }) => code)).toEqual(['PAWL9006']);
    }
  });

  test('cycles end', async () => {
    const root = temporaryProject({
      'src/main.ts': main('./a'),
      'src/a.ts': `export * from './b';\nexport { io } from './b';\nexport const a = () => b();\nimport { b } from './b';\n`,
      'src/b.ts': `export * from './a';\nexport { io } from './c';\nimport { a } from './a';\nexport const b = () => a();\n`,
      'src/c.ts': `export { io } from './a';\n`,
    });
    expect((await createSession({ root }).check()).diagnostics).toEqual([]);
  });
});

describe('texts of an editor', () => {
  const STEP = "export async function charge() {\n  'use step';\n}\ncharge.stepId = 'charge';\n";
  const SAME = STEP.replace('function charge', 'function pay').replace('charge.stepId', 'pay.stepId');

  test('a test that is open is no entry, a file that was not saved yet is one', () => {
    const root = temporaryProject({ 'src/a.ts': STEP, 'src/a.test.ts': SAME });
    const session = createSession({ root, overlays: 'match' });
    session.update('src/a.test.ts', SAME);
    expect(places(session.checkSync().diagnostics)).toEqual([]);
    session.update(join(root, 'src/new.ts'), SAME);
    expect(places(session.checkSync().diagnostics)).toEqual(['src/new.ts:1:23 PAWL6001']);
    session.update('src/new.ts', null);
    expect(places(session.checkSync().diagnostics)).toEqual([]);
  });

  test('the program that was checked comes with the findings', () => {
    const root = temporaryProject({ 'src/quote.ts': WORKFLOW, 'src/pricing.ts': PURE });
    const { program } = createSession({ root }).checkSync();
    const [workflow] = program.places('workflow');
    expect(program.reach(workflow!, () => true).map(({ unit }) => unit.path)).toEqual(['quote', 'priceOf']);
  });
});

describe('code that is nested too deep', () => {
  const deep = (body: string) =>
    `export async function flow(x: number) {\n  'use workflow';\n  ${body}\n  return x;\n}\n`;
  const sum = `x = ${Array(6_000).fill('x').join(' + ')};`;

  test.each([
    ['a sum', sum],
    ['branches', `${'if (x) {'.repeat(6_000)}${'}'.repeat(6_000)}`],
  ])('is said to be that: %s', async (_name, body) => {
    const { diagnostics } = await checkSources({ 'src/flow.ts': deep(body) });
    expect(diagnostics.map(({ code, message }) => [code, message])).toEqual([
      ['PAWL9004', expect.stringMatching(/^The code is nested too deep to be checked or compiled: /)],
    ]);
  });

  test('is passed over where it has no directive', async () => {
    const { diagnostics } = await checkSources({
      'src/flow.ts': `import { table } from './table';\n${deep('x = table(x);')}`,
      'src/table.ts': `export function table(x: number) {\n  ${sum}\n  return x;\n}\n`,
    });
    expect(diagnostics).toEqual([]);
  });
});
