import type { ModuleFacts, Unit } from '../compiler/facts.ts';
import { placeName } from './chain.ts';
import { defineRule } from './define-rule.ts';
import type { Program } from './program.ts';

/**
 * What a step gets is a copy. It may change that copy for a purpose of its own, so a change counts only where nothing in the step
 * looks at it afterwards: then it was meant for the caller, who never sees it. Captured variables are rule closure-write's.
 */
export const argumentMutationLost = defineRule({
  name: 'argument-mutation-lost',
  by: 'program',
  description: 'A step changes an argument and does not return it: the change is lost',
  explanation: {
    mistake:
      'A step assigns to a property of a parameter, or adds to a list in it, and neither returns it nor looks at it again.',
    why: 'Arguments are recorded and handed to the step as copies: it may run in another process. What it changes there the workflow never sees; only what it returns comes back.',
    allowed: 'Changing a copy for the step itself: to send it, to store it, to compute with it. Returning what is new.',
    unseen:
      'Changes under another name (`const items = order.items`); changes in functions that the step passes the argument to.',
  },
  bad: `async function addTax(order: { net: number; total: number }) {
  'use step';
  const response = await fetch('https://tax.example');
  order.total = order.net * Number(await response.text());
}

export async function sell(order: { net: number; total: number }) {
  'use workflow';
  await addTax(order);
  return order.total;
}
`,
  good: `async function addTax(order: { net: number; total: number }) {
  'use step';
  const response = await fetch('https://tax.example');
  return { ...order, total: order.net * Number(await response.text()) };
}

export async function sell(order: { net: number; total: number }) {
  'use workflow';
  return (await addTax(order)).total;
}
`,
  fixable: true,
  check({ program, report }) {
    for (const module of program.modules) {
      for (const { unit, span, name, path, fix } of module.calls?.mutations ?? []) {
        const step = module.units[unit] as Unit;
        report({
          file: module.file,
          span,
          message: `The step \`${placeName({ module, unit: step })}\` changes ${path.length > 1 ? `\`${path.join('.')}\` in ` : ''}its own copy of \`${name}\`, and nothing looks at it again: the change is lost.`,
          remedy: 'Return what is new from the step, and take it where the step is called.',
          fix: fix && !isCalledElsewhere(program, module, step) ? fix : undefined,
        });
      }
    }
  },
});

/** A fix changes the calls that it sees; in another module there may be more. */
function isCalledElsewhere(program: Program, module: ModuleFacts, step: Unit): boolean {
  return program.modules.some(
    (other) =>
      other !== module &&
      other.units.some(({ uses }) =>
        uses.some((use) => {
          const reference = program.resolve(other, use);
          return reference.kind === 'unit' && reference.unit === step;
        }),
      ),
  );
}
