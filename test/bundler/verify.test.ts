import { expect, test } from 'vitest';
import type { ProgramDescription } from '../../src/bundler/program.ts';
import { helperCalls, parsedHelperCalls, verifyIds } from '../../src/bundler/verify.ts';
import { formatTsc } from '../../src/diagnostics/index.ts';
import { buildClean, project, text } from './project.ts';

const SOURCE = `import { z } from 'zod';
import { defineAction, defineWorkflow } from 'pawl';
export class Money {
  constructor(public cents: number) {}
  static [Symbol.for('pawl-serialize')](money: Money) { return money.cents; }
  static [Symbol.for('pawl-deserialize')](cents: number) { return new Money(cents); }
  async pay(x: number) { 'use step'; return x; }
}
export async function charge(x: number) { 'use step'; return x; }
export async function run(x: number) {
  'use workflow';
  const note = async () => { 'use step'; return x; };
  return [await charge(x), await note(), await new Money(x).pay(1), await triage.run(x)];
}
export const triage = defineAction({ slug: 'triage', input: z.number(), output: z.number(), run: async (x) => x });
// pawl-ignore PAWL6004 -- ids are arbitrary text to what reads them off the bundles
export const daily = defineWorkflow({ slug: 'daily "quoted" \\u00fc', input: z.number(), output: z.number(), run: async (x) => triage.run(x) });
`;

async function built(): Promise<{ described: ProgramDescription; workflows: string; steps: string }> {
  const output = await buildClean(project({ 'src/a.ts': SOURCE }, ['zod']), { write: false });
  return { described: output.manifest, workflows: text(output, 'workflows.js'), steps: text(output, 'steps.js') };
}

test('ids are read off the bundles, by text as by syntax tree', async () => {
  const { workflows, steps } = await built();
  expect(helperCalls(workflows)).toEqual(parsedHelperCalls(workflows));
  expect(helperCalls(steps)).toEqual(parsedHelperCalls(steps));
  expect([...(helperCalls(workflows).get('workflowDefinition') ?? [])]).toEqual(['daily "quoted" ü']);
});

test('a sound build has no mismatch', async () => {
  const { described, workflows, steps } = await built();
  expect(verifyIds(described, { workflows, steps })).toEqual([]);
});

type Bundles = Awaited<ReturnType<typeof built>>;

const without = (code: string, call: string): string => {
  expect(code).toContain(call);
  return code.replace(call, call.replace('__pawl_', 'lost_'));
};

test.each<[name: string, harm: (bundles: Bundles) => Partial<Bundles>, expected: string]>([
  [
    'the step bundle drops a step',
    ({ steps }) => ({ steps: without(steps, '__pawl_step("src/a.ts#charge"') }),
    'src/a.ts(9,8): error PAWL9010: The step `src/a.ts#charge` is in the manifest, but the step bundle does not register it.',
  ],
  [
    'the step bundle drops a nested step',
    ({ steps }) => ({ steps: without(steps, '__pawl_closure("src/a.ts#run/note"') }),
    'src/a.ts(12,16): error PAWL9010: The step `src/a.ts#run/note` is in the manifest, but the step bundle does not register it.',
  ],
  [
    'the workflow bundle drops a call',
    ({ workflows }) => ({
      workflows: without(without(workflows, '__pawl_call("src/a.ts#charge"'), '__pawl_ref("src/a.ts#charge"'),
    }),
    'src/a.ts(9,8): error PAWL9010: The step `src/a.ts#charge` is called by a workflow in the source, but the workflow bundle does not call it.',
  ],
  [
    'the workflow bundle drops a workflow',
    ({ workflows }) => ({ workflows: without(workflows, '__pawl_workflow("src/a.ts#run"') }),
    'src/a.ts(10,8): error PAWL9010: The workflow `src/a.ts#run` is in the manifest, but the workflow bundle does not register it.',
  ],
  [
    'the step bundle drops a class',
    ({ steps }) => ({ steps: without(steps, '__pawl_cls("src/a.ts#Money"') }),
    'src/a.ts(3,8): error PAWL9010: The class `src/a.ts#Money` is in the manifest, but the step bundle does not register it.',
  ],
  [
    'the manifest lacks a step',
    ({ described }) => {
      const steps = Object.fromEntries(Object.entries(described.steps).filter(([id]) => id !== 'triage'));
      const workflows = Object.fromEntries(
        Object.entries(described.workflows).map(([id, workflow]) => [id, { ...workflow, steps: [] }]),
      );
      return { described: { ...described, steps, workflows } };
    },
    'triage(1,1): error PAWL9010: The step `triage` is called by the workflow bundle, but it is not in the manifest.',
  ],
])('%s', async (_name, harm, expected) => {
  const sound = await built();
  const { described, workflows, steps } = { ...sound, ...harm(sound) };
  expect(formatTsc(verifyIds(described, { workflows, steps }))).toContain(expected);
});

test('what only looks like a call of a helper is no reason to fail', async () => {
  const { described, workflows, steps } = await built();
  const decoy = `${workflows}\n// __pawl_call("src/a.ts#none")\n'__pawl_call("src/a.ts#none")';\n`;
  expect(verifyIds(described, { workflows: decoy, steps })).toEqual([]);
});
