import type { ModuleFacts, Unit, Use } from '../compiler/facts.ts';
import { isPlain } from '../rules/levels.ts';
import type { Place, PlainUse, ResolvedUse, UnitUses } from '../rules/program.ts';

/** A unit of the program; one object for all uses that lead to it, so that what is known of it is at hand. */
export class UnitNode implements Place {
  readonly module: ModuleFacts;
  readonly unit: Unit;
  /** Of which list of uses `known` tells. */
  list: readonly Use[] | null = null;
  known: KnownUses | null = null;
  /** The last check that asked. */
  round = -1;
  /** The walk that led here. */
  walk: object | null = null;

  constructor(module: ModuleFacts, unit: Unit) {
    this.module = module;
    this.unit = unit;
  }
}

export interface KnownUses extends UnitUses {
  /** The modules that the ways to what is used lead through. */
  trail: readonly ModuleFacts[];
}

/** Sorts uses by what they lead to. */
export function knownUses(all: readonly ResolvedUse[], trail: readonly ModuleFacts[]): KnownUses {
  return {
    all: listOf(all),
    outer: listOf(all.filter(isOuter)),
    inner: listOf(all.filter((use) => !isOuter(use))),
    plain: listOf(all.filter((use): use is PlainUse => !isOuter(use) && use.target !== null && isPlain(use.target))),
    trail: listOf(trail),
  };
}

/** Whether the code of a unit, before and after an edit, leads to the same units and modules in the same order. */
export function leadsTheSame(before: KnownUses, now: KnownUses): boolean {
  return (
    isSame(before.plain, now.plain, ({ target }) => target) &&
    isSame(before.trail, now.trail, (module) => module) &&
    isSame(moduleReferences(before), moduleReferences(now), (module) => module)
  );
}

/** Modules of what is used of the program, one for each use. */
export function moduleReferences({ inner }: UnitUses): ModuleFacts[] {
  const modules: ModuleFacts[] = [];
  for (const { reference } of inner)
    if (reference.kind === 'unit' || reference.kind === 'definition') modules.push(reference.module);
  return modules;
}

function isSame<Item>(left: readonly Item[], right: readonly Item[], keyOf: (item: Item) => object): boolean {
  return left.length === right.length && left.every((item, at) => keyOf(item) === keyOf(right[at] as Item));
}

const NONE: readonly never[] = [];

/** Empty lists need no memory of their own. */
function listOf<Item>(found: readonly Item[]): readonly Item[] {
  return found.length === 0 ? NONE : found;
}

function isOuter({ reference: { kind } }: ResolvedUse): boolean {
  return kind === 'global' || kind === 'builtin' || kind === 'package';
}
