import type { ModuleFacts, Unit } from '../compiler/facts.ts';
import { isPlain, STEP_KINDS, WORKFLOW_KINDS } from './levels.ts';
import { wantedOf } from './per-list.ts';
import type { Place, Program, ResolvedUse } from './program.ts';

/**
 * All code of a level, gone through once for all rules: most programs hold nothing that a rule looks for, and then no chain has to be
 * searched for it.
 */
export interface ReachedCode {
  /** The workflows, or the steps and actions. */
  roots: readonly Place[];
  /** Each unit once, with the workflow or step that leads there first. */
  places: readonly ReachedPlace[];
  units: ReadonlyMap<Unit, ReachedPlace>;
}

export interface ReachedPlace extends Place {
  root: Place;
  uses: readonly ResolvedUse[];
  /** Of the uses those of what is no part of the program: of globals, of modules of Node and of packages. */
  outer: readonly ResolvedUse[];
  inner: readonly ResolvedUse[];
}

/** Of steps, workflows and definitions of the program. */
export const durableUses = wantedOf(
  ({ reference }: ResolvedUse) => reference.kind === 'definition' || (reference.kind === 'unit' && !isPlain(reference)),
);

const outerUses = wantedOf(isOuter);
export const innerUses = wantedOf((use: ResolvedUse) => !isOuter(use));

function isOuter({ reference: { kind } }: ResolvedUse): boolean {
  return kind === 'global' || kind === 'builtin' || kind === 'package';
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
  const units = new Map<Unit, ReachedPlace>();
  const add = (place: Place, root: Place): void => {
    const reached = placeOf(program, place, root);
    units.set(place.unit, reached);
    places.push(reached);
  };
  const roots = program.places(...kinds);
  for (const root of roots) {
    if (units.has(root.unit)) continue;
    const first = places.length;
    add(root, root);
    for (let next = first; next < places.length; next++) {
      for (const { target } of (places[next] as ReachedPlace).inner) {
        if (!target || units.has(target.unit) || !isPlain(target)) continue;
        add(target, root);
      }
    }
  }
  return { roots, places, units };
}

function placeOf(program: Program, { module, unit }: Place, root: Place): ReachedPlace {
  const uses = program.usesOf({ module, unit });
  return { module, unit, root, uses, outer: outerUses(uses), inner: innerUses(uses) };
}
