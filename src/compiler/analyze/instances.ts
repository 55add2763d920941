import type * as t from '@babel/types';
import { type Node, staticPath, unwrap } from './ast.ts';
import type { Binding, Model } from './model.ts';
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
 * extends nothing and has neither serialization symbol. About imported classes one module says nothing.
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
  if (path.length > 1 || owner.kind !== 'class') return null;
  const node = owner.declaration as t.ClassDeclaration;
  const site = model.classes.find((candidate) => candidate.node === node);
  const assigned = owner.refs.some(({ access }) => access === 'write');
  return site && !node.superClass && !site.serialize && !site.deserialize && !assigned ? root : null;
}
