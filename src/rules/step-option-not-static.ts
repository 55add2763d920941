import { defineRule } from './define-rule.ts';

export const stepOptionNotStatic = defineRule({
  name: 'step-option-not-static',
  by: 'compiler',
  description: 'An option of a step is not a constant that can be read at build time',
  explanation: {
    mistake:
      '`step.maxRetries`, `step.timeout`, `step.retryAfter`, `step.concurrency` or `step.stepId` is set to something computed, or to a value that the option does not take.',
    why: 'Options are written into the manifest when the program is built; an expression has no value then, and would be ignored.',
    allowed: "Numbers, strings such as `'30s'`, constants of the same module, and arithmetic with them.",
    unseen: 'Options that are set by another module, or through a computed member.',
  },
  bad: `export async function charge(amount: number) {
  'use step';
  return amount;
}
charge.maxRetries = Number(process.env.RETRIES);
`,
  good: `export async function charge(amount: number) {
  'use step';
  return amount;
}
charge.maxRetries = 5;
`,
});
