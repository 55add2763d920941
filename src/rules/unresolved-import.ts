import { defineRule } from './define-rule.ts';

export const unresolvedImport = defineRule({
  name: 'unresolved-import',
  by: 'session',
  description: 'An import that leads nowhere',
  explanation: {
    mistake: 'A module that steps or workflows load imports a file or a package that cannot be found.',
    why: 'The bundle would not load. A package that is missing here would be missing where the program runs, too.',
    allowed:
      'Modules of Node in steps, packages that are installed, `paths` of `tsconfig.json`, `imports` and `exports` of `package.json`. An `import()` or `require()` within `try` may fail, and one of a package may do so anywhere.',
    unseen:
      'Imports whose specifier is computed, and imports within installed packages. Where no package is installed at all, `pawl check` says nothing of packages; `pawl build` does.',
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
