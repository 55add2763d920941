import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type BuildResult, build, createBuildSession } from '../../src/bundler/index.ts';
import { PawlError } from '../../src/errors.ts';
import { buildClean, type Files, findings, loadWorkflows, project, text, write } from './project.ts';

const PROJECT: Files = {
  'package.json': '{ "name": "shop", "type": "module" }',
  'src/a.ts': `import { z } from './z.ts';
import { one } from 'one';
export async function pay(x: number) { 'use step'; return x; }
export async function run(x: number) { 'use workflow'; return (await pay(x)) + z + one; }
`,
  'src/z.ts': 'export const z = 1;\n',
  'src/b.ts': `import data from './data.json' with { type: 'json' };
export async function note(x: number) {
  'use step';
  return x + data.n;
}
`,
  'src/data.json': '{ "n": 1 }',
  'node_modules/one/package.json': '{ "name": "one", "version": "1.0.0", "type": "module", "exports": "./index.js" }',
  'node_modules/one/index.js': 'export const one = 1;\n',
};

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) {
    chmodSync(folder, 0o755);
    rmSync(folder, { recursive: true, force: true });
  }
});

describe('the same input gives the same bytes', () => {
  const outputs = (root: string): string[] =>
    ['manifest.json', 'workflows.js', 'workflows.js.map', 'steps.js', 'steps.js.map'].map((name) =>
      readFileSync(join(root, '.pawl', name), 'utf8'),
    );

  test('wherever the project lies, whatever the working directory, the age of the files and the order of their making', async () => {
    const first = project(PROJECT);
    await buildClean(first);
    const home = realpathSync(mkdtempSync(join(tmpdir(), 'pawl-elsewhere-')));
    folders.push(home);
    const second = join(home, 'deeper/in/the/tree');
    for (const file of Object.keys(PROJECT).reverse()) {
      cpSync(join(first, file), join(second, file), { recursive: true });
      utimesSync(join(second, file), 1_000_000, 1_000_000 + Math.random() * 1000);
    }
    vi.spyOn(process, 'cwd').mockReturnValue(join(second, 'src'));
    await buildClean(second);
    expect(outputs(second)).toEqual(outputs(first));
    expect(outputs(second).join('')).not.toContain(home);
  });

  test('in a session that saw other states before', async () => {
    const root = project(PROJECT);
    await buildClean(root);
    const before = outputs(root);
    const session = createBuildSession({ root });
    await session.build();
    write(root, { 'src/z.ts': 'export const z = 2;\n', 'src/more.ts': `export async function more() { 'use step'; }` });
    await session.build();
    expect(outputs(root)).not.toEqual(before);
    rmSync(join(root, 'src/more.ts'));
    write(root, { 'src/z.ts': PROJECT['src/z.ts'] ?? '' });
    await session.build();
    expect(outputs(root)).toEqual(before);
  });
});

describe('a session does again only what it must', () => {
  const NOTHING = { workflows: false, steps: false, schemas: false };

  async function opened(): Promise<{ root: string; again: (files?: Files) => Promise<BuildResult> }> {
    const root = project(PROJECT);
    const session = createBuildSession({ root });
    const first = await session.build();
    expect(findings(first)).toEqual([]);
    return {
      root,
      again: (files = {}) => {
        write(root, files);
        return session.build();
      },
    };
  }

  test('nothing: no file is read, bundled or written', async () => {
    const { again } = await opened();
    const { read } = (await again()).stats;
    const { stats, ok } = await again();
    expect(ok).toBe(true);
    expect(stats).toMatchObject({ read, bundled: NOTHING, written: [] });
  });

  test('a file that was touched and has its old text is read, and that is all', async () => {
    const { again } = await opened();
    const before = (await again()).stats;
    const { stats } = await again({ 'src/a.ts': PROJECT['src/a.ts'] ?? '' });
    expect(stats).toMatchObject({ read: before.read + 1, bundled: NOTHING, written: [] });
  });

  test("a step's body: the step bundle alone", async () => {
    const { again } = await opened();
    const { stats, ok } = await again({ 'src/b.ts': (PROJECT['src/b.ts'] ?? '').replace('x + data', 'x * data') });
    expect(ok).toBe(true);
    expect(stats.bundled).toEqual({ ...NOTHING, steps: true });
    expect(stats.written).toEqual(['steps.js.map', 'steps.js', 'manifest.json']);
  });

  test("a workflow's body: the workflow bundle alone", async () => {
    const { again } = await opened();
    const { stats } = await again({ 'src/a.ts': (PROJECT['src/a.ts'] ?? '').replace('+ one', '* one') });
    expect(stats.bundled).toEqual({ ...NOTHING, workflows: true });
    expect(stats.written).toEqual(['workflows.js.map', 'steps.js.map', 'workflows.js', 'manifest.json']);
  });

  test('a comment above: no bundle, and maps that follow', async () => {
    const { root, again } = await opened();
    const { output, stats } = await again({ 'src/b.ts': `// more\n// and more\n${PROJECT['src/b.ts']}` });
    expect(stats.written).toContain('steps.js.map');
    expect(output?.manifest.steps['src/b.ts#note']?.span.line).toBe(4);
    const fresh = await buildClean(root, { write: false });
    expect(output?.files).toEqual(fresh.files);
  });

  test.each([
    ['a helper', 'src/z.ts', 'export const z = 3;\n', { workflows: true, steps: false }],
    ['JSON that the bundler read', 'src/data.json', '{ "n": 12 }', { steps: true }],
    ['a file of a package', 'node_modules/one/index.js', 'export const one = 17;\n', { workflows: true }],
  ])('%s', async (_name, file, text, bundled) => {
    const { root, again } = await opened();
    const { output, stats } = await again({ [file]: text });
    expect(stats.bundled).toMatchObject(bundled);
    expect(output?.files).toEqual((await buildClean(root, { write: false })).files);
  });

  test('a file that came, and one that went', async () => {
    const { root, again } = await opened();
    const came = await again({ 'src/more.ts': `export async function more() { 'use step'; }` });
    expect(Object.keys(came.output?.manifest.steps ?? {})).toContain('src/more.ts#more');
    rmSync(join(root, 'src/more.ts'));
    const went = await again();
    expect(went.output?.files).toEqual((await buildClean(root, { write: false })).files);
  });

  test('output that was deleted is written again', async () => {
    const { root, again } = await opened();
    rmSync(join(root, '.pawl'), { recursive: true });
    expect((await again()).stats.written).toHaveLength(6);
    expect(statSync(join(root, '.pawl/manifest.json')).isFile()).toBe(true);
  });

  test('errors come and go; with them the output stays as it was', async () => {
    const { root, again } = await opened();
    const before = readFileSync(join(root, '.pawl/workflows.js'), 'utf8');
    const broken = await again({ 'src/z.ts': 'export const z = ;' });
    expect(findings(broken)[0]).toMatch(/^src\/z\.ts\(1,18\): error PAWL9004/);
    expect(broken).toMatchObject({ ok: false, output: null });
    expect(readFileSync(join(root, '.pawl/workflows.js'), 'utf8')).toBe(before);
    const mended = await again({ 'src/z.ts': PROJECT['src/z.ts'] ?? '' });
    expect(findings(mended)).toEqual([]);
    expect(mended.stats.written).toEqual([]);
  });
});

describe('bad input is told with place, reason and remedy', () => {
  const step = `export async function pay(x: number) { 'use step'; return x; }\n`;

  test.each<[name: string, files: Files, expected: RegExp[]]>([
    ['a module that does not parse', { 'src/a.ts': `${step}const x = ;` }, [/^src\/a\.ts\(2,11\): error PAWL9004: /]],
    [
      'a helper that does not parse',
      {
        'src/a.ts': `import { n } from './n.ts';\nexport async function run() { 'use workflow'; return n(); }`,
        'src/n.ts': 'export const n = () => {',
      },
      [/^src\/n\.ts\(1,25\): error PAWL9004: /],
    ],
    [
      'an import that leads to no file',
      {
        'src/a.ts': `${step}import { n } from './nowhere.ts';\nexport async function more() { 'use step'; return n; }`,
      },
      [
        /^src\/a\.ts\(2,19\): error PAWL9006: `\.\/nowhere\.ts` does not resolve: there is no such file\. Correct the path/,
      ],
    ],
    [
      'an import of a workflow that leads to no file',
      { 'src/a.ts': `import { n } from './nowhere.ts';\nexport async function run() { 'use workflow'; return n; }` },
      [/^src\/a\.ts\(1,19\): error PAWL9006: `\.\/nowhere\.ts` does not resolve/],
    ],
    [
      'a package that is not installed',
      { 'src/a.ts': `${step}import n from '@acme/none/deep';\nexport async function more() { 'use step'; return n; }` },
      [
        /^src\/a\.ts\(2,15\): error PAWL9006: `@acme\/none\/deep` does not resolve: there is no package `@acme\/none`.*npm install @acme\/none/,
      ],
    ],
    [
      'a package that is not installed, in a workflow',
      { 'src/a.ts': `import n from 'none';\nexport async function run() { 'use workflow'; return n; }` },
      [/^src\/a\.ts\(1,15\): error PAWL9006: `none` does not resolve/],
    ],
    [
      'an export that is not there',
      {
        'src/a.ts': `${step}import { n } from './n.ts';\nexport async function more() { 'use step'; return n; }`,
        'src/n.ts': 'export const m = 1;',
      },
      [/^src\/a\.ts\(2,10\): error PAWL9007: `n` is not exported by `src\/n\.ts`/],
    ],
    [
      'a file of a kind that no bundle takes',
      {
        'src/a.ts': `${step}import './a.css';\nimport n from './n.bin';\nexport async function more() { 'use step'; return n; }`,
        'src/a.css': 'a {}',
        'src/n.bin': '\u0000\u0001',
      },
      [
        /^src\/a\.ts\(2,8\): error PAWL9007: `src\/a\.css` is no module: pawl bundles JavaScript, TypeScript and JSON\. Read/,
        /^src\/a\.ts\(3,8\): error PAWL9007: `src\/n\.bin` is no module/,
      ],
    ],
    [
      'I/O in a workflow',
      {
        'src/a.ts': `import fs from 'node:fs';\nexport async function run() { 'use workflow'; return fs.readFileSync('x'); }`,
      },
      [/^src\/a\.ts\(2,\d+\): error PAWL3002: /],
    ],
    [
      'I/O in a workflow, in a package',
      {
        'src/a.ts': `import { n } from 'one';\nexport async function run() { 'use workflow'; return n(); }`,
        'node_modules/one/package.json': '{ "name": "one", "type": "module", "main": "index.js" }',
        'node_modules/one/index.js': `import { two } from 'two';\nexport const n = () => two();`,
        'node_modules/two/package.json': '{ "name": "two", "type": "module", "main": "index.js" }',
        'node_modules/two/index.js': `import fs from 'node:fs';\nexport const two = () => fs.readFileSync('x');`,
      },
      [
        /^src\/a\.ts\(1,\d+\): error PAWL3002: Workflow code takes Node's `fs`, through `node_modules\/one\/index\.js` -> `node_modules\/two\/index\.js`\. Move/,
      ],
    ],
    [
      'a top-level await in a workflow',
      {
        'src/a.ts': `export const n = await Promise.resolve(1);\nexport async function run() { 'use workflow'; return n; }`,
      },
      [/^src\/a\.ts\(1,\d+\): error PAWL9007: /],
    ],
    [
      'an import that is computed, in a workflow',
      { 'src/a.ts': `export async function run(x: string) {\n  'use workflow';\n  return import(x);\n}` },
      [/^src\/a\.ts\(3,10\): error PAWL3011: /],
    ],
    [
      'decorators of the standard',
      {
        'src/a.ts': `function log(value: unknown, context: unknown) { void value; void context; }\nclass Shop {\n  @log open() {}\n}\nexport async function run() { 'use step'; return new Shop(); }`,
      },
      [/^src\/a\.ts\(3,3\): error PAWL9007: No version of Node knows decorators of the standard yet\. Set/],
    ],
    [
      'an `accessor` field whose name may be computed only once',
      {
        'src/a.ts': `let n = 0;\nclass Shop {\n  static accessor ['k' + n++] = 1;\n}\nexport async function run() { 'use step'; return Shop; }`,
      },
      [/^src\/a\.ts\(3,3\): error PAWL9007: No version of Node knows `accessor` fields, and /],
    ],
    [
      'a tsconfig that does not parse',
      {
        'tsconfig.json': '{ "compilerOptions": { ',
        'src/a.ts': `${step}export { n } from './n.ts';`,
        'src/n.ts': 'export const n = 1;',
      },
      [/^tsconfig\.json\(1,\d+\): error PAWL9005: /],
    ],
  ])('%s', async (_name, files, expected) => {
    const result = await build({ root: project(files) });
    const found = findings(result);
    expect(found.map((line, index) => (expected[index]?.test(line) ? expected[index].source : line))).toEqual(
      expected.map(({ source }) => source),
    );
    expect(result).toMatchObject({ ok: false, output: null });
  });

  test('what a package requires at load and may never use is a warning, and throws with its name when it is used', async () => {
    const root = project({
      'src/a.ts': `import { n } from 'one';\nexport async function run() { 'use workflow'; return n; }`,
      'node_modules/one/package.json': '{ "name": "one", "main": "index.js" }',
      'node_modules/one/index.js': `const os = require('os'); exports.n = 1; exports.cpus = () => os.cpus();`,
    });
    const result = await build({ root });
    expect(findings(result).join()).toMatch(
      /^src\/a\.ts\(1,\d+\): warning PAWL3002: .*`os`, through `node_modules\/one\/index\.js`/,
    );
    expect(result.ok).toBe(true);
  });

  test('an `import()` of a package that nobody can follow does not lead out of the sandbox', async () => {
    const root = project({
      'src/a.ts': `import { n, load } from 'one';\nexport async function run(x?: string) { 'use workflow'; return x ? load(x) : n; }`,
      'node_modules/one/package.json': '{ "name": "one", "type": "module", "main": "index.js" }',
      'node_modules/one/index.js': `export const n = 1; export const load = (name) => import(name);`,
    });
    const output = await buildClean(root);
    expect(text(output, 'workflows.js')).toContain('__load(name)');
    const run = loadWorkflows(output).workflows.get('src/a.ts#run');
    await expect(run?.()).resolves.toBe(1);
    await expect(run?.('node:fs')).rejects.toThrow('`import()` is not available in a workflow');
  });

  test('a package that is asked for at run time may be absent', async () => {
    const root = project({
      'src/a.ts': `export async function pay() {\n  'use step';\n  try { return await import('absent'); } catch { return 1; }\n}`,
    });
    await buildClean(root);
  });

  async function problem(run: () => Promise<unknown>): Promise<PawlError> {
    try {
      await run();
    } catch (error) {
      if (error instanceof PawlError) return error;
      throw error;
    }
    throw new Error('nothing was thrown');
  }

  test('an empty project', async () => {
    const { code, message, place, remedy } = await problem(() => build({ root: project({}) }));
    expect([code, message]).toEqual(['PAWL_NOTHING_TO_BUILD', 'No file matches `entries`.']);
    expect(place).toMatch(/pawl-build-/);
    expect(remedy).toMatch(/'use workflow'/);
  });

  test('a project without a directive', async () => {
    const { code, message } = await problem(() => build({ root: project({ 'src/a.ts': 'export {};' }) }));
    expect([code, message]).toEqual([
      'PAWL_NOTHING_TO_BUILD',
      'None of the 1 files in `entries` has a step, a workflow or a definition.',
    ]);
  });

  test('a root that is no folder', async () => {
    const root = project({ 'src/a.ts': step });
    expect((await problem(() => build({ root: join(root, 'none') }))).code).toBe('PAWL_ROOT_NOT_FOUND');
    expect((await problem(() => build({ root: join(root, 'src/a.ts') }))).code).toBe('PAWL_ROOT_NOT_FOUND');
  });

  test.each([
    ['a file stands where the folder is meant', (root: string) => writeFileSync(join(root, '.pawl'), '')],
    [
      'a folder stands where a file is meant',
      (root: string) => mkdirSync(join(root, '.pawl/manifest.json'), { recursive: true }),
    ],
  ])('output that cannot be written: %s', async (_name, prepare) => {
    const root = project({ 'src/a.ts': step });
    prepare(root);
    const { code, message, place, remedy } = await problem(() => build({ root }));
    expect(code).toBe('PAWL_WRITE_FAILED');
    expect(message).toMatch(/^The build could not be written: a (?:file|directory) stands/);
    expect(place).toContain('.pawl');
    expect(remedy).toMatch(/^Remove the/);
  });

  test('what a build wrote is no source of the next, wherever it stands', async () => {
    const config = { entries: ['**/*.{ts,js}'], outDir: 'src/out' };
    const root = project({ 'src/a.ts': step });
    const first = await buildClean(root, { config });
    expect((await buildClean(root, { config })).files).toEqual(first.files);
  });

  test('a directory with the name of a file is no entry', async () => {
    const root = project({
      'src/a.ts': step,
      'src/folder.ts/inner.ts': `export async function more() { 'use step'; }`,
    });
    const { manifest } = await buildClean(root);
    expect(Object.keys(manifest.steps)).toEqual(['src/a.ts#pay', 'src/folder.ts/inner.ts#more']);
  });
});
