import { defineRule } from './define-rule.ts';

export const syntaxError = defineRule({
  name: 'syntax-error',
  by: 'compiler',
  description: 'A file that does not parse',
  explanation: {
    mistake:
      'The file is not valid JavaScript or TypeScript, or its code is nested too deep to be read: a sum of 3,000 terms, 1,500 branches in one another.',
    why: 'What does not parse can be neither compiled nor checked. The rest of the program is checked all the same, and the part of the file that could be read too.',
    allowed:
      'Everything that TypeScript and the current ECMAScript allow, decorators and JSX included (in `.jsx`, `.tsx` and `.js` files).',
    unseen: 'Files that no workflow reaches and that have neither a directive nor a definition: they are not parsed.',
  },
  bad: `export async function charge(amount: number) {
  'use step';
  return amount +;
}
`,
  good: `export async function charge(amount: number) {
  'use step';
  return amount + 1;
}
`,
});
