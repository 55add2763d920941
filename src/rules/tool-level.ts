import type { ModuleFacts, ToolFact, Unit, Use } from '../compiler/facts.ts';
import type { Span } from '../diagnostics/types.ts';
import { givesPart } from '../sdks.ts';
import { toolDoesIo, toolWaits } from '../tool-levels.ts';
import { defineRule, type RuleContext } from './define-rule.ts';
import { stepCode } from './durable.ts';
import { ioEnd } from './io.ts';
import { isPlain } from './levels.ts';
import type { Program, Reference } from './program.ts';
import { givenTools } from './tools.ts';

/**
 * What the `execute` of a tool does, by itself and through helpers: I/O belongs into steps, durable waiting into workflow code. Tools of
 * agents that are made in a step run within that step, whatever they are.
 */
export const toolLevel = defineRule({
  name: 'tool-level',
  by: 'program',
  description: 'A tool that does I/O at the level of workflows, or waits durably as a step',
  explanation: {
    mistake:
      "The `execute` of a tool does I/O without `'use step'`, and the agent is not made in a step; or it is a step and calls `sleep`, `createHook` or `createWebhook`; or it does both in one function.",
    why: 'A tool is either a step, which may do I/O and cannot wait durably, or workflow code, which may wait and cannot do I/O: it is replayed. The agent finds out only when the model calls the tool.',
    allowed:
      'A tool that is a step; a tool that waits and calls steps for its I/O; any I/O in tools of an agent that a step makes.',
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
    for (const { module, tool, agent } of given) {
      const found = endsOf(program, module, tool);
      if (found.step) {
        if (found.wait) reportTool(report, module, tool, [found.wait]);
      } else if (found.io && !inSteps.has(agent.unit)) reportTool(report, module, tool, [found.io, found.wait]);
    }
    for (const module of program.modules)
      for (const tool of module.calls?.tools ?? []) {
        if (given.some((other) => other.tool === tool)) continue;
        const found = endsOf(program, module, tool);
        if (found.wait && (found.step || found.io)) reportTool(report, module, tool, [found.io, found.wait]);
      }
  },
});

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
  for (const unit of module.units)
    for (const use of unit.uses) {
      if (use.span.start < execute.start || use.span.end > execute.end) continue;
      const target = look(module, use);
      if (target.kind === 'unit' && isPlain(target)) enter(target);
    }
  return found;
}

function isStepAt({ kind, span }: Unit, { start, end }: { start: number; end: number }): boolean {
  return kind === 'step' && span.start === start && span.end === end;
}

const WAITS = new Set(['sleep', 'createHook', 'createWebhook']);

function waits(reference: Reference): boolean {
  if (reference.kind !== 'package' || !givesPart(reference.specifier, 'durable')) return false;
  return reference.path.length === 1 && WAITS.has(reference.path[0] as string);
}
