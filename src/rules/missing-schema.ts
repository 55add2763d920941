import { defineRule } from './define-rule.ts';

export const missingSchema = defineRule({
  name: 'missing-schema',
  by: 'compiler',
  description: 'A definition lacks one of its required options',
  explanation: {
    mistake:
      'A `defineAction` or `defineWorkflow` without `slug`, `input`, `output` or `run`, a `defineAgent` without `slug`, `systemPrompt` or `model`, or a `defineCredential` without `key` and `fields` (of an OAuth credential, `tokenUrl` or `issuer`).',
    why: 'Input and output are parsed on every call, are stored in the manifest, and are what a model is shown of a tool. Without them a wrong value is found in production.',
    allowed: '`z.void()`, `z.any()` and every other schema: what matters is that the decision was made.',
    unseen: 'Whether the schema fits what `run` takes and returns; the types of `defineAction` see to that.',
  },
  bad: `import { defineAction } from 'pawl';
import { z } from 'zod';

export const triage = defineAction({
  slug: 'triage',
  input: z.object({ text: z.string() }),
  run: async ({ text }) => text,
});
`,
  good: `import { defineAction } from 'pawl';
import { z } from 'zod';

export const triage = defineAction({
  slug: 'triage',
  input: z.object({ text: z.string() }),
  output: z.string(),
  run: async ({ text }) => text,
});
`,
});
