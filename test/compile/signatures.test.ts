import { afterEach, describe, expect, test } from 'vitest';
import { createTestRuntime, type TestRuntime } from '../../src/testing/index.ts';
import { loadClient } from '../support/client.ts';

/** What steps and workflows say of themselves is what they would without pawl, in every target. */
let runtime: TestRuntime | undefined;

afterEach(async () => {
  await runtime?.close();
  runtime = undefined;
});

async function run(sources: Record<string, string> | string, args: unknown[] = []): Promise<unknown> {
  runtime = await createTestRuntime({ sources: typeof sources === 'string' ? { 'src/main.ts': sources } : sources });
  return runtime.finish(await runtime.start('src/main.ts#main', args));
}

describe('name and length', () => {
  const forms = `
    export async function declared(a: number, b = 1, ...rest: number[]) { 'use step'; void a; void b; void rest; }
    export const arrow = async (a: number, b: number) => { 'use step'; void a; void b; };
    export const inner = async function own(a: number) { 'use step'; void a; };
    export const cast = (async (a: number) => { 'use step'; void a; }) as (a: number) => Promise<void>;
    export const [byDefault = async () => { 'use step'; }] = [] as (() => Promise<void>)[];
    export let assigned: (a: number) => Promise<void>;
    assigned = async (a) => { 'use step'; void a; };
    const keep = <T>(value: T): T => value;
    export const given = keep(async (a: number) => { 'use step'; void a; });
    export const tools = {
      async method(this: unknown, a: number) { 'use step'; void a; },
      'a b': async (a: number, { b } = { b: 1 }) => { 'use step'; void a; void b; },
      async __proto__(a: number) { 'use step'; void a; },
      nested: { 7: async () => { 'use step'; } },
    };
    export class Shop {
      static async sell(a: number, b: number) { 'use step'; void a; void b; }
      static field = async (a: number) => { 'use step'; void a; };
      async give(a: number) { 'use step'; void a; }
    }
    export default async function (a: number) { 'use step'; void a; }
    export const flow = async (a: number, b = 2) => { 'use workflow'; void a; void b; };
    export const flows = { async start(a: number) { 'use workflow'; void a; } };
    export async function plain(a: number, b: number) { 'use workflow'; void a; void b; }
    export class Flows { static async go(a: number) { 'use workflow'; void a; } }`;
  const list = `[
    m.declared, m.arrow, m.inner, m.cast, m.byDefault, m.assigned, m.given, m.tools.method, m.tools['a b'],
    Object.getOwnPropertyDescriptor(m.tools, '__proto__')!.value, m.tools.nested[7], m.Shop.sell, m.Shop.field,
    m.Shop.prototype.give, m.default, m.flow, m.flows.start, m.plain, m.Flows.go,
  ].map(({ name, length }: (...args: never[]) => unknown) => name + '/' + length)`;
  const expected = [
    ...[
      'declared/1',
      'arrow/2',
      'own/1',
      'cast/1',
      'byDefault/0',
      'assigned/1',
      '/1',
      'method/1',
      'a b/1',
      '__proto__/1',
    ],
    ...['7/0', 'sell/2', 'field/1', 'give/1', 'default/1', 'flow/1', 'start/1', 'plain/2', 'go/1'],
  ];
  const main = `
    import * as m from './forms.ts';
    import { declared as other } from './other.ts';
    async function seen() { 'use step'; return [...${list}, other.name]; }
    export async function main() { 'use workflow'; return [[...${list}, other.name], await seen()]; }`;
  const other = `export async function declared() { 'use step'; }`;

  test('are those of plain JavaScript in workflows and in steps, whatever the bundler calls them', async () => {
    const all = [...expected, 'declared'];
    expect(await run({ 'src/forms.ts': forms, 'src/other.ts': other, 'src/main.ts': main })).toEqual([all, all]);
  });

  test('and in apps', async () => {
    const app = `import * as m from './forms.ts';\nimport { declared as other } from './other.ts';\nexport const names = [...${list}, other.name];`;
    const { names } = await loadClient({ 'src/forms.ts': forms, 'src/other.ts': other, 'src/main.ts': app });
    expect(names).toEqual([...expected, 'declared']);
  });

  test('of nested steps too, where they are called and where they are passed on', async () => {
    const source = `
      class Order {
        constructor(readonly id: string) {}
        static [Symbol.for('pawl-serialize')](order: Order) { return order.id; }
        static [Symbol.for('pawl-deserialize')](id: string) { return new Order(id); }
        field = async (a: number) => { 'use step'; return this.id + a; };
      }
      const describe = (fn: (...args: never[]) => unknown) => fn.name + '/' + fn.length;
      function make(k: number) {
        const arrow = async (a: number, b: number) => { 'use step'; return a + b + k; };
        async function declared(a: number) { 'use step'; return a + k; }
        return [arrow, declared] as const;
      }
      async function outside() {
        'use step';
        const [arrow, declared] = make(1);
        return [describe(arrow), describe(declared), await arrow(1, 2), await declared(3)];
      }
      export async function main(k: number) {
        'use workflow';
        const arrow = async (a: number, b: number) => { 'use step'; return [a, b, k]; };
        async function declared(a: number, ...rest: number[]) { 'use step'; return [a, rest.length, k]; }
        const few = arrow as (a: number) => Promise<unknown>;
        return [describe(arrow), describe(declared), await few(1), await arrow(1, 2), await declared(1, 2, 3), await outside(),
          describe(new Order('o').field), await new Order('o').field(1)];
      }`;
    expect(await run(source, [9])).toEqual([
      ...['arrow/2', 'declared/1', [1, undefined, 9], [1, 2, 9], [1, 2, 9]],
      ['arrow/2', 'declared/1', 4, 4],
      ...['field/1', 'o1'],
    ]);
  });

  test('arguments arrive as many as there were', async () => {
    const source = `
      async function count(_a: number, _b: number) { 'use step'; return arguments.length; }
      const counts = async function (_a: number) { 'use step'; return arguments.length; };
      export async function main() {
        'use workflow';
        const any = [count, counts] as unknown as ((...args: unknown[]) => Promise<number>)[];
        return Promise.all(any.flatMap((each) => [each(), each(undefined), each(1, 2), each(1, 2, 3)]));
      }`;
    expect(await run(source)).toEqual([0, 1, 2, 3, 0, 1, 2, 3]);
  });
});
