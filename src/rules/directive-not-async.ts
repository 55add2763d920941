import { defineRule } from './define-rule.ts';

export const directiveNotAsync = defineRule({
  name: 'directive-not-async',
  by: 'compiler',
  fixable: true,
  description: 'A step or workflow is not an async function',
  explanation: {
    mistake: 'A function with a directive is synchronous, a generator, a getter, a setter or a constructor.',
    why: 'A step runs elsewhere and later, so its caller gets a promise whatever the function says; without `async` the types promise a value that is not there. A generator hands out values one by one, which a recorded result cannot.',
    allowed:
      'Any `async` function, method or arrow. Return a list, or write to a stream, where a generator would yield.',
    unseen: 'Nothing: every function with a directive is looked at.',
  },
  bad: `export function charge(amount: number) {
  'use step';
  return amount;
}
`,
  good: `export async function charge(amount: number) {
  'use step';
  return amount;
}
`,
});
