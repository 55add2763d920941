import type { ModuleFacts, Unit, Use } from '../compiler/facts.ts';
import { isPlain, STEP_KINDS, WORKFLOW_KINDS } from './levels.ts';
import type { Place, Program, Reference } from './program.ts';

/**
 * All code of a level, gone through once for all rules: most programs hold nothing that a rule looks for, and then no chain has to be
 * searched for it.
 */
export interface ReachedCode {
  /** Each unit once, with the workflow or step that leads there first. */
  places: readonly ReachedPlace[];
  units: ReadonlySet<Unit>;
  uses: readonly ReachedUse[];
}

export interface ReachedPlace extends Place {
  root: Place;
}

export interface ReachedUse {
  use: Use;
  reference: Reference;
  at: ReachedPlace;
}

export type Level = 'workflow' | 'step';

const KINDS: Record<Level, readonly Unit['kind'][]> = { workflow: WORKFLOW_KINDS, step: STEP_KINDS };

/** By the list of modules, which is a new one in each check. */
const known: Record<Level, WeakMap<readonly ModuleFacts[], ReachedCode>> = {
  workflow: new WeakMap(),
  step: new WeakMap(),
};

/** What runs in workflows, or in steps and actions. */
export function reachedCode(program: Program, level: Level): ReachedCode {
  const { modules } = program;
  let code = known[level].get(modules);
  if (!code) {
    code = collect(program, KINDS[level]);
    known[level].set(modules, code);
  }
  return code;
}

function collect(program: Program, kinds: readonly Unit['kind'][]): ReachedCode {
  const places: ReachedPlace[] = [];
  const units = new Set<Unit>();
  const uses: ReachedUse[] = [];
  for (const root of program.places(...kinds)) {
    if (units.has(root.unit)) continue;
    units.add(root.unit);
    const first = places.length;
    places.push({ ...root, root });
    for (let next = first; next < places.length; next++) {
      const at = places[next] as ReachedPlace;
      for (const { use, reference, target } of program.usesOf(at)) {
        uses.push({ use, reference, at });
        if (!target || units.has(target.unit) || !isPlain(target)) continue;
        units.add(target.unit);
        places.push({ ...target, root });
      }
    }
  }
  return { places, units, uses };
}
