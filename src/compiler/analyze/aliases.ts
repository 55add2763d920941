import type * as t from '@babel/types';
import { isFunction, keyName, type Node, staticPath, unwrap } from './ast.ts';
import type { Binding, Model, Ref } from './model.ts';

/**
 * Variables that are nothing but other names of something: `const short = table.deep`, `const { a: { b } } = table`,
 * `const [first] = handlers`. What is assigned again is none: only running the code would tell what it holds.
 */

/** Where a variable stands in the pattern that declares it. */
export interface PatternPlace {
  /** The members that are taken. */
  members: readonly string[];
  /** It takes this member where that is not undefined, and something else otherwise. */
  hasDefault: boolean;
  /** Of a rest element in an array: how many elements stand before it. */
  offset: number;
  /** Of a rest element in an object: the members that it does not have. */
  without: readonly string[];
  /** Which of the members is the first that is an element of an array. */
  element: number | null;
}

/** What a variable is another name of: an expression, and members of what that gives. */
export interface Alias extends PatternPlace {
  expression: Node;
}

const leavesKnown = new WeakMap<Node, ReadonlyMap<Node, PatternPlace>>();

/** @returns null where the variable does not stand in the pattern, or under a computed key */
function placeInPattern(pattern: Node, id: Node): PatternPlace | null {
  if (pattern === id) return WHOLE;
  let leaves = leavesKnown.get(pattern);
  if (!leaves) {
    leaves = new Map(patternLeaves(pattern));
    leavesKnown.set(pattern, leaves);
  }
  return leaves.get(id) ?? null;
}

/** A variable that is no part of a pattern. */
export const WHOLE: PatternPlace = { members: [], hasDefault: false, offset: 0, without: [], element: null };

/** All variables of a pattern whose place is known without running the code. */
export function patternLeaves(pattern: Node, place: PatternPlace = WHOLE): [leaf: Node, place: PatternPlace][] {
  switch (pattern.type) {
    case 'Identifier':
      return [[pattern, place]];
    case 'AssignmentPattern':
      return patternLeaves(pattern.left, { ...place, hasDefault: true });
    case 'ObjectPattern': {
      const names = pattern.properties.flatMap((property) =>
        property.type === 'RestElement' ? [] : (keyName(property.key, property.computed) ?? []),
      );
      return pattern.properties.flatMap((property) => {
        if (property.type === 'RestElement') return patternLeaves(property.argument, { ...place, without: names });
        const name = keyName(property.key, property.computed);
        return name === null ? [] : patternLeaves(property.value, within(place, name));
      });
    }
    case 'ArrayPattern':
      return pattern.elements.flatMap((element, index) => {
        if (!element) return [];
        if (element.type !== 'RestElement')
          return patternLeaves(
            element,
            within({ ...place, element: place.element ?? place.members.length }, String(index)),
          );
        return element.argument.type === 'Identifier' ? [[element.argument, { ...place, offset: index }]] : [];
      });
    default:
      return [];
  }
}

function within(place: PatternPlace, member: string): PatternPlace {
  return { ...place, members: [...place.members, member] };
}

/** Whether more is taken by a pattern than what it names. */
export function hasRest(pattern: Node): boolean {
  switch (pattern.type) {
    case 'RestElement':
      return true;
    case 'AssignmentPattern':
      return hasRest(pattern.left);
    case 'ObjectPattern':
      return pattern.properties.some((property) => property.type === 'RestElement' || hasRest(property.value));
    case 'ArrayPattern':
      return pattern.elements.some((element) => element !== null && hasRest(element));
    default:
      return false;
  }
}

/** The path of what a member of a variable is: the variable's own place, and what is taken of it. */
export function membersBehind(
  { members, offset, without }: PatternPlace,
  taken: readonly string[],
): readonly string[] | null {
  const [first, ...deeper] = taken;
  if (first === undefined) return offset > 0 || without.length > 0 ? null : members;
  if (without.includes(first)) return null;
  if (offset === 0) return [...members, ...taken];
  return INDEX.test(first) ? [...members, String(Number(first) + offset), ...deeper] : null;
}

const INDEX = /^(?:0|[1-9]\d*)$/;

/** Of each variable: whether it is assigned again, and what puts something else where it leads. Most mentions do neither. */
interface Changes {
  rebound: boolean;
  replaced: (readonly string[])[];
}

const changesKnown = new WeakMap<Binding, Changes>();

/** To be asked when all references are known. */
function changesOf(binding: Binding): Changes {
  let changes = changesKnown.get(binding);
  if (!changes) {
    const { refs, again } = binding;
    changes = { rebound: again === true, replaced: [] };
    for (const { rebinds, access, path, how } of refs) {
      if (rebinds) changes.rebound = true;
      else if (access === 'write' && (path.length > 1 || how === 'computed')) changes.replaced.push(path);
      else if (access === 'call' && MOVES.has(path.at(-1) as string)) changes.replaced.push(path.slice(0, -1));
    }
    changesKnown.set(binding, changes);
  }
  return changes;
}

/** What puts other elements of an array where some were. */
const MOVES = new Set(['unshift', 'shift', 'splice', 'sort', 'reverse', 'fill', 'copyWithin']);

/** Whether a variable holds for good what it is declared with. */
export function isSettled(binding: Binding): boolean {
  return !changesOf(binding).rebound;
}

/** Whether something may put another value where a path leads: `table.run = other`, `table[name] = other`. */
export function isReplaced(binding: Binding, path: readonly string[]): boolean {
  return changesOf(binding).replaced.some(
    (changed) => changed.length <= path.length && changed.every((piece, index) => index === 0 || piece === path[index]),
  );
}

/** What a variable was declared to be another name of; whether it stays that, `isSettled` tells. */
export function aliasOf({ declaration, node }: Binding): Alias | null {
  if (declaration.type !== 'VariableDeclarator' || !declaration.init) return null;
  const expression = unwrap(declaration.init);
  if (!isName(expression) && expression.type !== 'ObjectExpression' && expression.type !== 'ArrayExpression')
    return null;
  const place = placeInPattern(declaration.id, node);
  return place && { expression, ...place };
}

/** A name, or members of one. */
export function isName(expression: Node): boolean {
  const path = staticPath(expression);
  return path !== null && path[0] !== 'this';
}

/** The identifier at the beginning of a path. */
export function headOf(expression: Node): Node {
  let root = unwrap(expression);
  while (root.type === 'MemberExpression' || root.type === 'OptionalMemberExpression') root = unwrap(root.object);
  return root;
}

/** What a literal holds under a name, or the spread that may put it there; null where a computed key might. */
export function memberOfLiteral(literal: t.ObjectExpression | t.ArrayExpression, name: string): Node | null {
  if (literal.type === 'ArrayExpression') {
    const before = INDEX.test(name) ? literal.elements.slice(0, Number(name) + 1) : [];
    if (before.length === 0 || before.some((element) => element?.type === 'SpreadElement')) return null;
    return (literal.elements[Number(name)] as Node | null | undefined) ?? null;
  }
  for (const property of [...literal.properties].reverse()) {
    if (property.type === 'SpreadElement') return property;
    const key = keyName(property.key, property.computed);
    if (key === null) return null;
    if (key !== name) continue;
    if (property.type === 'ObjectProperty') return unwrap(property.value);
    return property.kind === 'method' ? property : null;
  }
  return null;
}

/** The function that a member of a local object is: `const wrapped = { run: async () => … }` and `wrapped.run`. */
export function functionBehind(binding: Binding, members: readonly string[]): Node | null {
  if (binding.declaration.type !== 'VariableDeclarator' || members.length === 0 || !isSettled(binding)) return null;
  const { init } = binding.declaration;
  if (!init || binding.declaration.id !== binding.node || isReplaced(binding, [binding.name, ...members])) return null;
  let value: Node | null = unwrap(init);
  for (const member of members) {
    if (value?.type !== 'ObjectExpression' && value?.type !== 'ArrayExpression') return null;
    value = memberOfLiteral(value, member);
  }
  return value && isFunction(value) ? value : null;
}

/** What the walk notes of the variables and properties that are units, so that their meaning can be told in the end. */
export interface AliasUnit {
  unit: number;
  /** The reference that all of the value is. */
  ref: Ref;
  place: PatternPlace;
}

/** The variable of the module that an alias unit belongs to. */
export function ownerOf({ module, units }: Model, { unit }: AliasUnit): Binding | null {
  const name = /^[^.#/]*/.exec(units[unit]?.path ?? '')?.[0] ?? '';
  return module.bindings?.get(name) ?? null;
}
