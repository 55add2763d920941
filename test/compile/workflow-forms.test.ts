/** A workflow that a workflow calls is a run of its own, whatever its form and place; what cannot be one is refused. */
import { expect, test } from 'vitest';
import { EXPRESSIONS, type FormCase, FORMS, PLACES, placed } from '../../fixtures/forms/table.ts';
import { getRun } from '../../src/runtime/client.ts';
import { compile } from '../../src/compiler/index.ts';
import { createTestRuntime } from '../../src/testing/index.ts';

/** The forms of steps, as workflows: what a step finds out about where it runs, a workflow finds out about its run. */
function asWorkflow(text: string): string {
  return text.replaceAll("'use step'", "'use workflow'").replaceAll('"use step"', '"use workflow"');
}

function sourceOf({ module = '', body = '', call }: FormCase, file: string): string {
  return `${asWorkflow(module).replaceAll('./main.ts', `./${file.slice(4)}`)}
function where(n) { return [getWorkflowMetadata().workflowRunId, getWorkflowMetadata().workflowName, n]; }
async function main() { 'use workflow'; ${asWorkflow(body)}
  const [id, name, n] = await (${call});
  return [id !== getWorkflowMetadata().workflowRunId && id.startsWith(getWorkflowMetadata().workflowRunId), name, n];
}
${/js$/.test(file) ? "const { getWorkflowMetadata } = require('pawl');" : "import { getWorkflowMetadata } from 'pawl';"}
`;
}

const cases = [
  ...FORMS,
  ...PLACES.flatMap((place) =>
    Object.entries(EXPRESSIONS).map(([form, expression]) => ({
      ...placed(place, expression),
      name: `${form}: ${place.name}`,
    })),
  ),
].map((each, i) => {
  const file = (each.file ?? 'src/main.ts').replace('main', `case${i}`);
  const text = sourceOf(each, file);
  const { diagnostics } = compile(text, { filename: file });
  return { ...each, file, text, isRefused: diagnostics.some(({ severity }) => severity === 'error') };
});

test('each form runs in a run of its own', { timeout: 60_000 }, async () => {
  const taken = cases.filter(({ isRefused }) => !isRefused);
  expect(taken.length).toBeGreaterThan(200);
  const sources = Object.fromEntries(taken.map(({ file, text }) => [file, text]));
  const tsconfig = JSON.stringify({ compilerOptions: { jsx: 'react' } });
  const runtime = await createTestRuntime({ sources: { ...sources, 'tsconfig.json': tsconfig } });
  const results: Record<string, unknown> = {};
  const expected: Record<string, unknown> = {};
  for (const { file, name, id } of taken) {
    const run = await runtime.start(`${file}#main`, []);
    results[name] = await runtime.finish(run).catch((error: unknown) => `${error}`);
    expected[name] = [true, `${file}#${id}`, 1];
  }
  expect(results).toEqual(expected);
  await runtime.close();
});

test('those that are refused stand where no workflow can', () => {
  const refused = new Set(cases.filter(({ isRefused }) => isRefused).map(({ name }) => name.replace(/^.*?: /, '')));
  expect([...refused].toSorted()).toMatchInlineSnapshot(`
    [
      "JSX attribute",
      "block",
      "called in place in the workflow",
      "field with this and a private member",
      "function in a block in the workflow",
      "function in a callback",
      "function in a factory",
      "function in a static block",
      "function in a switch in a factory",
      "function in a switch in the workflow",
      "function in a switch in the workflow, used in another case",
      "function in the workflow",
      "function in the workflow, used before",
      "function with the name of a parameter",
      "if",
      "in a generator",
      "in a getter",
      "in a helper that the workflow calls",
      "in a loop in the workflow",
      "in a method",
      "in an arrow in the workflow",
      "in an object from a factory",
      "in an object in the workflow",
      "in the workflow",
      "instance accessor",
      "instance field",
      "instance method",
      "instance method with this",
      "logical or",
      "loop",
      "method of an object from a factory",
      "method with super",
      "object in a field",
      "object method called __proto__ in a factory",
      "object method called __proto__ in the workflow",
      "object method in the workflow",
      "object method with this",
      "parameter default",
      "pattern default",
      "private method",
      "public method",
      "returned from a factory",
      "returned from an arrow",
      "static block",
      "switch",
      "ternary",
      "ternary, other branch",
      "this in a static block",
      "try",
      "variable of a static block",
    ]
  `);
});

const RECURSIVE: Record<string, string> = {
  declaration: `export async function down(n: number): Promise<number> { 'use workflow'; return n === 0 ? 0 : 1 + await down(n - 1); }`,
  arrow: `export const down = async (n: number): Promise<number> => { 'use workflow'; return n === 0 ? 0 : 1 + await down(n - 1); };`,
  'named expression': `export const down = async function again(n: number): Promise<number> { 'use workflow'; return n === 0 ? 0 : 1 + await again(n - 1); };`,
  'default export': `export default async function down(n: number): Promise<number> { 'use workflow'; return n === 0 ? 0 : 1 + await down(n - 1); }`,
  'static method': `export class Down { static async down(n: number): Promise<number> { 'use workflow'; return n === 0 ? 0 : 1 + await this.down(n - 1); } }`,
  alias: `const other = (n: number): Promise<number> => down(n); export async function down(n: number): Promise<number> { 'use workflow'; return n === 0 ? 0 : 1 + await other(n - 1); }`,
  definition: `import { defineWorkflow } from 'pawl'; import { z } from 'zod';
    export const down: any = defineWorkflow({ slug: 'down', input: z.number(), output: z.number(), run: async (n): Promise<number> => n === 0 ? 0 : 1 + await down.run(n - 1) });`,
};

test.each(Object.entries(RECURSIVE))('%s: one that calls itself is as many runs', async (_, source) => {
  const runtime = await createTestRuntime({ sources: { 'src/main.ts': source } });
  const run = await runtime.start(Object.keys(runtime.manifest.workflows)[0] as string, [3]);
  expect(await run.returnValue).toBe(3);
  expect((await run.events()).map(({ type }) => type)).toEqual([
    'run_created',
    'child_scheduled',
    'child_completed',
    'run_completed',
  ]);
  await runtime.close();
});

test('started from a step it is nobody’s child, and with an id of its own it is started once', async () => {
  const runtime = await createTestRuntime({
    sources: {
      'src/main.ts': `import { start } from 'pawl/client';
        import { getStepMetadata } from 'pawl';
        export async function pay(n: number) { 'use workflow'; return n * 2; }
        async function begin(n: number) {
          'use step';
          const { idempotencyKey, attempt } = getStepMetadata();
          const run = await start(pay, [n], { runId: \`pay-\${idempotencyKey}\` });
          if (attempt === 1) throw new Error('after it was started');
          return [run.runId, await run.returnValue];
        }
        export async function main(n: number) { 'use workflow'; return begin(n); }`,
    },
  });
  const run = await runtime.start('main', [4]);
  const [id, value] = (await runtime.finish(run)) as [string, number];
  expect([id, value]).toEqual([expect.stringMatching(/^pay-/), 8]);
  expect((await getRun(id).record()).parent).toBeNull();
  await runtime.close();
});

test('through another module, exported by another name, and as a value that was passed on', async () => {
  const runtime = await createTestRuntime({
    sources: {
      'src/double.ts': `import { getWorkflowMetadata } from 'pawl';
        export default async function double(n: number) { 'use workflow'; return [n * 2, getWorkflowMetadata().workflowName]; }`,
      'src/index.ts': `export { default as twice } from './double.ts';`,
      'src/main.ts': `import * as all from './index.ts';
        import { twice } from './index.ts';
        async function choose(workflows: any[]) { 'use step'; return workflows[0]; }
        export async function main(given: any) {
          'use workflow';
          const chosen = await choose([twice]);
          return [await all.twice(1), await twice(2), await chosen(3), await given(4), twice.name, twice.length];
        }
        export async function begin() { 'use workflow'; return main(twice); }`,
    },
  });
  const run = await runtime.start('begin', []);
  const double = 'src/double.ts#double';
  expect(await run.returnValue).toEqual([[2, double], [4, double], [6, double], [8, double], 'double', 1]);
  await runtime.close();
});
