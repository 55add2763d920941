import type * as t from '@babel/types';
import type { RaceFact } from '../call-facts.ts';
import { isFunction, keyName, type Node, unwrap } from './ast.ts';
import { type CallContext, loopAround, withoutHandlers } from './calls-context.ts';
import { leaves } from './calls-flow.ts';
import { isCombinator } from './calls-result.ts';
import { type CallNode, type Found, isWithin, type LoopNode } from './calls-walk.ts';
import type { Binding } from './model.ts';

/**
 * `Promise.race([hook, other])` in a loop. A hook keeps what arrives while nobody listens, but the race that it lost still listens:
 * what arrives while the loop waits for something else goes to that race, which is over.
 */
export function readRaces(context: CallContext): void {
  const races: RaceFact[] = [];
  for (const found of context.walk.calls) {
    if (!isCombinator(found.node, context, 'race')) continue;
    const loop = loopAround(found);
    const elements = loop && elementsOf(found.node);
    if (!elements) continue;
    for (const [candidate, other] of [elements, elements.toReversed()] as [Node, Node][]) {
      const fact = raceOf(context, found, loop, candidate, other);
      if (fact) races.push(fact);
    }
  }
  if (races.length > 0) context.out.races = races;
}

/** The two elements of an array in place: of more it is not clear what wins. */
function elementsOf(call: t.CallExpression): Node[] | null {
  const list = call.arguments[0] && unwrap(call.arguments[0] as Node);
  if (list?.type !== 'ArrayExpression' || list.elements.length !== 2) return null;
  const elements = list.elements.flatMap((element) => (element && element.type !== 'SpreadElement' ? [element] : []));
  return elements.length === 2 ? elements.map((element) => unwrap(element)) : null;
}

function raceOf(
  context: CallContext,
  found: Found<CallNode>,
  loop: LoopNode,
  candidate: Node,
  otherNode: Node,
): RaceFact | null {
  const other = context.siteUnder(otherNode);
  const made = hookOf(context, candidate);
  if (other === undefined || !made) return null;
  const { hook, node, iterator } = made;
  const form = isWithin(node, loop) ? 'created' : iterator && !isWithin(iterator, loop) ? 'iterator' : 'value';
  if (form === 'created' && !isForgotten(context, candidate, found.node)) return null;
  const waits = waitsAfter(context, found, loop, outcomeOfOther(otherNode));
  if (waits === null || (form === 'value' && waits.length === 0)) return null;
  const start = found.node.start as number;
  return { unit: context.unitAt(start), span: context.span(found.node.callee as Node), form, hook, other, waits };
}

interface Made {
  /** The site that makes the hook, and its call. */
  hook: number;
  node: Node;
  /** The call that makes the iterator. */
  iterator: Node | null;
}

/** What is raced: a hook, one in a variable, `next()` of its iterator; each with `.then(…)` or without. */
function hookOf(context: CallContext, element: Node): Made | null {
  const raced = withoutHandlers(element);
  const call = context.through(raced);
  const hook = context.sites.get(call);
  if (hook !== undefined) return { hook, node: call, iterator: null };
  const next = raced.type === 'CallExpression' ? unwrap(raced.callee as Node) : null;
  if (next?.type !== 'MemberExpression' || keyName(next.property, next.computed) !== 'next') return null;
  const iterator = context.through(next.object);
  const make = iterator.type === 'CallExpression' ? unwrap(iterator.callee as Node) : null;
  if (make?.type !== 'MemberExpression' || !make.computed || !isAsyncIterator(make.property)) return null;
  const node = context.through(make.object);
  const index = context.sites.get(node);
  return index === undefined ? null : { hook: index, node, iterator };
}

function isAsyncIterator(node: Node): boolean {
  return node.type === 'MemberExpression' && keyName(node.property, node.computed) === 'asyncIterator';
}

/** Nobody else has the hook that is made in each turn, and nobody closes it. */
function isForgotten(context: CallContext, element: Node, race: Node): boolean {
  const raced = withoutHandlers(element);
  const binding = raced.type === 'Identifier' ? context.bindingOf(raced) : null;
  if (!binding) return true;
  const { ancestors = [] } = context.calls.get(context.through(raced) as CallNode) ?? {};
  const declaration = ancestors.findLast(({ type }) => type === 'VariableDeclaration');
  if (declaration?.type !== 'VariableDeclaration' || declaration.kind.includes('using')) return false;
  return binding.refs.every(({ node, path }) => isWithin(node, race) || (path.length > 1 && path[1] !== 'dispose'));
}

/** A value that is known without running the code. */
type Known = { value: string | number | boolean | null | undefined } | { members: ReadonlyMap<string, Known> } | null;

/** What the race gives when the other thing wins: nothing for `sleep(…)`, the literal of `sleep(…).then(() => 'late')`. */
function outcomeOfOther(node: Node): Known {
  if (node.type !== 'CallExpression') return null;
  const callee = unwrap(node.callee as Node);
  if (callee.type !== 'MemberExpression' || keyName(callee.property, callee.computed) !== 'then')
    return { value: undefined };
  const handler = node.arguments[0];
  if (!handler || !isFunction(handler) || handler.body.type === 'BlockStatement') return null;
  return knownOf(handler.body);
}

function knownOf(node: Node): Known {
  const inner = unwrap(node);
  switch (inner.type) {
    case 'StringLiteral':
    case 'NumericLiteral':
    case 'BooleanLiteral':
      return { value: inner.value };
    case 'NullLiteral':
      return { value: null };
    case 'Identifier':
      return inner.name === 'undefined' ? { value: undefined } : null;
    case 'ObjectExpression': {
      const members = new Map<string, Known>();
      for (const property of inner.properties) {
        const name = property.type === 'ObjectProperty' ? keyName(property.key, property.computed) : null;
        if (name === null) return null;
        members.set(name, knownOf((property as t.ObjectProperty).value));
      }
      return { members };
    }
    default:
      return null;
  }
}

/**
 * Follows the turn of the loop in which the other thing wins.
 *
 * @returns the sites that are waited for before the race comes again; null where it may not come, or where that is not to be seen
 */
function waitsAfter(context: CallContext, found: Found<CallNode>, loop: LoopNode, value: Known): number[] | null {
  const { ancestors } = found;
  const body = loop.body.type === 'BlockStatement' ? loop.body.body : [loop.body];
  const at = body.findIndex((statement) => ancestors.includes(statement));
  const statement = body[at];
  if (!statement) return null;
  const name = nameOf(context, statement);
  const path: Path = { context, found, known: name && { binding: name, value }, sites: [] };
  let end: End = 'on';
  if (statement.type === 'IfStatement') end = followTest(path, statement, value);
  else if (statement.type !== 'VariableDeclaration' && statement.type !== 'ExpressionStatement') return null;
  if (end === 'on') end = follow(path, body.slice(at + 1));
  if (end === 'away') return null;
  return follow({ ...path, known: null }, body.slice(0, at)) === 'on' ? path.sites : null;
}

/** Whether code goes on behind, begins the next turn, or may leave the loop. */
type End = 'on' | 'again' | 'away';

/** `if (await Promise.race([…])) …`, also with `!`. */
function followTest(path: Path, statement: t.IfStatement, value: Known): End {
  const test = unwrap(statement.test);
  const negated = test.type === 'UnaryExpression' && test.operator === '!';
  const awaited = negated ? unwrap(test.argument) : test;
  const truth = truthOf(value);
  if (awaited.type !== 'AwaitExpression' || unwrap(awaited.argument) !== path.found.node || truth === null)
    return 'away';
  const branch = truth === negated ? statement.alternate : statement.consequent;
  return branch ? follow(path, [branch]) : 'on';
}

interface Path {
  context: CallContext;
  found: Found;
  known: { binding: Binding; value: Known } | null;
  sites: number[];
}

function follow(path: Path, statements: readonly Node[]): End {
  for (const statement of statements) {
    if (statement.type === 'BlockStatement') {
      const end = follow(path, statement.body);
      if (end !== 'on') return end;
    } else if (statement.type === 'IfStatement') {
      const truth = test(path, statement.test);
      const taken = truth === null ? null : truth ? statement.consequent : (statement.alternate ?? null);
      if (truth === null) {
        // Either may be taken: fine while both lead on.
        if (leaves(statement, null) || hasContinue(path, statement)) return 'away';
      } else if (taken) {
        const end = follow(path, [taken]);
        if (end !== 'on') return end;
      }
    } else if (statement.type === 'ContinueStatement') return statement.label ? 'away' : 'again';
    else if (leaves(statement, null)) return 'away';
    else collect(path, statement);
  }
  return 'on';
}

function hasContinue({ context }: Path, statement: Node): boolean {
  return /\bcontinue\b/.test(context.text(statement));
}

const CHOICES = new Set(['ConditionalExpression', 'LogicalExpression']);

/** What a statement surely waits for. */
function collect({ context, found, sites }: Path, statement: Node): void {
  if (statement.type !== 'ExpressionStatement' && statement.type !== 'VariableDeclaration') return;
  for (const [node, index] of context.sites) {
    if (!isWithin(node, statement)) continue;
    const site = context.out.sites[index];
    const { ancestors = [] } = context.calls.get(node) ?? {};
    const between = ancestors.slice(ancestors.indexOf(statement));
    if (site?.fn !== found.fn || between.some(({ type }) => CHOICES.has(type))) continue;
    if (site?.result === 'awaited' || site?.result === 'combined') sites.push(index);
  }
}

/** The variable that holds what the race gave. */
function nameOf(context: CallContext, statement: Node): Binding | null {
  let target: Node | null = null;
  if (statement.type === 'VariableDeclaration') target = statement.declarations[0]?.id ?? null;
  else if (statement.type === 'ExpressionStatement') {
    const expression = unwrap(statement.expression);
    if (expression.type === 'AssignmentExpression' && expression.operator === '=') target = unwrap(expression.left);
  }
  if (target?.type !== 'Identifier') return null;
  const assigned = context.bindingOf(target);
  if (assigned) return assigned;
  for (const { binding } of context.refs.values()) if (binding?.node === target) return binding;
  return null;
}

function test(path: Path, expression: Node): boolean | null {
  const inner = unwrap(expression);
  switch (inner.type) {
    case 'UnaryExpression': {
      if (inner.operator !== '!') return null;
      const truth = test(path, inner.argument);
      return truth === null ? null : !truth;
    }
    case 'LogicalExpression': {
      const left = test(path, inner.left);
      const right = test(path, inner.right);
      if (inner.operator === '&&') return left === false || right === false ? false : left && right;
      if (inner.operator === '||') return left === true || right === true ? true : left === null ? null : right;
      return null;
    }
    case 'BinaryExpression': {
      const equal = equals(path, inner);
      return equal === null ? null : inner.operator.startsWith('!') ? !equal : equal;
    }
    default:
      return truthOf(resolve(path, inner));
  }
}

function equals(path: Path, { operator, left, right }: t.BinaryExpression): boolean | null {
  if (!/^[!=]==?$/.test(operator)) return null;
  const a = resolve(path, left as Node);
  const b = resolve(path, right);
  if (!a || !b) return null;
  if ('members' in a || 'members' in b) return 'members' in a && 'members' in b ? null : false;
  const isNothing = (value: unknown) => value === null || value === undefined;
  if (operator.length === 2 && isNothing(a.value) && isNothing(b.value)) return true;
  if (operator.length === 2 && typeof a.value !== typeof b.value && !isNothing(a.value) && !isNothing(b.value))
    return null;
  return a.value === b.value;
}

/** What an expression is, where it is made of the race's outcome and literals. */
function resolve(path: Path, expression: Node): Known {
  const inner = unwrap(expression);
  const { context, known } = path;
  if (inner.type === 'Identifier' && known && context.bindingOf(inner) === known.binding) return known.value;
  if (inner.type === 'MemberExpression' || inner.type === 'OptionalMemberExpression') {
    const object = resolve(path, inner.object);
    const name = keyName(inner.property, inner.computed);
    if (object && 'members' in object && name !== null) return object.members.get(name) ?? { value: undefined };
    const isNothing = object && 'value' in object && (object.value === undefined || object.value === null);
    return isNothing && inner.type === 'OptionalMemberExpression' ? { value: undefined } : null;
  }
  return knownOf(inner);
}

function truthOf(known: Known): boolean | null {
  if (!known) return null;
  return 'members' in known ? true : Boolean(known.value);
}
