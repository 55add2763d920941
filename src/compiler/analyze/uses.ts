import type * as t from '@babel/types';
import type { ModuleFacts, Unit, Use } from '../facts.ts';
import { type Node, unwrap } from './ast.ts';
import type { DirectiveFunction } from './model.ts';
import type { Binding, ClassSite, MemberUse, Model, ModuleReference, Ref } from './model.ts';
import { placeOf } from './names.ts';

/** Sorts references into the units: what each piece of code mentions that is not its own. */
export function addUses(model: Model, facts: ModuleFacts, functions: readonly DirectiveFunction[]): void {
  const meaning = new Meanings(model, facts, functions);
  const add = (unit: number, use: Pick<Use, 'kind' | 'path' | 'access'>, start: number, end: number): void => {
    model.units[unit]?.uses.push({ ...use, span: model.positions.span(start, end) });
  };
  for (const ref of model.refs) {
    if (ref.exported || ref.silent) continue;
    const named = meaning.of(ref);
    if (named) add(ref.unit, { ...named, access: ref.access }, ref.node.start as number, ref.end);
  }
  for (const reference of model.requires) {
    // What is taken of it by name has uses of its own.
    if (meaning.taken.has(reference) || (reference.topLevel && reference.locals.length > 0)) continue;
    const path = [reference.specifier ?? '', ...reference.path];
    add(
      reference.unit,
      { kind: 'module', path, access: 'call' },
      reference.node.start as number,
      reference.node.end as number,
    );
  }
  const classes = new ClassPaths(meaning);
  for (const member of model.members) {
    const named = classes.member(member);
    if (named)
      add(member.unit, { ...named, access: accessOf(member) }, member.node.start as number, member.node.end as number);
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
  for (const unit of model.units) unit.uses.sort((a, b) => a.span.start - b.span.start);
}

type Meaning = Pick<Use, 'kind' | 'path'>;

/** A path that starts at the module's top level. */
type NamedPath = NonNullable<Unit['instanceOf']>;

class Meanings {
  /** Modules that are loaded in place and held in a variable that something uses. */
  readonly taken = new Set<ModuleReference>();
  readonly #model: Model;
  readonly #requireLocals: ReadonlySet<string>;
  readonly #nested = new Map<Node, string>();
  readonly #modules = new Map<Node, ModuleReference>();
  readonly #refs: ReadonlyMap<Node, Ref>;

  constructor(model: Model, facts: ModuleFacts, functions: readonly DirectiveFunction[]) {
    this.#model = model;
    // Of several references at one node the first speaks of the whole of it.
    this.#refs = new Map(model.refs.toReversed().map((ref) => [ref.node, ref]));
    this.#requireLocals = new Set(
      facts.imports.filter(({ form }) => form === 'require' || form === 'dynamic').map(({ local }) => local),
    );
    for (const fn of functions) if (!fn.site.outer.isStatic) this.#nested.set(fn.site.node as Node, fn.fact.path);
    for (const reference of model.requires) this.#modules.set(reference.node, reference);
  }

  of(ref: Ref): Meaning | null {
    const { binding, path } = ref;
    if (!binding) return { kind: 'global', path };
    if (binding.kind === 'import') return { kind: 'import', path };
    if (binding.scope.isStatic) {
      const isImport = this.#requireLocals.has(binding.name) && binding.scope === this.#model.module;
      return { kind: isImport ? 'import' : 'local', path };
    }
    return this.#ofInner(binding, path);
  }

  /** A variable of a function: of interest where it holds a nested step, a module, or an instance. */
  #ofInner(binding: Binding, path: string[]): Meaning | null {
    const { declaration } = binding;
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
    if (value.type !== 'NewExpression' || variable.id.type !== 'Identifier' || path.length < 2) return null;
    const owner = this.classOf(value);
    return owner && { kind: owner.kind, path: [...owner.path, `#${path[1]}`, ...path.slice(2)] };
  }

  /** The class that a `new` names, where it is one of the module or an import. */
  classOf({ callee }: t.NewExpression): NamedPath | null {
    return this.named(callee as Node, 'new');
  }

  /** What an expression of names and members leads to, where it starts at the module's top level. */
  named(expression: Node, access: Use['access']): NamedPath | null {
    let root = unwrap(expression);
    while (root.type === 'MemberExpression') root = unwrap(root.object);
    const ref = this.#refs.get(root);
    const meaning = ref?.access === access ? this.of(ref) : null;
    return meaning && (meaning.kind === 'import' || meaning.kind === 'local')
      ? { kind: meaning.kind, path: meaning.path }
      : null;
  }
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

/** What `this` and `super` mean in classes and objects. */
class ClassPaths {
  readonly #meaning: Meanings;
  readonly #paths = new Map<ClassSite, string | null>();

  constructor(meaning: Meanings) {
    this.#meaning = meaning;
  }

  pathOf(site: ClassSite): string | null {
    let path = this.#paths.get(site);
    if (path === undefined) {
      path = placeOf(site.ancestors, site.node).path;
      this.#paths.set(site, path);
    }
    return path;
  }

  baseOf({ node }: ClassSite): NamedPath | null {
    return node.superClass ? this.#meaning.named(node.superClass, 'read') : null;
  }

  member({ site, object, name, isStatic, ofBase }: MemberUse): NamedPath | null {
    const piece = isStatic ? name : `#${name}`;
    if (object) {
      const path = placeOf(object.ancestors, object.node).path;
      const end = path?.lastIndexOf('.') ?? -1;
      return path === null || end < 0 ? null : { kind: 'local', path: [...path.slice(0, end).split('.'), piece] };
    }
    if (!site) return null;
    if (ofBase) {
      const base = this.baseOf(site);
      return base && { kind: base.kind, path: [...base.path, name === 'constructor' ? '#constructor' : piece] };
    }
    const path = this.pathOf(site);
    return path === null ? null : { kind: 'local', path: [...path.split('.'), piece] };
  }
}

function accessOf({ node, parent }: MemberUse): Use['access'] {
  if (node.type === 'CallExpression') return 'call';
  if ((parent.type === 'CallExpression' || parent.type === 'OptionalCallExpression') && parent.callee === node)
    return 'call';
  if (parent.type === 'AssignmentExpression' && parent.left === node) return 'write';
  if (parent.type === 'UpdateExpression') return 'write';
  return 'read';
}
