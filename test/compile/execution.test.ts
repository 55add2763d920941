import { afterEach, describe, expect, test } from 'vitest';
import { createTestRuntime, type TestRuntime } from '../../src/testing/index.ts';

/** Compiler output, run: what a program gives back is what the same code would give without pawl. */
let runtime: TestRuntime | undefined;

afterEach(async () => {
  await runtime?.close();
  runtime = undefined;
});

async function run(
  sources: Record<string, string> | string,
  args: unknown[] = [],
  workflow = 'main',
): Promise<unknown> {
  runtime = await createTestRuntime({ sources: typeof sources === 'string' ? { 'src/main.ts': sources } : sources });
  return runtime.finish(await runtime.start(workflow, args));
}

describe('closures of nested steps', () => {
  test('defaults, patterns, nested arrows, captures of captures, shadowing, catch', async () => {
    const source = `
      import { twice } from './math.ts';
      const CURRENCY = 'EUR';
      export async function main(order: { id: string; items: { price: number }[] }, { rush = true } = {}) {
        'use workflow';
        const rate = rush ? 2 : 1;
        const { id, items: [first, ...others] } = order;
        async function price(n: number, factor = rate, { currency = CURRENCY, tag = id } = {}) {
          'use step';
          return [n].map((x) => ({ total: twice(x) * factor, currency, tag, rest: others.map((o) => o.price) }));
        }
        const outer = async (id2: string) => {
          'use step';
          const inner = async (id3 = id) => {
            'use step';
            return [id, id2, id3].join('/');
          };
          return inner();
        };
        const shadow = async (rate: string) => {
          'use step';
          const id = rate;
          for (const first of [1]) void first;
          try { throw id; } catch (order) { return order; }
        };
        const later = async () => { 'use step'; return counter; };
        let counter = 0;
        const before = await later();
        counter = 5;
        return [await price(3), await outer('x'), await shadow('own'), before, await later(), first!.price];
      }`;
    const result = await run({ 'src/main.ts': source, 'src/math.ts': 'export const twice = (n: number) => n * 2;' }, [
      { id: 'A1', items: [{ price: 1 }, { price: 2 }, { price: 3 }] },
    ]);
    expect(result).toEqual([[{ total: 12, currency: 'EUR', tag: 'A1', rest: [2, 3] }], 'A1/x/A1', 'own', 0, 5, 1]);
  });

  test('each turn of a loop has its own variables', async () => {
    const source = `
      export async function main(list: string[]) {
        'use workflow';
        const steps: (() => Promise<string>)[] = [];
        for (let i = 0; i < list.length; i++) {
          const item = list[i];
          steps.push(async function visit() { 'use step'; return i + ':' + item; });
        }
        for (const [key, value] of Object.entries({ a: 1 })) {
          async function entry() { 'use step'; return key + value; }
          steps.push(entry);
        }
        return Promise.all(steps.map((step) => step()));
      }`;
    expect(await run(source, [['x', 'y']])).toEqual(['0:x', '1:y', 'a1']);
  });

  test('a step calls itself, and a nested step calls its sibling', async () => {
    const source = `
      export async function main() {
        'use workflow';
        const factorial = async (n: number): Promise<number> => { 'use step'; return n < 2 ? 1 : n * (await factorial(n - 1)); };
        async function both(n: number) { 'use step'; return (await factorial(n)) + 1; }
        return [await factorial(5), await both(4)];
      }`;
    expect(await run(source)).toEqual([120, 25]);
  });

  test('captured collections keep their kind', async () => {
    const source = `
      export async function main() {
        'use workflow';
        const seen = new Map([['a', new Date(0)]]);
        const tags = new Set(['x']);
        const look = async () => { 'use step'; return [seen.get('a')!.getTime(), tags.has('x'), seen instanceof Map]; };
        return look();
      }`;
    expect(await run(source)).toEqual([0, true, true]);
  });
});

describe('options', () => {
  test('hold on nested steps and on top-level steps, literal or computed', async () => {
    const source = `
      let attempts: Record<string, number> = {};
      const fail = (name: string) => { attempts[name] = (attempts[name] ?? 0) + 1; throw new Error(name); };
      async function top() { 'use step'; fail('top'); }
      top.maxRetries = 1 + 1;
      async function computed() { 'use step'; fail('computed'); }
      computed.maxRetries = Number('1');
      async function count() { 'use step'; return attempts; }
      export async function main() {
        'use workflow';
        async function inner() { 'use step'; fail('inner'); }
        inner.maxRetries = 0;
        await Promise.allSettled([top(), computed(), inner()]);
        return count();
      }`;
    expect(await run(source)).toEqual({ top: 3, computed: 2, inner: 1 });
    expect(runtime?.manifest.steps['src/main.ts#main/inner']?.options).toEqual({ maxRetries: 0 });
    expect(runtime?.manifest.steps['src/main.ts#top']?.options).toEqual({ maxRetries: 2 });
  });
});

describe('steps as values', () => {
  test('passed to steps, with what they captured, and given back', async () => {
    const source = `
      async function double(n: number) { 'use step'; return n * 2; }
      async function apply(f: (n: number) => Promise<number>, n: number) { 'use step'; return f(n); }
      async function choose(flag: boolean) { 'use step'; return flag ? double : null; }
      export async function main(base: number) {
        'use workflow';
        const add = async (n: number) => { 'use step'; return base + n; };
        const chosen = await choose(true);
        return [await apply(double, 4), await apply(add, 4), await chosen!(5)];
      }`;
    expect(await run(source, [100])).toEqual([8, 104, 10]);
  });
});

describe('methods', () => {
  test('this crosses by either pair of symbols, and so do instances as arguments, results and captures', async () => {
    const source = `
      import { deserialize, serialize } from 'pawl';
      export class Money {
        constructor(readonly cents: number) {}
        static [serialize](money: Money) { return money.cents; }
        static [deserialize](cents: number) { return new Money(cents); }
        plus(other: Money) { return new Money(this.cents + other.cents); }
        async doubled() { 'use step'; return new Money(this.cents * 2); }
        static async of(cents: number) { 'use step'; return new this(cents); }
      }
      export class Point {
        constructor(readonly x: number) {}
        static [Symbol.for('workflow-serialize')](p: Point) { return { x: p.x }; }
        static [Symbol.for('workflow-deserialize')](data: { x: number }) { return new Point(data.x); }
        async moved(by: Point) { 'use step'; return new Point(this.x + by.x); }
      }
      export async function main() {
        'use workflow';
        const money = await Money.of(5);
        const point = await new Point(1).moved(new Point(2));
        const sum = async () => { 'use step'; return money.plus(new Money(1)); };
        const summed = await sum();
        return [(await money.doubled()).plus(money).cents, money instanceof Money, point.x, point instanceof Point, summed.cents];
      }`;
    expect(await run(source)).toEqual([15, true, 3, true, 6]);
  });

  test('super takes this along: calls, accessors, arrow functions within and defaults of parameters', async () => {
    const source = `
      import { deserialize, serialize } from 'pawl';
      class Base {
        static k = 3;
        static get g() { return this.k + 1; }
        static base(n: number) { return this.k * n; }
        k = 0;
        get own() { return this.k + 1; }
        times(n: number) { return this.k * n; }
      }
      class Shop extends Base {
        static override k = 5;
        static async called(n: number) { 'use step'; return super.base(n); }
        static async read() { 'use step'; return super.g; }
        static async within(n: number) { 'use step'; return [n].map((each) => super.base(each)); }
        static async byDefault(n = super.g) { 'use step'; return n; }
        static field = async (n: number) => { 'use step'; return super.base(n); };
      }
      class Order extends Base {
        constructor(k: number) { super(); this.k = k; }
        static [serialize](order: Order) { return order.k; }
        static [deserialize](k: number) { return new Order(k); }
        async called(n: number) { 'use step'; return super.times(n); }
        async read() { 'use step'; return super.own; }
        async within(n: number) { 'use step'; return [n].map((each) => super.times(each)); }
        async byDefault(n = super.own) { 'use step'; return n; }
        async #hidden(n = super.own) { 'use step'; return super.times(n); }
        hidden() { return this.#hidden(); }
      }
      export async function main() {
        'use workflow';
        const order = new Order(7);
        return [
          await Shop.called(2), await Shop.read(), await Shop.within(2), await Shop.byDefault(), await Shop.field(2),
          await order.called(2), await order.read(), await order.within(2), await order.byDefault(), await order.hidden(),
        ];
      }`;
    expect(await run(source)).toEqual([10, 6, [10], 6, 10, 14, 8, [14], 8, 56]);
    const { steps } = runtime?.manifest ?? {};
    expect(steps?.['src/main.ts#Order#read']?.usesThis).toBe(true);
  });

  test('a class without the symbols whose step uses super is refused', async () => {
    const source = `
      class Base { total = 1; sum() { return this.total; } }
      class Order extends Base { async save() { 'use step'; return super.sum(); } }
      export async function main() { 'use workflow'; return new Order().save(); }`;
    await expect(run(source)).rejects.toThrow(/PAWL2005.*Order/);
  });

  test('a class without the symbols is refused with its name and the remedy', async () => {
    const source = `
      class Order { total = 1; async save() { 'use step'; return this.total; } }
      export async function main() { 'use workflow'; return new Order().save(); }`;
    await expect(run(source)).rejects.toThrow(/Order/);
  });
});

describe('a directive for the module', () => {
  test('makes every export a step, in every form of export', async () => {
    const steps = `'use step';
      const where = () => (typeof process === 'object' ? 'outside' : 'inside');
      function hidden() { return where(); }
      export async function a() { return hidden(); }
      export const b = async () => hidden();
      export const c = async function () { return hidden(); }, d = async () => hidden();
      async function e() { return hidden(); }
      const f = async () => hidden();
      export { e, f as g };
      export type Unused = string;
      export default async function () { return hidden(); }`;
    const main = `
      import h, { a, b, c, d, e, g } from './steps.ts';
      import * as all from './steps.ts';
      export async function main() {
        'use workflow';
        return Promise.all([a(), b(), c(), d(), e(), g(), h(), all.a()]);
      }`;
    expect(await run({ 'src/steps.ts': steps, 'src/main.ts': main })).toEqual(Array(8).fill('outside'));
    expect(Object.keys(runtime?.manifest.steps ?? {}).sort()).toEqual(
      ['a', 'b', 'c', 'd', 'default', 'e', 'f'].map((name) => `src/steps.ts#${name}`),
    );
  });

  test('makes every export a workflow', async () => {
    const flows = `'use workflow';
      import { sleep } from 'pawl';
      const inside = () => typeof process;
      export async function main() { await sleep('1h'); return inside(); }
      export const second = async () => inside();
      export default async () => inside();`;
    expect(await run({ 'src/flows.ts': flows })).toBe('undefined');
    expect(Object.keys(runtime?.manifest.workflows ?? {}).sort()).toEqual(
      ['default', 'main', 'second'].map((name) => `src/flows.ts#${name}`),
    );
  });
});

describe('definitions', () => {
  test('actions and workflows run by their slug, also by renamed and namespace imports, schemas applied', async () => {
    const action = `
      import { defineAction as make } from 'pawl';
      import { z } from 'zod';
      export default make({
        slug: 'add-tax', description: 'Adds tax.',
        input: z.object({ net: z.number(), rate: z.number().default(0.5) }), output: z.object({ gross: z.number() }),
        async run({ net, rate }) { return { gross: net * (1 + rate), where: typeof process }; },
      });`;
    const flow = `
      import * as pawl from 'pawl';
      import { z } from 'zod';
      import addTax from '../actions/add-tax.ts';
      export const invoice = pawl.defineWorkflow({
        slug: 'invoice', input: z.object({ nets: z.array(z.number()) }), output: z.number(),
        run: async (input, ctx) => {
          await ctx.sleep('1 day');
          const all = await Promise.all(input.nets.map((net) => addTax.run({ net })));
          return all.reduce((sum, { gross }) => sum + gross, 0);
        },
      });`;
    const sources = { 'src/actions/add-tax.ts': action, 'src/workflows/invoice.ts': flow };
    expect(await run(sources, [{ nets: [10, 20] }], 'invoice')).toBe(45);
    expect(runtime?.manifest.steps['add-tax']).toMatchObject({
      style: 'action',
      input: { type: 'object', required: ['net'] },
    });
    expect(runtime?.manifest.workflows.invoice).toMatchObject({ style: 'definition', steps: ['add-tax'] });
  });
});

describe('what only steps use leaves the workflow bundle', () => {
  test('imports, helpers and clients made at the top level; what a workflow needs stays', async () => {
    const source = `
      import { writeFileSync } from 'node:fs';
      import { Sdk } from './sdk.ts';
      import { format } from './format.ts';
      const client = new Sdk('key');
      const rates: Record<string, number> = {};
      rates.de = 0.19;
      function payload(n: number) { return client.wrap(n, writeFileSync.name); }
      async function charge(n: number) { 'use step'; return payload(n); }
      export async function main(n: number) { 'use workflow'; return format(await charge(n), rates.de!); }`;
    const sdk = `
      import { hostname } from 'node:os';
      if (typeof process !== 'object') throw new Error('the SDK was loaded in the sandbox');
      export class Sdk { constructor(readonly key: string) { if (!hostname()) throw new Error(); } wrap(n: number, name: string) { return [this.key, n, name]; } }`;
    const format = `
      import { Sdk } from './sdk.ts';
      export const shared = new Sdk('shared');
      export const format = (parts: unknown[], rate: number) => parts.join(':') + '@' + rate;
      export const unused = () => shared.wrap(1, '');`;
    expect(await run({ 'src/main.ts': source, 'src/sdk.ts': sdk, 'src/format.ts': format }, [7])).toBe(
      'key:7:writeFileSync@0.19',
    );
  });
});
