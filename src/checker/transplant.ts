import type { ModuleFacts, Unit } from '../compiler/facts.ts';
import { isInert } from './reach.ts';

/**
 * Puts the content of newer facts into the objects of older ones, where both declare the same names: what other modules know of
 * this one, by holding its objects, then stays right.
 *
 * @returns false, with nothing done, when the names differ
 */
export function transplant(into: ModuleFacts, from: ModuleFacts): boolean {
  if (shapeOf(into) !== shapeOf(from) || hasTwins(from)) return false;
  const { units, functions, definitions, classes } = into;
  const replace = <T extends object>(olds: readonly T[], news: readonly T[]): void => {
    news.forEach((now, index) => {
      const old = olds[index] as T;
      for (const key of Object.keys(old)) if (!(key in now)) delete old[key as keyof T];
      Object.assign(old, now);
    });
  };
  replace(units, from.units);
  replace(functions, from.functions);
  replace(definitions, from.definitions);
  replace(classes, from.classes);
  const optional = into as Partial<ModuleFacts>;
  for (const key of Object.keys(into) as (keyof ModuleFacts)[]) if (!(key in from)) delete optional[key];
  Object.assign(into, from, { units, functions, definitions, classes });
  return true;
}

/** Everything by which other modules may find something in this one. */
function shapeOf(facts: ModuleFacts): string {
  return JSON.stringify([
    facts.format,
    facts.imports.map(({ source, imported, local, form, typeOnly }) => [source, imported, local, form, typeOnly]),
    facts.exports.map(({ name, local, source, imported, typeOnly }) => [name, local, source, imported, typeOnly]),
    facts.units.map(({ path, kind, instanceOf, alias, spreads, unsure, holds, uses }) => [
      path,
      kind,
      instanceOf,
      alias,
      spreads,
      unsure,
      holds,
      holds && isInert(uses),
    ]),
    facts.functions.map(({ id, kind }) => [id, kind]),
    facts.definitions.map(({ kind, slug, local, exported }) => [kind, slug, local, exported]),
    facts.classes.map(({ id }) => id),
    facts.bases,
  ]);
}

/** Units of one path are joined to a third one, which would be left behind. */
function hasTwins({ units }: ModuleFacts): boolean {
  const paths = new Set<Unit['path']>();
  for (const { path } of units) {
    if (paths.has(path)) return true;
    paths.add(path);
  }
  return false;
}
