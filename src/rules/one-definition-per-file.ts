import type { DefinitionFact } from '../compiler/facts.ts';
import { defineRule } from './define-rule.ts';

const FOLDERS: Record<string, DefinitionFact['kind']> = { actions: 'action', workflows: 'workflow', agents: 'agent' };

/** Discovery takes one definition from each file of `src/actions`, `src/workflows` and `src/agents`. */
export const oneDefinitionPerFile = defineRule({
  name: 'one-definition-per-file',
  by: 'program',
  description: 'A discovered file has several definitions, or does not export its one',
  explanation: {
    mistake:
      'A file under `src/actions/`, `src/workflows/` or `src/agents/` holds several definitions of its folder’s kind, or one that is neither the default export nor a single named one.',
    why: 'Each such file stands for one action, workflow or agent; the others would not be found by those who look for them.',
    allowed:
      'Any number of definitions in files elsewhere, helpers and other kinds of definitions in the same file, and one definition that is exported both by name and as default.',
    unseen: 'Definitions that another function makes.',
  },
  bad: {
    'src/actions/mail.ts': `import { defineAction } from 'pawl';
import { z } from 'zod';

export const sendMail = defineAction({
  slug: 'send-mail',
  input: z.object({ to: z.string() }),
  output: z.void(),
  run: async () => {},
});

export const readMail = defineAction({
  slug: 'read-mail',
  input: z.object({ folder: z.string() }),
  output: z.array(z.string()),
  run: async () => [],
});
`,
  },
  good: {
    'src/actions/send-mail.ts': `import { defineAction } from 'pawl';
import { z } from 'zod';

export const sendMail = defineAction({
  slug: 'send-mail',
  input: z.object({ to: z.string() }),
  output: z.void(),
  run: async () => {},
});
`,
    'src/actions/read-mail.ts': `import { defineAction } from 'pawl';
import { z } from 'zod';

export default defineAction({
  slug: 'read-mail',
  input: z.object({ folder: z.string() }),
  output: z.array(z.string()),
  run: async () => [],
});
`,
  },
  check({ program, report }) {
    for (const { file, definitions } of program.modules) {
      const folder = /(?:^|\/)src\/(actions|workflows|agents)\//.exec(file)?.[1];
      if (folder === undefined) continue;
      const kind = FOLDERS[folder] as DefinitionFact['kind'];
      const own = definitions.filter((definition) => definition.kind === kind);
      const [first, ...more] = own;
      if (!first) continue;
      for (const definition of more) {
        report({
          file,
          span: definition.nameSpan,
          message: `A file under src/${folder} defines one ${kind}, and \`${first.slug ?? first.local}\` is here already.`,
          remedy: `Move \`${definition.slug ?? definition.local}\` to a file of its own.`,
          related: [{ file, span: first.nameSpan, message: `the first ${kind} of this file` }],
        });
      }
      const named = first.exported.filter((name) => name !== 'default');
      if (first.exported.length === 0) {
        report({
          file,
          span: first.nameSpan,
          message: `The ${kind} \`${first.slug ?? first.local}\` is not exported, so it is not found.`,
          remedy: 'Export it, by name or as default.',
        });
      } else if (named.length > 1) {
        report({
          file,
          span: first.nameSpan,
          message: `The ${kind} \`${first.slug ?? first.local}\` is exported under several names: ${named.join(', ')}.`,
          remedy: 'Export it once.',
        });
      }
    }
  },
});
