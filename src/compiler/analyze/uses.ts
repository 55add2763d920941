import type * as t from '@babel/types';
import type { ModuleFacts, Unit, Use } from '../facts.ts';
import { type Node, unwrap } from './ast.ts';
import type { DirectiveFunction } from './functions.ts';
import type { Binding, Model, ModuleReference, Ref, ThisMember } from './model.ts';
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
  for (const member of model.thisMembers) {
    const path = memberPath(member);
    if (path)
      add(
        member.unit,
        { kind: 'local', path, access: accessOf(member) },
        member.node.start as number,
        member.node.end as number,
      );
  }
  for (const [unit, node] of model.instances) {
    const instanceOf = meaning.classOf(node);
    if (instanceOf) (model.units[unit] as Unit).instanceOf = instanceOf;
  }
  for (const unit of model.units) unit.uses.sort((a, b) => a.span.start - b.span.start);
}

type Meaning = Pick<Use, 'kind' | 'path'>;

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
    this.#refs = new Map(model.refs.map((ref) => [ref.node, ref]));
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
  classOf({ callee }: t.NewExpression): { kind: 'import' | 'local'; path: string[] } | null {
    let root = unwrap(callee as Node);
    while (root.type === 'MemberExpression') root = unwrap(root.object);
    const ref = this.#refs.get(root);
    const meaning = ref?.access === 'new' ? this.of(ref) : null;
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

function memberPath({ site, name, isStatic }: ThisMember): string[] | null {
  const { path } = placeOf(site.ancestors, site.node);
  if (path === null) return null;
  return isStatic ? [...path.split('.'), name] : [...path.split('.'), `#${name}`];
}

function accessOf({ node, parent }: ThisMember): Use['access'] {
  if ((parent.type === 'CallExpression' || parent.type === 'OptionalCallExpression') && parent.callee === node)
    return 'call';
  if (parent.type === 'AssignmentExpression' && parent.left === node) return 'write';
  if (parent.type === 'UpdateExpression') return 'write';
  return 'read';
}
