import type * as t from '@babel/types';
import type { Unit } from '../facts.ts';
import { type Node, unwrap } from './ast.ts';

/** Variables that hold an array, a `Map` or a `Set`, and the methods that change it. */
export type Collection = NonNullable<Unit['holds']>;

export const MUTATORS: Record<Collection, ReadonlySet<string>> = {
  array: new Set(['push', 'pop', 'shift', 'unshift', 'splice', 'sort', 'reverse', 'fill', 'copyWithin']),
  map: new Set(['set', 'delete', 'clear']),
  set: new Set(['add', 'delete', 'clear']),
};

const CLASSES: Record<string, Collection | undefined> = { Array: 'array', Map: 'map', Set: 'set' };

/** What kind of collection a variable holds, by its initial value or its type. */
export function collectionOf(declaration: Node, id: Node): Collection | null {
  if (declaration.type === 'VariableDeclarator' && declaration.id === id && declaration.init) {
    const kind = collectionIn(declaration.init);
    if (kind) return kind;
  }
  const annotation = (id as t.Identifier).typeAnnotation;
  const type = annotation?.type === 'TSTypeAnnotation' ? annotation.typeAnnotation : null;
  if (type?.type === 'TSArrayType') return 'array';
  if (type?.type !== 'TSTypeReference' || type.typeName.type !== 'Identifier') return null;
  return collectionNamed(type.typeName.name);
}

/** What kind of collection an expression makes. */
export function collectionIn(expression: Node): Collection | null {
  const value = unwrap(expression);
  if (value.type === 'ArrayExpression') return 'array';
  if (value.type !== 'NewExpression' || value.callee.type !== 'Identifier') return null;
  return collectionNamed(value.callee.name);
}

function collectionNamed(name: string): Collection | null {
  return Object.hasOwn(CLASSES, name) ? (CLASSES[name] ?? null) : null;
}
