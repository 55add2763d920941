import type { ProgramGraph } from '../checker/program.ts';
import type { SourceFile } from '../checker/files.ts';
import { likelySpecifiers } from '../checker/imports.ts';
import type { Resolve } from '../checker/resolution.ts';
import type { ModuleFacts, Unit, Use } from '../compiler/index.ts';
import type { Span } from '../diagnostics/types.ts';

/**
 * What modules change when they are loaded: `registry.add('x', fn)` in a module that is imported for nothing else.
 *
 * In the workflow bundle a module that nothing is taken of is not there, because most have nothing for workflows: they set up
 * clients and servers. Those that change what a workflow reads have to be there. They are found here, over all modules that
 * importing the workflows' modules would load: code of their top level that assigns to a variable of another module, or calls a
 * method of it or a function that changes it, where workflow code reads that variable.
 */
export interface LoadEffects {
  /** Files whose code has to be there, with the offsets of what they are wanted for; in the order in which they are loaded. */
  modules: ReadonlyMap<string, readonly Change[]>;
  /** Bare imports of packages of which workflow code uses something: `import 'dayjs/locale/de'`. */
  packages: readonly PackageImport[];
  /** What would be wanted, and cannot run where workflows do. */
  lost: readonly (Pick<Change, 'name' | 'span'> & { file: string; lacks: string })[];
}

export interface Change {
  /** What is changed, as the module calls it. */
  name: string;
  span: Span;
  /** Where it stands: the module's unit and in that a statement, or what makes a variable. */
  unit: Unit;
  statement: number | undefined;
  /** It stands in a function, which may run later. */
  deferred: boolean;
}

export interface PackageImport extends Pick<Change, 'name' | 'span'> {
  file: string;
  specifier: string;
}

type Place = ReturnType<ProgramGraph['places']>[number];
type Reference = ReturnType<ProgramGraph['resolve']>;
type Name = Pick<Use, 'kind' | 'path'>;

/** Globals of hosts that workflows do not have; code that needs one of them while it is loaded would stop every workflow. */
const ABSENT = new Set([
  ...['process', 'Buffer', 'require', '__dirname', '__filename', 'Deno', 'Bun', 'navigator', 'WebAssembly'],
  ...['fetch', 'XMLHttpRequest', 'WebSocket', 'EventSource', 'BroadcastChannel', 'MessageChannel', 'Worker'],
  ...['setTimeout', 'setInterval', 'setImmediate', 'performance'],
]);

/** Texts and facts of any file; none for what is no module. */
interface Files {
  get(file: string): SourceFile | null;
  facts(file: string): ModuleFacts | undefined;
}

/** @param roots - the modules that the workflow bundle begins with */
export function findLoadEffects(
  graph: ProgramGraph,
  roots: readonly ModuleFacts[],
  files: Files,
  resolve: Resolve,
): LoadEffects {
  const live = new LiveNames(graph);
  const near = modulesNear(roots, live, files, resolve);
  const facts = (file: string): ModuleFacts | undefined => (near.has(file) ? files.facts(file) : undefined);
  const finder = new Changes(graph, live);
  const modules = new Map<string, Change[]>();
  const packages: PackageImport[] = [];
  const lost: LoadEffects['lost'][number][] = [];
  for (const module of loadOrder(roots, facts, resolve)) {
    for (const { source, imported, span, typeOnly } of module.imports) {
      if (imported !== '' || typeOnly || resolve(source, module.file).kind !== 'external') continue;
      if (live.hasPackage(source))
        packages.push({ file: module.file, specifier: source, name: packageName(source), span });
    }
    const changes = finder.in(module);
    if (changes.length === 0) continue;
    const lacks = lackAtLoad(graph, module, changes);
    if (lacks === null) modules.set(module.file, changes);
    else {
      // A callback may never run while the module is loaded.
      const first = changes.find(({ deferred }) => !deferred);
      if (first) lost.push({ name: first.name, span: first.span, file: module.file, lacks });
    }
  }
  return { modules, packages, lost };
}

/**
 * The modules that may change something live, because what they load leads to it. Most do not, and are not parsed for this: their
 * imports are found by looking through the texts.
 */
function modulesNear(
  roots: readonly ModuleFacts[],
  live: LiveNames,
  files: Files,
  resolve: Resolve,
): ReadonlySet<string> {
  const importers = new Map<string, string[]>();
  const near = new Set<string>();
  const seen = new Set(roots.map(({ file }) => file));
  for (const file of seen) {
    const source = files.get(file);
    if (!source) continue;
    for (const specifier of likelySpecifiers(source)) {
      const resolution = resolve(specifier, file);
      if (resolution.kind === 'external' && live.hasPackage(specifier)) near.add(file);
      if (resolution.kind !== 'file') continue;
      seen.add(resolution.file);
      const list = importers.get(resolution.file);
      if (list) list.push(file);
      else importers.set(resolution.file, [file]);
      if (live.files.has(resolution.file)) near.add(file);
    }
  }
  for (const file of near) for (const importer of importers.get(file) ?? []) near.add(importer);
  return near;
}

/** Every module that the roots load, each behind what it imports. */
function loadOrder(
  roots: readonly ModuleFacts[],
  facts: (file: string) => ModuleFacts | undefined,
  resolve: Resolve,
): ModuleFacts[] {
  const order: ModuleFacts[] = [];
  const seen = new Set<string>();
  const visit = (module: ModuleFacts): void => {
    if (seen.has(module.file)) return;
    seen.add(module.file);
    for (const specifier of loadedBy(module)) {
      const resolution = resolve(specifier, module.file);
      const next = resolution.kind === 'file' ? facts(resolution.file) : undefined;
      if (next) visit(next);
    }
    order.push(module);
  };
  for (const root of roots) visit(root);
  return order;
}

/** What a module imports, in order. TypeScript leaves out imports of which nothing is used as a value. */
function loadedBy(module: ModuleFacts): string[] {
  const used = new Set<string>();
  for (const { uses } of module.units)
    for (const { kind, path } of uses) if (kind === 'import') used.add(path[0] as string);
  for (const { local } of module.exports) if (local !== null) used.add(local);
  const elides = /\.[cm]?tsx?$/.test(module.file);
  const found = [
    ...module.imports.filter(
      ({ typeOnly, form, local }) => !typeOnly && (form !== 'import' || local === '' || !elides || used.has(local)),
    ),
    ...module.exports.filter(({ typeOnly, source }) => !typeOnly && source !== null),
  ];
  return [...new Set(found.sort((a, b) => a.span.start - b.span.start).map(({ source }) => source as string))];
}

/** The variables of modules, and the packages, that workflow code reads. */
class LiveNames {
  readonly #graph: ProgramGraph;
  /** Files of variables and classes; what is set on a function of another module is not looked for. */
  readonly files = new Set<string>();
  readonly #live = new Set<string>();
  readonly #known = new Map<ModuleFacts, Map<string, string>>();

  constructor(graph: ProgramGraph) {
    this.#graph = graph;
    const seen = new Set<Unit>();
    const through = (place: Place): boolean => isPlain(place) && !seen.has(place.unit);
    for (const root of graph.places('workflow', 'workflow-definition'))
      for (const { module, unit } of graph.reach(root, through)) {
        if (seen.has(unit)) continue;
        seen.add(unit);
        for (const use of unit.uses)
          if (use.access !== 'write') for (const key of this.keys(module, use)) this.#live.add(key);
      }
  }

  hasPackage(specifier: string): boolean {
    return this.#live.has(`package ${packageName(specifier)}`);
  }

  /** Whether a name of a module leads to something that workflow code reads. */
  has(module: ModuleFacts, name: Name): boolean {
    return this.keys(module, name).some((key) => this.#live.has(key));
  }

  /** What a name and each beginning of it lead to: `registry.add` is a method of a class as well as of a variable. */
  keys(module: ModuleFacts, { kind, path }: Name): string[] {
    if (kind !== 'import' && kind !== 'local') return [];
    let known = this.#known.get(module);
    if (!known) this.#known.set(module, (known = new Map()));
    const keys: string[] = [];
    for (let length = 1; length <= path.length; length++) {
      const name = path.slice(0, length);
      const id = `${kind} ${name.join('.')}`;
      let key = known.get(id);
      if (key === undefined) known.set(id, (key = this.#keyOf(module, { kind, path: name })));
      if (key !== '') keys.push(key);
    }
    return keys;
  }

  /** Empty where a name leads to neither a variable nor a package. */
  #keyOf(module: ModuleFacts, name: Name): string {
    const found = this.#graph.resolve(module, { ...name, access: 'read', span: NOWHERE });
    if (found.kind === 'package') return `package ${packageName(found.specifier)}`;
    if (found.kind !== 'unit' && found.kind !== 'binding') return '';
    if (found.kind === 'binding' || found.unit.kind !== 'function') this.files.add(found.module.file);
    return `${found.module.file}#${found.path[0]}`;
  }
}

const NOWHERE: Span = { start: 0, end: 0, line: 1, column: 1, endLine: 1, endColumn: 1 };

/** Finds what changes names that are live. */
class Changes {
  readonly #graph: ProgramGraph;
  readonly #live: LiveNames;
  /** Files of the live variables that a unit changes itself. */
  readonly #direct = new Map<Unit, ReadonlySet<string>>();
  /** Units that reach no change. */
  readonly #harmless = new Set<Unit>();

  constructor(graph: ProgramGraph, live: LiveNames) {
    this.#graph = graph;
    this.#live = live;
  }

  /** Uses at the top level of a module that change what workflow code reads elsewhere. */
  in(module: ModuleFacts): Change[] {
    const changes: Change[] = [];
    for (const unit of module.units) {
      if (unit.kind !== 'module' && unit.kind !== 'variable') continue;
      for (const use of unit.uses) {
        if (!this.#changesElsewhere({ module, unit }, use)) continue;
        changes.push({
          name: use.path.join('.'),
          span: use.span,
          unit,
          statement: use.statement,
          deferred: use.deferred === true,
        });
      }
    }
    return changes;
  }

  /** What the module changes of its own is there when the module is. */
  #changesElsewhere({ module, unit }: Place, use: Use): boolean {
    if (use.kind !== 'import' && use.kind !== 'local') return false;
    const reference = this.#graph.resolve(module, use);
    const asStatement = unit.kind === 'module';
    // A variable of the module may be another name of something elsewhere: then its home is there.
    if (homeOf(reference) !== module.file && this.#changes(module, use, reference, asStatement)) return true;
    if (use.kind === 'local' && mayChange(use, asStatement) && this.#isAlias(module, reference)) return true;
    if ((use.access !== 'call' && use.access !== 'new') || reference.kind !== 'unit' || !isPlain(reference))
      return false;
    const through = (place: Place): boolean => isPlain(place) && !this.#harmless.has(place.unit);
    if (!through(reference)) return false;
    let isHarmless = true;
    const reached = this.#graph.reach(reference, through);
    for (const place of reached)
      for (const file of this.#directly(place)) {
        if (file !== module.file) return true;
        isHarmless = false;
      }
    if (isHarmless) for (const { unit } of reached) this.#harmless.add(unit);
    return false;
  }

  /** `const { items } = registry`: a variable of the module that holds something live of another one. */
  #isAlias(module: ModuleFacts, reference: Reference): boolean {
    if (reference.kind !== 'unit' || reference.unit.kind !== 'variable' || reference.module !== module) return false;
    return reference.unit.uses.some(
      (use) => use.kind === 'import' && use.access === 'read' && !use.deferred && this.#live.has(module, use),
    );
  }

  #directly({ module, unit }: Place): ReadonlySet<string> {
    const known = this.#direct.get(unit);
    if (known) return known;
    const files = new Set<string>();
    this.#direct.set(unit, files);
    if (unit.kind === 'variable') return files;
    for (const use of unit.uses) {
      if (use.access === 'read' || (use.kind !== 'import' && use.kind !== 'local')) continue;
      const reference = this.#graph.resolve(module, use);
      if (this.#changes(module, use, reference, false)) files.add(homeOf(reference));
    }
    return files;
  }

  #changes(module: ModuleFacts, use: Use, reference: Reference, asStatement: boolean): boolean {
    return mayChange(use, asStatement) && isChangeable(use, reference) && this.#live.has(module, use);
  }
}

/** The file of what a name leads to; empty for a package. */
function homeOf(reference: Reference): string {
  return reference.kind === 'unit' || reference.kind === 'binding' ? reference.module.file : '';
}

/** Methods that one calls for what they do, also where one keeps what they give back. */
const CHANGING =
  /^(?:add|append|attach|configure|define|delete|enable|extend|insert|install|mount|on|push|put|register|remove|set|subscribe|unshift|use)(?![a-z])/;

/**
 * Whether a use may change what it leads to: it assigns to a part of it, or calls a method of it. A statement does so for the effect,
 * and so it hands something on; elsewhere the name of the method has to say it.
 */
function mayChange({ access, path, deferred }: Use, asStatement: boolean): boolean {
  if (access === 'write') return true;
  if (access === 'call' && path.length > 1) return asStatement || CHANGING.test(path.at(-1) as string);
  return access === 'read' && asStatement && path.length === 1 && !deferred;
}

/** A function that is called by its name, a step that is told its options: nothing that a workflow could read is changed. */
function isChangeable(use: Use, reference: Reference): boolean {
  if (reference.kind === 'unit') {
    const { unit, rest } = reference;
    if (unit.kind === 'function')
      return use.access === 'write' || (use.access === 'call' && use.path.length > 1 && rest.length === 0);
    return isPlain(reference);
  }
  return reference.kind === 'binding' || reference.kind === 'package';
}

/** A global or a module of Node that the changes need while the module is loaded, and that workflows do not have. */
function lackAtLoad(graph: ProgramGraph, module: ModuleFacts, changes: readonly Change[]): string | null {
  for (const unit of module.units) {
    if (unit.kind !== 'module' && unit.kind !== 'variable') continue;
    for (const use of unit.uses) {
      const isWanted = changes.some((change) => change.unit === unit && change.statement === use.statement);
      const lacks = isWanted && !use.deferred ? lackBehind(graph, { module, unit }, use) : null;
      if (lacks !== null) return lacks;
    }
  }
  return null;
}

function lackBehind(graph: ProgramGraph, { module }: Place, use: Use): string | null {
  const reference = graph.resolve(module, use);
  const lacks = lackOf(reference);
  if (lacks !== null || reference.kind !== 'unit' || !isPlain(reference)) return lacks;
  if (use.access !== 'call' && use.access !== 'new' && reference.unit.kind !== 'variable') return null;
  for (const reached of graph.reach(reference, isPlain))
    for (const inner of reached.unit.uses) {
      const found = inner.deferred ? null : lackOf(graph.resolve(reached.module, inner));
      if (found) return found;
    }
  return null;
}

function lackOf(reference: Reference): string | null {
  if (reference.kind === 'builtin') return `node:${reference.name}`;
  const [name = ''] = reference.kind === 'global' ? reference.path : [];
  return ABSENT.has(name) ? name : null;
}

function isPlain({ unit: { kind } }: { unit: Pick<Unit, 'kind'> }): boolean {
  return kind === 'function' || kind === 'method' || kind === 'variable';
}

function packageName(specifier: string): string {
  return /^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier;
}
