import { defineRule } from './define-rule.ts';

export const stepThisArguments = defineRule({
  name: 'step-this-arguments',
  by: 'compiler',
  description: 'A step or workflow uses a `this`, `super`, `arguments` or `new.target` that it cannot have',
  explanation: {
    mistake:
      'An arrow function with a directive uses `arguments`, `new.target`, or a `this` that belongs to no object; a step that moves to the top level uses `super`; a workflow uses `this`.',
    why: 'The body runs on its own, away from the object and the function around it: their `this`, `arguments`, `super` and `new.target` do not exist there. Only what is serialized arrives: arguments, captured variables, and the `this` of a serializable object.',
    allowed:
      '`arguments` in a function that is no arrow, rest parameters everywhere. `this` in instance methods of classes that have the `serialize` and `deserialize` symbols, in static methods, and in object methods whose object is data.',
    unseen: '`this` in functions that the step merely calls.',
  },
  bad: `export const sum = async () => {
  'use step';
  return arguments.length;
};
`,
  good: `export const sum = async (...values: number[]) => {
  'use step';
  return values.length;
};
`,
});
