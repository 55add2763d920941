import { defineRule } from './define-rule.ts';

export const moduleDirectiveExport = defineRule({
  name: 'module-directive-export',
  by: 'compiler',
  description: 'A module with a directive exports something that is no async function',
  explanation: {
    mistake:
      "A file that starts with `'use step'` or `'use workflow'` exports a value, a class, a synchronous function or something from another file.",
    why: 'The directive makes every export a step or a workflow. What is not an async function of this file cannot become one, and importers would get something else than the file says.',
    allowed: 'Async functions in any export form, types and interfaces, and unexported helpers and constants.',
    unseen: 'Nothing: every export of such a module is looked at.',
  },
  bad: `'use step';

export const currency = 'EUR';

export async function charge(amount: number) {
  return { amount, currency };
}
`,
  good: `'use step';

const currency = 'EUR';

export async function charge(amount: number) {
  return { amount, currency };
}
`,
});
