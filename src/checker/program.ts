import type { ModuleFacts, Unit, Use } from '../compiler/facts.ts';
import { compareText } from '../diagnostics/order.ts';
import { WORKFLOW_KINDS } from '../rules/levels.ts';
import type { Chain, ChainQuery, Level, PackageEnd, Place, Program, Reference, ResolvedUse } from '../rules/program.ts';
import { collectReached, type ReachedCode } from '../rules/reached.ts';
import type { PackageSource } from './package-query.ts';
import { type ChainSuppressions, findChains, reachFrom, targetOf } from './reach.ts';
import { transplant } from './transplant.ts';
import { Names } from './names.ts';
import type { Resolve } from './resolution.ts';
import { type KnownUses, knownUses, leadsTheSame, moduleReferences, UnitNode } from './unit-node.ts';

/** Where modules come from. A `Map` of all of them will do; a session reads files when they are first asked for. */
export interface ModuleSource {
  /** The files that the check starts from. */
  keys(): Iterable<string>;
  /** Facts of any file that a resolution names; undefined where there are none. */
  get(file: string): ModuleFacts | undefined;
}

const NO_SUPPRESSIONS: ChainSuppressions = { add: () => {}, covers: () => false, markUsed: () => {} };

/** The facts of all modules joined. What was found out is kept from check to check, as long as edits leave it as it is. */
export class ProgramGraph implements Program {
  readonly #source: ModuleSource;
  readonly #resolve: Resolve;
  readonly #packages: PackageSource | null;
  #suppressions: ChainSuppressions;
  readonly #names: Names;
  readonly #references = new WeakMap<Use, Known<{ reference: Reference }>>();
  readonly #nodes = new WeakMap<Unit, UnitNode>();
  /** Modules in which something was asked about that leads to nothing known. */
  readonly #withUnknown = new WeakSet<ModuleFacts>();
  /** Of checks. */
  #round = 0;
  #walk: Walk = newWalk();
  /** An error has ended a refresh half way: what is known belongs to no state of the files. */
  #isBroken = false;
  /** Whether what is asked about now is a part of the walk. */
  #walking = false;
  #trail: Set<ModuleFacts> | null = null;
  readonly #known = new Map<string, ModuleFacts | undefined>();
  readonly #touched = new Set<ModuleFacts>();
  #modules: readonly ModuleFacts[];

  constructor(
    source: ModuleSource,
    resolve: Resolve,
    suppressions: ChainSuppressions = NO_SUPPRESSIONS,
    packages: PackageSource | null = null,
  ) {
    this.#source = source;
    this.#packages = packages;
    this.#resolve = resolve;
    this.#names = new Names((file) => this.#get(file), resolve);
    this.#suppressions = suppressions;
    this.#modules = this.#load();
  }

  /** Modules of this check: the entries, and those that something led to. */
  get touched(): ReadonlySet<ModuleFacts> {
    return this.#touched;
  }

  get modules(): readonly ModuleFacts[] {
    return this.#modules;
  }

  /**
   * Takes over what has changed in its files, if names mean what they meant: most edits are made inside of functions, and what
   * is known of all others then holds. The facts that it has stay the same objects, with new content.
   *
   * @param adopt - told of facts that live on in place of newer ones
   * @returns false when a new graph has to be made
   */
  refresh(suppressions: ChainSuppressions, adopt: (file: string, facts: ModuleFacts) => void): boolean {
    if (this.#isBroken) return false;
    this.#isBroken = true;
    const edited: [UnitNode, KnownUses][] = [];
    for (const [file, known] of this.#known) {
      const now = this.#source.get(file);
      if (now === known) continue;
      if (!known) return false;
      const walked = this.#walkedIn(known);
      if (!now || !transplant(known, now)) return false;
      edited.push(...walked);
      this.#names.forget(known);
      adopt(file, known);
    }
    const isSameWalk = this.#leadsTheSame(edited);
    this.#suppressions = suppressions;
    this.#touched.clear();
    this.#round++;
    this.#modules = isSameWalk ? this.#again() : this.#load();
    this.#isBroken = false;
    return true;
  }

  #walkedIn({ units }: ModuleFacts): [UnitNode, KnownUses][] {
    return units.flatMap((unit): [UnitNode, KnownUses][] => {
      const node = this.#nodes.get(unit);
      return node?.known && node.walk === this.#walk ? [[node, node.known]] : [];
    });
  }

  /** Whether all that was edited leads where it led: then whatever a walk has found it would find again. */
  #leadsTheSame(edited: readonly [UnitNode, KnownUses][]): boolean {
    // Nobody is told of modules that this question leads to: whether they count is not known yet.
    this.#suppressions = NO_SUPPRESSIONS;
    this.#round++;
    return edited.every(([node, before]) => leadsTheSame(before, this.usesOf(node)));
  }

  /** The modules of the last walk, in a list of this check. */
  #again(): ModuleFacts[] {
    for (const module of this.#walk.touched) this.#touch(module);
    return [...this.#modules];
  }

  stats(): { modules: number; units: number; steps: number; workflows: number; unresolved: number } {
    const stats = { modules: 0, units: 0, steps: 0, workflows: 0, unresolved: 0 };
    for (const module of this.#touched) {
      stats.modules++;
      const isSuspect = this.#withUnknown.has(module);
      for (const unit of module.units) {
        const { kind, uses } = unit;
        stats.units++;
        if (isSuspect && this.#isFollowed(unit))
          for (const use of uses) if (isUnresolved(use, this.#references.get(use)?.reference)) stats.unresolved++;
        if (kind === 'step' || kind === 'action') stats.steps++;
        else if (kind === 'workflow' || kind === 'workflow-definition') stats.workflows++;
      }
    }
    return stats;
  }

  /** What an earlier check has followed, and this one has not, does not count. */
  #isFollowed(unit: Unit): boolean {
    const node = this.#nodes.get(unit);
    return node !== undefined && (node.round === this.#round || node.walk === this.#walk);
  }

  #get(file: string): ModuleFacts | undefined {
    if (!this.#known.has(file)) this.#known.set(file, this.#source.get(file));
    const module = this.#known.get(file);
    if (module) this.#trail?.add(module);
    return module;
  }

  /** Comments count in modules that something leads to, in this check and not in an earlier one. */
  #touch(module: ModuleFacts): void {
    if (this.#walking) this.#walk.touched.add(module);
    if (this.#touched.has(module)) return;
    this.#touched.add(module);
    this.#suppressions.add(module);
  }

  /** The entries, and modules beyond them (of a workspace package, say) whose steps and definitions workflows reach. */
  #load(): ModuleFacts[] {
    this.#walk = newWalk();
    return this.#asWalk(() => this.#walkFromEntries());
  }

  #walkFromEntries(): ModuleFacts[] {
    const modules = new Set<ModuleFacts>();
    const queue = new Set<UnitNode>();
    const take = (module: ModuleFacts): void => {
      if (modules.has(module)) return;
      modules.add(module);
      this.#touch(module);
      for (const unit of module.units) if (isWorkflow(unit)) queue.add(this.#node(module, unit));
    };
    for (const file of this.#source.keys()) {
      const module = this.#get(file);
      if (module) take(module);
    }
    for (const node of queue) {
      const uses = this.usesOf(node);
      for (const module of moduleReferences(uses))
        if (module.functions.length > 0 || module.definitions.length > 0) take(module);
      for (const { target } of uses.plain) queue.add(target as UnitNode);
    }
    return [...modules].sort((a, b) => compareText(a.file, b.file));
  }

  #asWalk<Found>(walk: () => Found): Found {
    this.#walking = true;
    try {
      return walk();
    } finally {
      // A file that cannot be read ends a check, and not the session.
      this.#walking = false;
    }
  }

  reached(level: Level): ReachedCode {
    const { reached } = this.#walk;
    let code = reached.get(level);
    if (!code) {
      code = this.#asWalk(() => collectReached(this, level));
      reached.set(level, code);
    }
    return code;
  }

  places(...kinds: Unit['kind'][]): Place[] {
    const found: Place[] = [];
    for (const module of this.modules) {
      for (const unit of module.units) if (kinds.includes(unit.kind)) found.push(this.#node(module, unit));
    }
    return found;
  }

  chains<End>(query: ChainQuery<End>): Chain<End>[] {
    return findChains(this, query, this.#suppressions);
  }

  inPackage(module: ModuleFacts, use: Use, reference: Reference, depth: number): PackageEnd | null {
    if (reference.kind !== 'package' || use.access === 'write') return null;
    const { specifier, path } = reference;
    return this.#packages?.find({ importer: module.file, specifier, path, access: use.access, depth }) ?? null;
  }

  isPackageWorkflow(module: ModuleFacts, specifier: string, path: readonly string[]): boolean {
    return this.#packages?.isWorkflow({ importer: module.file, specifier, path }) === true;
  }

  /** What an export of a module is, and members of it. */
  exportOf(file: string, [name = '', ...rest]: readonly string[], access: Use['access']): Reference | null {
    const module = this.#get(file);
    if (!module) return null;
    const reference = this.#names.exported(module, name, rest, new Set());
    return access === 'new' ? this.#names.constructed(reference) : reference;
  }

  reach(root: Place, through: (target: Place) => boolean): Place[] {
    return reachFrom(this, root, through);
  }

  importOf(module: ModuleFacts, specifier: string): ModuleFacts | null {
    const resolution = this.#resolve(specifier, module.file);
    return (resolution.kind === 'file' && this.#get(resolution.file)) || null;
  }

  resolve(module: ModuleFacts, use: Use): Reference {
    let known = this.#references.get(use);
    if (!known) {
      this.#trail = new Set();
      const reference = this.#names.meaning(module, use);
      known = { reference, trail: [...this.#trail], round: -1 };
      this.#trail = null;
      if (isUnresolved(use, reference)) this.#withUnknown.add(module);
      this.#references.set(use, known);
    }
    this.#touchTrail(known);
    return known.reference;
  }

  usesOf(place: Place): KnownUses {
    const node = place instanceof UnitNode ? place : this.#node(place.module, place.unit);
    const { unit } = node;
    // When a module is put in place of an older one, its units live on with lists of their own.
    if (node.known === null || node.list !== unit.uses) {
      node.list = unit.uses;
      node.known = this.#usesIn(node);
      node.round = -1;
    }
    const isNew = this.#walking && node.walk !== this.#walk;
    if (node.round !== this.#round || isNew) {
      node.round = this.#round;
      if (isNew) node.walk = this.#walk;
      for (const each of node.known.trail) this.#touch(each);
    }
    return node.known;
  }

  #usesIn({ module, unit }: UnitNode): KnownUses {
    const trail = new Set<ModuleFacts>();
    const all = unit.uses.filter(isRun).map((use): ResolvedUse => {
      const reference = this.resolve(module, use);
      for (const each of (this.#references.get(use) as Known<object>).trail) trail.add(each);
      const target = targetOf(use, reference);
      return { use, reference, target: target && this.#node(target.module, target.unit) };
    });
    return knownUses(all, [...trail]);
  }

  #node(module: ModuleFacts, unit: Unit): UnitNode {
    let node = this.#nodes.get(unit);
    if (!node) {
      node = new UnitNode(module, unit);
      this.#nodes.set(unit, node);
    }
    return node;
  }

  #touchTrail(known: Known<object>): void {
    if (known.round === this.#round) return;
    known.round = this.#round;
    for (const each of known.trail) this.#touch(each);
  }
}

/** What was found out, and the modules that the way there leads through. */
type Known<Found> = Found & {
  readonly trail: readonly ModuleFacts[];
  /** The last check that was told of them. */
  round: number;
};

/** What going through the program from its entries and roots has found. */
interface Walk {
  /** The modules that it led through. */
  touched: Set<ModuleFacts>;
  reached: Map<Level, ReachedCode>;
}

function newWalk(): Walk {
  return { touched: new Set(), reached: new Map() };
}

/** Nothing known, or called of a variable to which something else was assigned. */
function isUnresolved({ access }: Use, reference: Reference | undefined): boolean {
  if (reference?.kind !== 'unit') return reference?.kind === 'unknown';
  return reference.unit.unsure === true && access === 'call';
}

/** What a call of the function returns, it does not run; and where closures go from there, nobody follows them. */
function isRun({ returned }: Use): boolean {
  return returned !== true;
}

function isWorkflow({ kind }: Unit): boolean {
  return (WORKFLOW_KINDS as readonly Unit['kind'][]).includes(kind);
}
