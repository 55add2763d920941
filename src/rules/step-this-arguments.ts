import { defineRule } from './define-rule.ts';

export const stepThisArguments = defineRule({
  name: 'step-this-arguments',
  by: 'compiler',
  description: 'A step uses `super`, `arguments` or a `this` that cannot be serialized',
  explanation: {
    mistake:
      'The body of a step mentions `super`, `arguments`, `new.target`, or the `this` of a function or object around it.',
    why: 'The body runs in another process, where the object, the caller and the prototype of this call do not exist. Only what is serialized arrives there: the arguments and the captured variables.',
    allowed:
      'Rest parameters instead of `arguments`. `this` in an instance method of a class that has the `serialize` and `deserialize` symbols, and in a static method.',
    unseen: '`this` in functions that the step merely calls.',
  },
  bad: `export async function sum() {
  'use step';
  return arguments.length;
}
`,
  good: `export async function sum(...values: number[]) {
  'use step';
  return values.length;
}
`,
});
