import type { AgentFact, DefinitionFact, ModuleFacts, ToolFact } from '../compiler/facts.ts';
import type { Place, Program, Reference } from './program.ts';

/** Tools that are written as objects, and the agents that get them. */

export interface GivenTool {
  module: ModuleFacts;
  tool: ToolFact;
  /** The unit in which the agent is made. */
  agent: Place;
  /** Where the agent is a definition; null for a `new DurableAgent({ tools })`. */
  definition: DefinitionFact | null;
}

/**
 * Tools of each `new DurableAgent({ tools })` and `defineAgent({ tools })`, in place or by name, also out of other modules; those of
 * several agents more than once.
 */
export function givenTools(program: Program): GivenTool[] {
  const found: GivenTool[] = [];
  for (const module of program.modules) {
    const agentAt = (unit: number, definition: number | undefined): Omit<GivenTool, 'tool'> => ({
      module,
      agent: { module, unit: module.units[unit] as Place['unit'] },
      definition: module.definitions[definition ?? -1] ?? null,
    });
    for (const tool of module.calls?.tools ?? [])
      if (tool.given !== undefined) found.push({ ...agentAt(tool.given, tool.definition), tool });
    for (const { unit, definition, use } of module.calls?.toolSets ?? []) {
      const named = module.units[use.unit]?.uses[use.use];
      const reference = named && program.resolve(module, named);
      if (reference?.kind !== 'unit' || reference.unit.kind !== 'variable') continue;
      const path = reference.path.join('.');
      for (const tool of reference.module.calls?.tools ?? []) {
        const own = reference.module.units[tool.unit]?.path ?? '';
        if (own === path || own.startsWith(`${path}.`))
          found.push({ ...agentAt(unit, definition), module: reference.module, tool });
      }
    }
  }
  return found;
}

/** What a name in the `tools` of an agent means. */
export function toolAt(program: Program, module: ModuleFacts, { span }: AgentFact['tools'][number]): Reference | null {
  for (const { uses } of module.units) {
    const use = uses.find((candidate) => candidate.span.start === span.start && candidate.span.end === span.end);
    if (use) return program.resolve(module, use);
  }
  return null;
}
