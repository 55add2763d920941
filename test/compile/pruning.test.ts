import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestRuntime, type TestRuntime } from '../../src/testing/index.ts';

/**
 * What is set up at the top level of a module is there in the workflow bundle too, in whatever way it is set up; and what stands
 * around removed code means what it did. Each case is a module; the workflow gives back what plain JavaScript would.
 */
interface Case {
  /** Top level of the module. */
  module: string;
  /** What the workflow returns. */
  result: string;
  expected: unknown;
  file?: string;
}

const CASES: Record<string, Case> = {
  'a function called in place': {
    module: 'const table: any = {}; (() => { table.x = 1; })();',
    result: 'table',
    expected: { x: 1 },
  },
  'a function called by name': {
    module: 'const table: any = {}; function setup() { table.x = 1; } setup();',
    result: 'table',
    expected: { x: 1 },
  },
  'a callback': {
    module: "const table: any = {}; ['a', 'b'].forEach((k, i) => { table[k] = i; });",
    result: 'table',
    expected: { a: 0, b: 1 },
  },
  patterns: {
    module: 'let a = 0, b = 0, c = 0; [a, b] = [1, 2]; ({ c } = { c: 3 });',
    result: '[a, b, c]',
    expected: [1, 2, 3],
  },
  'a constructor of the module': {
    module: "const list: string[] = []; class Plugin { constructor(to: string[]) { to.push('x'); } } new Plugin(list);",
    result: 'list',
    expected: ['x'],
  },
  'an optional call': {
    module: "const m: Map<string, number> | undefined = new Map(); m?.set('a', 1);",
    result: "m?.get('a')",
    expected: 1,
  },
  delete: { module: 'const m: any = { a: 1, b: 2 }; delete m.a;', result: 'm', expected: { b: 2 } },
  'a tag': {
    module: 'const seen: string[] = []; const tag = (s: TemplateStringsArray) => seen.push(s[0]!); tag`x`;',
    result: 'seen',
    expected: ['x'],
  },
  'another name': {
    module: 'const table: any = {}; const alias = table; alias.x = 1;',
    result: 'table',
    expected: { x: 1 },
  },
  'a value that only a step uses': {
    module:
      "let n = 0; const next = () => ++n; const a = next(); const b = next(); export async function s() { 'use step'; return a; }",
    result: 'b',
    expected: 2,
  },
  'results of calls': {
    module:
      "const reg = new Map(); const first = reg.set('a', 1); export const second = reg.set('b', 2); export async function s() { 'use step'; return first.size; }",
    result: '[...reg.keys()]',
    expected: ['a', 'b'],
  },
  'static blocks and fields': {
    module: "const seen: string[] = []; class R { static { seen.push('R'); } } class Q { static x = seen.push('Q'); }",
    result: 'seen',
    expected: ['R', 'Q'],
  },
  'properties of functions': {
    module: 'main.defaults = { rate: 2 };',
    result: '(main as any).defaults',
    expected: { rate: 2 },
  },
  'properties that Object gives a function or a class': {
    module:
      "function f() {} Object.assign(f, { a: 1 }); class K {} Object.defineProperty(K, 'b', { value: 2 }); Reflect.set(f, 'c', 3);",
    result: '[(f as any).a, (f as any).c, (K as any).b]',
    expected: [1, 3, 2],
  },
  'a namespace beside an enum': {
    module: "enum Status { Open = 'open' } namespace Status { export const parse = (s: string) => s === Status.Open; }",
    result: "Status.parse('open')",
    expected: true,
  },
  'a namespace beside a class': {
    module: 'class K {} namespace K { export const rate = 3; }',
    result: 'K.rate',
    expected: 3,
  },
  'a variable in a statement': {
    module: 'try { var conf = { a: 1 }; } catch {} if (true) { var mode = "x"; }',
    result: '[conf.a, mode]',
    expected: [1, 'x'],
  },
  'no semicolon before a removed step': {
    module: "const live = [1]\nasync function q(n: number) { 'use step'; return n }\n[0].concat(live)",
    result: 'live',
    expected: [1],
  },
  'no semicolon around a removed helper': {
    module:
      "const base = [2]\nfunction helper() { return 1 }\n;(() => {})()\nexport async function s() { 'use step'; return helper() }",
    result: 'base',
    expected: [2],
  },
  'a static field without semicolon': {
    module: "class K { static async s(n: number) { 'use step'; return n }\n static b = 2 }",
    result: '[await K.s(1), K.b]',
    expected: [1, 2],
  },
  'a namespace without semicolon': {
    module: "namespace N { export async function f() { 'use step'; return 1 }\n export const z = 3 }",
    result: '[await N.f(), N.z]',
    expected: [1, 3],
  },
  'a default that names what the body declares': {
    module: '',
    result:
      '(await (async () => { const x = 5; const s = async (a = x) => { "use step"; { const x = 1; return a + x; } }; return s(); })())',
    expected: 6,
  },
  'a parameter that hides nothing': {
    module: '',
    result:
      '(await (async () => { const x = 5; const s = async ({ a = x } = {}) => { "use step"; const x = 1; return a + x; }; return s(); })())',
    expected: 6,
  },
  'CommonJS by Object.assign': {
    file: 'cjs',
    module:
      "async function charge(n) { 'use step'; return n; }\nasync function main() { 'use workflow'; return charge(4); }\nObject.assign(module.exports, { charge, main });",
    result: '',
    expected: 4,
  },
  'comments with brackets': {
    module: "const tools = { async [/* [ */ 'charge' /* ] */] /* ( */ (n: number) { 'use step'; return n; } };",
    result: 'tools.charge(7)',
    expected: 7,
  },
};

let runtime: TestRuntime;

beforeAll(async () => {
  const sources = Object.fromEntries(
    Object.values(CASES).map(({ module, result, file }, i) => [
      `src/case${i}.${file ?? 'ts'}`,
      file ? module : `${module}\nasync function main() { 'use workflow'; return ${result}; }\n`,
    ]),
  );
  runtime = await createTestRuntime({ sources });
});

afterAll(() => runtime?.close());

test.each(Object.keys(CASES))('%s', async (name) => {
  const i = Object.keys(CASES).indexOf(name);
  const { expected, file } = CASES[name] as Case;
  const run = await runtime.start(`src/case${i}.${file ?? 'ts'}#main`, []);
  expect(await runtime.finish(run)).toEqual(expected);
});
