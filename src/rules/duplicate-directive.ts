import { defineRule } from './define-rule.ts';

export const duplicateDirective = defineRule({
  name: 'duplicate-directive',
  by: 'compiler',
  fixable: true,
  description: 'A function repeats the directive of its module or its own',
  explanation: {
    mistake:
      'A function carries the same directive that already stands at the top of its file, or a file or a function carries one twice.',
    why: 'It has no effect, and a reader may conclude that functions without it are no steps.',
    allowed:
      'The other directive: a workflow in a file of steps, and the reverse. A directive in a function that is not exported, for the one of the module speaks of exports.',
    unseen: 'Nothing.',
  },
  bad: `'use step';

export async function charge(amount: number) {
  'use step';
  return amount;
}
`,
  good: `'use step';

export async function charge(amount: number) {
  return amount;
}
`,
});
