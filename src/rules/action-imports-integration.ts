import type { ImportFact, ModuleFacts } from '../compiler/facts.ts';
import { actionChains } from './action-calls-action.ts';
import { defineRule, type RuleContext } from './define-rule.ts';
import { matchesSpecifier } from './integrations.ts';

/** Where a `run` calls what is imported, action-calls-action says so at the call; here is what it does not see. */
export const actionImportsIntegration = defineRule({
  name: 'action-imports-integration',
  by: 'program',
  description: 'A module in `src/actions/` imports actions of an integration',
  explanation: {
    mistake:
      "A module in `src/actions/` imports an integration's actions: `import { createIssue } from '@keystrokehq/linear/actions'`. Which imports are meant, `integrations` of the configuration says; as a rule all of `*/actions` and `@keystrokehq/*/actions`.",
    why: 'An action is a leaf: one durable step. What it imports there are steps of their own, which would run inside of it without a record, or be offered under its name.',
    allowed:
      "Importing them in workflows and agents. Types. Other entries of an integration, such as its client. The program's own `./actions`.",
    unseen:
      'Actions of packages that no pattern names; modules that define nothing themselves; imports in modules outside of `src/actions/`, of which action-calls-action speaks when an action reaches them.',
  },
  bad: {
    'src/actions/issues.ts': `export { createIssue } from '@keystrokehq/linear/actions';
import { closeIssue } from '@keystrokehq/linear/actions';
import { defineAction } from 'pawl';
import { z } from 'zod';

export const archive = defineAction({
  slug: 'archive',
  input: z.object({ id: z.string() }),
  output: z.string(),
  run: async ({ id }) => \`\${closeIssue.slug} \${id}\`,
});
`,
  },
  good: {
    'src/actions/archive.ts': `import { defineAction } from 'pawl';
import { z } from 'zod';

export const archive = defineAction({
  slug: 'archive',
  input: z.object({ id: z.string() }),
  output: z.string(),
  run: async ({ id }) => id,
});
`,
    'src/workflows/tidy.ts': `import { closeIssue } from '@keystrokehq/linear/actions';
import { defineWorkflow } from 'pawl';
import { z } from 'zod';
import { archive } from '../actions/archive';

export const tidy = defineWorkflow({
  slug: 'tidy',
  input: z.object({ id: z.string() }),
  output: z.string(),
  run: async ({ id }) => {
    await closeIssue.run({ id });
    return archive.run({ id });
  },
});
`,
  },
  check(context) {
    const modules = context.program.modules.filter(({ file }) => /(?:^|\/)src\/actions\//.test(file));
    const called = modules.length === 0 ? new Set<string>() : calledImports(context);
    for (const module of modules) {
      const told = new Set<string>();
      for (const { source, local, name, span } of takenFrom(module)) {
        if (told.has(source) || !matchesSpecifier(source, context.options.integrations)) continue;
        if (called.has(`${module.file}#${local}`) || context.program.importOf(module, source)) continue;
        told.add(source);
        context.report({
          file: module.file,
          span,
          message: `${name === '' ? 'This' : `\`${name}\``} comes from '${source}', and this module is in \`src/actions/\`: an action is a leaf, and an integration's actions are steps of their own.`,
          remedy: "Call both from a workflow, or use the integration's client within the action.",
        });
      }
    }
  },
});

interface Taken extends Pick<ImportFact, 'local' | 'span'> {
  source: string;
  /** For the message. */
  name: string;
}

function takenFrom({ imports, exports }: ModuleFacts): Taken[] {
  const imported = imports.flatMap(({ source, local, typeOnly, span }): Taken[] =>
    typeOnly ? [] : [{ source, local, span, name: local }],
  );
  const passed = exports.flatMap(({ source, name, typeOnly, span }): Taken[] =>
    typeOnly || source === null ? [] : [{ source, local: '', span, name }],
  );
  return [...imported, ...passed].sort((a, b) => a.span.start - b.span.start);
}

/** Imports that an action calls: of them there is a finding at the call. */
function calledImports({ program, options }: RuleContext): Set<string> {
  const found = new Set<string>();
  for (const { hops } of actionChains(program, options.integrations)) {
    const last = hops.at(-1);
    if (last?.use.kind === 'import') found.add(`${last.module.file}#${last.use.path[0]}`);
  }
  return found;
}
