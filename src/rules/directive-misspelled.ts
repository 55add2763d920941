import { defineRule } from './define-rule.ts';

export const directiveMisspelled = defineRule({
  name: 'directive-misspelled',
  by: 'compiler',
  fixable: true,
  description: 'A string that was meant as a directive and is none',
  explanation: {
    mistake:
      "A statement such as `'use steps'`, `'Use Step'`, `'use-step'` or a template in backticks stands where a directive would.",
    why: 'JavaScript ignores it, so the function would run as plain code: no retries, no record, and twice after a crash.',
    allowed:
      "Other directives (`'use strict'`, `'use client'`, `'use server'`, `'use cache'`), and such strings anywhere else.",
    unseen: 'Misspellings that are far from both directives.',
  },
  bad: `export async function charge(amount: number) {
  'use steps';
  return amount;
}
`,
  good: `export async function charge(amount: number) {
  'use step';
  return amount;
}
`,
});
