import type { Node } from './ast.ts';
import { staticPath } from './ast.ts';

/** What an imported name defines; `namespace` for `import * as pawl`. */
export type Definer = 'action' | 'workflow' | 'agent' | 'credential' | 'namespace';

const DEFINERS: ReadonlyMap<string, Exclude<Definer, 'namespace'>> = new Map([
  ['defineAction', 'action'],
  ['defineWorkflow', 'workflow'],
  ['defineAgent', 'agent'],
  ['defineCredential', 'credential'],
]);

export function definerOf(name: string): Exclude<Definer, 'namespace'> | undefined {
  return DEFINERS.get(name);
}

/** `Symbol.for('pawl-serialize')` and its siblings. */
export function symbolFor(node: Node): 'serialize' | 'deserialize' | null {
  if (node.type !== 'CallExpression' || staticPath(node.callee as Node)?.join('.') !== 'Symbol.for') return null;
  const argument = node.arguments[0];
  if (argument?.type !== 'StringLiteral') return null;
  const match = /^(?:pawl|workflow)-(serialize|deserialize)$/.exec(argument.value);
  return match ? (match[1] as 'serialize' | 'deserialize') : null;
}
