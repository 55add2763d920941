import { defineRule } from './define-rule.ts';

export const directiveNotTransformable = defineRule({
  name: 'directive-not-transformable',
  by: 'compiler',
  description: 'A directive stands in a place that cannot work',
  explanation: {
    mistake:
      'A workflow that is made inside of a function, on a condition, or as an instance method; a step that is a method of a class inside of a function.',
    why: 'Steps and workflows are found by their id, also after a crash and in another process, so they have to exist as soon as the module is loaded. Such a directive would otherwise be ignored, and the function would run without durability and without a word.',
    allowed:
      'Steps nowhere else forbidden: function declarations and expressions, arrows, object methods at any depth, static and instance methods, class fields, default exports, functions in arguments, arrays and conditionals, steps nested in workflows and factories. Workflows in all of these places at the top level.',
    unseen: 'Directives that are built at run time (`eval`, `new Function`).',
  },
  bad: `export function workflowFor(region: string) {
  return async function fulfil(id: string) {
    'use workflow';
    return region + id;
  };
}
`,
  good: `export async function fulfil(region: string, id: string) {
  'use workflow';
  return region + id;
}
`,
});
