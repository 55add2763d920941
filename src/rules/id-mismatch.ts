import { defineRule } from './define-rule.ts';

export const idMismatch = defineRule({
  name: 'id-mismatch',
  by: 'bundler',
  description: 'Ids of the bundles that are not those of the manifest',
  explanation: {
    mistake:
      'A step, workflow or class that the manifest names is not in the bundles, or the other way round. Code that calls the helpers of compiled code by hand does that; so does a defect of pawl.',
    why: 'A run would come to a step that nobody can carry out. The build compares what it wrote with what it says, and stops here.',
    allowed: 'Everything that the compiler made of directives and definitions.',
    unseen:
      'What functions do: only ids are compared. `pawl check` does not look: only `pawl build` has bundles to compare.',
  },
  bad: `import { call } from 'pawl/internal/workflow';

export async function fulfil(amount: number) {
  'use workflow';
  return await call('charge', [amount]);
}
`,
  good: `export async function charge(amount: number) {
  'use step';
  return amount;
}

export async function fulfil(amount: number) {
  'use workflow';
  return await charge(amount);
}
`,
});
