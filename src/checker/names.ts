import { createRequire } from 'node:module';
import type { AliasFact, ExportFact, ImportFact, ModuleFacts, Unit, Use } from '../compiler/facts.ts';
import { isPlain } from '../rules/levels.ts';
import type { Reference } from '../rules/program.ts';
import type { Resolution, Resolve } from './resolution.ts';

const UNKNOWN: Reference = { kind: 'unknown' };
/** Names under which the global object stands. */
const GLOBAL_OBJECTS = new Set(['globalThis', 'window', 'self', 'global']);

/** What names mean: they are followed through imports, re-exports, namespaces, object paths and other names of the same thing. */
export class Names {
  readonly #get: (file: string) => ModuleFacts | undefined;
  readonly #resolve: Resolve;
  readonly #indexes = new Map<ModuleFacts, ModuleIndex>();

  /** @param get - facts of any file that a resolution names; undefined where there are none */
  constructor(get: (file: string) => ModuleFacts | undefined, resolve: Resolve) {
    this.#get = get;
    this.#resolve = resolve;
  }

  /** Forgets what a module declares: it has new content. */
  forget(module: ModuleFacts): void {
    this.#indexes.delete(module);
  }

  /** What a use means. */
  meaning(module: ModuleFacts, use: Use): Reference {
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
        return use.access === 'new' ? this.constructed(reference) : reference;
      }
    }
  }

  /** `new Order()` leads to the constructor. */
  constructed(reference: Reference): Reference {
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
    return target ? this.exported(target, name, rest, seen) : UNKNOWN;
  }

  exported(module: ModuleFacts, name: string, rest: readonly string[], seen: Set<string>): Reference {
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
      return this.exported(module, rest[0], rest.slice(1), seen);
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

function globalAt(path: readonly string[]): Extract<Reference, { kind: 'global' }> {
  return { kind: 'global', path: path.length > 1 && GLOBAL_OBJECTS.has(path[0] as string) ? path.slice(1) : path };
}

function isAliasKey(key: string): boolean {
  return key.startsWith('\0alias');
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
