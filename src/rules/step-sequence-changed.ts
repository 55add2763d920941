import { defineRule } from './define-rule.ts';

const flow = (body: string): string => `export async function reserve(sku: string) {
  'use step';
  return sku;
}

export async function charge(sku: string) {
  'use step';
  return sku;
}

export async function fulfil(sku: string) {
  'use workflow';
${body}
}
`;

/** For those who move runs in flight to new code; without that, a run ends on the code that it began with. */
export const stepSequenceChanged = defineRule({
  name: 'step-sequence-changed',
  by: 'compat',
  description: 'A workflow calls other steps than in the deployed build',
  explanation: {
    mistake: 'The set of steps that a workflow reaches differs from the one in the deployed manifest.',
    why: 'A run that is moved to the new code is replayed on it. Where the code asks for something else than the log says, the run is parked.',
    allowed: 'Everything, unless runs in flight are moved: for that this rule is turned on.',
    unseen: 'The order of the calls, and how often each is made: only which steps are reached is in the manifest.',
  },
  bad: {
    'pawl.config.json': `{ "rules": { "step-sequence-changed": "warn" } }\n`,
    'deployed/src/orders.ts': flow('  return await charge(sku);'),
    'src/orders.ts': flow('  await reserve(sku);\n  return await charge(sku);'),
  },
  good: {
    'pawl.config.json': `{ "rules": { "step-sequence-changed": "warn" } }\n`,
    'deployed/src/orders.ts': flow('  return await charge(sku);'),
    'src/orders.ts': flow('  const receipt = await charge(sku);\n  return receipt;'),
  },
});
