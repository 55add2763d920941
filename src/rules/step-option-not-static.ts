import { defineRule } from './define-rule.ts';

export const stepOptionNotStatic = defineRule({
  name: 'step-option-not-static',
  by: 'compiler',
  description: 'An option of a step has a wrong value, or one that the build cannot know',
  explanation: {
    mistake:
      "An option gets a value that it does not take (`maxRetries = -1`, `timeout = 'soon'`), the options of a nested step are computed, or a pinned id is.",
    why: 'Options and ids are written into the manifest when the program is built. A nested step does not exist before its surroundings run, so there is nothing to read its options from; and a wrong value would fail in production, on the first retry.',
    allowed:
      "Numbers, durations such as `'30s'`, constants of the same module and arithmetic with them; for steps at the top level also computed values, which are read when the program starts.",
    unseen: 'Options that are set by another module, or through a computed member.',
  },
  bad: `export async function charge(amount: number) {
  'use step';
  return amount;
}
charge.timeout = 'soon';
`,
  good: `export async function charge(amount: number) {
  'use step';
  return amount;
}
charge.timeout = '30s';
`,
});
