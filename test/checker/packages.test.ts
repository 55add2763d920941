import { mkdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createSession } from '../../src/checker/index.ts';
import { temporaryProject } from '../support/project.ts';

const flow = (imports: string, call: string): string =>
  `${imports}\nexport async function flow(x: string) {\n  'use workflow';\n  return ${call};\n}\n`;

const manifest = (name: string, more: object = {}): string => JSON.stringify({ name, version: '1.0.0', ...more });

const PACKAGES: Record<string, string> = {
  'node_modules/esm/package.json': manifest('esm', {
    type: 'module',
    exports: { '.': './index.js', './deep': './deep.js' },
  }),
  'node_modules/esm/index.js': `import { readAll } from './lib/read.js';\nexport const load = (path) => readAll(path);\nexport const pure = (x) => x.length;\nexport class Client {\n  constructor(path) { this.path = path; }\n  fetch() { return readAll(this.path); }\n  name() { return this.path; }\n}\n`,
  'node_modules/esm/lib/read.js': `import fs from 'node:fs';\nexport function readAll(path) {\n  return fs.readFileSync(path, 'utf8');\n}\n`,
  'node_modules/esm/deep.js': `export { load as default } from './index.js';\n`,
  'node_modules/cjs/package.json': manifest('cjs', { main: './main.js' }),
  'node_modules/cjs/main.js': `'use strict';\nconst https = require('https');\nfunction get(url) { return https.get(url); }\nmodule.exports = { get, pure: (x) => x };\n`,
  'node_modules/dual/package.json': manifest('dual', {
    exports: { '.': { browser: './browser.js', default: './node.js' } },
  }),
  'node_modules/dual/node.js': `import { randomBytes } from 'node:crypto';\nexport const id = () => randomBytes(8);\n`,
  'node_modules/dual/browser.js': `export const id = () => crypto.getRandomValues(new Uint8Array(8));\n`,
  'node_modules/one/package.json': manifest('one', { type: 'module', main: './index.js' }),
  'node_modules/one/index.js': `import { two } from 'two';\nexport const one = (x) => two(x);\n`,
  'node_modules/two/package.json': manifest('two', { type: 'module', main: './index.js' }),
  'node_modules/two/index.js': `import { load } from 'esm';\nexport const two = (x) => load(x);\n`,
  'node_modules/stepped/package.json': manifest('stepped', { type: 'module', main: './index.js' }),
  'node_modules/stepped/index.js': `export async function load(path) {\n  'use step';\n  return (await fetch(path)).status;\n}\nexport class Client {\n  static async load(path) {\n    'use step';\n    return (await fetch(path)).status;\n  }\n}\nexport const tools = {\n  async load(path) {\n    'use step';\n    return (await fetch(path)).status;\n  },\n};\nexport const through = (path) => load(path);\n`,
  'node_modules/broken/package.json': manifest('broken', { exports: { '.': './nowhere.js' } }),
  'node_modules/garbled/package.json': manifest('garbled', { main: './index.js' }),
  'node_modules/garbled/index.js': `export const x = (`,
  'node_modules/huge/package.json': manifest('huge', { type: 'module', main: './index.js' }),
  'node_modules/huge/index.js': `import fs from 'node:fs';\nexport const x = (path) => fs.readFileSync(path);\n// ${'x'.repeat(1_100_000)}\n`,
};

const check = (source: string, config = {}) => {
  const root = temporaryProject({ ...PACKAGES, 'src/flow.ts': source });
  return createSession({ root, config }).checkSync();
};

describe('I/O in installed packages', () => {
  test.each([
    ['an ES module', `import { load } from 'esm';`, 'load(x)', 'node:fs.readFileSync'],
    ['a namespace', `import * as esm from 'esm';`, 'esm.load(x)', 'node:fs.readFileSync'],
    ['a subpath with a default', `import load from 'esm/deep';`, 'load(x)', 'node:fs.readFileSync'],
    ['CommonJS', `import cjs from 'cjs';`, 'cjs.get(x)', 'node:https.get'],
    ['CommonJS by name', `import { get } from 'cjs';`, 'get(x)', 'node:https.get'],
    ['a function that is passed on', `import { load } from 'esm';`, '[x].map(load)', 'node:fs.readFileSync'],
    ['two packages in a row', `import { one } from 'one';`, 'one(x)', 'node:fs.readFileSync'],
    [
      'a method',
      `import { Client } from 'esm';\nconst client = new Client('x');`,
      'client.fetch()',
      'node:fs.readFileSync',
    ],
  ])('is found in %s', (_, imports, call, name) => {
    const [diagnostic, ...more] = check(flow(imports, call)).diagnostics;
    expect(more).toEqual([]);
    expect(diagnostic).toMatchObject({ code: 'PAWL3002', file: 'src/flow.ts' });
    expect(diagnostic?.message).toContain(`\`${name}\``);
  });

  test('the chain leads through the package, place by place', () => {
    const [diagnostic] = check(flow(`import { load } from 'esm';`, 'load(x)')).diagnostics;
    expect(diagnostic?.message).toMatch(/^Workflow `flow` calls `load`, which reaches `node:fs.readFileSync`: /);
    expect(diagnostic?.chain).toBe(
      'flow → load → load (node_modules/esm/index.js:2:31) → readAll (node_modules/esm/lib/read.js:3:10) → node:fs.readFileSync',
    );
    expect(diagnostic?.related.map(({ file, span }) => `${file}:${span.line}`)).toEqual([
      'src/flow.ts:4',
      'node_modules/esm/index.js:2',
      'node_modules/esm/lib/read.js:3',
    ]);
  });

  test.each([
    ['a function that does none', `import { pure } from 'esm';`, 'pure(x)'],
    ['a method that does none', `import { Client } from 'esm';\nconst client = new Client('x');`, 'client.name()'],
    ['the build for places without Node', `import { id } from 'dual';`, 'id()'],
    ['a package that is not installed as it says', `import { x as y } from 'broken';`, 'y(x)'],
    ['a package that does not parse', `import { x as y } from 'garbled';`, 'y(x)'],
    ['a file of more than 1 MB', `import { x as y } from 'huge';`, 'y(x)'],
    ['a step', `import { load } from 'stepped';`, 'load(x)'],
    ['a step that is a static method', `import { Client } from 'stepped';`, 'Client.load(x)'],
    ['a step that is a method of an object', `import { tools } from 'stepped';`, 'tools.load(x)'],
    ['a function that calls a step', `import { through } from 'stepped';`, 'through(x)'],
    ['a name that is not exported', `import { nothing } from 'esm';`, 'nothing?.(x)'],
  ])('%s is passed over', (_, imports, call) => {
    const found = check(flow(imports, call)).diagnostics.filter(({ code }) => code === 'PAWL3002');
    expect(found).toEqual([]);
  });

  test('only as deep as the configuration says', () => {
    const source = flow(`import { one } from 'one';`, 'one(x)');
    const rules = (packageDepth: number) => ({ rules: { 'io-in-workflow': ['error', { packageDepth }] } });
    expect(check(source, rules(3)).diagnostics).toHaveLength(1);
    expect(check(source, rules(2)).diagnostics).toEqual([]);
    expect(check(source, rules(0)).diagnostics).toEqual([]);
  });

  test('what is known of a package is kept by its version', () => {
    const root = temporaryProject({ ...PACKAGES, 'src/flow.ts': flow(`import { load } from 'esm';`, 'load(x)') });
    const session = () => createSession({ root }).checkSync().diagnostics.length;
    expect(session()).toBe(1);
    const write = (version: string): void => {
      writeFileSync(join(root, 'node_modules/esm/lib/read.js'), 'export const readAll = (path) => path;\n');
      writeFileSync(join(root, 'node_modules/esm/package.json'), manifest('esm', { version, type: 'module' }));
    };
    rmSync(join(root, 'node_modules/esm/lib/read.js'));
    expect(session()).toBe(1);
    write('1.0.1');
    expect(session()).toBe(0);
  });
});

test('packages that workflows use every day are passed over', () => {
  const names = ['zod', 'devalue', 'picomatch', '@jridgewell/trace-mapping', 'magic-string', '@babel/types'];
  const root = temporaryProject({
    'src/flow.ts': `import { z } from 'zod';
import { parse, stringify } from 'devalue';
import picomatch from 'picomatch';
import { TraceMap, originalPositionFor } from '@jridgewell/trace-mapping';
import MagicString from 'magic-string';
import * as t from '@babel/types';

const Order = z.object({ id: z.string(), lines: z.array(z.object({ sku: z.string(), quantity: z.number().int() })) });

export async function flow(input: unknown) {
  'use workflow';
  const order = Order.parse(input);
  const copy = parse(stringify(order));
  const isMatch = picomatch('*.ts');
  const map = new TraceMap('{"version":3,"sources":[],"names":[],"mappings":""}');
  const place = originalPositionFor(map, { line: 1, column: 0 });
  const text = new MagicString('x').append(order.id).toString();
  return { copy, matches: isMatch(text), place, node: t.identifier('x') };
}
`,
  });
  mkdirSync(join(root, 'node_modules/@jridgewell'), { recursive: true });
  mkdirSync(join(root, 'node_modules/@babel'), { recursive: true });
  for (const name of names) symlinkSync(realpathSync(join('node_modules', name)), join(root, 'node_modules', name));
  expect(createSession({ root }).checkSync().diagnostics).toEqual([]);
});
