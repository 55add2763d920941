import { defineRule } from './define-rule.ts';

export const schemaWithoutJsonForm = defineRule({
  name: 'schema-without-json-form',
  by: 'bundler',
  description: 'A schema that JSON Schema cannot express',
  explanation: {
    mistake:
      'The `input` or `output` of a definition has a part without a JSON Schema form, such as a date, a map or a function, or is no schema at all.',
    why: 'Values are parsed with it all the same, but the manifest has no schema to show to a model or a tool.',
    allowed:
      '`z.iso.datetime()` and `z.iso.date()` in place of `z.date()`, records in place of maps, and whatever else can be written as JSON.',
    unseen: 'Whether a model understands the schema. `pawl check` does not look: only `pawl build` evaluates schemas.',
  },
  bad: `import { defineAction } from 'pawl';
import { z } from 'zod';

export const remind = defineAction({
  slug: 'remind',
  input: z.object({ on: z.date() }),
  output: z.string(),
  run: async ({ on }) => String(on),
});
`,
  good: `import { defineAction } from 'pawl';
import { z } from 'zod';

export const remind = defineAction({
  slug: 'remind',
  input: z.object({ on: z.iso.date() }),
  output: z.string(),
  run: async ({ on }) => on,
});
`,
});
