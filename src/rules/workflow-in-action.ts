import type { Use } from '../compiler/facts.ts';
import { WORKFLOW_IN_ACTION } from '../leaf.ts';
import { givesPart } from '../sdks.ts';
import { defineRule } from './define-rule.ts';
import { wantedOf } from './per-list.ts';
import type { Reference, ResolvedUse } from './program.ts';
import { chainFinding, chainsFrom, type NamedEnd } from './workflow-chains.ts';
import { calledWorkflow } from './workflow-called-directly.ts';

export const workflowInAction = defineRule({
  name: 'workflow-in-action',
  by: 'program',
  description: 'An action starts or runs a workflow',
  explanation: {
    mistake:
      'The `run` of an action calls `start`, a function with `use workflow`, or the `run` of a `defineWorkflow`, itself or through helpers.',
    why: 'An action is a leaf: one durable step, and a tool of models. A run that it starts belongs to nobody: the workflow that called the action does not know of it, and a retry starts another one.',
    allowed:
      'Starting workflows in apps and in steps. Calling a workflow from a workflow. `agent.prompt()` in an action. `resumeHook` and `getRun`.',
    unseen: 'Workflows that arrive as values; other ways to start one, such as a request to an API of your own.',
  },
  bad: {
    'src/workflows/ship.ts': `export async function ship(order: string) {
  'use workflow';
  return order;
}
`,
    'src/actions/buy.ts': `import { defineAction } from 'pawl';
import { start } from 'pawl/client';
import { z } from 'zod';
import { ship } from '../workflows/ship';

export const buy = defineAction({
  slug: 'buy',
  input: z.object({ order: z.string() }),
  output: z.string(),
  run: async ({ order }) => {
    const run = await start(ship, [order]);
    return run.id;
  },
});
`,
  },
  good: {
    'src/actions/buy.ts': `import { defineAction } from 'pawl';
import { z } from 'zod';

export const buy = defineAction({
  slug: 'buy',
  input: z.object({ order: z.string() }),
  output: z.string(),
  run: async ({ order }) => order,
});
`,
    'src/workflows/ship.ts': `import { buy } from '../actions/buy';

export async function ship(order: string) {
  'use workflow';
  return buy.run({ order });
}
`,
  },
  check({ program, report }) {
    for (const chain of chainsFrom('workflow-in-action', program, 'step', startedWorkflow, { among: starting }))
      if (chain.hops[0].unit.kind === 'action') report(chainFinding(chain));
  },
});

const starting = wantedOf(
  ({ reference: { kind } }: ResolvedUse) => kind === 'package' || kind === 'unit' || kind === 'definition',
);

function startedWorkflow(use: Use, reference: Reference): NamedEnd | null {
  const starts =
    reference.kind === 'package' &&
    use.access === 'call' &&
    givesPart(reference.specifier, 'client') &&
    reference.path.join() === 'start';
  const name = starts ? 'start' : calledWorkflow(use, reference);
  if (name === null) return null;
  return { name, ...WORKFLOW_IN_ACTION };
}
