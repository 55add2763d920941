import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { build } from '../../src/bundler/index.ts';
import { readBundles, readManifest } from '../../src/manifest/index.ts';
import { buildClean, type Files, findings, loadWorkflows, originOf, placeOf, project, text } from './project.ts';

const ORDERS: Files = {
  'src/orders.ts': `import { sleep } from 'pawl';
import { readFileSync } from 'node:fs';
import { euros } from './format.js';
import { gateway, rates } from './gateway.ts';

export async function charge(amount: number): Promise<string> {
  'use step';
  if (amount < 0) throw new Error('negative ' + readFileSync('x', 'utf8'));
  return gateway.pay(amount);
}
charge.maxRetries = 2;

export async function fulfil(order: { amount: number }): Promise<string> {
  'use workflow';
  const note = async (subject: string) => {
    'use step';
    return subject + order.amount;
  };
  await sleep('1s');
  const id = await charge(order.amount);
  if (order.amount === 13) throw new RangeError('unlucky');
  return (await note('paid ')) + euros(order.amount) + id + rates.DE;
}
`,
  'src/format.ts': `export const euros = (cents: number): string => (cents / 100).toFixed(2);\n`,
  'src/gateway.ts': `import { createHash } from 'node:crypto';
class Gateway { pay(amount: number) { return createHash('sha1').update(String(amount)).digest('hex'); } }
export const gateway = new Gateway();
export const rates = { DE: 0.19 };
`,
};

test('a project becomes a manifest, a workflow bundle and a step bundle', async () => {
  const root = project(ORDERS);
  const output = await buildClean(root);
  expect(readdirSync(join(root, '.pawl')).sort()).toEqual([
    'manifest.json',
    'package.json',
    'steps.js',
    'steps.js.map',
    'workflows.js',
    'workflows.js.map',
  ]);
  const manifest = readManifest(join(root, '.pawl'));
  expect(manifest).toMatchObject(output.manifest);
  expect(manifest.workflows['src/orders.ts#fulfil']).toMatchObject({
    style: 'directive',
    name: 'fulfil',
    file: 'src/orders.ts',
    span: { line: 13, column: 8 },
    steps: ['src/orders.ts#charge', 'src/orders.ts#fulfil/note'],
  });
  expect(manifest.steps['src/orders.ts#charge']).toMatchObject({
    options: { maxRetries: 2 },
    captures: [],
    parameters: 1,
  });
  expect(manifest.steps['src/orders.ts#fulfil/note']).toMatchObject({ captures: ['order'] });
  expect(readBundles(manifest).steps.code).toBe(text(output, 'steps.js'));
});

test('the workflow bundle runs where there is nothing but the language, and has nothing that only steps used', async () => {
  const output = await buildClean(project(ORDERS), { write: false });
  const { workflows, calls } = loadWorkflows(output, (id) => (id.endsWith('charge') ? 'c1' : 'paid 250'));
  await expect(workflows.get('src/orders.ts#fulfil')?.({ amount: 250 })).resolves.toBe('paid 2502.50c10.19');
  expect(calls).toEqual([
    ['src/orders.ts#charge', [250]],
    ['src/orders.ts#fulfil/note', ['paid '], [{ amount: 250 }]],
  ]);
  expect(text(output, 'workflows.js')).not.toMatch(/readFileSync|createHash|Gateway|negative/);
});

test('the step bundle registers every step, and runs them in Node', async () => {
  const root = project(ORDERS);
  await buildClean(root);
  const { registry } = await import(pathToFileURL(join(root, '.pawl/steps.js')).href);
  expect([...registry.steps.keys()].sort()).toEqual(['src/orders.ts#charge', 'src/orders.ts#fulfil/note']);
  const charge = registry.steps.get('src/orders.ts#charge');
  await expect(charge.fn(250)).resolves.toMatch(/^[0-9a-f]{40}$/);
  const note = registry.steps.get('src/orders.ts#fulfil/note');
  await expect(note.factory({ amount: 7 })('paid ')).resolves.toBe('paid 7');
});

describe('maps lead to the line and column of the source', () => {
  test.each([
    ['workflows.js', "throw new RangeError('unlucky')", 'throw new RangeError'],
    ['workflows.js', "RangeError('unlucky')", 'RangeError("unlucky")'],
    ['workflows.js', 'charge(order.amount)', 'charge(order.amount)'],
    ['steps.js', "throw new Error('negative", 'throw new Error("negative'],
    ['steps.js', "Error('negative", 'Error("negative'],
    ['steps.js', 'gateway.pay(amount)', 'gateway.pay(amount)'],
    ['steps.js', 'subject + order.amount', 'subject + order.amount'],
  ] as const)('%s: %s', async (bundle, inSource, inBundle) => {
    const output = await buildClean(project(ORDERS), { write: false });
    expect(originOf(output, bundle, inBundle)).toBe(placeOf(ORDERS, 'src/orders.ts', inSource));
  });

  test('of a helper, in both bundles', async () => {
    const output = await buildClean(project(ORDERS), { write: false });
    expect(originOf(output, 'workflows.js', 'toFixed')).toBe(placeOf(ORDERS, 'src/format.ts', 'toFixed'));
    expect(originOf(output, 'steps.js', 'createHash("sha1")')).toBe(
      placeOf(ORDERS, 'src/gateway.ts', "createHash('sha1')"),
    );
  });

  test('sources are relative to the output folder, with their text; nothing of pawl is among them', async () => {
    const output = await buildClean(project(ORDERS), { write: false });
    for (const bundle of ['workflows.js', 'steps.js']) {
      const { sources, sourcesContent, file } = JSON.parse(text(output, `${bundle}.map`));
      expect(file).toBe(bundle);
      for (const [index, source] of sources.entries()) {
        expect(source).toMatch(/^\.\.\/src\/(?:orders|format|gateway)\.ts$/);
        expect(sourcesContent[index]).toBe(ORDERS[source.slice(3)]);
      }
    }
  });
});

describe('what a program may be made of', () => {
  const workflow = (imports: string, body: string): string =>
    `${imports}\nexport async function run(x: number) {\n  'use workflow';\n  return ${body};\n}\n`;

  const cases: [name: string, files: Files, expected: unknown][] = [
    [
      'a specifier in .js that means .ts',
      { 'src/a.ts': workflow(`import { n } from './n.js';`, 'n + x'), 'src/n.ts': 'export const n: number = 1;' },
      3,
    ],
    [
      'a specifier in .mjs that means .mts',
      { 'src/a.ts': workflow(`import { n } from './n.mjs';`, 'n + x'), 'src/n.mts': 'export const n: number = 1;' },
      3,
    ],
    [
      'a directory with an index',
      { 'src/a.ts': workflow(`import { n } from './n';`, 'n + x'), 'src/n/index.ts': 'export const n = 1;' },
      3,
    ],
    [
      'paths of a tsconfig',
      {
        'tsconfig.json': '{ "compilerOptions": { "paths": { "~/*": ["./src/lib/*"] } } } // comment',
        'src/a.ts': workflow(`import { n } from '~/n';`, 'n + x'),
        'src/lib/n.ts': 'export const n = 1;',
      },
      3,
    ],
    [
      "the package's own name",
      {
        'package.json': '{ "name": "shop", "type": "module", "exports": { "./n": "./src/n.ts" } }',
        'src/a.ts': workflow(`import { n } from 'shop/n';`, 'n + x'),
        'src/n.ts': 'export const n = 1;',
      },
      3,
    ],
    [
      'imports of package.json',
      {
        'package.json': '{ "name": "shop", "imports": { "#n": "./src/n.ts" } }',
        'src/a.ts': workflow(`import { n } from '#n';`, 'n + x'),
        'src/n.ts': 'export const n = 1;',
      },
      3,
    ],
    [
      'a package, inlined',
      {
        'src/a.ts': workflow(`import n from 'one';`, 'n() + x'),
        'node_modules/one/package.json': '{ "name": "one", "version": "1.0.0", "main": "main.js" }',
        'node_modules/one/main.js': 'module.exports = () => 1;',
      },
      3,
    ],
    [
      'a package that has a build for places without Node',
      {
        'src/a.ts': workflow(`import { n } from 'one';`, 'n + x'),
        'node_modules/one/package.json':
          '{ "name": "one", "exports": { "node": "./node.js", "browser": "./browser.js", "default": "./node.js" } }',
        'node_modules/one/node.js': `import fs from 'node:fs'; export const n = fs.constants;`,
        'node_modules/one/browser.js': 'export const n = 1;',
      },
      3,
    ],
    [
      'CommonJS',
      {
        'src/a.ts': workflow(`import { n } from './n.cjs';`, 'n + x'),
        'src/n.cjs': 'exports.n = 1; exports.fs = () => require("node:fs");',
      },
      3,
    ],
    ['JSON', { 'src/a.ts': workflow(`import { n } from './n.json';`, 'n + x'), 'src/n.json': '{ "n": 1 }' }, 3],
    [
      'JSON with an attribute',
      {
        'src/a.ts': workflow(`import data from './n.json' with { type: 'json' };`, 'data.n + x'),
        'src/n.json': '{ "n": 1 }',
      },
      3,
    ],
    [
      'an import cycle',
      {
        'src/a.ts': workflow(`import { n } from './n.ts';\nexport const one = () => 1;`, 'n() + x'),
        'src/n.ts': `import { one } from './a.ts';\nexport const n = () => one();`,
      },
      3,
    ],
    [
      'a dynamic import',
      { 'src/a.ts': workflow('', `(await import('./n.ts')).n + x`), 'src/n.ts': 'export const n = 1;' },
      3,
    ],
    [
      'JSX',
      {
        'tsconfig.json': '{ "compilerOptions": { "jsx": "react-jsx", "jsxImportSource": "mini" } }',
        'src/a.tsx': workflow('', '<a n={0} /> + x'),
        'node_modules/mini/package.json': '{ "name": "mini", "exports": { "./jsx-runtime": "./runtime.js" } }',
        'node_modules/mini/runtime.js': 'export const jsx = (tag, props) => props.n + tag.length;',
      },
      3,
    ],
    [
      'legacy decorators',
      {
        'tsconfig.json': '{ "compilerOptions": { "experimentalDecorators": true } }',
        'src/a.ts': workflow(
          `function one(target: object, key: string, descriptor: PropertyDescriptor) { descriptor.value = () => 1; }
class N { @one n() { return 5; } }`,
          'new N().n() + x',
        ),
      },
      3,
    ],
    [
      '`accessor` fields',
      {
        'src/a.ts': workflow(
          `const key = Symbol('key');
class B { static accessor s = 1; accessor #p: number = 2; accessor 'a b' = 3; accessor [key] = 4; accessor; get p() { return this.#p; } }
class C extends B { accessor plain = class { accessor inner = 5 } }`,
          `(() => { const c = new C(); c['a b'] = 30; return [B.s, C.s, c.p, c['a b'], c[key], new c.plain().inner, Object.keys(c).length].join() === '1,1,2,30,4,5,1' ? 1 + x : -1; })()`,
        ),
      },
      3,
    ],
    [
      'enums and namespaces',
      { 'src/a.ts': workflow('enum E { One = 1 }\nnamespace S { export const z = 0; }', 'E.One + S.z + x') },
      3,
    ],
    [
      '`using`',
      {
        'src/a.ts': `export async function run(x: number) {
  'use workflow';
  let n = 0;
  { using thing = { [Symbol.dispose ?? Symbol.for('Symbol.dispose')]() { n = 1; } }; void thing; }
  return n + x;
}`,
      },
      3,
    ],
    [
      'names of virtual globals',
      {
        'src/a.ts': workflow(
          `import { n } from './n.ts';\nclass Request { n = 1; }\nvar fetch = 0;`,
          'new Request().n + fetch + x + n',
        ),
        'src/n.ts': `const URL = 0;\nfunction setTimeout() { return 0; }\nexport const n = URL + setTimeout();`,
      },
      3,
    ],
    [
      'two modules with the same names',
      {
        'src/a.ts': workflow(`import { n } from './n.ts';\nconst one = 1;`, 'one + n + x'),
        'src/n.ts': 'const one = 0;\nexport const n = one;',
      },
      3,
    ],
    ['a BOM and CRLF', { 'src/a.ts': `\uFEFF${workflow('const one = 1;', 'one + x').replaceAll('\n', '\r\n')}` }, 3],
    [
      'a package.json that says that nothing has effects',
      { 'package.json': '{ "sideEffects": false }', 'src/a.ts': workflow('', '1 + x') },
      3,
    ],
  ];
  test.each(cases)('%s', async (_name, files, expected) => {
    const root = project(files);
    const output = await buildClean(root);
    const [run] = loadWorkflows(output).workflows.values();
    await expect(run?.(2)).resolves.toBe(expected);
    await import(pathToFileURL(join(root, '.pawl/steps.js')).href);
  });
});

describe('what a step may use', () => {
  const step = (imports: string, body: string): string =>
    `${imports}\nexport async function run(x: number) {\n  'use step';\n  return ${body};\n}\n`;

  test.each([
    ['a package, left outside', step(`import n from 'one';`, 'n() + x'), 3, /from "one"/],
    [
      'a module of Node',
      step(`import path from 'path';`, `path.join('a', String(x))`),
      'a/2',
      /from "path"|from "node:path"/,
    ],
    [
      'the folder of its source',
      step('', `[import.meta.url.split('/').pop(), import.meta.dirname?.split('/').pop()]`),
      ['a.ts', 'src'],
      /./,
    ],
    [
      'a CommonJS helper that knows its folder',
      step(`import { here } from './here.cjs';`, 'here'),
      ['src', 'here.cjs'],
      /./,
    ],
    ['JSON', step(`import data from './n.json' with { type: 'json' };`, 'data.n + x'), 3, /./],
    ['a dynamic import', step('', `(await import('./n.ts')).n + x`), 3, /./],
  ])('%s', async (_name, source, expected, bundled) => {
    const root = project({
      'package.json': '{ "type": "module" }',
      'src/a.ts': source,
      'src/n.ts': 'export const n = 1;',
      'src/n.json': '{ "n": 1 }',
      'src/here.cjs': `const { basename } = require('path'); exports.here = [basename(__dirname), basename(__filename)];`,
      'node_modules/one/package.json': '{ "name": "one", "version": "1.0.0", "main": "main.js" }',
      'node_modules/one/main.js': 'module.exports = () => 1;',
    });
    const output = await buildClean(root);
    expect(text(output, 'steps.js')).toMatch(bundled);
    const { registry } = await import(pathToFileURL(join(root, '.pawl/steps.js')).href);
    await expect(registry.steps.get('src/a.ts#run').fn(2)).resolves.toEqual(expected);
  });

  test('by absolute URL, packages are found from anywhere', async () => {
    const root = project({
      'src/a.ts': step(`import n from 'one';`, 'n() + x'),
      'node_modules/one/package.json': '{ "name": "one", "version": "1.0.0", "main": "main.js" }',
      'node_modules/one/main.js': 'module.exports = () => 1;',
    });
    const output = await buildClean(root, { write: false, externals: 'url' });
    expect(text(output, 'steps.js')).toContain(pathToFileURL(join(root, 'node_modules/one/main.js')).href);
    expect(existsSync(join(root, '.pawl'))).toBe(false);
  });
});

describe('the graph', () => {
  test('steps that a workflow calls through helpers, values, namespaces and definitions are its steps', async () => {
    const root = project(
      {
        'src/steps.ts': `export async function one() { 'use step'; }
export async function two() { 'use step'; }
export async function three() { 'use step'; }
export async function never() { 'use step'; }`,
        'src/helper.ts': `import { one, three } from './steps.ts';
export const viaHelper = () => one();
export const table = { third: () => three() };`,
        'src/triage.ts': `import { z } from 'zod';
import { defineAction } from 'pawl';
export const triage = defineAction({ slug: 'triage', input: z.object({ n: z.number() }), output: z.number(), run: async ({ n }) => n });`,
        'src/run.ts': `import * as steps from './steps.ts';
import { table, viaHelper } from './helper.ts';
import { triage } from './triage.ts';
export async function run() {
  'use workflow';
  await viaHelper();
  await Promise.all([1].map(steps.two));
  await table.third();
  await triage.run({ n: 1 });
}`,
      },
      ['zod'],
    );
    const { manifest } = await buildClean(root, { write: false });
    expect(manifest.workflows['src/run.ts#run']?.steps).toEqual([
      'src/steps.ts#one',
      'src/steps.ts#three',
      'src/steps.ts#two',
      'triage',
    ]);
    expect(Object.keys(manifest.steps)).toContain('src/steps.ts#never');
  });

  test('a class that serializes is in both bundles', async () => {
    const root = project({
      'src/money.ts': `export class Money {
  constructor(public cents: number) {}
  static [Symbol.for('pawl-serialize')](money: Money) { return money.cents; }
  static [Symbol.for('pawl-deserialize')](cents: number) { return new Money(cents); }
}`,
      'src/run.ts': `import { Money } from './money.ts';
export async function price() { 'use step'; return new Money(3); }
export async function run() { 'use workflow'; return (await price()).cents; }`,
    });
    const output = await buildClean(root, { write: false });
    expect(Object.keys(output.manifest.classes)).toEqual(['src/money.ts#Money']);
    for (const bundle of ['workflows.js', 'steps.js'])
      expect(text(output, bundle)).toContain('__pawl_cls("src/money.ts#Money"');
  });
});

test('modules of a workspace package take part, with ids that begin with its name and version', async () => {
  const root = project({
    'app/package.json': '{ "name": "app", "type": "module" }',
    'app/src/run.ts': `import { pay } from '@shop/steps';
export async function run() { 'use workflow'; return pay(1); }`,
    'packages/steps/package.json': '{ "name": "@shop/steps", "version": "2.1.0", "main": "src/index.ts" }',
    'packages/steps/src/index.ts': `export async function pay(n: number) { 'use step'; return n; }`,
  });
  const { mkdirSync, symlinkSync } = await import('node:fs');
  mkdirSync(join(root, 'app/node_modules/@shop'), { recursive: true });
  symlinkSync(join(root, 'packages/steps'), join(root, 'app/node_modules/@shop/steps'));
  const { manifest } = await buildClean(join(root, 'app'));
  expect(manifest.workflows['src/run.ts#run']?.steps).toEqual(['@shop/steps@2.1.0/src/index.ts#pay']);
  const { registry } = await import(pathToFileURL(join(root, 'app/.pawl/steps.js')).href);
  expect([...registry.steps.keys()]).toEqual(['@shop/steps@2.1.0/src/index.ts#pay']);
});

test('steps of an installed package take part too, where a workflow reaches them', async () => {
  const files: Files = {
    'src/run.ts': `import { notify, plain } from '@acme/mail';
export async function run() { 'use workflow'; return [await notify('hi'), plain()]; }`,
    'node_modules/@acme/mail/package.json':
      '{ "name": "@acme/mail", "version": "2.1.0", "type": "module", "sideEffects": false, "main": "dist/index.js" }',
    'node_modules/@acme/mail/dist/index.js': `export { notify } from './notify.js';\nexport const plain = () => 'plain';`,
    'node_modules/@acme/mail/dist/notify.js': `import { userInfo } from 'node:os';
export async function notify(text) { 'use step'; return text + typeof userInfo; }
export async function unused(text) { 'use step'; return text; }`,
  };
  const root = project(files);
  const output = await buildClean(root);
  const id = '@acme/mail@2.1.0/dist/notify.js#notify';
  expect(Object.keys(output.manifest.steps)).toEqual([id, id.replace('#notify', '#unused')]);
  expect(output.manifest.steps[id]).toMatchObject({
    file: 'node_modules/@acme/mail/dist/notify.js',
    span: { line: 2, column: 8 },
  });
  const { workflows, calls } = loadWorkflows(output);
  await expect(workflows.get('src/run.ts#run')?.()).resolves.toEqual(['done', 'plain']);
  expect(calls).toEqual([[id, ['hi']]]);
  const { registry } = await import(pathToFileURL(join(root, '.pawl/steps.js')).href);
  await expect(registry.steps.get(id).fn('hi')).resolves.toBe('hifunction');
  expect(originOf(output, 'steps.js', 'typeof userInfo')).toBe(
    placeOf(files, 'node_modules/@acme/mail/dist/notify.js', 'typeof userInfo'),
  );
});

test('warnings do not keep a build from being written', async () => {
  const root = project({
    'src/a.ts': `// pawl-ignore PAWL3002
export async function run() { 'use workflow'; return 1; }`,
  });
  const result = await build({ root });
  expect(findings(result).join('\n')).toMatch(/PAWL900[12]/);
  expect(result.ok).toBe(true);
});
