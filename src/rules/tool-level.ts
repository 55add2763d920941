import type { DefinitionFact, ModuleFacts, ToolFact, Unit, Use } from '../compiler/facts.ts';
import type { Span } from '../diagnostics/types.ts';
import { givesPart } from '../sdks.ts';
import { toolDoesIo, toolWaits } from '../tool-levels.ts';
import { defineRule, type RuleContext } from './define-rule.ts';
import { stepCode, workflowCode } from './durable.ts';
import { ioEnd } from './io.ts';
import { isPlain } from './levels.ts';
import type { Program, Reference } from './program.ts';
import { durableUses } from './reached.ts';
import { givenTools, toolAt } from './tools.ts';

/**
 * What the `execute` of a tool does, by itself and through helpers: I/O belongs into steps, durable waiting into workflow code. Tools of
 * agents that are made in a step run within that step, whatever they are, and those of a defined agent where it is prompted.
 */
export const toolLevel = defineRule({
  name: 'tool-level',
  by: 'program',
  description: 'A tool that does I/O at the level of workflows, or waits durably as a step',
  explanation: {
    mistake:
      "The `execute` of a tool does I/O without `'use step'`, and the agent is not made in a step (a defined agent: workflow code prompts it); or it is a step and calls `sleep`, `createHook` or `createWebhook`; or it does both in one function.",
    why: 'A tool is either a step, which may do I/O and cannot wait durably, or workflow code, which may wait and cannot do I/O: it is replayed. The agent finds out only when the model calls the tool.',
    allowed:
      'A tool that is a step; a tool that waits and calls steps for its I/O; any I/O in tools of an agent that a step makes, or that only actions and scripts prompt.',
    unseen: 'Tools whose functions arrive as values; I/O of packages; modules without directives that nothing reaches.',
  },
  bad: `import { DurableAgent } from 'pawl/agent';
import { z } from 'zod';

async function remember({ text }: { text: string }) {
  'use step';
  await fetch('https://notes.example', { method: 'PUT', body: text });
}

export const assistant = new DurableAgent({
  model: 'openai/gpt-5',
  tools: {
    remember: { description: 'Keeps a note.', inputSchema: z.object({ text: z.string() }), execute: remember },
    weather: {
      description: 'Tells the weather in a city.',
      inputSchema: z.object({ city: z.string() }),
      execute: async ({ city }: { city: string }) => (await fetch('https://weather.example/' + city)).text(),
    },
  },
});
`,
  good: `import { DurableAgent } from 'pawl/agent';
import { z } from 'zod';

async function remember({ text }: { text: string }) {
  'use step';
  await fetch('https://notes.example', { method: 'PUT', body: text });
}

async function weather({ city }: { city: string }) {
  'use step';
  return (await fetch('https://weather.example/' + city)).text();
}

export const assistant = new DurableAgent({
  model: 'openai/gpt-5',
  tools: {
    remember: { description: 'Keeps a note.', inputSchema: z.object({ text: z.string() }), execute: remember },
    weather: {
      description: 'Tells the weather in a city.',
      inputSchema: z.object({ city: z.string() }),
      execute: weather,
    },
  },
});
`,
  check({ program, report }) {
    const inSteps = new Set(stepCode(program).map(({ unit }) => unit));
    const given = givenTools(program);
    const prompted = given.some(({ definition }) => definition) ? promptedByWorkflows(program) : null;
    const seen = new Set<ToolFact>();
    for (const { module, tool, agent, definition } of given) {
      const isReplayed = definition ? prompted?.has(definition) : !inSteps.has(agent.unit);
      if (seen.has(tool)) continue;
      const found = endsOf(program, module, tool);
      const isWrong = found.step ? found.wait : isReplayed && found.io;
      if (!isWrong) continue;
      seen.add(tool);
      reportTool(report, module, tool, found.step ? [found.wait] : [found.io, found.wait]);
    }
    for (const module of program.modules)
      for (const tool of module.calls?.tools ?? []) {
        if (seen.has(tool) || given.some((other) => other.tool === tool && !other.definition)) continue;
        const found = endsOf(program, module, tool);
        if (found.wait && (found.step || found.io)) reportTool(report, module, tool, [found.io, found.wait]);
      }
  },
});

/**
 * Definitions of agents whose tools run as workflow code: those that workflows prompt, and the agents among the tools of such. One that only
 * actions and scripts prompt runs its tools there.
 */
function promptedByWorkflows(program: Program): ReadonlySet<DefinitionFact> {
  const found = new Map<DefinitionFact, ModuleFacts>();
  const add = (reference: Reference | null, rest: string): void => {
    if (reference?.kind !== 'definition' || reference.definition.kind !== 'agent') return;
    if (reference.rest.join() === rest && !found.has(reference.definition))
      found.set(reference.definition, reference.module);
  };
  for (const { inner } of workflowCode(program))
    for (const { use, reference } of durableUses(inner)) if (use.access === 'call') add(reference, 'prompt');
  // Grows while it is gone through.
  for (const [definition, module] of found)
    for (const agent of module.calls?.agents ?? [])
      if (module.definitions[agent.definition] === definition)
        for (const place of agent.tools) add(toolAt(program, module, place), '');
  return new Set(found.keys());
}

function reportTool(
  report: RuleContext['report'],
  module: ModuleFacts,
  { name, nameSpan }: ToolFact,
  ends: readonly (End | undefined)[],
): void {
  const io = ends.find((end) => end?.io);
  const wait = ends.find((end) => end && !end.io);
  const words =
    io && wait
      ? {
          message: `The tool \`${name}\` does I/O (\`${io.name}\`) and waits durably (\`${wait.name}\`): as a step it cannot wait, and as workflow code it can do no I/O.`,
          remedy: "Move the I/O into a function with 'use step', and call that from the tool.",
        }
      : io
        ? toolDoesIo(name, io.name)
        : toolWaits(name, wait?.name ?? '');
  report({
    file: module.file,
    span: nameSpan,
    ...words,
    related: [io, wait].flatMap((end) =>
      end ? [{ ...end.place, message: `\`${end.name}\` ${end.io ? 'is I/O' : 'waits durably'}` }] : [],
    ),
  });
}

interface End {
  name: string;
  io: boolean;
  place: { file: string; span: Span };
}

/** What a tool does, itself and through helpers; steps that it calls are levels of their own. */
function endsOf(program: Program, module: ModuleFacts, tool: ToolFact): { io?: End; wait?: End; step: boolean } {
  const found: ReturnType<typeof endsOf> = { step: false };
  const look = (owner: ModuleFacts, use: Use): Reference => {
    const reference = program.resolve(owner, use);
    const place = { file: owner.file, span: use.span };
    const io = ioEnd(use, reference);
    if (io) found.io ??= { name: io.name, io: true, place };
    if (waits(reference)) found.wait ??= { name: use.path.join('.'), io: false, place };
    return reference;
  };
  const enter = (reference: Reference): void => {
    if (reference.kind !== 'unit' || reference.rest.length > 0) return;
    for (const place of program.reach(reference, isPlain)) for (const use of place.unit.uses) look(place.module, use);
  };
  const { execute, handler } = tool;
  const named = handler && module.units[handler.unit]?.uses[handler.use];
  const reference = named && program.resolve(module, named);
  if (reference?.kind === 'unit') {
    found.step = reference.unit.kind === 'step';
    enter(reference);
  }
  if (!execute) return found;
  found.step = module.units.some((unit) => isStepAt(unit, execute));
  const nested = module.units.filter(({ kind, span }) => kind === 'step' && isIn(span, execute) && !found.step);
  for (const unit of module.units)
    for (const use of unit.uses) {
      if (!isIn(use.span, execute) || nested.some(({ span }) => isIn(use.span, span))) continue;
      const target = look(module, use);
      if (target.kind === 'unit' && isPlain(target)) enter(target);
    }
  return found;
}

type Range = Pick<Span, 'start' | 'end'>;

function isIn(inner: Range, outer: Range): boolean {
  return inner.start >= outer.start && inner.end <= outer.end;
}

function isStepAt({ kind, span }: Unit, { start, end }: Range): boolean {
  return kind === 'step' && span.start === start && span.end === end;
}

const WAITS = new Set(['sleep', 'createHook', 'createWebhook']);

function waits(reference: Reference): boolean {
  if (reference.kind !== 'package' || !givesPart(reference.specifier, 'durable')) return false;
  return reference.path.length === 1 && WAITS.has(reference.path[0] as string);
}
