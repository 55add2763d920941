import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestRuntime, type TestRuntime } from '../../src/testing/index.ts';

/**
 * Strange but valid programs, compiled and run: what they give back is what plain JavaScript would, but for `where`, which says
 * on which side it was called.
 */
interface Case {
  /** Top level of the module, behind `where`. */
  module: string;
  /** What the workflow returns. */
  result: string;
  expected: unknown;
  /** Statements at the start of the workflow. */
  body?: string;
  /** Modules beside it. */
  files?: Record<string, string>;
}

const WHERE = "const where = (n: unknown) => (typeof process === 'object' ? 'outside' : 'inside') + ':' + n;";

const TSCONFIG = JSON.stringify({ compilerOptions: { experimentalDecorators: true } });

const CASES: Record<string, Case> = {
  'calls that can never run': {
    module: `const DEBUG = false; async function s() { 'use step'; return where(1); }`,
    body: "if (DEBUG) await s(); if (process.env.NODE_ENV !== 'production') await s();",
    result: 'DEBUG',
    expected: false,
  },
  'using and await using': {
    module: `async function s() { 'use step'; const log: string[] = []; { using a = { [Symbol.dispose]() { log.push('s'); } }; void a; } return where(log); }`,
    body: `const log: string[] = []; { using a = { [Symbol.dispose]() { log.push('a'); } }; await using b = { async [Symbol.asyncDispose]() { log.push('b'); } }; void a; void b; log.push(await s()); }`,
    result: 'log',
    expected: ['outside:s', 'b', 'a'],
  },
  'decorators of everything': {
    module: `const log: string[] = []; const c = (owner: any) => { log.push('c'); };
      const m = (owner: any, key: any, descriptor?: any) => { log.push('m'); return descriptor; };
      const p = (owner: any, key: any, index: number) => { log.push('p'); };
      @c class A {
        @m kept: number;
        constructor(@p private readonly v: number, @p w = 2) { this.kept = v + w; }
        @m async save(@p n = 1, ...rest: number[]) { 'use step'; return where(n + rest.length); }
        @m static async load(@p n: number) { 'use step'; return where(n); }
        @m field = async (n: number) => { 'use step'; return where(n); };
        @m static accessor count = 4;
      }`,
    result:
      '[await new A(1).save(1, 2), await A.load(3), await new A(1).field(4), new A(1).kept, A.count, log.length > 4]',
    expected: ['outside:2', 'outside:3', 'outside:4', 3, 4, true],
  },
  'variables of the names that helpers have': {
    module: `const __pawl_step = 7; export const __pawl_call = 3;
      async function s() { 'use step'; return where(__pawl_step); } class A { static async x() { 'use step'; return where(__pawl_call); } }`,
    result: '[await s(), await A.x(), __pawl_step]',
    expected: ['outside:7', 'outside:3', 7],
  },
  'functions of such names': {
    module: `const __pawl_step = (id: string) => id + '!'; async function s() { 'use step'; return where(__pawl_step('z')); }`,
    result: "[await s(), __pawl_step('fake')]",
    expected: ['outside:z!', 'fake!'],
  },
  'imports of such names': {
    module: `import __pawl_call, { __pawl_step } from './a.ts'; async function s() { 'use step'; return where(__pawl_step + __pawl_call); } class A { static async x() { 'use step'; return where(1); } }`,
    files: { 'a.ts': 'export const __pawl_step = 5; export default 6;' },
    result: '[await s(), await A.x(), __pawl_step, __pawl_call]',
    expected: ['outside:11', 'outside:1', 5, 6],
  },
  'captures and parameters of such names': {
    module: `async function s(__pawl_bound: number) { 'use step'; const t = async () => { 'use step'; return where(__pawl_bound); }; return t(); }
      class A { v = 1; static [Symbol.for('pawl-serialize')](a: A) { return a.v; } static [Symbol.for('pawl-deserialize')]() { return new A(); } go(__pawl_this: number, __pawl_args = 2) { const f = async () => { 'use step'; return where(this.v + __pawl_this + __pawl_args); }; return f(); } }`,
    body: 'const __pawl_closure = 4; const c = async () => { "use step"; return where(__pawl_closure); };',
    result: '[await s(1), await new A().go(3), await c()]',
    expected: ['outside:1', 'outside:6', 'outside:4'],
  },
  'a default export beside such a name': {
    module: `import step from './main.ts'; const __pawl_default = 3; export default async function (n: number) { 'use step'; return where(n + __pawl_default); }`,
    result: 'await step(1)',
    expected: 'outside:4',
  },
  'a directive twice': {
    module: `import { t } from './steps.ts'; async function s() { 'use step'; "use step"; return where(1); }`,
    files: { 'steps.ts': `'use step'; 'use step';\nexport async function t() { return typeof process; }` },
    result: '[await s(), await t()]',
    expected: ['outside:1', 'object'],
  },
  'two classes with the same names in static blocks': {
    module: `class A { static f: any; static g: any; static { this.f = async () => { 'use step'; return where('A'); }; const x = async () => { 'use step'; return where('Ax'); }; A.g = x; } }
      class B { static f: any; static g: any; static { this.f = async () => { 'use step'; return where('B'); }; const x = async () => { 'use step'; return where('Bx'); }; B.g = x; } }`,
    result: '[await A.f(), await A.g(), await B.f(), await B.g()]',
    expected: ['outside:A', 'outside:Ax', 'outside:B', 'outside:Bx'],
  },
  'two steps in an object of a field': {
    module: `class A { t = { a: async () => { 'use step'; return where('a'); }, async b() { 'use step'; return where('b'); } }; static t = { a: async () => { 'use step'; return where('A'); } }; }`,
    result: '[await new A().t.a(), await new A().t.b(), await A.t.a()]',
    expected: ['outside:a', 'outside:b', 'outside:A'],
  },
  'a step of a subclass whose base class makes instances by `new this`': {
    module: `import { deserialize, serialize } from 'pawl';
      class Money { constructor(readonly cents: number) {} static [serialize](m: Money) { return m.cents; } static [deserialize](cents: number) { return new this(cents); } }
      class Price extends Money { async show() { 'use step'; return where(this.cents + ' ' + (this instanceof Price)); } }`,
    result: 'await new Price(5).show()',
    expected: 'outside:5 true',
  },
};

let runtime: TestRuntime;

beforeAll(async () => {
  const sources: Record<string, string> = { 'tsconfig.json': TSCONFIG };
  Object.values(CASES).forEach(({ module, body = '', result, files = {} }, i) => {
    sources[`src/case${i}/main.ts`] =
      `${WHERE}\n${module}\nasync function main() { 'use workflow'; ${body} return ${result}; }\n`;
    for (const [file, text] of Object.entries(files)) sources[`src/case${i}/${file}`] = text;
  });
  runtime = await createTestRuntime({ sources });
});

afterAll(() => runtime?.close());

test.each(Object.keys(CASES))('%s', async (name) => {
  const i = Object.keys(CASES).indexOf(name);
  const run = await runtime.start(`src/case${i}/main.ts#main`, []);
  expect(await runtime.finish(run)).toEqual(CASES[name]?.expected);
});
