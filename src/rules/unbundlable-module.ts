import { defineRule } from './define-rule.ts';

export const unbundlableModule = defineRule({
  name: 'unbundlable-module',
  by: 'bundler',
  description: 'A module that cannot be part of a bundle',
  explanation: {
    mistake:
      'An import names something that its module does not export, leads to a file that is no code, or brings a module of Node or another thing into the workflow bundle that a workflow cannot have; or it has syntax that no version of Node knows yet and that the build cannot write out: decorators of the standard, an `accessor` field with a computed name.',
    why: 'The bundle would fail while it loads, before any workflow or step of it runs.',
    allowed: 'JavaScript, TypeScript and JSON. In modules that only steps use, everything that Node can load.',
    unseen: 'What a module does when it runs. `pawl check` does not look: only `pawl build` follows every import.',
  },
  bad: {
    'src/main.ts': `import { taxOf } from './taxes.ts';

export async function charge(amount: number) {
  'use step';
  return amount + taxOf(amount);
}
`,
    'src/taxes.ts': `export const rate = 0.2;
`,
  },
  good: {
    'src/main.ts': `import { rate } from './taxes.ts';

export async function charge(amount: number) {
  'use step';
  return amount + amount * rate;
}
`,
    'src/taxes.ts': `export const rate = 0.2;
`,
  },
});
