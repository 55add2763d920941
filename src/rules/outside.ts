import type { ModuleFacts, Unit, Use } from '../compiler/facts.ts';
import { isPlain } from './levels.ts';
import type { Hop, Place, Program, Reference } from './program.ts';
import { reachedCode } from './reached.ts';

/** A use in code that runs outside of steps and workflows, and what it is. */
export interface OutsideUse<End> extends Hop {
  end: End;
}

/** Tests may call what they please: with everything around it replaced, a workflow is a function like others. */
const TEST = /(?:^|\/)__(?:tests|mocks)__\/|\.(?:test|spec)\.[^/.]+$/;

/**
 * Uses in code that certainly runs outside of steps and workflows. To be certain, everything that durable code mentions in any way
 * counts as inside, and with a name all that hangs on it: members of an object, a module that is passed on as a whole. What
 * modules hand over to others while they are loaded with durable code may be called by that. Methods of instances are not
 * looked at: often a type is all that leads to them.
 *
 * @param maybe - whether a use could be what the rule looks for; only then its meaning is asked for, which may take a parse
 * @param end - whether it is
 */
export function findOutside<End>(
  program: Program,
  maybe: (use: Use, module: ModuleFacts) => boolean,
  end: (use: Use, reference: Reference) => End | null,
): OutsideUse<End>[] {
  const levels = [reachedCode(program, 'workflow').units, reachedCode(program, 'step').units];
  const found: OutsideUse<End>[] = [];
  for (const module of program.modules) {
    if (TEST.test(module.file)) continue;
    for (const unit of module.units) {
      if (isDurable(unit) || unit.path.includes('#') || levels.some((units) => units.has(unit))) continue;
      for (const use of unit.uses) {
        const what = maybe(use, module) ? end(use, program.resolve(module, use)) : null;
        if (what !== null) found.push({ module, unit, use, end: what });
      }
    }
  }
  if (found.length === 0) return found;
  const inside = new Mentioned(program).takeDurable();
  const loaded = inside.takeWhatLoads();
  return found.filter(
    ({ module, unit, use }) => !inside.has(unit) && !(unit.kind === 'module' && use.deferred && loaded.has(module)),
  );
}

/**
 * Units that run in an app for certain: what the top level of modules calls or hands over, handlers of routes, and all that these
 * mention. An exported function that nobody here calls may be meant for the workflows of another program.
 */
export function appCode(program: Program): Pick<ReadonlySet<Unit>, 'has'> {
  const code = new Mentioned(program);
  for (const module of program.modules) code.takeApp(module);
  return code;
}

const ROUTE = /^(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS)$/;

/** Units, and all that they mention in any way. */
class Mentioned {
  readonly #program: Program;
  readonly #units = new Set<Unit>();
  readonly #queue: Place[] = [];
  readonly #wholes = new Set<ModuleFacts>();
  readonly #named = new Map<ModuleFacts, Map<string, Unit[]>>();
  /** Bases that are followed: a class may extend the one that it is a member of. */
  readonly #bases = new Set<object>();

  constructor(program: Program) {
    this.#program = program;
  }

  /** What may run in a step or a workflow. */
  takeDurable(): this {
    for (const module of this.#program.modules) {
      // With a step all of its class, with a definition what stands in its options.
      for (const unit of module.units) if (isDurable(unit)) this.#enterNamed(module, rootOf(unit.path), unit);
      for (const { local } of module.definitions) this.#enterNamed(module, local ?? 'default');
    }
    this.#follow();
    return this;
  }

  takeApp(module: ModuleFacts): void {
    for (const { name, local } of module.exports) if (ROUTE.test(name)) this.#enterNamed(module, local ?? name);
    for (const { kind, uses } of module.units) {
      if (kind !== 'module' && kind !== 'variable') continue;
      const exporting = new Set(uses.filter(isExport).map(({ statement }) => statement));
      for (const use of uses) {
        // What only stands in a variable is not run by that.
        const isRun = use.access === 'call' || use.access === 'new';
        if (kind === 'variable' ? isRun && !use.deferred : use.access !== 'write' && !exporting.has(use.statement))
          this.#mention(module, use);
      }
    }
    this.#follow();
  }

  has(unit: Unit): boolean {
    return this.#units.has(unit);
  }

  /** Takes in what the top level of modules mentions that are loaded with durable code; returns those modules. */
  takeWhatLoads(): ReadonlySet<ModuleFacts> {
    const loaded = new Set(this.#program.modules.filter(({ units }) => units.some(isDurable)));
    for (const module of loaded) {
      for (const source of sourcesOf(module)) {
        const target = this.#program.importOf(module, source);
        if (target) loaded.add(target);
      }
      for (const unit of module.units) {
        if (unit.given) this.#enter(module, unit);
        if (unit.kind === 'module') for (const use of unit.uses) this.#mention(module, use);
      }
    }
    this.#follow();
    return loaded;
  }

  #follow(): void {
    for (let place = this.#queue.pop(); place; place = this.#queue.pop())
      for (const use of place.unit.uses) this.#mention(place.module, use);
  }

  #enter(module: ModuleFacts, unit: Unit): void {
    if (this.#units.has(unit)) return;
    this.#units.add(unit);
    this.#queue.push({ module, unit });
  }

  #mention(module: ModuleFacts, use: Pick<Use, 'kind' | 'path'>): void {
    const reference = this.#program.resolve(module, { access: 'read', span: NOWHERE, ...use });
    switch (reference.kind) {
      case 'unit':
        this.#enterNamed(reference.module, rootOf(reference.unit.path), reference.unit);
        return;
      case 'binding':
        this.#enterNamed(reference.module, reference.path[0] as string);
        return;
      case 'definition':
        this.#enterNamed(reference.module, reference.definition.local ?? 'default');
        return;
      case 'namespace': {
        const target = this.#program.importOf(reference.importer, reference.specifier);
        if (target) this.#enterAll(target);
        return;
      }
      default:
    }
  }

  #enterNamed(module: ModuleFacts, name: string, unit?: Unit): void {
    if (unit) this.#enter(module, unit);
    for (const each of this.#unitsOf(module).get(name) ?? []) this.#enter(module, each);
    // What a class has of the class that it extends, it has under its own name.
    for (const { path, of } of module.bases ?? []) {
      if (rootOf(path) !== name || this.#bases.has(of)) continue;
      this.#bases.add(of);
      this.#mention(module, of);
    }
  }

  #enterAll(module: ModuleFacts): void {
    if (this.#wholes.has(module)) return;
    this.#wholes.add(module);
    for (const name of this.#unitsOf(module).keys()) this.#enterNamed(module, name);
    for (const { source } of module.exports) {
      const target = source === null ? null : this.#program.importOf(module, source);
      if (target) this.#enterAll(target);
    }
  }

  /** Units by the first piece of their path; the module's own is none of them. */
  #unitsOf(module: ModuleFacts): Map<string, Unit[]> {
    let named = this.#named.get(module);
    if (!named) {
      named = new Map();
      for (const unit of module.units) {
        if (unit.kind === 'module') continue;
        const root = rootOf(unit.path);
        named.set(root, [...(named.get(root) ?? []), unit]);
      }
      this.#named.set(module, named);
    }
    return named;
  }
}

/** `module.exports = …` */
function isExport({ kind, access, path }: Use): boolean {
  return kind === 'global' && access === 'write' && (path[0] === 'module' || path[0] === 'exports');
}

const NOWHERE: Use['span'] = { start: 0, end: 0, line: 1, column: 1, endLine: 1, endColumn: 1 };

function isDurable(unit: Unit): boolean {
  return unit.kind !== 'module' && !isPlain({ unit });
}

function rootOf(path: string): string {
  return /^[^.#/]*/.exec(path)?.[0] ?? path;
}

function sourcesOf({ imports, exports }: ModuleFacts): Set<string> {
  const sources = new Set<string>();
  for (const { source, typeOnly } of [...imports, ...exports]) if (source !== null && !typeOnly) sources.add(source);
  return sources;
}
