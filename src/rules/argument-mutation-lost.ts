import type { ModuleFacts, Unit } from '../compiler/facts.ts';
import type { Fix } from '../diagnostics/types.ts';
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
  check({ program, source, report }) {
    for (const module of program.modules) {
      for (const { unit, span, name, path, fix } of module.calls?.mutations ?? []) {
        const step = module.units[unit] as Unit;
        const text = fix && source(module.file)?.slice(step.span.start, step.span.end);
        const isSafe = fix && !losesMembers(fix, name, text ?? null) && !isCalledElsewhere(program, module, step);
        report({
          file: module.file,
          span,
          message: `The step \`${placeName({ module, unit: step })}\` changes ${path.length > 1 ? `\`${path.join('.')}\` in ` : ''}its own copy of \`${name}\`, and nothing looks at it again: the change is lost.`,
          remedy: 'Return what is new from the step, and take it where the step is called.',
          fix: isSafe ? fix : undefined,
        });
      }
    }
  },
});

/** What stands between a variable and the name of its member: `.pop`, `?.pop`, `['pop']`. */
const MEMBER = String.raw`\s*(?:\??\.\s*|(?:\?\.\s*)?\[\s*['"\x60])`;

/**
 * `Object.assign` sets properties: it takes no element away from a list, and puts nothing into a `Map` or a `Set`. So where the step
 * does that to the whole of its argument, a fix that assigns cannot bring it back.
 */
function losesMembers({ edits }: Fix, name: string, step: string | null): boolean {
  if (!edits.some(({ text }) => text.startsWith('Object.assign('))) return false;
  if (step === null) return true;
  const own = `(?<![\\w$.])${name.replaceAll('$', '\\$')}${MEMBER}`;
  const removes = new RegExp(`${own}(?:pop|shift|splice|set|add|delete|clear)\\b`);
  const cuts = new RegExp(`${own}length\\b['"\x60]?\\s*\\]?\\s*(?:--|[-+*/%&|^?<>]*=(?![=>]))|--\\s*${own}length\\b`);
  return removes.test(step) || cuts.test(step);
}

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
