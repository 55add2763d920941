import type { ActionFact, DefinitionFact, ModuleFacts } from '../compiler/facts.ts';
import { defineRule, type RuleContext } from './define-rule.ts';
import { type Durable, durableOf } from './durable.ts';
import type { Program, Reference } from './program.ts';

/** Credentials belong to actions alone, which get them when they run; what leaves an action is recorded. */
export const credentialMisplaced = defineRule({
  name: 'credential-misplaced',
  by: 'program',
  description: 'A credential where it does not belong: on a workflow or an agent, undeclared, or on its way out',
  explanation: {
    mistake:
      'A workflow or an agent declares `credentials`; an action asks for a credential that it does not declare; an action returns a secret, or gives it to a durable call such as `agent.prompt()`.',
    why: 'Credentials are resolved when an action runs and given to it alone. What an action returns, and what a durable call is given, stands in the event log, where secrets must never be; and a credential that is not declared is not there.',
    allowed:
      'Handing a secret to `fetch`, to a client or to a helper within the action. Returning what was got with it, and fields that `defineCredential` names as `public`.',
    unseen: 'Secrets in variables, in errors and in logs; credentials that are handed to helpers as a whole.',
  },
  bad: `import { defineAction, defineCredential } from 'pawl';
import { z } from 'zod';

const linear = defineCredential({ key: 'linear', fields: ['apiKey'] });

export const connect = defineAction({
  slug: 'connect',
  input: z.object({}),
  output: z.object({ key: z.string() }),
  credentials: [linear] as const,
  run: async (_input, credentials) => ({ key: credentials.linear.apiKey }),
});
`,
  good: `import { defineAction, defineCredential } from 'pawl';
import { z } from 'zod';

const linear = defineCredential({ key: 'linear', fields: ['apiKey'] });

export const connect = defineAction({
  slug: 'connect',
  input: z.object({}),
  output: z.object({ ok: z.boolean() }),
  credentials: [linear] as const,
  run: async (_input, credentials) => {
    const response = await fetch('https://linear.example', { headers: { authorization: credentials.linear.apiKey } });
    return { ok: response.ok };
  },
});
`,
  check(context) {
    for (const module of context.program.modules) {
      for (const { definition, credentials } of module.calls?.agents ?? []) {
        const fact = module.definitions[definition];
        if (!fact || !credentials) continue;
        context.report({
          file: module.file,
          span: credentials,
          message: `${fact.kind === 'agent' ? 'An agent' : 'A workflow'} gets no credentials: they are resolved for actions alone, when these run.`,
          remedy: 'Declare them on the action that uses them.',
        });
      }
      for (const action of module.calls?.actions ?? []) checkAction(context, module, action);
    }
  },
});

function checkAction({ program, report }: RuleContext, module: ModuleFacts, action: ActionFact): void {
  const { slug } = module.definitions[action.definition] as DefinitionFact;
  const declared = declaredKeys(program, module, action);
  for (const { key, span } of action.asked) {
    if (declared === null || declared.has(key)) continue;
    const list = [...declared.keys()].map((name) => `\`${name}\``).join(', ');
    report({
      file: module.file,
      span,
      message: `\`${slug}\` asks for the credential \`${key}\` and does not declare it, so it gets none.`,
      remedy: list
        ? `Add it to \`credentials\`, which has ${list}.`
        : 'Add `credentials: […]` with the credential to the action.',
    });
  }
  for (const { path, span, site, secret } of action.leaked) {
    const [key = '', field = ''] = secret ?? [];
    if (declared?.get(key)?.public?.includes(field)) continue;
    const call = site === undefined ? undefined : module.calls?.sites[site];
    const durable: Durable | null = call ? durableOf(program, module, call) : null;
    if (site !== undefined && !durable) continue;
    report({
      file: module.file,
      span,
      message: durable
        ? `The secret \`${path.join('.')}\` is given to \`${durable.name}\`, whose arguments are recorded.`
        : `The secret \`${path.join('.')}\` is returned, and what an action returns is recorded.`,
      remedy: durable
        ? 'Use the secret within the action, and pass on what was got with it.'
        : 'Return what was got with the secret, not the secret.',
    });
  }
}

/** The declared credentials by their keys; null where one of them is not to be seen. */
function declaredKeys(
  program: Program,
  module: ModuleFacts,
  { declared }: ActionFact,
): Map<string, DefinitionFact> | null {
  if (declared === null) return null;
  const keys = new Map<string, DefinitionFact>();
  for (const path of declared) {
    const reference = referenceOf(program, module, path);
    if (reference?.kind !== 'definition' || reference.rest.length > 0 || reference.definition.slug === null)
      return null;
    keys.set(reference.definition.slug, reference.definition);
  }
  return keys;
}

/** What a name of the module leads to: some use of it tells. */
function referenceOf(program: Program, module: ModuleFacts, path: readonly string[]): Reference | null {
  for (const { uses } of module.units) {
    const use = uses.find((candidate) => candidate.path.join('.') === path.join('.') && candidate.access === 'read');
    if (use) return program.resolve(module, use);
  }
  return null;
}
