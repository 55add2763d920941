import { mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { globSync } from 'tinyglobby';
import { describe, expect, test } from 'vitest';
import { createSession, type SessionOptions } from '../../src/checker/index.ts';
import { recall } from '../../src/checker/recall.ts';
import { runCli } from '../support/cli.ts';
import { temporaryProject } from '../support/project.ts';

/** What a process says without checking, as long as nothing has changed that the last one looked at. */

const FILES = {
  'tsconfig.json': `{ "compilerOptions": { "paths": { "@/*": ["./src/lib/*"] } } }`,
  'src/flow.ts': `import { client } from 'sdk';
import { rate } from '@/rate';
import { shared } from '../shared/value.js';
export async function flow(n: number) {
  'use workflow';
  return rate(n) + shared + client(n);
}
`,
  'src/lib/rate.ts': `export const rate = (n: number) => Number(process.env.RATE) * n;\n`,
  'other/rate.ts': `export const rate = (n: number) => n;\n`,
  'shared/value.js': `export const shared = 1;\n`,
  'node_modules/sdk/package.json': `{ "name": "sdk", "version": "1.0.0", "type": "module", "exports": "./index.js" }`,
  'node_modules/sdk/index.js': `export const client = (n) => fetch(String(n));\n`,
  'node_modules/sdk/pure.js': `export const client = (n) => n;\n`,
};

/** Files that were written a moment ago are not trusted to stay: makes them old, and waits for what nobody can set. */
async function settle(root: string): Promise<void> {
  const week = new Date(Date.now() - 7 * 24 * 3600 * 1000);
  const paths = globSync(['**/*', '!node_modules/.cache/**'], {
    cwd: root,
    onlyFiles: false,
    expandDirectories: false,
  });
  for (const path of paths) utimesSync(join(root, path), week, week);
  const until = Date.now() + 150;
  while (Date.now() < until) await new Promise((resolve) => setImmediate(resolve));
}

const keyOf = (root: string, config = {}) => ({ root, config, configSource: null, outDir: null });

async function checkedProject(options: Partial<SessionOptions> = {}, files: Record<string, string> = FILES) {
  const root = temporaryProject(files);
  await settle(root);
  const session = createSession({ root, remember: true, ...options });
  return { root, checked: session.checkSync() };
}

test('what was said is said again, and counted as known', async () => {
  const { root, checked } = await checkedProject();
  expect(checked.diagnostics.map(({ code }) => code)).toEqual(['PAWL3006', 'PAWL3002']);
  const recalled = recall(keyOf(root));
  expect(recalled?.diagnostics).toEqual(checked.diagnostics);
  expect(recalled?.stats).toEqual({ ...checked.stats, read: 0, parsed: 0, cached: 3 });
  expect(createSession({ root, cache: false }).checkSync().diagnostics).toEqual(checked.diagnostics);
});

const write = (file: string, text: string) => (root: string) => {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), text);
};
const remove = (file: string) => (root: string) => rmSync(join(root, file), { recursive: true });

describe('it is checked anew', () => {
  test.each<[string, (root: string) => void]>([
    ['a file was edited', write('src/lib/rate.ts', 'export const rate = (n: number) => n;\n')],
    ['a file is gone', remove('src/lib/rate.ts')],
    ['an entry came', write('src/more.ts', `export async function more() { 'use step'; }`)],
    ['an entry came in a folder of its own', write('src/more/more.ts', `export async function more() { 'use step'; }`)],
    ['a nearer file came, where no entries are', write('shared/value.ts', 'export const shared = process.pid;\n')],
    ['an alias leads elsewhere', write('tsconfig.json', FILES['tsconfig.json'].replace('src/lib', 'other'))],
    ['the aliases are gone', remove('tsconfig.json')],
    ['the aliases do not parse', write('tsconfig.json', '{')],
    ['a nearer tsconfig came', write('src/tsconfig.json', '{}')],
    [
      'a package was updated',
      write('node_modules/sdk/package.json', FILES['node_modules/sdk/package.json'].replace('1.0.0', '1.0.1')),
    ],
    [
      'a package has another entry',
      write('node_modules/sdk/package.json', FILES['node_modules/sdk/package.json'].replace('index', 'pure')),
    ],
    ['a package is gone', remove('node_modules/sdk')],
    ['a nearer package came', write('src/node_modules/sdk/package.json', '{ "name": "sdk", "version": "2.0.0" }')],
    [
      'the cache is damaged',
      (root) => {
        const path = join(root, 'node_modules/.cache/pawl/check.json');
        writeFileSync(path, readFileSync(path, 'utf8').replace('PAWL3002', 'PAWL3003'));
      },
    ],
  ])('%s', async (_, change) => {
    const { root } = await checkedProject();
    expect(recall(keyOf(root))).not.toBeNull();
    change(root);
    expect(recall(keyOf(root))).toBeNull();
  });

  test('the configuration is another one', async () => {
    const { root } = await checkedProject();
    expect(recall(keyOf(root, { rules: { 'io-in-workflow': 'off' } }))).toBeNull();
    expect(recall({ ...keyOf(root), outDir: 'src' })).toBeNull();
    expect(recall({ ...keyOf(root), configSource: { file: 'pawl.config.ts', text: '' } })).toBeNull();
  });
});

describe('nothing is kept', () => {
  test.each<[string, Partial<SessionOptions>]>([
    ['unless it was asked for', { remember: false }],
    ['without the cache', { cache: false }],
    ['of a part of the program', { files: ['src/flow.ts'] }],
  ])('%s', async (_, options) => {
    const { root } = await checkedProject(options);
    expect(recall(keyOf(root))).toBeNull();
  });

  test.each<[string, Record<string, string>]>([
    [
      'imports that lead nowhere',
      {
        ...FILES,
        'shared/value.js': `import './nowhere';\nexport const shared = 1;\n`,
        'src/flow.ts': FILES['src/flow.ts'].replace(`'sdk'`, `'./nowhere'`),
      },
    ],
    ['a configuration of TypeScript that does not parse', { ...FILES, 'tsconfig.json': '{' }],
  ])('of %s', async (_, files) => {
    const { root, checked } = await checkedProject({}, files);
    expect(checked.diagnostics.length).toBeGreaterThan(0);
    expect(recall(keyOf(root))).toBeNull();
  });

  test('of files that were written a moment ago', () => {
    const root = temporaryProject(FILES);
    createSession({ root, remember: true }).checkSync();
    expect(recall(keyOf(root))).toBeNull();
  });
});

test('`pawl check` recalls, and sees what has changed', async () => {
  const root = temporaryProject(FILES);
  await settle(root);
  const check = (...more: string[]) => runCli(['check', '--no-types', '--stats', '--json', ...more], { cwd: root });
  const first = await check();
  const again = await check();
  expect(JSON.parse(again.stderr)).toMatchObject({ stats: { read: 0, parsed: 0, cached: 3, workflows: 1 } });
  expect({ code: again.code, stdout: again.stdout }).toEqual({ code: first.code, stdout: first.stdout });
  expect((await check('--format', 'pretty')).stdout).toContain('return rate(n) + shared + client(n);');
  writeFileSync(join(root, 'src/lib/rate.ts'), 'export const rate = (n: number) => n;\n');
  const { stdout, stderr } = await check();
  expect(JSON.parse(stderr)).toMatchObject({ stats: { read: 1, parsed: 1 } });
  expect(stdout).not.toContain('PAWL3006');
});
