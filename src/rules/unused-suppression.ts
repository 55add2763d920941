import { defineRule } from './define-rule.ts';

export const unusedSuppression = defineRule({
  name: 'unused-suppression',
  by: 'session',
  fixable: true,
  description: 'A suppression that suppresses nothing',
  explanation: {
    mistake: 'A `pawl-ignore` comment names a code that is not reported on its line, or one that cannot be suppressed.',
    why: 'It will hide the next real finding there, and its reason is no longer true.',
    allowed:
      'A suppression anywhere on a call chain: at the call in the workflow, or in the helper at the line that leads on.',
    unseen: 'Suppressions of rules that the configuration turned off: nobody can tell whether they would be needed.',
  },
  bad: `export async function charge(amount: number) {
  'use step';
  // pawl-ignore PAWL3002 -- the price list is static
  return amount;
}
`,
  good: `export async function charge(amount: number) {
  'use step';
  return amount;
}
`,
});
