import { defineRule } from './define-rule.ts';

export const definitionNotStatic = defineRule({
  name: 'definition-not-static',
  by: 'compiler',
  description: 'A definition cannot be read at build time',
  explanation: {
    mistake:
      'The slug is computed, the options are spread or come from a variable, or the definition stands inside of a function.',
    why: 'The manifest lists every action, workflow and agent before any code runs. A definition that has to be executed to be known cannot be listed, found or called.',
    allowed:
      'Computed names, descriptions, schemas and functions: only the slug and the presence of the options must be readable.',
    unseen:
      'Definitions made by a function of your own that calls `defineAction`: the call inside of it is reported instead.',
  },
  bad: `import { defineAction } from 'pawl';
import { z } from 'zod';

const prefix = 'shop';
const suffix = Math.random();

export const triage = defineAction({
  slug: prefix + suffix,
  input: z.object({ text: z.string() }),
  output: z.string(),
  run: async ({ text }) => text,
});
`,
  good: `import { defineAction } from 'pawl';
import { z } from 'zod';

export const triage = defineAction({
  slug: 'shop-triage',
  input: z.object({ text: z.string() }),
  output: z.string(),
  run: async ({ text }) => text,
});
`,
});
