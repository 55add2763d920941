import { afterEach, describe, expect, test } from 'vitest';
import { createTestRuntime, type TestRuntime } from '../../src/testing/index.ts';
import { buildClean, project, text } from '../bundler/project.ts';
import { loadClient } from '../support/client.ts';

/** Function declarations are hoisted: over their block, over their module and over import cycles; steps too, in every target. */
let runtime: TestRuntime | undefined;

afterEach(async () => {
  await runtime?.close();
  runtime = undefined;
});

async function run(sources: Record<string, string>): Promise<unknown> {
  runtime = await createTestRuntime({ sources });
  return runtime.finish(await runtime.start('main', []));
}

const WHERE = "const where = (n: unknown) => (typeof process === 'object' ? 'outside:' : 'inside:') + n;\n";

/** `src/steps.ts` and `src/table.ts` import each other. Whichever the workflow imports first begins, and the other runs first. */
async function runCycle(steps: string, table: string, result: string): Promise<unknown[]> {
  const results: unknown[] = [];
  for (const order of [
    ['steps', 'table'],
    ['table', 'steps'],
  ]) {
    const imports = order.map((name) => `import * as ${name} from './${name}.ts';`).join('\n');
    results.push(
      await run({
        'src/steps.ts': `import * as table from './table.ts';\nexport const seen = () => table;\n${WHERE}${steps}`,
        'src/table.ts': table,
        'src/main.ts': `${imports}\nexport async function main() { 'use workflow'; steps.seen(); return ${result}; }`,
      }),
    );
    await runtime?.close();
  }
  return results;
}

const twice = (value: unknown): unknown[] => [value, value];

describe('in an import cycle, a module that runs before the steps that it imports', () => {
  const CHARGE = `export async function charge(n: number) { 'use step'; return where(n); }`;

  test('puts them into a table', async () => {
    const table = `import { charge } from './steps.ts'; export const tools = { charge }; export const list = [charge];`;
    const result = '[await table.tools.charge(1), await table.list[0]!(2), table.tools.charge === steps.charge]';
    expect(await runCycle(CHARGE, table, result)).toEqual(twice(['outside:1', 'outside:2', true]));
  });

  test.each([
    ['a default export', `export default async function charge(n: number) { 'use step'; return where(n); }`, 'charge'],
    ['an anonymous default', `export default async function (n: number) { 'use step'; return where(n); }`, 'charge'],
    [
      'another name',
      `async function pay(n: number) { 'use step'; return where(n); } export { pay as default, pay as charge };`,
      '{ charge }',
    ],
    [
      'overloads',
      `export async function charge(n: number): Promise<string>; export async function charge(n: string): Promise<string>; export async function charge(n: any) { 'use step'; return where(n); }`,
      '{ charge }',
    ],
  ])('reads %s', async (_name, steps, local) => {
    const table = `import ${local} from './steps.ts'; export const tools = { charge, known: typeof charge };`;
    const result = '[await table.tools.charge(1), table.tools.known, table.tools.charge.name !== ""]';
    expect(await runCycle(steps, table, result)).toEqual(twice(['outside:1', 'function', true]));
  });

  test('calls them', async () => {
    const table = `import { charge } from './steps.ts'; export const early = charge(1);`;
    // In the step bundle the call runs there and then, where \`where\` may not be there yet.
    const steps = `export async function charge(n: number) { 'use step'; return 'charged ' + n; }`;
    expect(await runCycle(steps, table, 'table.early')).toEqual(twice('charged 1'));
  });

  test('passes them to a step as values', async () => {
    const table = `
      import { charge } from './steps.ts';
      async function apply(f: (n: number) => Promise<string>, n: number) { 'use step'; return f(n); }
      export const early = apply(charge, 3);`;
    const steps = `export async function charge(n: number) { 'use step'; return 'charged ' + n; }`;
    expect(await runCycle(steps, table, 'table.early')).toEqual(twice('charged 3'));
  });

  test('calls nested ones by a factory', async () => {
    const table = `
      import { make, makeArrow, makeMethod } from './steps.ts';
      export const early = Promise.all([make('a')('b'), makeArrow('c')('d'), makeMethod('e').pay('f')]);
      async function inStep() { 'use step'; return early; }
      export const both = async () => [await early, await inStep()];`;
    const steps = `
      export function make(a: string) { return inner; async function inner(b: string) { 'use step'; return a + b; } }
      export function makeArrow(a: string) { const inner = async (b: string) => { 'use step'; return a + b; }; return inner; }
      export function makeMethod(a: string) { return { async pay(b: string) { 'use step'; return a + b; } }; }`;
    const values = ['ab', 'cd', 'ef'];
    expect(await runCycle(steps, table, 'table.both()')).toEqual(twice([values, values]));
  });

  test('sets their options', async () => {
    const table = `import { charge } from './steps.ts'; export const labelled = Object.assign(charge, { label: 'early', maxRetries: 1 });`;
    const steps = `
      let calls = 0;
      export async function charge() { 'use step'; calls++; throw new Error('no'); }
      export async function count() { 'use step'; return calls; }`;
    const result =
      '[table.labelled === steps.charge, (steps.charge as any).label, await steps.charge().catch(() => steps.count())]';
    expect(await runCycle(steps, table, result)).toEqual(twice([true, 'early', 2]));
  });

  test('imports a module of CommonJS between', async () => {
    const sources = (first: string, second: string) => ({
      'src/main.js': `import * as ${first} from './${first}.js'; import * as ${second} from './${second}.js';
        export async function main() { 'use workflow'; return [await table.tools.charge(1), await table.early, steps.seen()]; }`,
      'src/steps.js': `import middle from './middle.cjs'; export const seen = () => Object.keys(middle.table); export async function charge(n) { 'use step'; return typeof process + n; }`,
      'src/middle.cjs': `exports.table = require('./table.js');`,
      'src/table.js': `import { charge } from './steps.js'; export const tools = { charge }; export const early = charge(2);`,
    });
    expect(await run(sources('steps', 'table'))).toEqual(['object1', 'object2', ['early', 'tools']]);
    await runtime?.close();
    expect(await run(sources('table', 'steps'))).toEqual(['object1', 'object2', ['early', 'tools']]);
  });

  test('requires one of CommonJS', async () => {
    expect(
      await run({
        'src/main.cjs': `
          module.exports = { charge, main };
          const { tools } = require('./table.cjs');
          async function charge(n) { 'use step'; return typeof process + n; }
          async function main() { 'use workflow'; return tools.apply(tools.charge, 1); }`,
        'src/table.cjs': `
          const { charge } = require('./main.cjs');
          async function apply(f, n) { 'use step'; return f(n); }
          exports.tools = { charge, apply };`,
      }),
    ).toBe('object1');
  });
});

/** Each is a body: of the workflow, and of a factory whose steps are called in the step bundle too. */
const BODIES: Record<string, { body: string; expected: unknown; sloppy?: boolean }> = {
  'in another case': {
    body: `switch (base as number) { case 0: async function pay(n: number) { 'use step'; return base + n; } break; case 1: return pay(2); }`,
    expected: 3,
  },
  'in a case before, behind a default': {
    body: `switch (base as number) { default: return pay(2); case 7: case 8: async function pay(n: number) { 'use step'; return base + n; } }`,
    expected: 3,
  },
  'in the only case, a default': {
    body: `switch (base as number) { default: const early = pay; async function pay(n: number) { 'use step'; return base + n; } return early(2); }`,
    expected: 3,
  },
  'in the test of a case': {
    body: `let tested; switch (base as number) { case ((tested = pay), 5): break; case 6: async function pay(n: number) { 'use step'; return base + n; } } return tested!(2);`,
    expected: 3,
  },
  'two in one switch, as values': {
    body: `switch (base as number) { case 1: return apply(add, mul); case 2: async function add(n: number) { 'use step'; return base + n; } case 3: async function mul(n: number) { 'use step'; return n * 2; } }`,
    expected: 8,
  },
  'before it in its block': {
    body: `{ const early = [pay]; var out = early[0]!(2); async function pay(n: number) { 'use step'; return base + n; } } return out;`,
    expected: 3,
  },
  'before it, as a value': {
    body: `return apply(add, mul); async function add(n: number) { 'use step'; return base + n; } async function mul(n: number) { 'use step'; return n * 2; }`,
    expected: 8,
  },
  'of each turn of a loop': {
    body: `const out: any[] = []; for (const i of [1, 2]) { out.push(pay); async function pay(n: number) { 'use step'; return i * n; } } return Promise.all(out.map((f) => f(base)));`,
    expected: [1, 2],
  },
  'by another step': {
    body: `async function outer(n: number) { 'use step'; return (await inner(n)) + 1; } async function inner(n: number) { 'use step'; return base + n; } return outer(1);`,
    expected: 3,
  },
  'with itself': {
    body: `return factorial(5); async function factorial(n: number): Promise<number> { 'use step'; return n < 2 ? base : n * (await factorial(n - 1)); }`,
    expected: 120,
  },
  'beside another, without space': {
    body: `return Promise.all([add(2),mul(2)]);async function add(n: number){'use step';return base+n}async function mul(n: number){'use step';return base*n}`,
    expected: [3, 2],
  },
  'within another': {
    body: `return outer(2); async function outer(n: number) { 'use step'; return twice(n) + (await deep()); function twice(x: number) { return x * 2; } async function deep() { 'use step'; return n * 10 + base; } }`,
    expected: 25,
  },
  'by one that it uses': {
    body: `return even(5); async function even(n: number): Promise<boolean> { 'use step'; return n < base ? true : odd(n - 1); } async function odd(n: number): Promise<boolean> { 'use step'; return n < base ? false : even(n - 1); }`,
    expected: false,
  },
  'by one that it uses, and given back': {
    body: `const [back] = await even(4); return back(0); async function even(n: number): Promise<any> { 'use step'; return n < base ? [odd] : odd(n - 1); } async function odd(n: number): Promise<any> { 'use step'; return n < base ? 'odd' : even(n - 1); }`,
    expected: 'odd',
  },
  'with overloads': {
    body: `return pay(2); async function pay(n: number): Promise<number>; async function pay(n: string): Promise<string>; async function pay(n: any) { 'use step'; return base + n; }`,
    expected: 3,
  },
  'with a type parameter and a pattern': {
    body: `return pay({ n: 2 }); async function pay<T extends { n: number }>({ n, m = base }: T & { m?: number }): Promise<number> { 'use step'; return n + m; }`,
    expected: 3,
  },
  'that a parameter has the name of': {
    sloppy: true,
    body: `return (async (pay) => { const out = await pay(2); async function pay(n) { 'use step'; return base + n; } return out; })(7);`,
    expected: 3,
  },
  'that a parameter of a pattern has the name of': {
    sloppy: true,
    body: `return (async ({ pay }, more = 1) => { async function pay(n) { 'use step'; return base + n; } return pay(more); })({ pay: 1 });`,
    expected: 2,
  },
  'that a variable has the name of': {
    sloppy: true,
    body: `var pay; var early = pay; async function pay(n) { 'use step'; return base + n; } return early(2);`,
    expected: 3,
  },
  'whose variable is changed later': {
    sloppy: true,
    body: `var early = pay; var pay = null; async function pay(n) { 'use step'; return base + n; } return [await early(2), pay];`,
    expected: [3, null],
  },
  'with options before it': {
    body: `pay.maxRetries = 0; async function pay(n: number) { 'use step'; return base + n; } return pay(2);`,
    expected: 3,
  },
  'behind a directive without semicolon': {
    sloppy: true,
    body: `return (function () {\n'use strict'\nasync function pay(n) { 'use step'; return base + n }\nreturn pay })()(2)`,
    expected: 3,
  },
  'with arguments of its own and this': {
    body: `return pay.call({ x: 4 } as any, 2); async function pay(this: any, n: number) { 'use step'; return this.x + arguments[0] + base; }`,
    expected: 7,
  },
};

describe('a nested step is there in all of its block', () => {
  const APPLY = `async function apply(f, g) { 'use step'; return (await f(1)) + (await g(3)); }\n`;

  test.each(Object.keys(BODIES))('used %s', async (name) => {
    const { body, expected, sloppy } = BODIES[name] as (typeof BODIES)[string];
    const typed = sloppy ? 'base' : 'base: number';
    const source = `
      ${sloppy ? APPLY : APPLY.replace('f, g', 'f: any, g: any')}
      async function make(${typed}) { ${body} }
      async function inStep() { 'use step'; return make(1); }
      async function direct(${typed}) { ${body} }
      async function main() { 'use workflow'; ${sloppy ? 'var' : 'const'} base = 1; return [await inStep(), await direct(1), await (async () => { ${body} })()]; }`;
    const file = sloppy ? 'src/main.cjs' : 'src/main.ts';
    expect(await run({ [file]: source })).toEqual([expected, expected, expected]);
  });
});

describe('a step of a module is there in all of it', () => {
  test('in a namespace, before it and from another part of the namespace', async () => {
    const source = `
      namespace Shop {
        export const tools = { charge };
        export const early = charge(1);
        export async function charge(n: number) { 'use step'; return n + one(); }
        function one() { return 1; }
        export namespace Deep { export const pay = refund; async function refund(n: number) { 'use step'; return n - one(); } }
      }
      async function apply(f: typeof Shop.charge) { 'use step'; return f(5); }
      export async function main() {
        'use workflow';
        return [await Shop.early, await Shop.tools.charge(2), await Shop.Deep.pay(3), await apply(Shop.charge), await apply(Shop.Deep.pay)];
      }`;
    expect(await run({ 'src/main.ts': source })).toEqual([2, 3, 2, 6, 4]);
  });

  test.each(['', 'export '])('merged with a namespace: %s', async (exported) => {
    const source = `
      ${exported}async function charge(n: number) { 'use step'; return n * charge.rate; }
      ${exported}namespace charge { export const rate = 2; export const limits = { top: 5 }; }
      async function apply(f: (n: number) => Promise<number>) { 'use step'; return f(5); }
      export async function main() { 'use workflow'; return [await charge(charge.rate), charge.limits.top, await apply(charge)]; }`;
    expect(await run({ 'src/main.ts': source })).toEqual([4, 5, 10]);
  });

  test('beside a variable of its name, in CommonJS', async () => {
    const source = `
      var early = charge;
      var charge;
      async function charge(n) { 'use step'; return typeof process + n; }
      async function main() { 'use workflow'; return [await early(1), await charge(2)]; }`;
    expect(await run({ 'src/main.cjs': source })).toEqual(['object1', 'object2']);
  });

  test('with its id, name and options', async () => {
    const source = `
      export const early = [charge.stepId, pinned.stepId, charge.maxRetries];
      export async function charge() { 'use step'; return [charge.stepId, charge.maxRetries]; }
      export async function pinned() { 'use step'; return pinned.stepId; }
      charge.maxRetries = 5;
      pinned.stepId = 'pinned';
      export const late = [charge.stepId, pinned.stepId];
      export async function main() {
        'use workflow';
        return [early, late, await charge(), await pinned(), charge.name];
      }`;
    const ids = ['src/main.js#charge', 'pinned'];
    expect(await run({ 'src/main.js': source })).toEqual([
      [...ids, undefined],
      ids,
      ['src/main.js#charge', 5],
      'pinned',
      'charge',
    ]);
  });

  test('nested in a class, while the class is made', async () => {
    const source = `
      class Order {
        static #rate = 2;
        static early = Order.make(1)(2);
        static field = new Order().pay(3);
        pay = async (n: number) => { 'use step'; return n * Order.#rate; };
        static make(a: number) { return inner; async function inner(b: number) { 'use step'; return (a + b) * Order.#rate; } }
      }
      async function inStep() { 'use step'; return Promise.all([Order.early, Order.field]); }
      export async function main() { 'use workflow'; return [await inStep(), await Order.make(3)(4)]; }`;
    expect(await run({ 'src/main.ts': source })).toEqual([[6, 6], 14]);
  });
});

describe('the place of an error is where a step is called', () => {
  test.each([
    ['a function', "async function charge(x: unknown) { 'use step'; }", 'charge'],
    ['a static method', "class Orders { static async charge(x: unknown) { 'use step'; } }", 'Orders.charge'],
    ['a variable', "const charge = async (x: unknown) => { 'use step'; };", 'charge'],
    [
      'a function of a namespace',
      "namespace Shop { export async function charge(x: unknown) { 'use step'; } }",
      'Shop.charge',
    ],
  ])('%s', async (_name, declaration, callee) => {
    const source = `// one\n${declaration}\nexport async function main() {\n  'use workflow';\n  await ${callee}(() => 1);\n}`;
    const error = (await run({ 'src/main.ts': source }).catch((thrown: unknown) => thrown)) as Error & { cause: Error };
    expect(error.cause.stack?.split('\n')[1]).toMatch(/^    at (?:async )?main \(src\/main\.ts:5:\d+\)$/);
  });

  test('in the step bundle too', async () => {
    const source = `
async function make(a: number) {
  async function inner(b: number) {
    'use step';
    throw new Error('no ' + a + b);
  }
  return await inner(1);
}
async function outer() { 'use step'; return make(1); }
export async function main() { 'use workflow'; return outer(); }`;
    const error = (await run({ 'src/main.ts': source }).catch((thrown: unknown) => thrown)) as Error & { cause: Error };
    expect(
      error.cause.stack
        ?.split('\n')
        .slice(1)
        .map((line) => line.trim()),
    ).toEqual([
      'at inner (src/main.ts:5:11)',
      expect.stringMatching(/^at make \(src\/main\.ts:7:\d+\)$/),
      expect.stringMatching(/^at outer \(src\/main\.ts:9:\d+\)$/),
    ]);
  });
});

describe('in the client', () => {
  test.each([
    ['steps', 'table'],
    ['table', 'steps'],
  ])('steps and workflows are there and known while modules load, %s first', async (first, second) => {
    const { result } = await loadClient({
      'src/steps.ts': `import './table.ts';
        export async function charge(n: number) { 'use step'; return make(n)(); }
        export async function main() { 'use workflow'; return charge(1); }
        export const ids = [(charge as any).stepId, (main as any).workflowId];
        function make(n: number) { return inner; async function inner() { 'use step'; return n * 2; } }`,
      'src/table.ts': `import { charge, main } from './steps.ts'; export const tools = { charge, main }; export const early = charge(4);`,
      'src/main.ts': `import * as ${first} from './${first}.ts'; import * as ${second} from './${second}.ts';
        export const result = [await table.early, table.tools.charge === steps.charge, steps.ids, await table.tools.main().catch((e: Error) => e.message)];`,
    });
    expect(result).toEqual([
      8,
      true,
      ['src/steps.ts#charge', 'src/steps.ts#main'],
      'The workflow src/steps.ts#main was called like a function.',
    ]);
  });
});

describe('the workflow bundle', () => {
  test('has the steps that workflows use, called or as values, and no other', async () => {
    const files = {
      'src/steps.ts': `
        export async function used() { 'use step'; return 1; }
        export async function unused() { 'use step'; return 2; }
        // pawl-ignore PAWL5003 -- what is looked at is which steps leave the bundle
        export default async function () { 'use step'; return inner(); }
        async function inner() { 'use step'; return 3; }
        export function factory(n: number) { return nested; async function nested() { 'use step'; return n; } }`,
      'src/main.ts': `
        import { used } from './steps.ts';
        async function beside() { 'use step'; return 4; }
        async function value() { 'use step'; return 5; }
        async function apply(f: () => Promise<number>) { 'use step'; return f(); }
        export async function main() { 'use workflow'; return [await used(), await apply(value)]; }`,
    };
    const code = text(await buildClean(project(files), { write: false }), 'workflows.js');
    expect([...new Set(code.match(/"src\/[^"]+"/g))].sort()).toEqual(
      ['main.ts#apply', 'main.ts#main', 'main.ts#value', 'steps.ts#used'].map((id) => `"src/${id}"`),
    );
  });
});
