import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compile } from '../../src/compiler/index.ts';

/** Pieces of a module that may stand in any order. */
const PIECES = [
  "export async function charge(o) {\n  'use step';\n  return o;\n}",
  "const ship = async (o) => {\n  'use step';\n  return o;\n};",
  "export const tools = {\n  search: {\n    async execute(q) {\n      'use step';\n      return q;\n    },\n  },\n  list: async () => {\n    'use step';\n  },\n};",
  "class Order {\n  async save() {\n    'use step';\n  }\n  static async load() {\n    'use step';\n  }\n}",
  "export async function fulfil(o) {\n  'use workflow';\n  const rate = 2;\n  async function inner(x) {\n    'use step';\n    return x * rate;\n  }\n  const deep = async () => {\n    'use step';\n  };\n  return inner(o);\n}",
  "export function make(db) {\n  return {\n    query: async (q) => {\n      'use step';\n      return db + q;\n    },\n  };\n}",
  "export default async function () {\n  'use workflow';\n}",
  "const wrapped = retry(3, async () => {\n  'use step';\n});",
];

/** What people write between two functions; none of it changes what the others are called. */
const UNRELATED = [
  "// a comment with 'use step' in it",
  '/** docs */',
  'const unrelated$ = 1;',
  'function helper$() {\n  return [1, 2].map((n) => n * 2);\n}',
  "async function other$() {\n  'use step';\n}",
  'class Other$ { m() { return () => 1; } }',
  'if (globalThis.debug$) { console.log("x"); }',
  'export type T$ = { a: string };',
  'items$.forEach((item) => { void item; });',
];

const IDS = new Set(idsOf(PIECES.join('\n')));

function idsOf(source: string): string[] {
  const { facts, diagnostics } = compile(source, { filename: 'src/orders.ts' });
  expect(diagnostics).toEqual([]);
  return (facts?.functions ?? []).map((fn) => fn.id);
}

describe('ids come from names and places', () => {
  test('they read as people would write them', () => {
    expect([...IDS].sort()).toEqual([
      'src/orders.ts#Order#save',
      'src/orders.ts#Order.load',
      'src/orders.ts#charge',
      'src/orders.ts#default',
      'src/orders.ts#fulfil',
      'src/orders.ts#fulfil/deep',
      'src/orders.ts#fulfil/inner',
      'src/orders.ts#make/query',
      'src/orders.ts#ship',
      'src/orders.ts#tools.list',
      'src/orders.ts#tools.search.execute',
      'src/orders.ts#wrapped',
    ]);
  });

  test('inserting, reordering and reformatting other code changes none', () => {
    const order = fc.shuffledSubarray([...PIECES], { minLength: PIECES.length });
    const between = fc.array(fc.tuple(fc.constantFrom(...UNRELATED), fc.nat(PIECES.length)), { maxLength: 6 });
    const layout = fc.constantFrom(
      (text: string) => text,
      (text: string) => text.replaceAll('\n', '\r\n'),
      (text: string) => text.replace(/\n */g, ' '),
      (text: string) => text.replaceAll('\n', '\n\n\t'),
      (text: string) => text.replace(/(\)|=>) \{\n/g, '$1\n{ // block\n'),
    );
    fc.assert(
      fc.property(order, between, layout, (pieces, inserted, format) => {
        const parts: string[] = pieces.map((piece) => format(piece));
        inserted.forEach(([text, at], i) => parts.splice(at, 0, text.replaceAll('$', String(i))));
        const found = idsOf(parts.join('\n')).filter((id) => !/#other\d/.test(id));
        expect(new Set(found)).toEqual(IDS);
      }),
      { numRuns: 300 },
    );
  });

  test('a step inserted before another in the same workflow renames nothing', () => {
    const before = idsOf("async function main() { 'use workflow'; const a = async () => { 'use step'; }; }");
    const after = idsOf(
      "async function main() { 'use workflow'; const z = async () => { 'use step'; }; const a = async () => { 'use step'; }; }",
    );
    expect(after).toEqual(expect.arrayContaining(before));
  });

  test('a function may pin its id', () => {
    expect(idsOf("async function charge2() { 'use step'; } charge2.stepId = 'charge';")).toEqual(['charge']);
    expect(
      idsOf(
        "async function main2() { 'use workflow'; async function inner() { 'use step'; } inner.stepId = 'inner'; } main2.workflowId = 'main';",
      ),
    ).toEqual(['main', 'inner']);
  });

  test.each([
    "const charge2 = (async () => { 'use step'; }); charge2.stepId = 'charge';",
    "const charge2 = (async () => { 'use step'; }) satisfies Charge; charge2.stepId = 'charge';",
    "const charge2 = (async function () { 'use step'; } as Charge)!; charge2.stepId = 'charge';",
    "const charge2 = <Charge>(async () => { 'use step'; }); charge2['stepId'] = 'charge';",
  ])('also behind parentheses and types: %s', (source) => {
    expect(idsOf(source)).toEqual(['charge']);
  });

  test('the root and the working directory are no part of it', () => {
    const source = "export async function charge() { 'use step'; }";
    for (const [filename, root] of [
      ['/a/b/src/x.ts', '/a/b'],
      ['/c/src/x.ts', '/c/'],
      ['src/x.ts', '/d'],
      ['./src/x.ts', undefined],
      ['C:\\p\\src\\x.ts', 'C:\\p'],
    ] as const)
      expect(compile(source, { filename, root }).facts?.functions[0]?.id).toBe('src/x.ts#charge');
    expect(compile(source, { filename: 'lib/x.js', packageName: 'pkg@1.2.3' }).facts?.functions[0]?.id).toBe(
      'pkg@1.2.3/lib/x.js#charge',
    );
  });
});
