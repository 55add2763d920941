import type { CallSite } from '../compiler/facts.ts';
import { defineRule } from './define-rule.ts';
import { durableOf, spanOf, workflowCode } from './durable.ts';
import { wayTo } from './floating-step.ts';
import { wantedOf } from './per-list.ts';
import { factsOf } from './place-facts.ts';

const tokensOf = wantedOf(({ token }: CallSite) => token !== undefined);

/** Tokens that are known without running the code: literals, and constants that hold one. */
export const hookTokenConstant = defineRule({
  name: 'hook-token-constant',
  by: 'program',
  description: 'A hook whose token is the same in every run',
  explanation: {
    mistake: 'The `token` of a hook or webhook is a literal, or a constant that holds one.',
    why: 'A token names one hook among all runs: `resumeHook(token, …)` finds the run by it. The second run that asks for the same token fails, or gets what was meant for the first.',
    allowed:
      'A token with something of the run in it, `approval:${order.id}`; no token at all, for then one is made up, and `hook.token` tells it.',
    unseen: 'Tokens that are computed from the same parts in every run.',
  },
  bad: `import { createHook } from 'pawl';

export async function approval(order: string) {
  'use workflow';
  const approved = await createHook<boolean>({ token: 'approval' });
  return { order, approved };
}
`,
  good: `import { createHook } from 'pawl';

export async function approval(order: string) {
  'use workflow';
  const approved = await createHook<boolean>({ token: \`approval:\${order}\` });
  return { order, approved };
}
`,
  check({ program, report }) {
    for (const place of workflowCode(program)) {
      const { module } = place;
      for (const site of factsOf(place, tokensOf(module.calls?.sites))) {
        if (!site.token) continue;
        const durable = durableOf(program, module, site);
        if (durable?.kind !== 'hook') continue;
        report({
          file: module.file,
          span: site.token.span,
          message: `Every run asks for the same token, \`${site.token.text}\`, and only one hook can have it: a second run collides with the first.`,
          remedy:
            'Put something of the run into it, such as an id of its input, or leave it out and pass `hook.token` on.',
          related: [{ file: module.file, span: spanOf(module, site), message: `\`${durable.name}\` makes the hook` }],
          ...(place.hops.length > 0 ? { chain: wayTo(place, durable.name).chain } : {}),
        });
      }
    }
  },
});
