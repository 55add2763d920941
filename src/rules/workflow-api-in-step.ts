import type { Unit } from '../compiler/facts.ts';
import { apiUses, workflowOnly } from './api.ts';
import { defineRule } from './define-rule.ts';
import type { Program } from './program.ts';
import { chainFinding, chainsFrom } from './workflow-chains.ts';

export const workflowApiInStep = defineRule({
  name: 'workflow-api-in-step',
  by: 'program',
  description: 'A step or an action calls `sleep`, `createHook` or `createWebhook`',
  explanation: {
    mistake:
      'A step, or the `run` of an action, calls `sleep`, `createHook`, `createWebhook` or `create` of a `defineHook()`, itself or through helpers.',
    why: 'A step runs to its end in one go; what it does in between is not recorded. Only a workflow can be put aside for days and go on where it was. In a step these calls throw.',
    allowed:
      'All of it in workflows, also through helpers that only workflows call. In steps: timers of Node, `resumeHook` and `resume` of a `defineHook()`, tokens and URLs of hooks as arguments.',
    unseen: 'Functions that arrive as arguments; methods of instances whose class only a type would tell.',
  },
  bad: {
    'src/retry.ts': `import { sleep } from 'pawl';

export async function retrying<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch {
    await sleep('5s');
    return work();
  }
}
`,
    'src/charge.ts': `import { retrying } from './retry';

export async function charge(order: string) {
  'use step';
  await retrying(() => fetch('https://cards.example/' + order));
}
`,
  },
  good: {
    'src/retry.ts': `import { sleep } from 'pawl';

export async function retrying<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch {
    await sleep('5s');
    return work();
  }
}
`,
    'src/charge.ts': `import { retrying } from './retry';

async function charge(order: string) {
  'use step';
  await fetch('https://cards.example/' + order);
}

export async function fulfil(order: string) {
  'use workflow';
  await retrying(() => charge(order));
}
`,
  },
  check({ program, report }) {
    const chains = chainsFrom('workflow-api-in-step', program, 'step', workflowOnly, { among: apiUses });
    const tools = toolSteps(program);
    for (const chain of chains) if (!tools.has(chain.hops[0].unit)) report(chainFinding(chain));
  },
});

/** Steps that are the `execute` of a tool: of these tool-level speaks. */
function toolSteps(program: Program): Set<Unit> {
  const found = new Set<Unit>();
  for (const module of program.modules)
    for (const { execute, handler } of module.calls?.tools ?? []) {
      const named = handler && module.units[handler.unit]?.uses[handler.use];
      const reference = named && program.resolve(module, named);
      if (reference?.kind === 'unit') found.add(reference.unit);
      if (!execute) continue;
      for (const unit of module.units)
        if (unit.span.start === execute.start && unit.span.end === execute.end) found.add(unit);
    }
  return found;
}
