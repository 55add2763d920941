import { createRequire } from 'node:module';
import type { AliasFact, ExportFact, ImportFact, ModuleFacts, Unit, Use } from '../compiler/facts.ts';
import { compareText } from '../diagnostics/order.ts';
import { isPlain, WORKFLOW_KINDS } from '../rules/levels.ts';
import type {
  Chain,
  ChainQuery,
  PackageEnd,
  Place,
  PlainUse,
  Program,
  Reference,
  ResolvedUse,
  UnitUses,
} from '../rules/program.ts';
import type { PackageSource } from './package-query.ts';
import { type ChainSuppressions, findChains, reachFrom, targetOf } from './reach.ts';
import { transplant } from './transplant.ts';
import type { Resolution, Resolve } from './resolution.ts';

/** Where modules come from. A `Map` of all of them will do; a session reads files when they are first asked for. */
export interface ModuleSource {
  /** The files that the check starts from. */
  keys(): Iterable<string>;
  /** Facts of any file that a resolution names; undefined where there are none. */
  get(file: string): ModuleFacts | undefined;
}

const NO_SUPPRESSIONS: ChainSuppressions = { add: () => {}, covers: () => false, markUsed: () => {} };

const UNKNOWN: Reference = { kind: 'unknown' };
/** Names under which the global object stands. */
const GLOBAL_OBJECTS = new Set(['globalThis', 'window', 'self', 'global']);

/** The facts of all modules joined: names are followed through imports, re-exports, namespaces and object paths. */
export class ProgramGraph implements Program {
  readonly #source: ModuleSource;
  readonly #resolve: Resolve;
  readonly #packages: PackageSource | null;
  #suppressions: ChainSuppressions;
  readonly #indexes = new Map<ModuleFacts, ModuleIndex>();
  readonly #references = new WeakMap<Use, Known<{ reference: Reference }>>();
  readonly #nodes = new WeakMap<Unit, UnitNode>();
  /** Modules in which something was asked about that leads to nothing known. */
  readonly #withUnknown = new WeakSet<ModuleFacts>();
  /** Of checks. */
  #round = 0;
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
    for (const [file, known] of this.#known) {
      const now = this.#source.get(file);
      if (now === known) continue;
      if (!known || !now || !transplant(known, now)) return false;
      this.#indexes.delete(known);
      adopt(file, known);
    }
    this.#suppressions = suppressions;
    this.#touched.clear();
    this.#round++;
    this.#modules = this.#load();
    return true;
  }

  stats(): { modules: number; units: number; steps: number; workflows: number; unresolved: number } {
    const stats = { modules: 0, units: 0, steps: 0, workflows: 0, unresolved: 0 };
    for (const module of this.#touched) {
      stats.modules++;
      const isSuspect = this.#withUnknown.has(module);
      for (const unit of module.units) {
        const { kind, uses } = unit;
        stats.units++;
        // What an earlier check has followed, and this one has not, does not count.
        if (isSuspect && this.#nodes.get(unit)?.round === this.#round)
          for (const use of uses) if (isUnresolved(use, this.#references.get(use)?.reference)) stats.unresolved++;
        if (kind === 'step' || kind === 'action') stats.steps++;
        else if (kind === 'workflow' || kind === 'workflow-definition') stats.workflows++;
      }
    }
    return stats;
  }

  #get(file: string): ModuleFacts | undefined {
    if (!this.#known.has(file)) this.#known.set(file, this.#source.get(file));
    const module = this.#known.get(file);
    if (module) this.#trail?.add(module);
    return module;
  }

  /** Comments count in modules that something leads to, in this check and not in an earlier one. */
  #touch(module: ModuleFacts): void {
    if (this.#touched.has(module)) return;
    this.#touched.add(module);
    this.#suppressions.add(module);
  }

  /** The entries, and modules beyond them (of a workspace package, say) whose steps and definitions workflows reach. */
  #load(): ModuleFacts[] {
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
      const { inner, plain } = this.usesOf(node);
      for (const { reference } of inner) {
        if (reference.kind !== 'unit' && reference.kind !== 'definition') continue;
        if (reference.module.functions.length > 0 || reference.module.definitions.length > 0) take(reference.module);
      }
      for (const { target } of plain) queue.add(target as UnitNode);
    }
    return [...modules].sort((a, b) => compareText(a.file, b.file));
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
    const reference = this.#exported(module, name, rest, new Set());
    return access === 'new' ? this.#constructed(reference) : reference;
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
      const reference = this.#resolveUse(module, use);
      known = { reference, trail: [...this.#trail], round: -1 };
      this.#trail = null;
      if (isUnresolved(use, reference)) this.#withUnknown.add(module);
      this.#references.set(use, known);
    }
    this.#touchTrail(known);
    return known.reference;
  }

  usesOf(place: Place): UnitUses {
    const node = place instanceof UnitNode ? place : this.#node(place.module, place.unit);
    const { unit } = node;
    // When a module is put in place of an older one, its units live on with lists of their own.
    if (node.known === null || node.list !== unit.uses) {
      node.list = unit.uses;
      node.known = this.#usesIn(node);
      node.round = this.#round;
    }
    if (node.round !== this.#round) {
      node.round = this.#round;
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
    return { ...sorted(all), trail: [...trail] };
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

  #resolveUse(module: ModuleFacts, use: Use): Reference {
    const [head = '', ...rest] = use.path;
    switch (use.kind) {
      case 'unknown':
        return UNKNOWN;
      case 'global':
        return globalAt(use.path);
      case 'nested': {
        const unit = this.#index(module).units.get(head);
        return unit ? { kind: 'unit', module, unit, path: use.path, rest } : UNKNOWN;
      }
      case 'module':
        return head === '' ? UNKNOWN : this.#namespace(module, head, rest, new Set());
      case 'import':
      case 'local': {
        const reference = this.#local(module, use.path, new Set());
        return use.access === 'new' ? this.#constructed(reference) : reference;
      }
    }
  }

  /** `new Order()` leads to the constructor. */
  #constructed(reference: Reference): Reference {
    // `const Socket = WebSocket`
    if (reference.kind === 'unit' && reference.unit.alias?.kind === 'global' && reference.rest.length === 0)
      return globalAt(reference.unit.alias.path);
    if (reference.kind !== 'binding') return reference;
    const { module, path } = reference;
    const constructed = this.#local(module, [...path, '#constructor'], new Set());
    return constructed.kind === 'unit' ? constructed : reference;
  }

  /** A path that starts with a name of the module's top level. */
  #local(module: ModuleFacts, path: readonly string[], seen: Set<string>): Reference {
    const [head = '', ...rest] = path;
    const index = this.#index(module);
    const imported = index.imports.get(head);
    if (imported) return this.#imported(module, imported, rest, seen);
    const definition = index.definitions.get(head);
    // `const registry = { triage: defineAction(…), helper() {…} }`: what has a longer path of its own is meant by it.
    const shortest = definition ? 2 : 1;
    for (let length = path.length; length >= shortest; length--) {
      const unit = index.units.get(unitPath(path.slice(0, length)));
      if (unit) return this.#member(module, unit, path, path.slice(length), seen);
    }
    if (definition) return { kind: 'definition', module, definition, rest };
    return this.#inherited(module, path, seen) ?? { kind: 'binding', module, path };
  }

  /** A unit and members of it: those of an instance are methods of its class. */
  #member(
    module: ModuleFacts,
    unit: Unit,
    path: readonly string[],
    rest: readonly string[],
    seen: Set<string>,
  ): Reference {
    const named = unit.alias && this.#aliased(module, unit, unit.alias, rest, seen);
    if (named) return named;
    const [name, ...deeper] = rest;
    if (unit.instanceOf && name !== undefined) {
      const method = this.#local(module, [...unit.instanceOf.path, `#${name}`, ...deeper], seen);
      if (method.kind === 'unit' || method.kind === 'package') return method;
    }
    for (const spread of (name !== undefined && unit.spreads) || []) {
      const key = `\0alias\0${module.file}\0${unit.path}...${spread.path.join('.')}`;
      if (seen.has(key)) continue;
      const found = this.#aliased(module, unit, spread, rest, new Set(seen).add(key));
      if (found && (found.kind !== 'unit' || found.rest.length === 0)) return found;
    }
    return { kind: 'unit', module, unit, path, rest };
  }

  /** What a variable is another name of; null where it has to stand for itself. */
  #aliased(
    module: ModuleFacts,
    unit: Unit,
    { kind, path, offset = 0, without, orElse }: AliasFact,
    rest: readonly string[],
    seen: Set<string>,
  ): Reference | null {
    const [first, ...deeper] = rest;
    if ((offset > 0 || without) && (first === undefined || without?.includes(first))) return null;
    if (offset > 0 && !/^\d+$/.test(first as string)) return null;
    const members = offset > 0 ? [String(Number(first) + offset), ...deeper] : rest;
    if (kind === 'global') {
      // What is behind `globalThis` and names of one piece is an object; all else is a value that is read when the module is loaded.
      const start = globalAt(path).path;
      return members.length > 0 && start.length === 1 ? globalAt([...start, ...members]) : null;
    }
    const key = `\0alias\0${module.file}\0${unit.path}`;
    if (seen.has(key)) return null;
    // The way may lead through an export once more, for another member of it.
    const found = this.#local(module, [...path, ...members], new Set([...seen].filter(isAliasKey)).add(key));
    if (found.kind === 'unknown') return null;
    const isCertain = found.kind !== 'unit' || found.unit.kind !== 'variable' || found.rest.length === 0;
    return orElse && !isCertain ? null : found;
  }

  /** A member that a class has from the class that it extends. */
  #inherited(module: ModuleFacts, path: readonly string[], seen: Set<string>): Reference | null {
    const { bases } = this.#index(module);
    for (let length = path.length - 1; bases.size > 0 && length > 0; length--) {
      const name = unitPath(path.slice(0, length));
      const base = bases.get(name);
      const key = `${module.file}\0extends\0${name}`;
      if (!base || seen.has(key)) continue;
      seen.add(key);
      const found = this.#local(module, [...base.path, ...path.slice(length)], seen);
      if (found.kind === 'unit') return found;
    }
    return null;
  }

  #imported(module: ModuleFacts, fact: ImportFact, rest: readonly string[], seen: Set<string>): Reference {
    if (fact.typeOnly || fact.imported === '') return UNKNOWN;
    if (fact.imported === '*') return this.#namespace(module, fact.source, rest, seen);
    return this.#take(module, fact.source, fact.imported, rest, seen);
  }

  /** All of a module, and what is taken of it. */
  #namespace(module: ModuleFacts, specifier: string, rest: readonly string[], seen: Set<string>): Reference {
    const [name, ...deeper] = rest;
    if (name !== undefined) return this.#take(module, specifier, name, deeper, seen);
    const resolution = this.#resolve(specifier, module.file);
    if (resolution.kind === 'file') return { kind: 'namespace', importer: module, specifier };
    return outside(resolution, specifier, []) ?? UNKNOWN;
  }

  /** One export of the module that a specifier leads to. */
  #take(module: ModuleFacts, specifier: string, name: string, rest: readonly string[], seen: Set<string>): Reference {
    const resolution = this.#resolve(specifier, module.file);
    const reference = outside(resolution, specifier, [name, ...rest]);
    if (reference) return reference;
    const target = resolution.kind === 'file' ? this.#get(resolution.file) : undefined;
    return target ? this.#exported(target, name, rest, seen) : UNKNOWN;
  }

  #exported(module: ModuleFacts, name: string, rest: readonly string[], seen: Set<string>): Reference {
    const key = `${module.file}\0${name}`;
    if (seen.has(key)) return UNKNOWN;
    seen.add(key);
    const index = this.#index(module);
    const fact = index.exports.get(name);
    if (fact) return this.#export(module, fact, rest, seen);
    for (const star of index.stars) {
      if (name === 'default') break;
      const reference = this.#take(module, star.source as string, name, rest, seen);
      if (reference.kind === 'builtin' && !builtinHas(reference.name, name)) continue;
      if (reference.kind !== 'unknown') return reference;
    }
    // `import orders from './orders.cjs'` and `orders.priceOf`: the default of CommonJS is all of its exports.
    if (module.format === 'cjs' && name === 'default' && rest[0] !== undefined) {
      return this.#exported(module, rest[0], rest.slice(1), seen);
    }
    return UNKNOWN;
  }

  #export(module: ModuleFacts, fact: ExportFact, rest: readonly string[], seen: Set<string>): Reference {
    if (fact.source !== null) {
      if (fact.imported === null || fact.imported === '*') return this.#namespace(module, fact.source, rest, seen);
      return this.#take(module, fact.source, fact.imported, rest, seen);
    }
    const definition = module.definitions.find(({ local, exported }) => local === null && exported.includes(fact.name));
    if (definition) return { kind: 'definition', module, definition, rest };
    if (fact.local !== null) return this.#local(module, [fact.local, ...rest], seen);
    return this.#local(module, [fact.name, ...rest], seen);
  }

  #index(module: ModuleFacts): ModuleIndex {
    let index = this.#indexes.get(module);
    if (!index) {
      index = indexModule(module);
      this.#indexes.set(module, index);
    }
    return index;
  }
}

/** What was found out, and the modules that the way there leads through. */
type Known<Found> = Found & {
  readonly trail: readonly ModuleFacts[];
  /** The last check that was told of them. */
  round: number;
};

/** A unit of the program; one object for all uses that lead to it. */
class UnitNode implements Place {
  readonly module: ModuleFacts;
  readonly unit: Unit;
  /** Of which uses `known` tells. */
  list: readonly Use[] | null = null;
  known: KnownUses | null = null;
  /** The last check that asked. */
  round = -1;

  constructor(module: ModuleFacts, unit: Unit) {
    this.module = module;
    this.unit = unit;
  }
}

interface KnownUses extends UnitUses {
  /** The modules that the ways lead through. */
  trail: readonly ModuleFacts[];
}

const NONE: readonly never[] = [];

function sorted(all: readonly ResolvedUse[]): UnitUses {
  const listOf = <T extends ResolvedUse>(found: readonly T[]): readonly T[] => (found.length === 0 ? NONE : found);
  return {
    all: listOf(all),
    outer: listOf(all.filter(isOuter)),
    inner: listOf(all.filter((use) => !isOuter(use))),
    plain: listOf(all.filter((use): use is PlainUse => !isOuter(use) && use.target !== null && isPlain(use.target))),
  };
}

function isOuter({ reference: { kind } }: ResolvedUse): boolean {
  return kind === 'global' || kind === 'builtin' || kind === 'package';
}

/** Nothing known, or called of a variable to which something else was assigned. */
function isUnresolved({ access }: Use, reference: Reference | undefined): boolean {
  if (reference?.kind !== 'unit') return reference?.kind === 'unknown';
  return reference.unit.unsure === true && access === 'call';
}

function globalAt(path: readonly string[]): Extract<Reference, { kind: 'global' }> {
  return { kind: 'global', path: path.length > 1 && GLOBAL_OBJECTS.has(path[0] as string) ? path.slice(1) : path };
}

function isAliasKey(key: string): boolean {
  return key.startsWith('\0alias');
}

/** What a call of the function returns, it does not run; and where closures go from there, nobody follows them. */
function isRun({ returned }: Use): boolean {
  return returned !== true;
}

function isWorkflow({ kind }: Unit): boolean {
  return (WORKFLOW_KINDS as readonly Unit['kind'][]).includes(kind);
}

/** `['Order', '#total']` is the path `Order#total`. */
function unitPath(pieces: readonly string[]): string {
  return pieces.join('.').replaceAll('.#', '#');
}

const SLUGGED: ReadonlySet<Unit['kind']> = new Set(['action', 'agent', 'workflow-definition']);

interface ModuleIndex {
  imports: Map<string, ImportFact>;
  exports: Map<string, ExportFact>;
  stars: ExportFact[];
  definitions: Map<string, ModuleFacts['definitions'][number]>;
  units: Map<string, Unit>;
  bases: Map<string, NonNullable<Unit['instanceOf']>>;
}

function indexModule(module: ModuleFacts): ModuleIndex {
  const values = module.exports.filter((fact) => !fact.typeOnly);
  const index: ModuleIndex = {
    imports: new Map(),
    exports: new Map(),
    stars: values.filter((fact) => fact.name === '*' && fact.source !== null),
    definitions: new Map(),
    units: new Map(),
    bases: new Map((module.bases ?? []).map(({ path, of }) => [path, of])),
  };
  for (const fact of module.imports) {
    // A type and a value may share a local name; the value is what runs.
    if (fact.local !== '' && !(fact.typeOnly && index.imports.has(fact.local))) index.imports.set(fact.local, fact);
  }
  for (const fact of values) if (fact.name !== '*') index.exports.set(fact.name, fact);
  for (const definition of module.definitions) {
    if (definition.local !== null) index.definitions.set(definition.local, definition);
  }
  for (const unit of module.units) {
    // The unit of a definition bears its slug, which is no name that code could mention.
    if (unit.path === '' || SLUGGED.has(unit.kind)) continue;
    const known = index.units.get(unit.path);
    if (!known) index.units.set(unit.path, unit);
    // A variable that is assigned again, a constructor and the fields of its class: either may run.
    else if (isPlain({ module, unit: known }) && isPlain({ module, unit })) {
      const joined: Unit = { ...known, uses: [...known.uses, ...unit.uses] };
      if (joined.alias) {
        delete joined.alias;
        joined.unsure = true;
      }
      index.units.set(unit.path, joined);
    }
  }
  return index;
}

function outside(resolution: Resolution, specifier: string, path: readonly string[]): Reference | null {
  if (resolution.kind === 'builtin') return { kind: 'builtin', name: resolution.name, path };
  if (resolution.kind === 'external') return { kind: 'package', specifier, path };
  return null;
}

const require = createRequire(import.meta.url);

/** Whether a module of Node exports a name; asked only where a barrel says `export * from 'node:fs'`. */
function builtinHas(name: string, member: string): boolean {
  try {
    return Object.hasOwn(require(`node:${name}`), member);
  } catch {
    return true;
  }
}
