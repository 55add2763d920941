import { mkdirSync, symlinkSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { createSession } from '../../src/checker/index.ts';
import { temporaryProject } from '../support/project.ts';
import { inOneLine, typedFindings, TYPESCRIPTS, typesFrom } from '../support/types.ts';

/** The configurations of TypeScript that projects have: what they say of paths and packages holds, and what is wrong is said. */

const CLIENT = 'export class Client {\n  query() {}\n}\n';
const step = (specifier: string): string =>
  `import type { Client } from '${specifier}';\nexport async function load(client: Client) {\n  'use step';\n}\n`;
const REFUSED = (file: string): string =>
  `${file}:2:28 The parameter \`client\` of step \`load\` cannot cross: it is an instance of \`Client\`.`;

const PACKAGE = JSON.stringify({ name: '@acme/db', version: '1.0.0', types: 'dist/index.d.ts', main: 'dist/index.js' });

const LAYOUTS: Record<string, { files: Record<string, string>; links?: Record<string, string>; found?: string[] }> = {
  'no configuration at all': { files: { 'src/a.ts': step('./client'), 'src/client.ts': CLIENT } },
  'JavaScript with types in comments, no configuration': {
    files: {
      'src/a.js': `/** @param {import('./client').Client} client */\nexport async function load(client) {\n  'use step';\n}\n`,
      'src/client.js': CLIENT,
    },
    found: ['src/a.js:2:28 The parameter `client` of step `load` cannot cross: it is an instance of `Client`.'],
  },
  'jsconfig.json': {
    files: {
      'jsconfig.json': JSON.stringify({ compilerOptions: { paths: { '#lib/*': ['./lib/*'] }, module: 'preserve' } }),
      'src/a.js': `import { connect } from '#lib/client';\nexport async function load(client = connect(), name = '') {\n  'use step';\n  return { client, name };\n}\n`,
      'lib/client.js': `${CLIENT}export const connect = () => new Client();\n`,
    },
    found: ['src/a.js:2:23 The result of step `load` cannot cross: `result.client` is an instance of `Client`.'],
  },
  'aliases in a configuration that extends another': {
    files: {
      'tsconfig.base.json': JSON.stringify({ compilerOptions: { strict: true, module: 'preserve' } }),
      'tsconfig.json': JSON.stringify({
        extends: './tsconfig.base.json',
        compilerOptions: { paths: { '~/*': ['./src/*'] } },
        include: ['src'],
      }),
      'src/a.ts': step('~/db/client'),
      'src/db/client.ts': CLIENT,
    },
  },
  'a file that the configuration leaves out': {
    files: {
      'tsconfig.json': JSON.stringify({ compilerOptions: { module: 'preserve' }, include: ['other'] }),
      'other/b.ts': 'export {};\n',
      'src/a.ts': step('./client'),
      'src/client.ts': CLIENT,
    },
  },
  'options that nobody knows': {
    files: {
      'tsconfig.json': JSON.stringify({ compilerOptions: { module: 'preserve', noSuchOption: true } }),
      'src/a.ts': step('./client'),
      'src/client.ts': CLIENT,
    },
  },
  'a configuration of references alone': {
    files: {
      'tsconfig.json': JSON.stringify({ files: [], references: [{ path: './tsconfig.app.json' }] }),
      'tsconfig.app.json': JSON.stringify({
        compilerOptions: { composite: true, module: 'preserve', paths: { '~/*': ['./lib/*'] } },
        include: ['src', 'lib'],
      }),
      'src/a.ts': step('~/client'),
      'lib/client.ts': CLIENT,
    },
  },
  'packages of one repository, not built': {
    files: {
      'tsconfig.json': JSON.stringify({
        files: [],
        references: [{ path: './packages/db' }, { path: './packages/app' }],
      }),
      'packages/db/package.json': PACKAGE,
      'packages/db/tsconfig.json': JSON.stringify({
        compilerOptions: { composite: true, module: 'preserve', rootDir: 'src', outDir: 'dist' },
        include: ['src'],
      }),
      'packages/db/src/index.ts': CLIENT,
      'packages/app/tsconfig.json': JSON.stringify({
        compilerOptions: { composite: true, module: 'preserve' },
        references: [{ path: '../db' }],
        include: ['src'],
      }),
      'packages/app/src/a.ts': step('@acme/db'),
      'pawl.config.json': '{}',
    },
    links: { 'node_modules/@acme/db': 'packages/db' },
    found: [REFUSED('packages/app/src/a.ts')],
  },
  'packages with types of their own': {
    files: {
      'tsconfig.json': JSON.stringify({ compilerOptions: { module: 'nodenext', skipLibCheck: true } }),
      'package.json': JSON.stringify({ type: 'module' }),
      'node_modules/@acme/db/package.json': JSON.stringify({
        name: '@acme/db',
        version: '1.0.0',
        exports: { '.': { types: './types/index.d.ts', default: './index.js' } },
      }),
      'node_modules/@acme/db/types/index.d.ts':
        'export declare class Client {\n  query(): void;\n}\nexport interface Broken extends NotThere {}\n',
      'node_modules/@acme/db/index.js': '',
      'src/a.ts': step('@acme/db'),
    },
  },
  'global declarations': {
    files: {
      'tsconfig.json': JSON.stringify({ compilerOptions: { module: 'preserve' } }),
      'types/env.d.ts': 'declare class Client {\n  query(): void;\n}\n',
      'lib/global.ts': 'export {};\ndeclare global {\n  interface Window {\n    client: Client;\n  }\n}\n',
      'src/a.ts': `\nexport async function load(client: Client, all: Pick<Window, 'client'>) {\n  'use step';\n}\n`,
    },
    found: [
      REFUSED('src/a.ts'),
      'src/a.ts:2:44 The parameter `all` of step `load` cannot cross: `all.client` is an instance of `Client`.',
    ],
  },
};

function project({ files, links = {} }: (typeof LAYOUTS)[string]): string {
  const root = temporaryProject(files);
  for (const [link, target] of Object.entries(links)) {
    mkdirSync(dirname(join(root, link)), { recursive: true });
    symlinkSync(join(root, target), join(root, link), 'dir');
  }
  return root;
}

/** The oldest of the classic API reads configurations as the newest does. */
const { 'TypeScript 5.5': _oldest, ...readers } = TYPESCRIPTS;

describe.each(Object.entries(readers))('%s', (_name, candidate) => {
  const types = typesFrom(candidate);
  afterAll(() => types.dispose());

  test.each(Object.keys(LAYOUTS))('%s', async (name) => {
    const layout = LAYOUTS[name] as (typeof LAYOUTS)[string];
    const { found = [REFUSED('src/a.ts')] } = layout;
    expect(await typedFindings(project(layout), types, ['**/src/**/*.{ts,js}'])).toEqual(found);
    expect(types.notices).toEqual([]);
  });
});

describe.each(Object.entries(readers))('%s', (_name, candidate) => {
  test('a configuration that does not parse is named, once, and what it says counts as far as it goes', async () => {
    const types = typesFrom(candidate);
    const root = temporaryProject({
      'tsconfig.json': '{ "compilerOptions": { "module": "preserve" }, "include": ["src"',
      'src/a.ts': step('./client'),
      'src/client.ts': CLIENT,
    });
    expect(await typedFindings(root, types)).toEqual([REFUSED('src/a.ts')]);
    expect(await typedFindings(root, types)).toEqual([REFUSED('src/a.ts')]);
    expect(types.notices).toEqual([expect.stringMatching(/^Types are asked for without all of tsconfig\.json: .+\.$/)]);
    types.dispose();
  });

  test('a base configuration that is not there is named', async () => {
    const types = typesFrom(candidate);
    const root = temporaryProject({
      'tsconfig.json': '{ "extends": "./base.json" }',
      'src/a.ts': step('./client'),
      'src/client.ts': CLIENT,
    });
    expect(await typedFindings(root, types)).toEqual([REFUSED('src/a.ts')]);
    expect(types.notices).toEqual([expect.stringMatching(/tsconfig\.json: .*base\.json/)]);
    types.dispose();
  });

  test('a configuration that changes counts from the next check on', async () => {
    const types = typesFrom(candidate);
    const config = (path: string) => JSON.stringify({ compilerOptions: { module: 'preserve', paths: { db: [path] } } });
    const root = temporaryProject({
      'tsconfig.json': config('./lib/nothing.ts'),
      'src/a.ts': step('db'),
      'lib/client.ts': CLIENT,
    });
    const session = createSession({ root, types, cache: false });
    const find = async () =>
      (await session.check()).diagnostics.filter(({ code }) => code === 'PAWL2001').map(inOneLine);
    expect(await find()).toEqual([]);
    const path = join(root, 'tsconfig.json');
    writeFileSync(path, config('./lib/client.ts'));
    utimesSync(path, new Date(), new Date(Date.now() + 5_000));
    expect(await find()).toEqual([REFUSED('src/a.ts')]);
    // And a file that is gone.
    unlinkSync(join(root, 'lib/client.ts'));
    expect(await find()).toEqual([]);
    types.dispose();
  });
});
