import { z } from 'zod';
import type { CallSite, Use } from '../compiler/facts.ts';
import { durableCalls } from './boundary-calls.ts';
import { defineRule } from './define-rule.ts';
import { useOf } from './durable.ts';
import { wantedOf } from './per-list.ts';

const withLiteral = wantedOf(({ literal }: CallSite) => literal !== undefined);

/** Long enough for the example. */
const MANUAL = `You answer questions about orders of a shop that sells parts for bicycles.
Be brief, be kind, and never promise a date that is not in the order.
An order is open until it is paid, and closed when it has been delivered.
A customer may return what was not used within thirty days, and gets the money back.
Say who you are when somebody asks. Say that you do not know when you do not know.
Prices include taxes. Shipping is free from fifty euros on, within the country.
Frames are built to measure: they cannot be returned, and take three weeks.
Wheels come in pairs. Tyres do not. Tubes are sold by the size of the rim.
Never name other customers, their orders, or what they have written to us.
When a part is out of stock, offer the one that the catalogue names in its place.
When the customer is angry, pass the question on to somebody at the counter.
When somebody wants to pay in another currency, explain that the bank converts it.
When a question is about repairs, give the opening hours of the workshop: nine to six.
End with a question only if you need to know more. Do not end with a joke.`;

const CONFIG = `{ "rules": { "large-literal-payload": ["info", { "characters": 1000 }] } }
`;

/** Looks at the literals that stand in calls of steps and child runs in workflow code. A text that a variable holds is none. */
export const largeLiteralPayload = defineRule({
  name: 'large-literal-payload',
  by: 'program',
  description: 'A big literal as an argument of a step or a child run: every run stores it again',
  explanation: {
    mistake:
      'Workflow code passes a literal of thousands of characters to a step or to another workflow: a prompt, a template, a table.',
    why: 'Arguments are written to the event log of every run, and read again at every replay, although the literal is the same each time and stands in the code.',
    allowed:
      'Short literals. The same text as a constant of the module that the step uses itself: it is not passed then.',
    unseen: 'Literals that reach the call through a variable. Calls through functions that are passed as values.',
  },
  bad: {
    'pawl.config.json': CONFIG,
    'src/main.ts': `async function ask(prompt: string, question: string) {
  'use step';
  return prompt.length + question.length;
}

export async function answer(question: string) {
  'use workflow';
  return ask(\`${MANUAL}\`, question);
}
`,
  },
  good: {
    'pawl.config.json': CONFIG,
    'src/main.ts': `const PROMPT = \`${MANUAL}\`;

async function ask(question: string) {
  'use step';
  return PROMPT.length + question.length;
}

export async function answer(question: string) {
  'use workflow';
  return ask(question);
}
`,
  },
  options: z.strictObject({
    characters: z
      .int()
      .min(1000)
      .default(8000)
      .describe('Length of a literal from which on it is big, as it is written.'),
  }),
  check({ program, optionsIn, report }) {
    const literals = new Map<Use, NonNullable<CallSite['literal']>>();
    for (const module of program.modules)
      for (const site of withLiteral(module.calls?.sites)) {
        const use = site.literal && useOf(module, site);
        if (site.literal && use) literals.set(use, site.literal);
      }
    if (literals.size === 0) return;
    for (const { module, use, callee } of durableCalls(program)) {
      const literal = literals.get(use);
      if (!literal || literal.size < optionsIn(module.file).characters) continue;
      report({
        file: module.file,
        span: literal.span,
        message: `A literal of ${literal.size.toLocaleString('en')} characters is passed to ${callee}: every run writes it to its event log.`,
        remedy: `Put it into a constant of the module, and let the ${callee.replace(/ .*/, '')} use that.`,
      });
    }
  },
});
