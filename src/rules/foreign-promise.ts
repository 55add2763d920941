import type { CallSite, ModuleFacts } from '../compiler/facts.ts';
import { isSdk } from '../sdks.ts';
import { placeName } from './chain.ts';
import { defineRule } from './define-rule.ts';
import { nameOf, referenceOf, useOf, workflowCode } from './durable.ts';
import type { Program, Reference } from './program.ts';
import { wayTo } from './floating-step.ts';
import { factsOf } from './place-facts.ts';

/**
 * Promises that are made in place and that only something outside of the event log could settle. Timers are rule timer-in-workflow's;
 * promises of packages that do I/O are rule io-in-workflow's.
 */
export const foreignPromise = defineRule({
  name: 'foreign-promise',
  by: 'program',
  description: 'Workflow code waits for a promise that no durable call made',
  explanation: {
    mistake:
      'Workflow code awaits `new Promise(…)` whose `resolve` goes to an event of a package, or to nobody at all.',
    why: 'A workflow wakes up when something is recorded: a step, a pause, a hook. Events of the host are not recorded, and do not happen in the sandbox, so the run waits for ever; a promise that nothing settles also keeps the run from being cancelled.',
    allowed:
      'Promises of steps, `sleep` and hooks, also in `Promise.all` and its siblings; async helpers; `Promise.resolve`; `new Promise` that workflow code itself settles: `resolve` in a variable, a list or a map, or called by code that durable calls wake.',
    unseen:
      'Promises that arrive as arguments or from variables; what a package does with a callback that is not given to it in place.',
  },
  bad: `import { bus } from 'acme-events';

export async function fulfil(order: string) {
  'use workflow';
  await new Promise((resolve) => bus.once('paid:' + order, resolve));
  return order;
}
`,
  good: `import { createHook } from 'pawl';

export async function fulfil(order: string) {
  'use workflow';
  await createHook({ token: 'paid:' + order });
  return order;
}
`,
  check({ program, report }) {
    for (const place of workflowCode(program)) {
      const { module } = place;
      for (const { span, via } of factsOf(place, module.calls?.promises)) {
        const sites = via.flatMap((index) => module.calls?.sites[index] ?? []);
        if (!sites.every((site) => isForeign(program, module, site))) continue;
        const [first] = sites;
        const use = first && useOf(module, first);
        const reason = use
          ? `only \`${nameOf(use)}\` could settle it, and what happens outside of the event log does not wake a run`
          : 'nothing ever settles it, so the run can neither go on nor be cancelled';
        report({
          file: module.file,
          span,
          message: `\`${placeName(place)}\` waits for a promise that no durable call made: ${reason}.`,
          remedy: use
            ? 'Wait for a hook, which code outside resumes with `resumeHook`, or move the waiting into a step.'
            : 'Wait for a hook, or for a long `sleep` in a loop.',
          ...wayTo(place, 'new Promise'),
        });
      }
    }
  },
});

/** Of a package or of Node: nothing of it is recorded. */
function isForeign(program: Program, module: ModuleFacts, site: CallSite): boolean {
  const reference = referenceOf(program, module, site);
  switch (reference.kind) {
    case 'package':
      return !isSdk(reference.specifier);
    case 'builtin':
      return true;
    case 'unit':
      return isForeignInstance(program, reference);
    default:
      return false;
  }
}

/** `const bus = new Bus()` with a class of a package. */
function isForeignInstance(program: Program, { module, unit, rest }: Extract<Reference, { kind: 'unit' }>): boolean {
  if (unit.kind !== 'variable' || rest.length !== 1) return false;
  const made = unit.uses.find(({ access }) => access === 'new');
  const reference = made && program.resolve(module, made);
  return unit.instanceOf !== undefined && reference?.kind === 'package' && !isSdk(reference.specifier);
}
