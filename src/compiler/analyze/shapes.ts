import type * as t from '@babel/types';
import type { ClassShape } from '../facts.ts';
import { isFunction, type Node, staticPath, unwrap } from './ast.ts';
import { runsOnceAtLoad } from './functions.ts';
import type { Binding, ClassSite, DirectiveFunction, Model } from './model.ts';
import { placeOf } from './names.ts';
import { thisOwner } from './this.ts';

/** What the classes of a module's top level are for serialization; see `ClassShape`. */
export function readShapes(model: Model, functions: readonly DirectiveFunction[]): ClassShape[] {
  const harmless = new Set<Node>();
  for (const { node } of model.classes) if (node.superClass) harmless.add(rootOf(node.superClass));
  for (const node of model.program.body)
    if (node.type === 'ExportDefaultDeclaration') harmless.add(unwrap(node.declaration));
  return model.classes.flatMap((site) => {
    const { path } = placeOf(site.ancestors, site.node);
    if (path === null || !runsOnceAtLoad(site.ancestors, site.node)) return [];
    const at: Node = site.node.id ?? site.node;
    const start = at.start as number;
    const binding = bindingOf(model, site);
    return {
      path,
      nameSpan: model.positions.span(start, site.node.id ? (at.end as number) : start + 'class'.length),
      base: baseOf(model, site),
      abstract: Boolean((site.node as t.ClassDeclaration).abstract),
      serialize: site.serialize,
      deserialize: site.deserialize,
      fixed: site.deserializer !== null && !mentionsThis(model, site.deserializer),
      open: site.open || (binding !== null && isHandedOn(binding, harmless)),
      misplaced: misplacedIn(model, site, binding),
      needs: functions.flatMap((fn) => {
        const use = instanceUse(fn, site);
        if (!use) return [];
        const span = model.positions.span(use.start as number, use.end as number);
        return { step: fn.fact.name, span };
      }),
    };
  });
}

function rootOf(expression: Node): Node {
  let root = unwrap(expression);
  while (root.type === 'MemberExpression') root = unwrap(root.object);
  return root;
}

/** The variable that holds a class: its own name, or that of the `const` that it initializes. */
function bindingOf(model: Model, site: ClassSite): Binding | null {
  for (const binding of model.module.bindings?.values() ?? []) {
    const { declaration } = binding;
    if (declaration === site.node) return binding;
    if (declaration.type === 'VariableDeclarator' && declaration.init && unwrap(declaration.init) === site.node)
      return binding;
  }
  return null;
}

function baseOf(model: Model, { node }: ClassSite): ClassShape['base'] {
  if (!node.superClass) return null;
  const path = staticPath(node.superClass);
  const root = rootOf(node.superClass);
  const ref = path && model.refs.find((candidate) => candidate.node === root);
  if (!path || !ref?.binding) return 'unknown';
  if (ref.binding.kind === 'import') return { kind: 'import', path };
  return ref.binding.scope.isStatic && !isReassigned(ref.binding) ? { kind: 'local', path } : 'unknown';
}

function isReassigned({ refs }: Binding): boolean {
  return refs.some(({ rebinds }) => rebinds);
}

/** Whether code that runs at load gets hold of the class, and might give it members: `register(Order)`, `Order[key] = …`. */
function isHandedOn(binding: Binding, harmless: ReadonlySet<Node>): boolean {
  return binding.refs.some(
    ({ access, rebinds, path, fn, exported, node }) =>
      rebinds ||
      (path.length === 1 &&
        (access === 'write' || (access === 'read' && fn === null && !exported && !harmless.has(node)))),
  );
}

function misplacedIn(model: Model, site: ClassSite, binding: Binding | null): ClassShape['misplaced'] {
  const places = site.misplaced.map((member) => ({ node: (member as t.ClassMethod).key as Node, outside: false }));
  if (binding)
    for (const { object, node, scope } of model.symbolWrites)
      if (object.type === 'Identifier' && scope.find(object.name) === binding) places.push({ node, outside: true });
  return places.map(({ node, outside }) => ({
    span: model.positions.span(node.start as number, node.end as number),
    outside,
  }));
}

function mentionsThis(model: Model, method: t.ClassMethod): boolean {
  const info = model.functions.find(({ node }) => node === method);
  return !info || info.thisAt !== null || info.superAt !== null;
}

/** Where a step takes an instance of the class with it as `this`. */
function instanceUse({ fact, site, lexicalThis }: DirectiveFunction, owner: ClassSite): Node | null {
  if (fact.kind !== 'step') return null;
  const { node, info, ancestors } = site;
  const member: Node | null = fact.usesThis
    ? memberOf(node, ancestors)
    : lexicalThis
      ? (thisOwner(info)?.node ?? null)
      : null;
  if (!member || !(owner.node.body.body as Node[]).includes(member) || (member as t.ClassMethod).static) return null;
  if (member.type === 'StaticBlock') return null;
  return info.thisAt ?? (node as t.ClassMethod).key ?? node;
}

/** The class member that a step is: the method itself, or the field whose value is the function. */
function memberOf(node: Node, ancestors: readonly Node[]): Node | null {
  if (node.type === 'ClassMethod' || node.type === 'ClassPrivateMethod') return node;
  const field = ancestors.findLast(
    (ancestor) => ancestor.type.startsWith('Class') && ancestor.type.endsWith('Property'),
  );
  const value = (field as t.ClassProperty | undefined)?.value;
  return field && value && isFunction(node) && unwrap(value) === node ? field : null;
}
