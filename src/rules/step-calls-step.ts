import type { Use } from '../compiler/facts.ts';
import { defineRule } from './define-rule.ts';
import type { Place, Reference } from './program.ts';
import { durableUses } from './reached.ts';
import { chainFinding, chainsFrom, type NamedEnd } from './workflow-chains.ts';

/** A step that calls itself is recursion like any other. Actions that call actions belong to action-calls-action. */
export const stepCallsStep = defineRule({
  name: 'step-calls-step',
  by: 'program',
  description: 'A step calls another step: it runs inline, without a record of its own',
  explanation: {
    mistake:
      'A step, or the `run` of an action, calls a function with `use step`, itself or through helpers; or a step calls the `run` of an action.',
    why: 'Within a step the inner one is a function like any other. Nothing is recorded for it, its `maxRetries` and `timeout` count for nothing, and when the outer one is retried it runs again, also where it had finished.',
    allowed:
      'Calling both from the workflow. Sharing a plain function between two steps. A step that calls itself. Naming a step: `charge.stepId`, in a table of tools.',
    unseen: 'Steps that arrive as values; methods of instances whose class only a type would tell.',
  },
  bad: {
    'src/steps.ts': `export async function charge(order: string) {
  'use step';
  await fetch('https://cards.example/' + order);
}

export async function fulfil(order: string) {
  'use step';
  await charge(order);
  await fetch('https://parcels.example/' + order);
}
`,
  },
  good: {
    'src/steps.ts': `export async function charge(order: string) {
  'use step';
  await fetch('https://cards.example/' + order);
}

export async function ship(order: string) {
  'use step';
  await fetch('https://parcels.example/' + order);
}

export async function fulfil(order: string) {
  'use workflow';
  await charge(order);
  await ship(order);
}
`,
  },
  check({ program, report }) {
    for (const chain of chainsFrom('step-calls-step', program, 'step', calledStep, { among: durableUses })) {
      const [first] = chain.hops;
      const { end } = chain;
      if (first.unit === end.unit || (first.unit.kind === 'action' && end.isAction)) continue;
      report(chainFinding(chain));
    }
  },
});

interface StepEnd extends NamedEnd {
  unit: Place['unit'] | null;
  isAction: boolean;
}

const INLINE = {
  because:
    'within a step it runs inline, so it has no record and no retries of its own, and runs again with the outer one',
  remedy: 'Call both from the workflow, or share a plain function between the two.',
};

function calledStep(use: Use, reference: Reference, at: Place): StepEnd | null {
  // In what makes a variable a step is only named: in a table of handlers or tools.
  if (use.access !== 'call' && (use.access !== 'read' || at.unit.kind === 'variable')) return null;
  if (reference.kind === 'unit') {
    const { unit, rest } = reference;
    if (unit.kind !== 'step' || !(rest.length === 0 || /^(?:call|apply)$/.test(rest.join()))) return null;
    return { name: use.path.join('.').replaceAll('.#', '.'), unit, isAction: false, ...INLINE };
  }
  if (reference.kind !== 'definition' || use.access !== 'call' || reference.definition.kind !== 'action') return null;
  if (reference.rest.join() !== 'run') return null;
  return { name: use.path.join('.'), unit: null, isAction: true, ...INLINE };
}
