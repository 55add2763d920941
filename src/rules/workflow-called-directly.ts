import type { Use } from '../compiler/facts.ts';
import { chainPlaces, chainText, placeName } from './chain.ts';
import { defineRule } from './define-rule.ts';
import { startFix } from './fix-start.ts';
import { namesOf } from './names.ts';
import { findOutside } from './outside.ts';
import type { Hop, Program, Reference } from './program.ts';
import { durableUses } from './reached.ts';
import { chainsFrom } from './workflow-chains.ts';

/** Workflows may call each other: the inner one then is a run of its own, which the outer one waits for. Actions are left to workflow-in-action. */
export const workflowCalledDirectly = defineRule({
  name: 'workflow-called-directly',
  by: 'program',
  description: 'App code or a step calls a workflow like a function',
  explanation: {
    mistake:
      'A route handler, a script or a step calls a workflow, `await fulfil(order)`, itself or through helpers, or the `run` of a `defineWorkflow`.',
    why: 'Called like that it would run in place, without a record: a crash would lose it. The compiled function of a directive therefore throws. `start` makes a run, which is kept and goes on whatever becomes of the caller.',
    allowed:
      'Calling a workflow from a workflow, which makes a run of its own that the caller waits for. `start(fulfil, [order])`, and naming a workflow in any other way. Tests, by their names (`flow.test.ts`, `__tests__`).',
    unseen:
      'Workflows that arrive as arguments, or by a computed key out of a table; callers that no file of `entries` holds.',
  },
  bad: {
    'src/fulfil.ts': `export async function fulfil(order: string) {
  'use workflow';
  return order;
}
`,
    'src/app.ts': `import { fulfil } from './fulfil';

export async function POST(request: Request) {
  return Response.json(await fulfil(await request.text()));
}
`,
  },
  good: {
    'src/fulfil.ts': `export async function fulfil(order: string) {
  'use workflow';
  return order;
}
`,
    'src/app.ts': `import { start } from 'pawl/client';
import { fulfil } from './fulfil';

export async function POST(request: Request) {
  const run = await start(fulfil, [await request.text()]);
  return Response.json({ id: run.id });
}
`,
  },
  fixable: true,
  check({ program, report }) {
    const said = (hops: readonly [Hop, ...Hop[]], name: string, who: string): void => {
      const [first, second] = hops;
      report({
        file: first.module.file,
        span: first.use.span,
        message: `${who} calls the workflow \`${name}\` like a function${second ? ` through \`${placeName(second)}\`` : ''}: so nothing of it is recorded, and nobody could resume it.`,
        chain: second && chainText(hops, name),
        remedy: `Start it: \`await start(${name}, [ … ])\` of 'pawl/client' makes a run, and \`await run.returnValue\` is its result.`,
        related: second ? chainPlaces(hops, name) : [],
        fix: second ? undefined : startFix(first, program.resolve(first.module, first.use)),
      });
    };
    for (const { hops, end } of chainsFrom('workflow-called-directly', program, 'step', calledWorkflow, {
      among: durableUses,
    })) {
      // What an action does, workflow-in-action judges.
      if (hops[0].unit.kind === 'step') said(hops, end, `Step \`${placeName(hops[0])}\``);
    }
    const names = workflowNames(program);
    const maybe = ({ access, path }: Use): boolean => access === 'call' && path.some((piece) => names.has(piece));
    for (const { end, ...hop } of findOutside(program, maybe, calledWorkflow)) {
      said([hop], end, hop.unit.kind === 'module' ? 'Code of the top level' : `\`${placeName(hop)}\``);
    }
  },
});

/** Names under which workflows may be called. */
function workflowNames({ modules }: Program): ReadonlySet<string> {
  const names = new Set(['run']);
  for (const { functions } of modules) for (const { kind, name } of functions) if (kind === 'workflow') names.add(name);
  return namesOf(modules, names);
}

/** The name of the workflow that a use calls. */
export function calledWorkflow(use: Use, reference: Reference): string | null {
  if (use.access !== 'call') return null;
  if (reference.kind === 'unit') {
    const { unit, rest } = reference;
    const isCall = rest.length === 0 || /^(?:call|apply)$/.test(rest.join());
    return unit.kind === 'workflow' && isCall ? use.path.join('.') : null;
  }
  if (reference.kind !== 'definition' || reference.definition.kind !== 'workflow') return null;
  return reference.rest.join() === 'run' ? use.path.slice(0, -1).join('.') : null;
}
