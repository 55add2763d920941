import { type Node, staticPath, unwrap } from './ast.ts';
import type { Binding, ClassSite, Model } from './model.ts';
import { report } from './report.ts';

/** Globals whose instances are bound to the process that made them. */
const BOUND = new Set([
  'WeakMap',
  'WeakSet',
  'WeakRef',
  'FinalizationRegistry',
  'Promise',
  'Proxy',
  'Function',
  'AbortController',
  'WebSocket',
  'XMLHttpRequest',
  'EventSource',
  'EventTarget',
  'BroadcastChannel',
  'MessageChannel',
  'Worker',
  'TextEncoder',
  'TextDecoder',
  'Intl',
]);

/** Reports a captured variable that surely holds what cannot be serialized. `at` is its first use in the step. */
export function checkInstance(model: Model, step: string, binding: Binding, at: Node): void {
  const owner = unserializableInstance(model, binding);
  if (owner === null) return;
  const { name, node } = binding;
  report(
    model,
    'closure-unserializable',
    at.start as number,
    at.end as number,
    `The step '${step}' takes '${name}' from the code around it, and an instance of '${owner}' cannot be serialized.`,
    {
      remedy: `Make it within the step, move it to the top level of the module, or give the class the serialize and deserialize symbols.`,
      related: [{ start: node.start as number, end: node.end as number, message: `'${name}' is declared here` }],
    },
  );
}

/**
 * Whether a variable surely holds an instance that cannot be serialized: of a host class, or of a class of this module that
 * has neither serialization symbol, all of whose bases are of this module too. A class has to have them itself, or steps that
 * take its instances along; else the build does not know it. About imported classes one module says nothing.
 *
 * @returns the name of the class, or null
 */
function unserializableInstance(model: Model, binding: Binding): string | null {
  const { declaration } = binding;
  if (binding.kind !== 'const' || declaration.type !== 'VariableDeclarator' || !declaration.init) return null;
  const value = unwrap(declaration.init);
  if (declaration.id.type !== 'Identifier' || value.type !== 'NewExpression') return null;
  const path = staticPath(value.callee as Node);
  const root = path?.[0];
  if (path === null || root === undefined) return null;
  const owner = binding.scope.find(root);
  if (!owner) return BOUND.has(root) ? path.join('.') : null;
  if (path.length > 1) return null;
  const line = lineOf(model, owner);
  if (!line || line.some(({ open, misplaced }) => open || misplaced.length > 0)) return null;
  const [site] = line as [ClassSite];
  const able = line.some(({ serialize, deserialize }) => serialize || deserialize);
  return able && (site.serialize || site.deserialize || hasSteps(model, site)) ? null : root;
}

/** A class and its bases, where all of them are declared in this module and stay what they are. */
function lineOf(model: Model, owner: Binding): ClassSite[] | null {
  const line: ClassSite[] = [];
  for (let binding: Binding | null = owner; binding; ) {
    const { kind, declaration, refs } = binding;
    const site = model.classes.find(({ node }) => node === declaration);
    if (kind !== 'class' || !site || line.includes(site) || refs.some(({ access }) => access === 'write')) return null;
    line.push(site);
    const { superClass } = site.node;
    if (!superClass) return line;
    const base = unwrap(superClass);
    binding = base.type === 'Identifier' ? binding.scope.find(base.name) : null;
  }
  return null;
}

function hasSteps(model: Model, { node }: ClassSite): boolean {
  return model.directives.some(
    ({ kind, info, ancestors }) => kind === 'step' && info.thisAt && ancestors.includes(node.body),
  );
}
