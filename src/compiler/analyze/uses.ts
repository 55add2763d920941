import type * as t from '@babel/types';
import type { Span } from '../../diagnostics/types.ts';
import type { AliasFact, ModuleFacts, Unit, Use } from '../facts.ts';
import {
  type Alias,
  aliasOf,
  headOf,
  isName,
  isReplaced,
  isSettled,
  memberOfLiteral,
  membersBehind,
  ownerOf,
  type PatternPlace,
  WHOLE,
} from './aliases.ts';
import { isFunction, keyName, type Node, staticPath, unwrap } from './ast.ts';
import { accessOf, ClassPaths, isWritten, Members } from './class-members.ts';
import { isProbed, queuesItself } from './idioms.ts';
import type { DirectiveFunction, FunctionInfo } from './model.ts';
import type { Binding, HeldMember, Model, ModuleReference, Ref } from './model.ts';
import { returnedCode } from './returned.ts';

/** Sorts references into the units: what each piece of code mentions that is not its own. */
export function addUses(model: Model, facts: ModuleFacts, functions: readonly DirectiveFunction[]): void {
  const meaning = new Meanings(model, facts, functions);
  const classes = new ClassPaths(meaning);
  const members = new Members(model, classes, facts.exports);
  const endless = new Set(model.queued.filter(queuesItself).map(({ callee }) => callee));
  const probed = new Set(model.probes.filter(({ binding }) => !binding).map(({ path }) => path.join('.')));
  // Uses are most of the facts. Each is made once, with its properties in one order, which costs a third of copying them about.
  const use = (unit: number, { kind, path }: Meaning, access: Use['access'], start: number, end: number): Use => {
    const made: Use = { kind, path, access, span: model.positions.span(start, end) };
    model.units[unit]?.uses.push(made);
    return made;
  };
  for (const ref of model.refs) {
    if (ref.exported || ref.silent) continue;
    const named = meaning.of(ref);
    if (!named || (named.via !== undefined && isKept(ref)) || isIdle(ref, named, facts)) continue;
    const { start, end } = ref.named ?? { start: ref.node.start, end: ref.end };
    const setter = isSet(ref) ? members.setter(named) : null;
    if (setter) {
      addStanding(use(ref.unit, setter, 'call', start as number, end as number), model, ref);
      continue;
    }
    const made = use(ref.unit, named, ref.access, start as number, end as number);
    if (named.via !== undefined) made.via = named.via;
    if (ref.named) made.from = ref.node.start as number;
    if (endless.has(ref.node)) made.endless = true;
    addStanding(made, model, ref);
    if (ref.access === 'write' && ref.how) made.how = ref.how;
    if (probed.size > 0 && named.kind === 'global' && isProbed(named.path, probed)) made.guarded = 'typeof';
    else if (ref.inTry && named.kind === 'import' && model.sdk.has(named.path[0] as string)) made.guarded = 'try';
  }
  for (const reference of model.requires) {
    // What is taken of it by name has uses of its own.
    if (meaning.taken.has(reference) || (reference.topLevel && reference.locals.length > 0)) continue;
    const path = [reference.specifier ?? '', ...reference.path];
    const { start, end } = reference.node;
    addStanding(
      use(reference.unit, { kind: 'module', path }, 'call', start as number, end as number),
      model,
      reference,
    );
  }
  for (const member of model.members) {
    const named = classes.member(member);
    if (!named) continue;
    const isOverridden = members.isOverridden(member);
    if (isOverridden && accessOf(member.node, member.parent) === 'read') continue;
    const held = isOverridden ? null : members.heldBy(member, named);
    const { node, parent } = held ? (member.held as HeldMember) : member;
    const access = accessOf(node, parent);
    const setter = access === 'write' && !isOverridden ? members.setter(named) : null;
    const { start, end } = node;
    // Which one is called, only the instance tells.
    const isOpen = isOverridden && access === 'call';
    const target: Meaning = isOpen ? { kind: 'unknown', path: [member.name] } : (held ?? setter ?? named);
    const made = use(member.unit, target, setter ? 'call' : access, start as number, end as number);
    if (made.access === 'write') made.how = 'own';
  }
  const bases = model.classes.flatMap((site) => {
    const path = classes.pathOf(site);
    const of = path === null ? null : classes.baseOf(site);
    return path === null || of === null ? [] : [{ path, of }];
  });
  if (bases.length > 0) facts.bases = bases;
  for (const [unit, node] of model.instances) {
    const instanceOf = meaning.classOf(node);
    if (instanceOf) (model.units[unit] as Unit).instanceOf = instanceOf;
  }
  for (const [unit, call] of model.results) {
    const path = meaning.resultOf(call);
    if (path) (model.units[unit] as Unit).resultOf = path;
  }
  addAliases(model, meaning);
  for (const unit of model.units) unit.uses.sort((a, b) => a.span.start - b.span.start);
  addReturned(model);
}

/** A value that is kept in a variable was read where that is made; of interest is who calls it, and what of it is used. */
function isKept({ access, path, given }: Ref): boolean {
  return access === 'read' && path.length === 1 && !given;
}

/** `config.url = text`, of a variable that nothing is assigned to. */
function isSet({ access, rebinds, how, binding }: Ref): boolean {
  return access === 'write' && !rebinds && how !== 'computed' && binding !== null && isSettled(binding);
}

/** A mention that by itself calls nothing, and hands nothing on: what is done with it stands elsewhere. */
function isIdle(ref: Ref, { kind }: Meaning, facts: ModuleFacts): boolean {
  if (ref.access !== 'read' || kind === 'global' || kind === 'unknown') return false;
  if (ref.compared) return ref.binding !== null && isFunctionHere(ref.binding);
  if (ref.orElse) return isAlwaysGiven(ref.orElse, facts);
  return ref.holder !== undefined && isLeft(ref, ref.holder);
}

/** Whether a name is that of a function of this module: what a comparison with another value reads may be anything. */
function isFunctionHere({ declaration }: Binding): boolean {
  return isFunction(
    declaration.type === 'VariableDeclarator' && declaration.init ? unwrap(declaration.init) : declaration,
  );
}

/** Whether nobody asks a variable for what it, or this member of it, holds. */
function isLeft({ scope }: Ref, { id, members }: NonNullable<Ref['holder']>): boolean {
  const binding = scope.find((id as t.Identifier).name);
  return (
    binding?.node === id &&
    isSettled(binding) &&
    binding.refs.every(
      ({ silent, compared, path }) =>
        silent || compared || members.some((member, index) => index + 1 < path.length && path[index + 1] !== member),
    )
  );
}

/** Whether every call of a function gives it this argument: then what stands in for it never does. */
function isAlwaysGiven({ fn, index }: NonNullable<Ref['orElse']>, facts: ModuleFacts): boolean {
  const binding = bindingOf(fn);
  if (!binding || facts.exports.some(({ local }) => local === binding.name)) return false;
  return binding.refs.every(
    ({ access, args = 0, compared, path }) =>
      compared ||
      // `new Client(get).load()`: what is done with the instance.
      path[1]?.startsWith('#') ||
      ((access === 'call' || access === 'new') && path.length === 1 && args > index && Number.isFinite(args)),
  );
}

/** The variable by which a function is called: its own name, the variable that holds it, or the class whose constructor it is. */
function bindingOf({ node, scope }: FunctionInfo): Binding | null {
  const outer = scope?.parent;
  if (!outer) return null;
  if (node.type === 'FunctionDeclaration') return node.id ? outer.find(node.id.name) : null;
  for (let at: typeof outer | null = outer; at; at = at.parent)
    for (const binding of at.bindings?.values() ?? []) {
      const { declaration } = binding;
      if (declaration.type === 'VariableDeclarator' && declaration.init && unwrap(declaration.init) === node)
        return isSettled(binding) ? binding : null;
      if (
        node.type === 'ClassMethod' &&
        node.kind === 'constructor' &&
        declaration.type === 'ClassDeclaration' &&
        declaration.body.body.includes(node)
      )
        return binding;
    }
  return null;
}

/** Which variables of the module, and members of what they hold, are other names of something. */
function addAliases(model: Model, meaning: Meanings): void {
  for (const alias of model.aliases) {
    const unit = model.units[alias.unit] as Unit;
    const named = meaning.of(alias.ref);
    if (!named || (named.kind !== 'import' && named.kind !== 'local' && named.kind !== 'global')) continue;
    const owner = ownerOf(model, alias);
    const isSure =
      (!owner || (isSettled(owner) && !isReplaced(owner, unit.path.split('.')))) && !isFieldSet(model, unit);
    if (!isSure) unit.unsure = true;
    else unit.alias = aliasFact(named as NamedPath, alias.place);
  }
  for (const { unit: index, ref } of model.spreads) {
    const named = meaning.of(ref);
    if (named?.kind !== 'import' && named?.kind !== 'local') continue;
    const unit = model.units[index] as Unit;
    unit.spreads = [{ kind: named.kind, path: named.path }, ...(unit.spreads ?? [])];
  }
  for (const { unit: index, element } of model.elements) {
    const unit = model.units[index] as Unit;
    const named = meaning.named(element, 'read');
    const owner = model.module.bindings?.get(unit.path);
    if (named && owner && isSettled(owner)) unit.alias = aliasFact(named, WHOLE);
  }
  for (const [index, array] of model.arrays) addElements(model, meaning, model.units[index] as Unit, array);
}

/** Whether some method sets the field that a unit is. */
function isFieldSet({ members }: Model, { path }: Unit): boolean {
  const field = path.lastIndexOf('#');
  return field >= 0 && members.some((member) => member.name === path.slice(field + 1) && isWritten(member));
}

/** `const handlers = [save, load]`: `handlers.0` is another name of `save`. */
function addElements({ module, units }: Model, meaning: Meanings, { path }: Unit, array: t.ArrayExpression): void {
  const owner = module.bindings?.get(path.replace(/\..*$/, ''));
  for (const [index, element] of array.elements.entries()) {
    if (element?.type === 'SpreadElement') return;
    const named = element && isName(element) ? meaning.named(element, 'read') : null;
    const own = `${path}.${index}`;
    if (!element || !named || (owner && (!isSettled(owner) || isReplaced(owner, own.split('.'))))) continue;
    const span = meaning.spanOf(element);
    units.push({ path: own, kind: 'variable', span, nameSpan: span, uses: [], alias: aliasFact(named, WHOLE) });
  }
}

function aliasFact({ kind, path }: NamedPath, { hasDefault, offset, without }: PatternPlace): AliasFact {
  const fact: AliasFact = { kind, path };
  if (offset > 0) fact.offset = offset;
  if (without.length > 0) fact.without = [...without];
  if (hasDefault) fact.orElse = true;
  return fact;
}

/** Marks what stands in closures that are returned. */
function addReturned(model: Model): void {
  const ranges = returnedCode(model);
  if (ranges.length === 0) return;
  for (const { kind, span, uses } of model.units) {
    if (kind !== 'function' && kind !== 'method') continue;
    const within = ranges.filter(([start, end]) => span.start <= start && end <= span.end);
    if (within.length === 0) continue;
    for (const use of uses)
      if (within.some(([start, end]) => start <= use.span.start && use.span.start < end)) use.returned = true;
  }
}

/** Where in what runs at load a use stands: in a function, and in which statement. */
function addStanding(use: Use, model: Model, { unit, fn, statement }: Pick<Ref, 'unit' | 'fn' | 'statement'>): void {
  const kind = model.units[unit]?.kind;
  if (kind !== 'module' && kind !== 'variable') return;
  if (isDeferred(fn)) use.deferred = true;
  if (unit === 0) use.statement = statement;
}

/** Whether code stands in a function that does not run where it stands. */
function isDeferred(fn: FunctionInfo | null): boolean {
  for (let at = fn; at; at = at.parent) if (!at.inPlace) return true;
  return false;
}

type Meaning = Pick<Use, 'kind' | 'path' | 'via'>;

/** A path that starts at the module's top level. */
type NamedPath = Pick<AliasFact, 'kind' | 'path'>;

class Meanings {
  /** Modules that are loaded in place and held in a variable that something uses. */
  readonly taken = new Set<ModuleReference>();
  readonly #model: Model;
  readonly #requireLocals: ReadonlySet<string>;
  readonly #nested = new Map<Node, string>();
  readonly #modules = new Map<Node, ModuleReference>();
  #refsAt: Map<Node, Ref> | null = null;
  readonly #results = new Map<Node, string[] | null>();
  readonly #aliases = new Map<Binding, Alias | null>();
  readonly #following = new Set<Binding>();

  constructor(model: Model, facts: ModuleFacts, functions: readonly DirectiveFunction[]) {
    this.#model = model;
    this.#requireLocals = new Set(
      facts.imports.filter(({ form }) => form === 'require' || form === 'dynamic').map(({ local }) => local),
    );
    for (const fn of functions) if (!fn.site.outer.isStatic) this.#nested.set(fn.site.node as Node, fn.fact.path);
    for (const reference of model.requires) this.#modules.set(reference.node, reference);
  }

  /** The reference at a node; of several the first, which speaks of the whole of it. Most modules never ask. */
  #refAt(node: Node): Ref | undefined {
    if (!this.#refsAt) {
      this.#refsAt = new Map();
      for (let i = this.#model.refs.length - 1; i >= 0; i--) {
        const ref = this.#model.refs[i] as Ref;
        this.#refsAt.set(ref.node, ref);
      }
    }
    return this.#refsAt.get(node);
  }

  spanOf({ start, end }: Node): Span {
    return this.#model.positions.span(start as number, end as number);
  }

  of({ binding, path, elementAt, access }: Pick<Ref, 'binding' | 'path' | 'elementAt' | 'access'>): Meaning | null {
    // What is iterated need not be an array.
    if (!binding) return { kind: 'global', path: elementAt === undefined ? path : path.slice(0, elementAt) };
    if (binding.kind === 'import') return { kind: 'import', path };
    if (binding.scope.isStatic) {
      const isImport = this.#requireLocals.has(binding.name) && binding.scope === this.#model.module;
      return { kind: isImport ? 'import' : 'local', path };
    }
    return this.#ofInner(binding, path, access);
  }

  /** A variable of a function: of interest where it holds a nested step, a module, or an instance. */
  #ofInner(binding: Binding, path: string[], access: Use['access']): Meaning | null {
    const { declaration } = binding;
    const result = this.#model.sdk.size > 0 ? this.#held(declaration, binding.name) : null;
    if (result) return { kind: 'import', path: [...result, ...path.slice(1)] };
    const variable = declaration.type === 'VariableDeclarator' && declaration.init ? declaration : null;
    const value = variable ? unwrap(variable.init as Node) : declaration;
    const nested = this.#nested.get(value);
    if (nested !== undefined) return { kind: 'nested', path: [nested] };
    if (!variable) return null;
    const loaded = this.#modules.get(loadOf(value));
    if (loaded?.specifier) {
      const local = loaded.locals.find((candidate) => candidate.local === binding.name);
      if (!local) return null;
      this.taken.add(loaded);
      const own = local.imported === '*' || loaded.path.length > 0 ? loaded.path : [local.imported];
      return { kind: 'module', path: [loaded.specifier, ...own, ...path.slice(1)] };
    }
    if (value.type !== 'NewExpression') return this.#ofAlias(binding, path, access);
    if (variable.id.type !== 'Identifier' || path.length < 2) return null;
    const owner = this.classOf(value);
    return owner && { kind: owner.kind, path: [...owner.path, `#${path[1]}`, ...path.slice(2)] };
  }

  /** What a variable of a function is another name of, and members of it. */
  #ofAlias(binding: Binding, path: string[], access: Use['access']): Meaning | null {
    let alias = this.#aliases.get(binding);
    if (alias === undefined) {
      alias = aliasOf(binding);
      this.#aliases.set(binding, alias);
    }
    const members = alias && membersBehind(alias, path.slice(1));
    if (!alias || !members || this.#following.has(binding)) return null;
    this.#following.add(binding);
    const found = this.#follow(alias.expression, members, access);
    this.#following.delete(binding);
    if (!found || alias.hasDefault) return null;
    if (isSettled(binding) && (access === 'write' || !isReplaced(binding, path))) return found;
    return access === 'call' ? { kind: 'unknown', path, via: found.via as number } : null;
  }

  /** What members of an expression of names and literals are. */
  #follow(expression: Node, members: readonly string[], access: Use['access']): Meaning | null {
    const inner = unwrap(expression);
    if (inner.type === 'ObjectExpression' || inner.type === 'ArrayExpression') {
      const [member, ...deeper] = members;
      const value = member === undefined ? null : memberOfLiteral(inner, member);
      // What is written to the new object is not in the one that it was copied from.
      if (value?.type === 'SpreadElement')
        return access === 'write' && deeper.length === 0 ? null : this.#follow(value.argument, members, access);
      // To put something else there changes the literal, and not what was in it.
      return value && !(access === 'write' && deeper.length === 0) ? this.#follow(value, deeper, access) : null;
    }
    const head = isName(inner) ? headOf(inner) : null;
    const ref = head && this.#refAt(head);
    const found = ref && this.of({ binding: ref.binding, path: [...ref.path, ...members], access });
    return found ? { ...found, via: head?.start as number } : null;
  }

  /** What a variable of a function holds, where that comes from a call of an SDK's function. */
  #held(declaration: Node, name: string): string[] | null {
    if (declaration.type !== 'VariableDeclarator') return null;
    const known = this.#results.get(declaration);
    if (known !== undefined) return known && withProperty(declaration.id, name, known);
    // Null while it is looked for: a variable may be made of itself.
    this.#results.set(declaration, null);
    const each = this.#model.iterated.get(declaration);
    const value = each ? this.resultOf(each) : declaration.init && this.resultOf(declaration.init);
    const path = value && each ? [...value, 'await'] : (value ?? null);
    this.#results.set(declaration, path);
    return path && withProperty(declaration.id, name, path);
  }

  /** The path of what an expression gives, where a call of an SDK's function is in it. */
  resultOf(expression: Node): string[] | null {
    const inner = unwrap(expression);
    switch (inner.type) {
      case 'AwaitExpression': {
        const path = this.resultOf(inner.argument);
        return path && [...path, 'await'];
      }
      case 'CallExpression': {
        const path = this.#called(unwrap(inner.callee as Node));
        return path && [...path, '()'];
      }
      case 'Identifier': {
        const ref = this.#refAt(inner);
        if (!ref?.binding || ref.binding.kind === 'import' || ref.binding.scope.isStatic) return null;
        return this.#held(ref.binding.declaration, ref.binding.name);
      }
      case 'MemberExpression': {
        const name = keyName(inner.property, inner.computed);
        const path = name === null ? null : this.resultOf(inner.object);
        return path && [...path, name as string];
      }
      default:
        return null;
    }
  }

  /** The path of a function of an SDK that is called: an import, or a member of such a call's result. */
  #called(callee: Node): string[] | null {
    const path = staticPath(callee);
    const ref = path && this.#refAt(rootOf(callee));
    if (ref?.binding?.kind === 'import') return this.#model.sdk.has(ref.name) ? path : null;
    if (ref?.binding && !ref.binding.scope.isStatic) {
      // `const { createHook: hook } = pawl`
      const named = ref.access === 'call' ? this.of(ref) : null;
      if (named?.kind === 'import' && this.#model.sdk.has(named.path[0] as string)) return named.path;
    }
    return callee.type === 'Identifier' ? null : this.resultOf(callee);
  }

  /** The class that a `new` names, where it is one of the module or an import. */
  classOf({ callee }: t.NewExpression): NonNullable<Unit['instanceOf']> | null {
    return this.named(callee as Node, 'new');
  }

  /** What an expression of names and members leads to, where it starts at the module's top level. */
  named(expression: Node, access: Use['access']): NonNullable<Unit['instanceOf']> | null {
    let root = unwrap(expression);
    while (root.type === 'MemberExpression') root = unwrap(root.object);
    const ref = this.#refAt(root);
    const meaning = ref?.access === access ? this.of(ref) : null;
    return meaning && (meaning.kind === 'import' || meaning.kind === 'local')
      ? { kind: meaning.kind, path: meaning.path }
      : null;
  }
}

/** `{ writable }` of what a call gives is a member of it; other patterns are not followed. */
function withProperty(id: Node, name: string, path: string[]): string[] | null {
  if (id.type === 'Identifier') return path;
  if (id.type !== 'ObjectPattern') return null;
  for (const property of id.properties) {
    if (property.type === 'RestElement' || property.value.type !== 'Identifier' || property.value.name !== name)
      continue;
    const key = keyName(property.key, property.computed);
    return key === null ? null : [...path, key];
  }
  return null;
}

function rootOf(expression: Node): Node {
  let root = unwrap(expression);
  while (root.type === 'MemberExpression') root = unwrap(root.object);
  return root;
}

/** The `require(…)` or `import(…)` under `await` and member accesses. */
function loadOf(value: Node): Node {
  let inner = value;
  for (;;) {
    inner = unwrap(inner);
    if (inner.type === 'AwaitExpression') inner = inner.argument;
    else if (inner.type === 'MemberExpression') inner = inner.object;
    else return inner;
  }
}
