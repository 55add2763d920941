import { defineRule } from './define-rule.ts';

/**
 * Deploys that rename or remove a step: runs in flight keep their workflow code, and that asks for the step by its old id.
 */
export const idRemoved = defineRule({
  name: 'id-removed',
  by: 'compat',
  description: 'A step or workflow of the deployed build is gone',
  explanation: {
    mistake:
      'A step or workflow that the deployed manifest lists has another id now, or none: it was renamed, moved to another file, or removed.',
    why: 'A run in flight goes on with the workflow code that it began with, and looks its steps up by id in the current build. A step that is not there parks the run.',
    allowed:
      'New steps and workflows; steps whose id is pinned by `.stepId`, whatever their name and file (`Shipping.send.stepId` for a method); definitions that keep their slug.',
    unseen:
      'Whether a run is in flight at all. `pawl check --compat` compares with one manifest, not with all that were ever deployed. What a function became whose text changed beyond its name: then the old id is named, and no fix is offered, for nobody but its author knows whether the new one does the same.',
  },
  fixable: true,
  bad: {
    'deployed/src/orders.ts': `export async function charge(amount: number) {
  'use step';
  return amount;
}

export async function fulfil(amount: number) {
  'use workflow';
  return await charge(amount);
}
`,
    'src/payments.ts': `export async function charge(amount: number) {
  'use step';
  return amount;
}
`,
    'src/orders.ts': `import { charge } from './payments';

export async function fulfil(amount: number) {
  'use workflow';
  return await charge(amount);
}
`,
  },
  good: {
    'deployed/src/orders.ts': `export async function charge(amount: number) {
  'use step';
  return amount;
}

export async function fulfil(amount: number) {
  'use workflow';
  return await charge(amount);
}
`,
    'src/payments.ts': `export async function charge(amount: number) {
  'use step';
  return amount;
}
charge.stepId = 'src/orders.ts#charge';
`,
    'src/orders.ts': `import { charge } from './payments';

export async function fulfil(amount: number) {
  'use workflow';
  return await charge(amount);
}
`,
  },
});
