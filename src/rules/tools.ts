import type { ModuleFacts, ToolFact } from '../compiler/facts.ts';
import type { Place, Program } from './program.ts';

/** Tools that are written as objects, and the agents that get them. */

export interface GivenTool {
  module: ModuleFacts;
  tool: ToolFact;
  /** The unit in which the agent is made. */
  agent: Place;
}

/** Tools of each `new DurableAgent({ tools })`, in place or by name, also out of other modules. */
export function givenTools(program: Program): GivenTool[] {
  const found: GivenTool[] = [];
  for (const module of program.modules) {
    const agentAt = (index: number) => ({ module, unit: module.units[index] as Place['unit'] });
    for (const tool of module.calls?.tools ?? [])
      if (tool.given !== undefined) found.push({ module, tool, agent: agentAt(tool.given) });
    for (const { unit, use } of module.calls?.toolSets ?? []) {
      const named = module.units[use.unit]?.uses[use.use];
      const reference = named && program.resolve(module, named);
      if (reference?.kind !== 'unit' || reference.unit.kind !== 'variable') continue;
      const path = reference.path.join('.');
      for (const tool of reference.module.calls?.tools ?? []) {
        const own = reference.module.units[tool.unit]?.path ?? '';
        if (own === path || own.startsWith(`${path}.`))
          found.push({ module: reference.module, tool, agent: agentAt(unit) });
      }
    }
  }
  return found.filter(({ tool }, index) => found.findIndex((other) => other.tool === tool) === index);
}
