import { defineRule } from './define-rule.ts';

export const unresolvedImport = defineRule({
  name: 'unresolved-import',
  by: 'bundler',
  description: 'An import that leads nowhere',
  explanation: {
    mistake: 'A file that the build reaches imports a file or a package that cannot be found.',
    why: 'The bundle would not load. A package that is missing here would be missing where the program runs, too.',
    allowed:
      'Modules of Node in steps, packages that are installed, `paths` of `tsconfig.json`, `imports` and `exports` of `package.json`. An `import()` or `require()` within `try` may fail.',
    unseen:
      'Imports whose specifier is computed, and imports within installed packages. `pawl check` does not look: only `pawl build` follows every import.',
  },
  bad: `import { taxOf } from './taxes.ts';

export async function charge(amount: number) {
  'use step';
  return amount + taxOf(amount);
}
`,
  good: {
    'src/main.ts': `import { taxOf } from './taxes.ts';

export async function charge(amount: number) {
  'use step';
  return amount + taxOf(amount);
}
`,
    'src/taxes.ts': `export const taxOf = (amount: number) => amount * 0.2;
`,
  },
});
