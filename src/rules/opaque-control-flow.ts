import type { CallSite, InnerFunction, Role } from '../compiler/facts.ts';
import { defineRule } from './define-rule.ts';
import { durableOf, functionOf, type Reached, spanOf, workflowCode } from './durable.ts';

/**
 * A question of taste: such code is right, and runs. It is off until the configuration asks for it, for teams that want to see the
 * whole of a workflow in its graph.
 */
export const opaqueControlFlow = defineRule({
  name: 'opaque-control-flow',
  by: 'program',
  description: 'A durable call where the graph of the workflow cannot show when it runs',
  explanation: {
    mistake:
      'A durable call stands in a callback of `map`, `filter`, `reduce` and the like without `Promise.all` around it, in a spread, or in a branch of `? :`.',
    why: 'The graph of a workflow is drawn from its code. Calls in such places are shown, and how often they run and what follows what is not. Rule floating-step is about those that nobody waits for; this one is off until it is asked for.',
    allowed: '`if`, `for`, `while`, `try`, and `Promise.all` with its siblings over `map`.',
    unseen: 'Callbacks of functions of your own.',
  },
  bad: {
    'pawl.config.json': '{ "rules": { "opaque-control-flow": "info" } }',
    'src/main.ts': `async function ship(order: string) {
  'use step';
  return order.length;
}

export async function fulfil(orders: string[]) {
  'use workflow';
  return orders.reduce(async (sum, order) => (await sum) + (await ship(order)), Promise.resolve(0));
}
`,
  },
  good: {
    'pawl.config.json': '{ "rules": { "opaque-control-flow": "info" } }',
    'src/main.ts': `async function ship(order: string) {
  'use step';
  return order.length;
}

export async function fulfil(orders: string[]) {
  'use workflow';
  let sum = 0;
  for (const order of orders) sum += await ship(order);
  return sum;
}
`,
  },
  check({ program, report }) {
    for (const place of workflowCode(program)) {
      for (const site of place.sites) {
        const durable = durableOf(program, place.module, site);
        const where = durable && whereOf(place, site);
        if (!durable || !where) continue;
        report({
          file: place.module.file,
          span: spanOf(place.module, site),
          message: `\`${durable.name}\` stands ${where}: the graph of the workflow cannot show when it runs.`,
          remedy: 'Write `if`, `for … of`, or `Promise.all` over `map`.',
        });
      }
    }
  },
});

const CALLBACKS = /^(?:map|flatMap|filter|reduce|reduceRight|some|every|find|findIndex|sort)$/;

function whereOf({ module }: Reached, site: CallSite): string | null {
  if (site.position === 'ternary') return 'in a branch of `? :`';
  if (site.position === 'spread') return 'in a spread';
  if (site.to) return isOpaque(site.to) ? `in a callback of \`${site.to.method}\`` : null;
  let fn: InnerFunction | undefined = functionOf(module, site.fn);
  for (; fn; fn = functionOf(module, fn.fn)) {
    if (fn.role && isOpaque(fn.role)) return `in a callback of \`${fn.role.method}\``;
  }
  return null;
}

function isOpaque({ method, result }: Role): boolean {
  return CALLBACKS.test(method) && result !== 'combined';
}
