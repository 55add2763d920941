import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestRuntime, type TestRuntime } from '../../src/testing/index.ts';
import { buildClean, project, text } from './project.ts';

/**
 * Modules that are imported for what they change: workflows see what plain JavaScript would show, as far as they read it, and the
 * rest stays out of their bundle.
 */
const REGISTRY = `export const registry: any = { items: {}, add(name: string, value: unknown) { this.items[name] = value; } };
export class Table { rows: string[] = []; add(row: string) { this.rows.push(row); return this; } }
export const table = new Table();
export const map = new Map<string, number>();
export const list: string[] = [];
export function register(name: string, n: number) { map.set(name, n); }
export let mode = 'none';
export function setMode(next: string) { mode = next; }
`;

interface Case {
  /** What the module `reg.ts` does. */
  reg: string;
  /** What the workflow returns. */
  result: string;
  expected: unknown;
  /** Imports of the workflow's module; \`import './reg.ts'\` by default. */
  imports?: string;
  files?: Record<string, string>;
}

const ALL = "import { registry, table, map, list, register, mode, setMode } from './registry.ts';\n";

const CASES: Record<string, Case> = {
  'a method of an object': {
    reg: "registry.add('x', (n: number) => n + 1);",
    result: 'registry.items.x(1)',
    expected: 2,
  },
  'a method of an instance': { reg: "table.add('a').add('b');", result: 'table.rows', expected: ['a', 'b'] },
  'an assignment to a property': { reg: 'registry.extra = { a: 1 };', result: 'registry.extra', expected: { a: 1 } },
  collections: { reg: "map.set('a', 1); list.push('z');", result: "[map.get('a'), list]", expected: [1, ['z']] },
  'a function that changes what workflows read': {
    reg: "register('a', 1); setMode('fast');",
    result: "[map.get('a'), mode]",
    expected: [1, 'fast'],
  },
  'what is handed to a function': {
    reg: 'Object.assign(registry, { merged: true });',
    result: 'registry.merged',
    expected: true,
  },
  'in a loop, on a condition, in a callback': {
    reg: "for (const name of ['a', 'b']) map.set(name, 1); if (list) ['y'].forEach((it) => list.push(it));",
    result: '[[...map.keys()], list]',
    expected: [['a', 'b'], ['y']],
  },
  'under other names': {
    reg: "const alias = registry.items; alias.a = 1; const { rows } = table; rows.push('r');",
    result: '[registry.items, table.rows]',
    expected: [{ a: 1 }, ['r']],
  },
  'the value of a variable': {
    reg: "export const size = list.push('one');\nconst again = list.push('two');\nvoid again;",
    result: 'list',
    expected: ['one', 'two'],
  },
  'with helpers and data of its own': {
    reg: "const prefix = 'p-'; function nameOf(n: number) { return prefix + n; } map.set(nameOf(1), 1);",
    result: '[...map.keys()]',
    expected: ['p-1'],
  },
  'through a module that imports others': {
    reg: "import './more.ts'; list.push('second');",
    files: { 'more.ts': "import { list } from './registry.ts';\nlist.push('first');\n" },
    result: 'list',
    expected: ['first', 'second'],
  },
  'from a helper of the workflow': {
    imports: "import { read } from './helper.ts';\n",
    reg: "list.push('z');",
    files: {
      'helper.ts': "import './reg.ts';\nimport { list } from './registry.ts';\nexport const read = () => list;\n",
    },
    result: 'read()',
    expected: ['z'],
  },
  'a module of which a step takes something': {
    imports: "import { used } from './reg.ts';\nexport async function step() { 'use step'; return used; }\n",
    reg: "list.push('z'); export const used = 1;",
    result: 'list',
    expected: ['z'],
  },
  'in the module of the workflow, which a helper reads': {
    imports:
      "import { register as change } from './registry.ts';\nimport { read } from './helper.ts';\nchange('mine', 3);\n",
    reg: '',
    files: { 'helper.ts': "import { map } from './registry.ts';\nexport const read = () => map.get('mine');\n" },
    result: 'read()',
    expected: 3,
  },
  'a package that extends another': {
    imports: "import 'case-day/plugin';\nimport { day } from 'case-day';\n",
    reg: '',
    result: 'day.tag',
    expected: 'extended',
  },
};

const PACKAGE = {
  'node_modules/case-day/package.json':
    '{ "name": "case-day", "version": "1.0.0", "type": "module", "exports": { ".": "./index.js", "./plugin": "./plugin.js" } }',
  'node_modules/case-day/index.js': 'export const day = { tag: "plain", extend(tag) { this.tag = tag; } };\n',
  'node_modules/case-day/plugin.js': 'import { day } from "case-day";\nday.extend("extended");\n',
};

let runtime: TestRuntime;

beforeAll(async () => {
  const sources: Record<string, string> = { ...PACKAGE };
  Object.values(CASES).forEach(({ reg, result, imports = "import './reg.ts';\n", files = {} }, i) => {
    const folder = `src/case${i}`;
    sources[`${folder}/registry.ts`] = REGISTRY;
    sources[`${folder}/reg.ts`] = ALL + reg;
    sources[`${folder}/main.ts`] =
      `${imports}${ALL}export async function main() { 'use workflow'; return ${result}; }\n`;
    for (const [file, content] of Object.entries(files)) sources[`${folder}/${file}`] = content;
  });
  runtime = await createTestRuntime({ sources });
});

afterAll(() => runtime?.close());

test.each(Object.keys(CASES))('%s', async (name) => {
  const i = Object.keys(CASES).indexOf(name);
  const run = await runtime.start(`src/case${i}/main.ts#main`, []);
  expect(await runtime.finish(run)).toEqual(CASES[name]?.expected);
});

describe('what no workflow reads stays out of the bundle', () => {
  const MAIN = `import './reg.ts';\n${ALL}async function step() { 'use step'; return [registry, map.size]; }
export async function main() { 'use workflow'; return [await step(), list]; }\n`;

  test('setups of clients, and other statements of a module that is wanted', async () => {
    const files = {
      'src/registry.ts': REGISTRY,
      'src/sdk.ts':
        "import { hostname } from 'node:os';\nexport class Sdk { host = hostname(); use(it: unknown) { return it; } }\nexport const sdk = new Sdk();\n",
      'src/client.ts': "import { sdk } from './sdk.ts';\nsdk.use('client-setup');\n",
      'src/reg.ts': `import './client.ts';\nimport { sdk } from './sdk.ts';\n${ALL}sdk.use('other-setup'); console.log(process.argv, 'noise');\nmap.set('handler', 1);\nexport const client = sdk.use('made');\n`,
      'src/main.ts': MAIN,
    };
    expect(text(await buildClean(project(files), { write: false }), 'workflows.js')).not.toMatch(
      /client-setup|other-setup|noise|handler|made|hostname/,
    );
    const wanted = {
      ...files,
      'src/reg.ts': files['src/reg.ts'].replace("map.set('handler', 1)", "list.push('wanted')"),
    };
    const code = text(await buildClean(project(wanted), { write: false }), 'workflows.js');
    expect(code).toContain('list.push("wanted")');
    expect(code).not.toMatch(/client-setup|other-setup|made|hostname/);
  });
});
