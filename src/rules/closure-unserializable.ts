import { defineRule } from './define-rule.ts';

export const closureUnserializable = defineRule({
  name: 'closure-unserializable',
  by: 'compiler',
  description: 'A nested step captures a function, a client or a class instance',
  explanation: {
    mistake:
      'A step inside of another function uses a variable of that function which holds a function, a class, a client or another value that cannot be written down.',
    why: 'Captured variables travel to the step as part of its input, like arguments. What cannot be serialized does not arrive.',
    allowed:
      'Capturing data: strings, numbers, plain objects, arrays, `Map`, `Set`, `Date`, errors, instances of classes with the serialization symbols, and other steps. Module-level functions, classes and clients are no captures: the step has them from its own module.',
    unseen: 'Instances of imported classes, what functions return, and other values whose kind only a type would tell.',
  },
  bad: `export async function fulfil(id: string) {
  'use workflow';
  const label = (text: string) => text.toUpperCase();
  async function save() {
    'use step';
    return label(id);
  }
  return save();
}
`,
  good: `const label = (text: string) => text.toUpperCase();

export async function fulfil(id: string) {
  'use workflow';
  async function save() {
    'use step';
    return label(id);
  }
  return save();
}
`,
});
