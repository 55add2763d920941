import type { DefinitionFact, ModuleFacts, Unit, Use } from '../compiler/facts.ts';
import type { RuleName } from '../diagnostics/codes.ts';
import type { Span } from '../diagnostics/types.ts';
import type { IoEnd } from './io.ts';
import type { ReachedCode } from './reached.ts';

/**
 * What whole-program rules see: the facts of all modules joined. The checker implements it; rules know only these types.
 *
 * - **place**: a unit and the module that it is in.
 * - **reference**: what a use means, after imports, re-exports and namespaces.
 * - **hop**: a use within a unit that leads on to another unit, or to the end.
 * - **chain**: the hops from a root to an end, shortest first; the last hop's use is the end itself.
 */
export interface Program {
  /** Modules that have facts, sorted by file. */
  readonly modules: readonly ModuleFacts[];
  /** All units of some kinds, sorted by file and position. */
  places(...kinds: Unit['kind'][]): Place[];
  /** What a use in a module means. */
  resolve(module: ModuleFacts, use: Use): Reference;
  /** All uses of a unit, with what they mean; resolved once for all who ask, as long as its code stays the same. */
  usesOf(place: Place): UnitUses;
  /** What runs in workflows, or in steps and actions. */
  reached(level: Level): ReachedCode;
  /** For each use in each root that leads to an end: the shortest chain there. */
  chains<End>(query: ChainQuery<End>): Chain<End>[];
  /**
   * What a function of an installed package does in the end; null when it does no I/O, or nothing is known of it.
   *
   * @param depth - how many packages to look into, one behind the other
   */
  inPackage(module: ModuleFacts, use: Use, reference: Reference, depth: number): PackageEnd | null;
  /** Whether an installed package exports a workflow of its own under a name. */
  isPackageWorkflow(module: ModuleFacts, specifier: string, path: readonly string[]): boolean;
  /** The module of the program that an import specifier leads to. */
  importOf(module: ModuleFacts, specifier: string): ModuleFacts | null;
  /** Everything that a root reaches, itself first. */
  reach(root: Place, through: (target: Place) => boolean): Place[];
}

export type Level = 'workflow' | 'step';

export interface Place {
  module: ModuleFacts;
  unit: Unit;
}

export interface Hop extends Place {
  use: Use;
}

export interface ResolvedUse {
  use: Use;
  reference: Reference;
  /** The unit that runs, or may be run, where the use stands; null where it leads to none. */
  target: Place | null;
}

/** The uses of one unit. Lists without a use are one and the same. */
export interface UnitUses {
  all: readonly ResolvedUse[];
  /** Of those the ones of what is no part of the program: of globals, of modules of Node and of packages. */
  outer: readonly ResolvedUse[];
  inner: readonly ResolvedUse[];
  /** Uses that lead to code which runs at the level of whoever calls it. */
  plain: readonly PlainUse[];
}

export interface PlainUse extends ResolvedUse {
  target: Place;
}

/** A function of a package that does I/O, and the way there. */
export interface PackageEnd {
  end: IoEnd;
  hops: readonly PackageHop[];
}

export interface PackageHop {
  /** Name of the function. */
  name: string;
  file: string;
  /** Where it leads on. */
  span: Span;
}

export interface ChainQuery<End> {
  /** A suppression of this rule cuts the chains that lead through its line. */
  rule: RuleName;
  roots: readonly Place[];
  /** Whether a use is what the rule looks for. */
  end(use: Use, reference: Reference, at: Place): End | null;
  /** Where one unit holds several ends: the lowest rank is named. */
  rank?(end: End): number;
  /** Whether to look into a unit that is reached. */
  through(target: Place): boolean;
}

export interface Chain<End> {
  /** At least one; the first is in the root. */
  hops: readonly [Hop, ...Hop[]];
  end: End;
}

export type Reference =
  /** A function, method or variable of the program; `rest` are members behind it. */
  | { kind: 'unit'; module: ModuleFacts; unit: Unit; path: readonly string[]; rest: readonly string[] }
  /** A `defineAction(…)` and the like; `rest` are members behind it: `['run']`. */
  | { kind: 'definition'; module: ModuleFacts; definition: DefinitionFact; rest: readonly string[] }
  /** Another name of a module's top level: a class, a variable without an initializer. */
  | { kind: 'binding'; module: ModuleFacts; path: readonly string[] }
  /** A module of the program as a whole, `import * as steps`, passed on or asked for a computed member; see `importOf`. */
  | { kind: 'namespace'; importer: ModuleFacts; specifier: string }
  /** A module of Node, without `node:`. */
  | { kind: 'builtin'; name: string; path: readonly string[] }
  /** A package outside of the program. `specifier` as written. */
  | { kind: 'package'; specifier: string; path: readonly string[] }
  /** Without `globalThis.` and the like before it. */
  | { kind: 'global'; path: readonly string[] }
  | { kind: 'unknown' };
