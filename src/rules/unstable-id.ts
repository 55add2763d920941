import { defineRule } from './define-rule.ts';

export const unstableId = defineRule({
  name: 'unstable-id',
  by: 'compiler',
  fixable: true,
  description: 'The id of a step or workflow would change with an unrelated edit',
  explanation: {
    mistake:
      'A function with a directive has no name and stands where its place gives none, for instance as an argument of a call.',
    why: 'Runs in flight call steps by id. An id that counts functions would change as soon as another one is inserted above, and those runs would call the wrong step.',
    allowed:
      "Anonymous functions whose place names them: `const charge = async () => …`, a property, a default export. A pinned id: `charge.stepId = 'charge'`.",
    unseen: 'Renames: a renamed function gets a new id unless its old one is pinned.',
  },
  bad: `export const handlers = new Map<string, () => Promise<number>>();

handlers.set('count', async () => {
  'use step';
  return 1;
});
`,
  good: `export const handlers = new Map<string, () => Promise<number>>();

handlers.set('count', async function count() {
  'use step';
  return 1;
});
`,
});
