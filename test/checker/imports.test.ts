/** Imports that lead nowhere: told with place, reason and remedy; what a build can do with is no finding. */
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { build } from '../../src/bundler/index.ts';
import { createSession } from '../../src/checker/index.ts';
import { formatTsc } from '../../src/diagnostics/index.ts';
import { spawnCli } from '../support/cli.ts';
import { ROOT } from '../support/dist.ts';
import { temporaryProject } from '../support/project.ts';

type Files = Record<string, string>;

const STEP = `export async function charge() { 'use step'; }\n`;
/** Something is installed, so that the absence of a package says something. */
const INSTALLED: Files = {
  'node_modules/one/package.json': '{ "name": "one", "exports": { ".": "./index.js", "./deep": "./deep.js" } }',
  'node_modules/one/index.js': 'export const one = 1;',
  'node_modules/one/deep.js': 'export const deep = 1;',
};

async function check(files: Files): Promise<string[]> {
  const root = temporaryProject({ ...INSTALLED, ...files });
  const { diagnostics } = await createSession({ root }).check();
  return formatTsc(diagnostics).split('\n').filter(Boolean);
}

describe('is told', () => {
  test.each<[name: string, files: Files, expected: RegExp]>([
    [
      'a file that is not there',
      { 'src/a.ts': `${STEP}import { b } from './b.ts';\nexport const c = b;` },
      /^src\/a\.ts\(2,19\): error PAWL9006: `\.\/b\.ts` does not resolve: there is no such file\. Correct the path, or create the file\.$/,
    ],
    [
      'a name that is nearly right',
      { 'src/a.ts': `${STEP}import { b } from './Pricng';\nexport const c = b;`, 'src/pricing.ts': '' },
      /`\.\/Pricng` does not resolve: there is no such file\. Did you mean `\.\/pricing`\?/,
    ],
    [
      'the wrong ending',
      { 'src/a.ts': `${STEP}import { b } from './b.ts';\nexport const c = b;`, 'src/b.mjs': '' },
      /Did you mean `\.\/b\.mjs`\?/,
    ],
    [
      'a directory without an index file',
      { 'src/a.ts': `${STEP}export * from './lib';`, 'src/lib/other.ts': 'export const b = 1;' },
      /^src\/a\.ts\(2,15\): error PAWL9006: `\.\/lib` does not resolve: it is a directory without an index file\. Import a file in it, such as `\.\/lib\/other\.ts`, or/,
    ],
    [
      'an import of a file that a step loads, and no directive in it',
      {
        'src/a.ts': `${STEP}import { b } from './b';\nexport const c = b;`,
        'src/b.ts': `import './c';\nexport const b = 1;`,
      },
      /^src\/b\.ts\(1,8\): error PAWL9006: `\.\/c` does not resolve/,
    ],
    [
      'a package that is not installed',
      { 'src/a.ts': `${STEP}import two from 'two/deep';\nexport const c = two;` },
      /^src\/a\.ts\(2,17\): .*`two\/deep` does not resolve: there is no package `two`.*npm install two/,
    ],
    [
      'an entry that an installed package does not have',
      { 'src/a.ts': `${STEP}import 'one/other';` },
      /^src\/a\.ts\(2,8\): .*the package `one` is there, and has no such entry: `exports` of .* lists `\.`, `\.\/deep`, not `\.\/other`\./,
    ],
    [
      'an import of the package itself that it does not have',
      { 'package.json': '{ "imports": { "#a": "./src/a.ts" } }', 'src/a.ts': `${STEP}import '#b';` },
      /^src\/a\.ts\(2,8\): .*`#b` does not resolve: the package has no such import\..*`imports` of package\.json/,
    ],
    [
      'an alias that no tsconfig has',
      { 'src/a.ts': `${STEP}import '@/b';` },
      /^src\/a\.ts\(2,8\): .*no `paths` of tsconfig\.json lead there/,
    ],
    [
      'an alias whose file is gone',
      {
        'tsconfig.json': '{ "compilerOptions": { "paths": { "@/*": ["./src/*"] } } }',
        'src/a.ts': `${STEP}import '@/b';`,
      },
      /^src\/a\.ts\(2,8\): error PAWL9006: `@\/b` does not resolve/,
    ],
    [
      'an `import()` of a file, far from any `try`',
      { 'src/a.ts': `export async function charge() {\n  'use step';\n  return await import('./b.ts');\n}` },
      /^src\/a\.ts\(3,23\): error PAWL9006: `\.\/b\.ts` does not resolve/,
    ],
    [
      'a `require` of a file',
      { 'src/a.cjs': `const b = require('./b.cjs');\nexports.charge = async function () { 'use step'; return b; };` },
      /^src\/a\.cjs\(1,19\): error PAWL9006/,
    ],
    [
      'a stylesheet that is not there',
      { 'src/a.ts': `${STEP}import './a.css';` },
      /^src\/a\.ts\(2,8\): error PAWL9006: `\.\/a\.css` does not resolve/,
    ],
  ])('%s', async (_name, files, expected) => {
    const found = await check(files);
    expect(found).toEqual([expect.stringMatching(expected)]);
  });

  test.each([
    ['a link that leads to itself', 'loop.ts', './loop.ts', 'its links lead in a circle'],
    ['a link that leads to itself, without an ending', 'loop', './loop', 'its links lead in a circle'],
    ['a link that leads to itself, with a strange name', 'loop#1.ts', './loop#1.ts', 'its links lead in a circle'],
    ['a link to a device', 'null.ts', './null.ts', 'it is no regular file'],
  ])('%s, and the rest is checked', async (_name, link, specifier, reason) => {
    const root = temporaryProject({
      ...INSTALLED,
      'src/a.ts': `import l from '${specifier}';\nexport async function a() { 'use step'; return l; }\nexport function b() { 'use step'; }\n`,
    });
    symlinkSync(link.startsWith('null') ? '/dev/null' : link, join(root, 'src', link));
    const { diagnostics } = await createSession({ root }).check();
    expect(formatTsc(diagnostics).split('\n').filter(Boolean)).toEqual([
      `src/a.ts(1,15): error PAWL9006: \`${specifier}\` does not resolve: ${reason}. Put a file in its place, or correct the path.`,
      expect.stringContaining('src/a.ts(3,17): error PAWL1002'),
    ]);
    const { diagnostics: ofBuild } = await build({ root, write: false, packages: [join(ROOT, 'node_modules')] });
    expect(ofBuild.map(({ code }) => code)).toEqual(['PAWL9006', 'PAWL1002']);
  });

  test('once for each module, at its first import', async () => {
    const found = await check({
      'src/a.ts': `${STEP}import { b } from './b';\nimport { c } from './b';\nexport const d = [b, c];`,
      'src/e.ts': `${STEP}export { b } from './b';`,
    });
    expect(found.map((line) => line.split(':')[0])).toEqual(['src/a.ts(2,19)', 'src/e.ts(2,19)']);
  });
});

describe('is no finding', () => {
  test.each<[name: string, files: Files]>([
    ['modules of Node', { 'src/a.ts': `${STEP}import 'node:fs';\nimport 'path';\nimport 'fs/promises';` }],
    ['packages and their entries', { 'src/a.ts': `${STEP}import 'one';\nimport 'one/deep';` }],
    [
      'paths of tsconfig',
      {
        'tsconfig.json': '{ "compilerOptions": { "paths": { "@/*": ["./src/*"] } } }',
        'src/a.ts': `${STEP}import '@/b';`,
        'src/b.ts': '',
      },
    ],
    [
      "the package's own name and imports",
      {
        'package.json': '{ "name": "shop", "exports": { "./b": "./src/b.ts" }, "imports": { "#b": "./src/b.ts" } }',
        'src/a.ts': `${STEP}import '#b';\nimport 'shop/b';`,
        'src/b.ts': '',
      },
    ],
    [
      'an output name for a source',
      { 'src/a.ts': `${STEP}import './b.js';\nimport './c.mjs';`, 'src/b.tsx': '', 'src/c.mts': '' },
    ],
    [
      'a directory with an index file',
      { 'src/a.ts': `${STEP}import './lib';\nimport '.';`, 'src/lib/index.ts': '', 'src/index.ts': '' },
    ],
    ['assets', { 'src/a.ts': `${STEP}import d from './d.json';\nexport const e = d;`, 'src/d.json': '{}' }],
    [
      'types',
      {
        'src/a.ts': `${STEP}import type { B } from './b';\nimport { type C } from 'c';\nexport type { D } from './d';\nexport const e: B | C = 1;`,
      },
    ],
    [
      'a value import of which only types are used',
      { 'src/a.ts': `${STEP}import { B } from './b';\nimport * as c from 'c';\nexport const e: B | c.C = 1;` },
    ],
    [
      'what stands in comments and texts',
      { 'src/a.ts': `${STEP}// import './b';\nexport const c = "from './d'" + \`import './e'\`;` },
    ],
    [
      'what may fail',
      {
        'src/a.ts': `export async function charge() {
  'use step';
  try { return await import('./b.ts'); } catch {}
  const c = await import('./c.ts').catch(() => null);
  const d = await import('./d.ts').then((m) => m, () => null);
  let e;
  try { e = require('./e.cjs'); } catch { e = 1; }
  if (process.env.F) await import('f');
  return [c, d, e];
}`,
      },
    ],
    [
      'a `require` that resolves elsewhere',
      {
        'src/a.ts': `${STEP}import { createRequire } from 'node:module';\nconst require = createRequire('/elsewhere/');\nexport const b = require('./b.cjs');`,
      },
    ],
    [
      'computed names',
      { 'src/a.ts': `export async function charge(x: string) { 'use step'; return import(\`./\${x}.ts\`); }` },
    ],
    ['schemes', { 'src/a.ts': `${STEP}import 'data:text/javascript,1';` }],
    ['a file that no step loads', { 'src/a.ts': STEP, 'src/app.ts': `import './nowhere';\nimport 'nothing';` }],
    [
      'a file that only types lead to',
      {
        'src/a.ts': `${STEP}import type { B } from './b';\nexport const c: B = 1;`,
        'src/b.ts': `import './nowhere';\nexport type B = number;`,
      },
    ],
    [
      'imports of an installed package',
      { 'src/a.ts': `${STEP}import 'bad';`, 'node_modules/bad/index.js': `import './nowhere';` },
    ],
    [
      'the SDKs that the checker knows',
      {
        'src/a.ts': `${STEP}import { sleep } from 'workflow';\nimport { start } from 'workflow/api';\nexport const b = [sleep, start];`,
      },
    ],
  ])('%s', async (_name, files) => {
    expect(await check(files)).toEqual([]);
  });

  test('packages, where none is installed', async () => {
    const root = temporaryProject({ 'src/a.ts': `${STEP}import 'two';` });
    expect((await createSession({ root }).check()).diagnostics).toEqual([]);
  });

  test('a package of the workspace, whose link leads to sources', async () => {
    const root = temporaryProject({
      'packages/lib/package.json': '{ "name": "lib", "exports": "./src/index.ts" }',
      'packages/lib/src/index.ts': 'export const b = 1;',
      'packages/app/src/a.ts': `${STEP}import { b } from 'lib';\nexport const c = b;`,
    });
    mkdirSync(join(root, 'node_modules'));
    symlinkSync('../packages/lib', join(root, 'node_modules/lib'));
    const session = createSession({ root: join(root, 'packages/app') });
    expect((await session.check()).diagnostics).toEqual([]);
    writeFileSync(join(root, 'packages/lib/src/index.ts'), `import './nowhere.ts';\nexport const b = 1;`);
    const { diagnostics } = await session.check();
    expect(formatTsc(diagnostics)).toMatch(/^\.\.\/lib\/src\/index\.ts\(1,8\): error PAWL9006/);
  });
});

test('files that come and go are seen by the next check, outside of the entries too', async () => {
  const root = temporaryProject({ 'src/a.ts': `${STEP}import '../lib/b.ts';` });
  const session = createSession({ root });
  const codes = async () => (await session.check()).diagnostics.map(({ code }) => code);
  expect(await codes()).toEqual(['PAWL9006']);
  mkdirSync(join(root, 'lib'));
  writeFileSync(join(root, 'lib/b.ts'), '');
  expect(await codes()).toEqual([]);
  rmSync(join(root, 'lib/b.ts'));
  expect(await codes()).toEqual(['PAWL9006']);
});

test('a program without such imports is not parsed for it', async () => {
  const root = temporaryProject({
    'src/a.ts': `${STEP}import { b } from './b.ts';\nexport const c = b;`,
    'src/b.ts': 'export const b = 1;',
  });
  expect((await createSession({ root }).check()).stats.parsed).toBe(1);
});

test('`pawl check` and `pawl build` say the same', async () => {
  const root = temporaryProject({
    ...INSTALLED,
    'src/a.ts': `${STEP}import './b.ts';\nimport 'two';\nimport './lib';`,
    'src/lib/c.ts': '',
  });
  const checked = await spawnCli(['check'], { cwd: root });
  expect(checked.code).toBe(1);
  expect(checked.stdout.match(/PAWL9006/g)).toHaveLength(3);
  expect(await spawnCli(['build'], { cwd: root })).toMatchObject({ code: 1, stdout: checked.stdout });
});
