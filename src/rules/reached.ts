import type { CallSite, ModuleFacts, Unit, Use } from '../compiler/facts.ts';
import { isPlain, STEP_KINDS, WORKFLOW_KINDS } from './levels.ts';
import { wantedOf } from './per-list.ts';
import { sitesOf } from './place-facts.ts';
import type { Hop, Place, Program, ResolvedUse } from './program.ts';

/**
 * All code of a level, gone through once for all rules: most programs hold nothing that a rule looks for, and then no chain has to be
 * searched for it.
 */
export interface ReachedCode {
  /** The workflows, or the steps and actions. */
  roots: readonly Place[];
  /** Each unit once, the nearest way first: the roots, then what they call, then what that calls. */
  places: readonly ReachedPlace[];
  units: ReadonlyMap<Unit, ReachedPlace>;
}

/** A unit that runs at the level of a root. */
export class ReachedPlace implements Place {
  readonly module: ModuleFacts;
  readonly unit: Unit;
  readonly root: Place;
  readonly uses: readonly ResolvedUse[];
  readonly outer: readonly ResolvedUse[];
  readonly inner: readonly ResolvedUse[];
  readonly #from: ReachedPlace | null;
  readonly #use: Use | null;
  #sites: readonly CallSite[] | null = null;

  constructor(program: Program, place: Place, from: ReachedPlace | null, use: Use | null) {
    const { all, outer, inner } = program.usesOf(place);
    this.module = place.module;
    this.unit = place.unit;
    this.root = from?.root ?? this;
    this.uses = all;
    this.outer = outer;
    this.inner = inner;
    this.#from = from;
    this.#use = use;
  }

  get sites(): readonly CallSite[] {
    this.#sites ??= sitesOf(this);
    return this.#sites;
  }

  /**
   * The way there; none for the root itself. Put together for those who ask: kept at each place, the ways of a long chain would be more
   * than memory holds.
   */
  get hops(): readonly Hop[] {
    const hops: Hop[] = [];
    for (let place: ReachedPlace = this; place.#from && place.#use; place = place.#from)
      hops.push({ module: place.#from.module, unit: place.#from.unit, use: place.#use });
    return hops.reverse();
  }
}

/** Of steps, workflows and definitions of the program. */
export const durableUses = wantedOf(
  ({ reference }: ResolvedUse) => reference.kind === 'definition' || (reference.kind === 'unit' && !isPlain(reference)),
);

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
  const units = new Map<Unit, ReachedPlace>();
  const roots = program.places(...kinds);
  const places = roots.map((root) => new ReachedPlace(program, root, null, null));
  for (const place of places) units.set(place.unit, place);
  for (const from of places)
    for (const { use, target } of program.usesOf(from).plain) {
      if (units.has(target.unit)) continue;
      const place = new ReachedPlace(program, target, from, use);
      units.set(target.unit, place);
      places.push(place);
    }
  return { roots, places, units };
}
