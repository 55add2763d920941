import type { CallSite, ModuleFacts, Unit } from '../compiler/facts.ts';
import { isPlain, STEP_KINDS, WORKFLOW_KINDS } from './levels.ts';
import { wantedOf } from './per-list.ts';
import { sitesOf } from './place-facts.ts';
import type { Hop, Level, Place, Program, ResolvedUse } from './program.ts';

/**
 * All code of a level, gone through once for all rules: most programs hold nothing that a rule looks for, and then no chain has to be
 * searched for it.
 */
export interface ReachedCode {
  /** The workflows, or the steps and actions. */
  roots: readonly Place[];
  /** Each unit once, the nearest way first: the roots, then what they call, then what that calls. */
  places: readonly ReachedPlace[];
  /** Of those what is not installed: that is not the user's to change. */
  own: readonly ReachedPlace[];
  units: ReadonlyMap<Unit, ReachedPlace>;
}

/** A unit that runs at the level of a root. It lives from check to check, as long as no edit leads elsewhere. */
export class ReachedPlace implements Place {
  readonly module: ModuleFacts;
  readonly unit: Unit;
  readonly root: Place;
  readonly #program: Program;
  readonly #place: Place;
  readonly #from: ReachedPlace | null;
  /** Which of the plain uses of `from` leads here. */
  readonly #index: number;

  constructor(program: Program, place: Place, from: ReachedPlace | null, index: number) {
    this.module = place.module;
    this.unit = place.unit;
    this.root = from?.root ?? this;
    this.#program = program;
    this.#place = place;
    this.#from = from;
    this.#index = index;
  }

  get uses(): readonly ResolvedUse[] {
    return this.#program.usesOf(this.#place).all;
  }

  get outer(): readonly ResolvedUse[] {
    return this.#program.usesOf(this.#place).outer;
  }

  get inner(): readonly ResolvedUse[] {
    return this.#program.usesOf(this.#place).inner;
  }

  get sites(): readonly CallSite[] {
    return sitesOf(this);
  }

  /**
   * The way there; none for the root itself. Put together for those who ask: kept at each place, the ways of a long chain would be more
   * than memory holds.
   */
  get hops(): readonly Hop[] {
    const hops: Hop[] = [];
    for (let place: ReachedPlace = this; place.#from; place = place.#from) {
      const { use } = this.#program.usesOf(place.#from.#place).plain[place.#index] as ResolvedUse;
      hops.push({ module: place.#from.module, unit: place.#from.unit, use });
    }
    return hops.reverse();
  }
}

/** Of steps, workflows and definitions of the program. */
export const durableUses = wantedOf(
  ({ reference }: ResolvedUse) => reference.kind === 'definition' || (reference.kind === 'unit' && !isPlain(reference)),
);

const KINDS: Record<Level, readonly Unit['kind'][]> = { workflow: WORKFLOW_KINDS, step: STEP_KINDS };

/** What runs in workflows, or in steps and actions; the program keeps it. */
export function reachedCode(program: Program, level: Level): ReachedCode {
  return program.reached(level);
}

/** Goes through all code of a level. */
export function collectReached(program: Program, level: Level): ReachedCode {
  const units = new Map<Unit, ReachedPlace>();
  const roots = program.places(...KINDS[level]);
  const places = roots.map((root) => new ReachedPlace(program, root, null, -1));
  const ways = [...roots];
  for (const place of places) units.set(place.unit, place);
  for (const [at, from] of places.entries()) {
    const { plain } = program.usesOf(ways[at] as Place);
    for (const [index, { target }] of plain.entries()) {
      if (units.has(target.unit)) continue;
      const place = new ReachedPlace(program, target, from, index);
      units.set(target.unit, place);
      places.push(place);
      ways.push(target);
    }
  }
  return { roots, places, own: places.filter(isOfUser), units };
}

function isOfUser({ module }: Place): boolean {
  return !(module.file.includes('node_modules/') && /(?:^|\/)node_modules\//.test(module.file));
}
