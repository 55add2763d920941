import { defineRule } from './define-rule.ts';

export const directiveNotTransformable = defineRule({
  name: 'directive-not-transformable',
  by: 'compiler',
  description: 'A directive stands in a place that cannot work',
  explanation: {
    mistake:
      "`'use step'` or `'use workflow'` stands in a function that cannot become a step or a workflow: a getter, a setter, a constructor, a static block, a private method, a workflow inside of another function.",
    why: 'A step is called from another process by its id, so there must be a way to reach it that does not depend on what the program did before. Such a directive would otherwise be ignored, and the function would run without durability and without a word.',
    allowed:
      'Function declarations and expressions, arrows, object methods at any depth, static and instance methods, class fields, default exports, functions in arguments, arrays and conditionals, and steps nested in workflows and factories.',
    unseen: 'Directives that are built at run time (`eval`, `new Function`).',
  },
  bad: `export class Order {
  get total() {
    'use step';
    return 1;
  }
}
`,
  good: `export async function total(order: { lines: number[] }) {
  'use step';
  return order.lines.length;
}
`,
});
