import { defineRule } from './define-rule.ts';

export const configurationError = defineRule({
  name: 'configuration-error',
  by: 'session',
  description: 'The configuration names a rule, a severity or a value that does not exist',
  explanation: {
    mistake:
      '`pawl.config` sets a rule that does not exist or a severity that is none, turns off a rule without which no build is possible, or has a value of the wrong kind; or the `tsconfig.json` that resolves imports does not parse.',
    why: 'A setting that has no effect looks as if it had one.',
    allowed: '`off`, `info`, `warning` (or `warn`) and `error` for rules by name or code.',
    unseen: 'Settings of other tools.',
  },
  bad: {
    'pawl.config.json': `{ "rules": { "io-in-workflo": "off" } }
`,
    'src/main.ts': `export async function charge(amount: number) {
  'use step';
  return amount;
}
`,
  },
  good: {
    'pawl.config.json': `{ "rules": { "io-in-workflow": "off" } }
`,
    'src/main.ts': `export async function charge(amount: number) {
  'use step';
  return amount;
}
`,
  },
});
