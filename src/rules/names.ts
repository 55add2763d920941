import type { ModuleFacts, Unit } from '../compiler/facts.ts';
import { perList } from './per-list.ts';

/**
 * Names under which modules may hold something: those of the thing itself, of imports and exports of it, and of variables that are
 * other names of it. A cheap test before the meaning of a use is asked for; it says yes where names are the same by chance.
 *
 * @param names - those to begin with
 * @param isSource - whether all that a specifier gives is looked for
 */
export function namesOf(
  modules: readonly ModuleFacts[],
  names: Set<string>,
  isSource: (source: string) => boolean = () => false,
): ReadonlySet<string> {
  for (let size = -1; size < names.size; ) {
    size = names.size;
    for (const { imports, exports, units } of modules) {
      for (const { local, imported, source, typeOnly } of imports)
        if (!typeOnly && (names.has(imported) || isSource(source))) names.add(local);
      for (const [name, pieces] of aliasesIn(units)) if (pieces.some((piece) => names.has(piece))) names.add(name);
      for (const { name, local, imported, source, typeOnly } of exports)
        if (!typeOnly && (names.has(local ?? imported ?? '') || (source !== null && isSource(source)))) names.add(name);
    }
  }
  return names;
}

/** Variables that are other names of something, with the pieces of what they name. */
const aliasesIn = perList((units: readonly Unit[]): (readonly [name: string, pieces: readonly string[]])[] =>
  units.flatMap(({ path, alias }) => (alias ? [[path.split('.').at(-1) as string, alias.path] as const] : [])),
);
