import type { AgentFact, DefinitionFact, ModuleFacts, ToolFact } from '../compiler/facts.ts';
import { defineRule, type RuleContext } from './define-rule.ts';
import type { Program } from './program.ts';
import { givenTools, toolAt } from './tools.ts';

/** Definitions that agents have as tools, and tools that a `DurableAgent` is given in place. */
export const toolContract = defineRule({
  name: 'tool-contract',
  by: 'program',
  description: 'A tool of an agent that a model cannot tell apart, understand or call',
  explanation: {
    mistake:
      'Two tools of one agent bear the same name; a tool has no description; the input schema of a tool holds something that JSON Schema has no word for, such as `z.date()`.',
    why: 'A model knows of a tool its name, its description and the JSON Schema of its input, and nothing else. Of two tools with one name providers refuse the request; without a description the model guesses; without a JSON Schema the tool cannot be offered at all.',
    allowed:
      'Actions without a description that no agent has. One action as a tool of several agents. Dates as texts, `z.iso.datetime()`. Any schema as output.',
    unseen: 'Tools that are put together at run time, or come from packages; schemas of other libraries than zod.',
  },
  bad: `import { defineAction, defineAgent } from 'pawl';
import { z } from 'zod';

const search = defineAction({
  slug: 'search',
  input: z.object({ text: z.string(), since: z.date() }),
  output: z.string(),
  run: async ({ text }) => text,
});

export const clerk = defineAgent({ slug: 'clerk', systemPrompt: 'Find letters.', model: 'openai/gpt-5', tools: [search] });
`,
  good: `import { defineAction, defineAgent } from 'pawl';
import { z } from 'zod';

const search = defineAction({
  slug: 'search',
  description: 'Finds letters that hold a text.',
  input: z.object({ text: z.string(), since: z.iso.datetime() }),
  output: z.string(),
  run: async ({ text }) => text,
});

export const clerk = defineAgent({ slug: 'clerk', systemPrompt: 'Find letters.', model: 'openai/gpt-5', tools: [search] });
`,
  check(context) {
    const told = new Set<DefinitionFact>();
    for (const module of context.program.modules)
      for (const agent of module.calls?.agents ?? []) checkAgent(context, module, agent, told);
    const given = new Map(givenTools(context.program).map(({ module, tool }) => [tool, module]));
    for (const [tool, module] of given) checkTool(context, module, tool);
  },
});

interface Tool {
  module: ModuleFacts;
  definition: DefinitionFact;
  place: AgentFact['tools'][number];
}

function checkAgent(
  { program, report }: RuleContext,
  module: ModuleFacts,
  agent: AgentFact,
  told: Set<DefinitionFact>,
): void {
  const owner = module.definitions[agent.definition]?.slug;
  const name = owner ? `\`${owner}\`` : 'The agent';
  const seen = new Map<string, Tool>();
  for (const tool of agent.tools.flatMap((place) => actionAt(program, module, place) ?? [])) {
    const { definition, place } = tool;
    const slug = place.name ?? (definition.slug as string);
    const first = seen.get(slug);
    if (first) {
      report({
        file: module.file,
        span: place.span,
        message: `${name} has two tools of the name \`${slug}\`: a model cannot tell them apart, and providers refuse the request.`,
        remedy: first.definition === definition ? 'Take one of them out.' : 'Give one of the actions another slug.',
        related: [{ file: module.file, span: first.place.span, message: `\`${slug}\` is a tool already` }],
      });
      continue;
    }
    seen.set(slug, tool);
    if (told.has(definition)) continue;
    told.add(definition);
    checkAction(report, tool, name);
  }
}

function checkAction(report: RuleContext['report'], { module, definition }: Tool, agent: string): void {
  const slug = definition.slug as string;
  if (!definition.options.includes('description')) {
    report({
      file: module.file,
      span: definition.nameSpan,
      message: `\`${slug}\` is a tool of ${agent === 'The agent' ? 'an agent' : agent} and has no description, by which a model knows what it is for.`,
      remedy: "Add `description: '…'`: what it does, and when to use it.",
    });
  }
  const index = module.definitions.indexOf(definition);
  const fact = module.calls?.actions?.find((candidate) => candidate.definition === index);
  for (const { text, span } of fact?.formless ?? []) report({ file: module.file, span, ...formless(text, slug) });
}

function formless(text: string, tool: string): { message: string; remedy: string } {
  return {
    message: `\`${text}\` has no form in JSON Schema, and by that a model is told what the tool \`${tool}\` takes.`,
    remedy: /date/.test(text)
      ? 'Take a text, `z.iso.datetime()`, and make a date of it in the tool.'
      : 'Take what JSON has: texts, numbers, booleans, lists, objects.',
  };
}

function checkTool(
  { report }: RuleContext,
  module: ModuleFacts,
  { name, nameSpan, described, formless: schemas }: ToolFact,
): void {
  if (!described) {
    report({
      file: module.file,
      span: nameSpan,
      message: `The tool \`${name}\` has no description, by which a model knows what it is for.`,
      remedy: "Add `description: '…'`: what it does, and when to use it.",
    });
  }
  for (const { text, span } of schemas) report({ file: module.file, span, ...formless(text, name) });
}

/** The action that an element of `tools` is. */
function actionAt(program: Program, module: ModuleFacts, place: AgentFact['tools'][number]): Tool | null {
  const reference = toolAt(program, module, place);
  if (reference?.kind !== 'definition' || reference.rest.length > 0) return null;
  const { definition } = reference;
  return definition.kind !== 'credential' && definition.slug !== null
    ? { module: reference.module, definition, place }
    : null;
}
