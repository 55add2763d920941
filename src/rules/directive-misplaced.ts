import { defineRule } from './define-rule.ts';

export const directiveMisplaced = defineRule({
  name: 'directive-misplaced',
  by: 'compiler',
  fixable: true,
  description: 'A directive is not the first statement, or contradicts another',
  explanation: {
    mistake: 'The directive follows another statement or an import, or one function carries both directives.',
    why: 'Only the strings at the very start of a function or a module are directives; anywhere else they are expressions that do nothing. A function cannot be replayed and run once at the same time.',
    allowed: "Comments and other directives (`'use strict'`) before it.",
    unseen: 'A directive that is meant for a function further out.',
  },
  bad: `export async function charge(amount: number) {
  const cents = Math.round(amount * 100);
  'use step';
  return cents;
}
`,
  good: `export async function charge(amount: number) {
  'use step';
  const cents = Math.round(amount * 100);
  return cents;
}
`,
});
