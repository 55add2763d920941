import { defineRule } from './define-rule.ts';

export const schemaNotStatic = defineRule({
  name: 'schema-not-static',
  by: 'bundler',
  description: 'Schemas that cannot be read at build time',
  explanation: {
    mistake:
      'A module with a `defineAction` or `defineWorkflow` throws, reads the environment, a file or the network, or never ends, when it is loaded for its schemas.',
    why: 'The manifest holds the JSON Schema of each input and output, so that models and tools can be told of them without running the program.',
    allowed: 'Schemas that are built from constants and other modules, and whatever code within `run`.',
    unseen:
      'Modules without a definition that has a schema. `pawl check` does not look: only `pawl build` evaluates schemas.',
  },
  bad: `import { defineAction } from 'pawl';
import { z } from 'zod';

export const triage = defineAction({
  slug: 'triage',
  input: z.string().max(Number(process.env.MAX_LENGTH)),
  output: z.string(),
  run: async (text) => text,
});
`,
  good: `import { defineAction } from 'pawl';
import { z } from 'zod';

const MAX_LENGTH = 4000;

export const triage = defineAction({
  slug: 'triage',
  input: z.string().max(MAX_LENGTH),
  output: z.string(),
  run: async (text) => text,
});
`,
});
