import { defineRule } from './define-rule.ts';

const action = (input: string): string => `import { defineAction } from 'pawl';
import { z } from 'zod';

export default defineAction({
  slug: 'triage',
  input: z.object({ ${input} }),
  output: z.object({ label: z.string() }),
  run: async ({ text }) => ({ label: text.slice(0, 10) }),
});
`;

/**
 * Contracts that change under runs in flight: they pass what fitted the old input, and count on the old output.
 */
export const schemaBreak = defineRule({
  name: 'schema-break',
  by: 'compat',
  description: 'A step takes less, or gives more, than the deployed build says',
  explanation: {
    mistake:
      'The input of an action was narrowed (a new required property, a smaller enumeration, a tighter bound), its output or that of a workflow was widened, or a nested step captures other variables.',
    why: 'A run in flight calls the step with arguments that were right for the deployed build. They would be refused, or, for captured variables, silently mean something else.',
    allowed: 'Optional properties, defaults, wider inputs, narrower outputs, new actions.',
    unseen:
      'Steps without schemas: what TypeScript types say is not in the manifest. `not`, `if`, `patternProperties` and the like in JSON Schemas; refinements and transforms, which have no JSON Schema.',
  },
  bad: {
    'deployed/src/actions/triage.ts': action('text: z.string()'),
    'src/actions/triage.ts': action('text: z.string(), team: z.string()'),
  },
  good: {
    'deployed/src/actions/triage.ts': action('text: z.string()'),
    'src/actions/triage.ts': action("text: z.string(), team: z.string().default('support')"),
  },
});
