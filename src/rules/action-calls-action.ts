import type { Use } from '../compiler/facts.ts';
import { ACTION_IN_ACTION_REMEDY, actionInAction } from '../leaf.ts';
import { chainPlaces, chainText, placeName } from './chain.ts';
import { defineRule } from './define-rule.ts';
import { matchesSpecifier } from './integrations.ts';
import { isPlain } from './levels.ts';
import type { Chain, Program, Reference } from './program.ts';

/** Follows an action's `run` through helpers to the `run` of another action, own or integration. */
export const actionCallsAction = defineRule({
  name: 'action-calls-action',
  by: 'program',
  description: 'An action reaches another action, own or integration, through any helper',
  explanation: {
    mistake:
      "The `run` of a `defineAction` calls another action's `run`, itself or through helpers, or calls an action of an integration (an import that the `integrations` patterns match).",
    why: 'An action is a leaf: one durable step. An action inside of it runs inline, without a record, without retries of its own, and again from its start when the outer one is retried.',
    allowed:
      "`agent.prompt()`. Calling both actions from a workflow. Sharing a plain function between two actions. Naming an action without calling it, as in an agent's `tools`.",
    unseen: 'Actions that arrive as values: as arguments, in arrays, out of maps.',
  },
  bad: {
    'src/actions/classify.ts': `import { defineAction } from 'pawl';
import { z } from 'zod';

export const classify = defineAction({
  slug: 'classify',
  input: z.object({ text: z.string() }),
  output: z.string(),
  run: async ({ text }) => (text.includes('!') ? 'urgent' : 'normal'),
});
`,
    'src/actions/triage.ts': `import { defineAction } from 'pawl';
import { z } from 'zod';
import { classify } from './classify';

export const triage = defineAction({
  slug: 'triage',
  input: z.object({ text: z.string() }),
  output: z.string(),
  run: async ({ text }) => classify.run({ text }),
});
`,
  },
  good: {
    'src/classify.ts': `export function classifyText(text: string): string {
  return text.includes('!') ? 'urgent' : 'normal';
}
`,
    'src/actions/classify.ts': `import { defineAction } from 'pawl';
import { z } from 'zod';
import { classifyText } from '../classify';

export const classify = defineAction({
  slug: 'classify',
  input: z.object({ text: z.string() }),
  output: z.string(),
  run: async ({ text }) => classifyText(text),
});
`,
    'src/actions/triage.ts': `import { defineAction } from 'pawl';
import { z } from 'zod';
import { classifyText } from '../classify';

export const triage = defineAction({
  slug: 'triage',
  input: z.object({ text: z.string() }),
  output: z.string(),
  run: async ({ text }) => classifyText(text),
});
`,
  },
  check({ program, options, report }) {
    for (const { hops, end } of actionChains(program, options.integrations)) {
      const [first, second] = hops;
      const through = second ? ` through \`${placeName(second)}\`` : '';
      const related = second ? chainPlaces(hops, end.name) : [];
      if (end.place) related.push({ ...end.place, message: `the action \`${end.name}\`` });
      report({
        file: first.module.file,
        span: first.use.span,
        message: actionInAction(placeName(first), end.what, end.name, through),
        chain: second && chainText(hops, end.name),
        remedy: ACTION_IN_ACTION_REMEDY,
        related,
      });
    }
  },
});

/** Chains from actions to others, own and of integrations. */
export function actionChains(program: Program, integrations: readonly string[]): Chain<ActionEnd>[] {
  return program.chains({
    rule: 'action-calls-action',
    roots: program.places('action'),
    end: (use, reference) => calledAction(use, reference, integrations),
    through: isPlain,
  });
}

interface ActionEnd {
  what: string;
  name: string;
  place: { file: string; span: Use['span'] } | null;
}

/** `other.run(…)`, `other.run` passed on, `other(…)`. */
function calledAction(use: Use, reference: Reference, integrations: readonly string[]): ActionEnd | null {
  if (use.access === 'write' || use.access === 'new') return null;
  if (reference.kind === 'definition') {
    const { definition, module, rest } = reference;
    if (definition.kind !== 'action' || !runs(use, rest)) return null;
    const name = definition.slug ?? definition.local ?? 'default';
    return { what: 'the action', name, place: { file: module.file, span: definition.nameSpan } };
  }
  if (reference.kind !== 'package' || !matchesSpecifier(reference.specifier, integrations)) return null;
  const path = reference.path.filter((piece) => piece !== 'default');
  const name = path[0] === undefined ? reference.specifier : path.filter((piece) => piece !== 'run').join('.');
  if (use.access !== 'call' && path.at(-1) !== 'run') return null;
  return { what: `an action of '${reference.specifier}',`, name, place: null };
}

function runs(use: Use, rest: readonly string[]): boolean {
  if (rest.length === 0) return use.access === 'call';
  return rest[0] === 'run';
}
