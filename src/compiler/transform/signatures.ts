import type * as t from '@babel/types';
import { type FunctionNode, isTransparent, keyName, type Node } from '../analyze/ast.ts';
import type { DirectiveFunction } from '../analyze/model.ts';
import type { Transform } from './transform.ts';

/**
 * What `name` and `length` of a function are in plain JavaScript, and how generated functions come to have the same: by being
 * written so. To set them afterwards costs more than to make the function, and workflow code is loaded again for each run.
 */

/** The `name` of a function: its own, or what the place gives that it stands in. */
export function plainName({ site: { node, ancestors } }: DirectiveFunction): string {
  switch (node.type) {
    case 'ObjectMethod':
    case 'ClassMethod':
    case 'ClassPrivateMethod':
      return keyName(node.key, (node as t.ObjectMethod).computed) ?? '';
    case 'FunctionDeclaration':
      return node.id?.name ?? 'default';
    case 'FunctionExpression':
      if (node.id) return node.id.name;
  }
  let child: Node = node;
  let i = ancestors.length - 1;
  for (; i >= 0 && isTransparent(ancestors[i] as Node); i--) child = ancestors[i] as Node;
  const parent = ancestors[i];
  switch (parent?.type) {
    case 'VariableDeclarator':
      return nameOf(parent.id);
    case 'AssignmentExpression':
      return parent.operator.length === 1 || /^(?:\?\?|\|\||&&)=$/.test(parent.operator) ? nameOf(parent.left) : '';
    case 'AssignmentPattern':
      return nameOf(parent.left);
    case 'ObjectProperty': {
      const name = keyName(parent.key, parent.computed) ?? '';
      return parent.value === child && (name !== '__proto__' || parent.computed) ? name : '';
    }
    case 'ClassProperty':
    case 'ClassPrivateProperty':
    case 'ClassAccessorProperty':
      return keyName(parent.key, (parent as t.ClassProperty).computed) ?? '';
    case 'ExportDefaultDeclaration':
      return 'default';
    default:
      return '';
  }
}

function nameOf(target: Node): string {
  return target.type === 'Identifier' ? target.name : '';
}

/** The `length` of a function: parameters before the first that has a default or is a rest. */
export function plainLength({ params }: FunctionNode): number {
  const own = params.filter((param) => !(param.type === 'Identifier' && param.name === 'this'));
  const end = own.findIndex(({ type }) => type === 'AssignmentPattern' || type === 'RestElement');
  return end === -1 ? own.length : end;
}

/** `__pawl_0, __pawl_1`: as many parameters as a function's `length` says. */
export function plainParams(transform: Transform, node: FunctionNode): string {
  return Array.from({ length: plainLength(node) }, (_, i) => transform.local(String(i))).join(', ');
}

/**
 * Parameters and body of a function that has all of its arguments in an array.
 *
 * @param body - given the array's name
 */
export function withArguments(transform: Transform, node: FunctionNode, body: (args: string) => string): string {
  const args = transform.local('args');
  const params = plainParams(transform, node);
  if (params === '') return `(...${args}) { ${body(args)} }`;
  const rest = transform.local('rest');
  const all = `const ${args} = [${params}, ...${rest}]; ${args}.length = arguments.length;`;
  return `(${params}, ...${rest}) { ${all} ${body(args)} }`;
}

/** `"charge": `, as a property's key that gives an anonymous function its name. */
export function namingKey(name: string): string {
  return name === '__proto__' ? '["__proto__"]: ' : `${JSON.stringify(name)}: `;
}
