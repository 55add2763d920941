import type { CallSite } from '../compiler/facts.ts';
import { defineRule } from './define-rule.ts';
import { durableOf, spanOf } from './durable.ts';
import { wantedOf } from './per-list.ts';

const lost = wantedOf(({ result }: CallSite) => result === 'dropped' || result === 'unused' || result === 'tested');

/** Everywhere, not only in workflows: whoever prompts an agent wants its answer, and an action that ends first leaves it to itself. */
export const unawaitedPrompt = defineRule({
  name: 'unawaited-prompt',
  by: 'program',
  description: 'A prompt of an agent that nobody waits for',
  explanation: {
    mistake: '`agent.prompt()` is called, and nothing awaits, returns, stores or combines the promise.',
    why: 'The answer is lost, and so is the error when there is none. A workflow may end before the agent has begun; in an action the attempt ends while the agent still runs.',
    allowed:
      '`await`, `return`, `Promise.all`, a promise in a variable that something reads, `.then(handler)`, and `void agent.prompt(…)`, which says that nobody shall wait.',
    unseen: 'Agents that arrive as arguments; promises that are given away and dropped there.',
  },
  bad: `import { defineAgent } from 'pawl';

const clerk = defineAgent({ slug: 'clerk', systemPrompt: 'Sort letters.', model: 'openai/gpt-5' });

export async function sort(letter: string) {
  'use workflow';
  clerk.prompt({ message: letter });
}
`,
  good: `import { defineAgent } from 'pawl';

const clerk = defineAgent({ slug: 'clerk', systemPrompt: 'Sort letters.', model: 'openai/gpt-5' });

export async function sort(letter: string) {
  'use workflow';
  await clerk.prompt({ message: letter });
}
`,
  fixable: true,
  check({ program, report }) {
    for (const module of program.modules) {
      for (const site of lost(module.calls?.sites)) {
        const durable = durableOf(program, module, site);
        if (durable?.kind !== 'prompt') continue;
        const { awaitAt } = site;
        report({
          file: module.file,
          span: spanOf(module, site),
          message: `\`${durable.name}\` is called and nobody waits for it: the answer is lost, and what goes wrong too.`,
          remedy:
            awaitAt === undefined ? 'Return the promise, or await it in an async function.' : 'Put `await` before it.',
          fix:
            awaitAt === undefined
              ? undefined
              : { title: "Add 'await'", edits: [{ start: awaitAt, end: awaitAt, text: 'await ' }] },
        });
      }
    }
  },
});
