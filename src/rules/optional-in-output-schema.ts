import type { ModuleFacts, OptionalFact } from '../compiler/facts.ts';
import { defineRule } from './define-rule.ts';
import { durableOf, referenceOf } from './durable.ts';
import type { Program } from './program.ts';

/** Schemas that a model fills: the answer of an agent, an object that a model generates. Actions fill theirs with code. */
export const optionalInOutputSchema = defineRule({
  name: 'optional-in-output-schema',
  by: 'program',
  description: 'An optional key in a schema that a model has to fill',
  explanation: {
    mistake:
      '`.optional()` or `.nullish()` in the schema of an answer: `output` of an agent or of `agent.prompt()`, `schema` of `generateObject()`, `streamObject()` and `Output.object()`.',
    why: 'Models that are held to a schema must fill every key: with an optional one the strict mode of providers refuses the schema, and others leave the key out at will. `null` is an answer that a model can give.',
    allowed: '`.nullable()`; optional keys in the input of tools and in schemas of actions.',
    unseen: 'Schemas of other libraries than zod; schemas that come from other modules.',
  },
  bad: `import { defineAgent } from '@keystrokehq/keystroke/agent';
import { z } from 'zod';

export const clerk = defineAgent({
  slug: 'clerk',
  systemPrompt: 'Sort letters.',
  model: 'openai/gpt-5',
  output: z.object({ box: z.string(), note: z.string().optional() }),
});
`,
  good: `import { defineAgent } from '@keystrokehq/keystroke/agent';
import { z } from 'zod';

export const clerk = defineAgent({
  slug: 'clerk',
  systemPrompt: 'Sort letters.',
  model: 'openai/gpt-5',
  output: z.object({ box: z.string(), note: z.string().nullable() }),
});
`,
  fixable: true,
  check({ program, report }) {
    for (const module of program.modules) {
      const told = new Set<number>();
      for (const fact of module.calls?.optionals ?? []) {
        if (told.has(fact.span.start) || !isFilledByModel(program, module, fact)) continue;
        told.add(fact.span.start);
        report({
          file: module.file,
          span: fact.span,
          message: `A model has to fill every key of this schema, and \`.${fact.text}()\` lets it leave one out.`,
          remedy: 'Write `.nullable()`: the key is there, and `null` says that there is nothing to say.',
          fix: fact.fix,
        });
      }
    }
  },
});

const GENERATORS = new Set(['generateObject', 'streamObject', 'Output.object', 'Output.array']);

function isFilledByModel(program: Program, module: ModuleFacts, { site, definition }: OptionalFact): boolean {
  if (definition !== undefined) return true;
  const call = site === undefined ? undefined : module.calls?.sites[site];
  if (!call) return false;
  if (durableOf(program, module, call)?.kind === 'prompt') return true;
  const reference = referenceOf(program, module, call);
  return reference.kind === 'package' && reference.specifier === 'ai' && GENERATORS.has(reference.path.join('.'));
}
