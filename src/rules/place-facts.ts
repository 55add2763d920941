import type { CallSite, ModuleFacts, Unit } from '../compiler/facts.ts';
import type { Place } from './program.ts';

/**
 * Which facts of a module are those of a place: asked for each unit, so the lists are gone through once, whatever their length. Kept
 * by the lists: when a module is edited, newer lists of facts come in the place of the older, and units keep their order and names.
 */

interface Units {
  indexes: ReadonlyMap<Unit, number>;
  /** By kind and path. */
  named: ReadonlyMap<string, readonly number[]>;
}

const unitsKnown = new WeakMap<readonly Unit[], Units>();
const placesKnown = new WeakMap<Unit, readonly number[]>();
const factsKnown = new WeakMap<object, ReadonlyMap<number, readonly object[]>>();
const listsKnown = new WeakMap<readonly number[], ReadonlySet<number>>();

const NONE: readonly never[] = [];

/** Units of a module that a place stands for: variables that are assigned again have several. */
function unitsOf({ module, unit }: Place): readonly number[] {
  let units = placesKnown.get(unit);
  if (!units) {
    const { indexes, named } = indexOf(module);
    const own = indexes.get(unit);
    const isOne = own !== undefined && unit.kind !== 'method' && unit.kind !== 'variable';
    units = isOne ? [own] : (named.get(nameOf(unit)) ?? NONE);
    placesKnown.set(unit, units);
  }
  return units;
}

/** The facts of one of the module's lists that are of a place, in the order of the list. */
export function factsOf<Fact extends { unit: number }>(
  place: Place,
  facts: readonly Fact[] | undefined,
): readonly Fact[] {
  if (!facts || facts.length === 0) return NONE;
  let byUnit = factsKnown.get(facts) as ReadonlyMap<number, readonly Fact[]> | undefined;
  if (!byUnit) {
    byUnit = groupBy(facts, ({ unit }) => unit);
    factsKnown.set(facts, byUnit);
  }
  const units = unitsOf(place);
  const [first] = units;
  if (first === undefined) return NONE;
  if (units.length === 1) return byUnit.get(first) ?? NONE;
  return facts.filter(({ unit }) => units.includes(unit));
}

export function sitesOf(place: Place): readonly CallSite[] {
  return factsOf(place, place.module.calls?.sites);
}

/** Whether a list of units names one that a place stands for. */
export function isListed(place: Place, units: readonly number[] | undefined): boolean {
  if (!units || units.length === 0) return false;
  let known = listsKnown.get(units);
  if (!known) {
    known = new Set(units);
    listsKnown.set(units, known);
  }
  return unitsOf(place).some((unit) => known.has(unit));
}

function indexOf({ units }: ModuleFacts): Units {
  let known = unitsKnown.get(units);
  if (!known) {
    const indexes = new Map(units.map((unit, index) => [unit, index]));
    known = { indexes, named: groupBy(units.keys(), (index) => nameOf(units[index] as Unit)) };
    unitsKnown.set(units, known);
  }
  return known;
}

function nameOf({ kind, path }: Unit): string {
  return `${kind} ${path}`;
}

function groupBy<Key, Item>(items: Iterable<Item>, keyOf: (item: Item) => Key): Map<Key, Item[]> {
  const groups = new Map<Key, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}
