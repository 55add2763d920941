import { defineRule } from './define-rule.ts';
import { reportLacks } from './workflow-chains.ts';

/** Only what the runtime cannot make repeatable: the clock, randomness and locales of the sandbox are the run's own. */
export const nondeterministicCall = defineRule({
  name: 'nondeterministic-call',
  by: 'program',
  description: 'Workflow code asks for something that is different in each replay',
  explanation: {
    mistake:
      'A workflow calls `crypto.subtle`, `process.hrtime`, `process.uptime`, `process.memoryUsage` and the like, `Temporal.Now`, or what measures the process in `performance`, directly or through helpers.',
    why: 'After a crash the workflow is replayed, and must then make the same calls in the same order. What depends on the process or on the moment at which the host has finished sends it another way.',
    allowed:
      "`Date`, `Math.random`, `crypto.randomUUID`, `crypto.getRandomValues`, `performance.now`, `Intl` and the `toLocale…` methods: in a workflow they are the run's own, with the time zone UTC and the locale `en-US`, and give the same in each replay. Everything in steps.",
    unseen:
      'Packages; functions that arrive as arguments; text that a newer version of Node formats in another way for a locale that is named.',
  },
  bad: {
    'src/digest.ts': `export async function digestOf(text: string) {
  const bytes = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return [...new Uint8Array(bytes)].join('-');
}
`,
    'src/fulfil.ts': `import { digestOf } from './digest';

export async function fulfil(order: string) {
  'use workflow';
  return digestOf(order);
}
`,
  },
  good: {
    'src/digest.ts': `export async function digestOf(text: string) {
  'use step';
  const bytes = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return [...new Uint8Array(bytes)].join('-');
}
`,
    'src/fulfil.ts': `import { digestOf } from './digest';

export async function fulfil(order: string) {
  'use workflow';
  const id = crypto.randomUUID(); // the same in each replay
  return \`\${id} \${await digestOf(order)}\`;
}
`,
  },
  check: (context) => reportLacks('nondeterministic-call', 'nondeterministic', context),
});
