import type * as t from '@babel/types';
import type { CallFacts, CallSite, Role } from '../call-facts.ts';
import type { ModuleFacts } from '../facts.ts';
import { functionBehind, headOf, isName } from './aliases.ts';
import { findToken, type FunctionNode, isFunction, keyName, type Node, staticPath, unwrap } from './ast.ts';
import { readAgents } from './calls-agents.ts';
import { CallContext } from './calls-context.ts';
import { readLoops, readThrows, readTries } from './calls-flow.ts';
import { readMutations } from './calls-mutations.ts';
import { readPromises } from './calls-promises.ts';
import { readRaces } from './calls-races.ts';
import { readRequests } from './calls-requests.ts';
import { isLost, outcomeOf } from './calls-result.ts';
import { type CallNode, type Found, propertyOf } from './calls-walk.ts';
import { readWriters } from './calls-writers.ts';
import type { Binding, Model } from './model.ts';

/**
 * How calls stand in the code: what becomes of their results, which loops and callbacks they stand in. The checker asks for it;
 * a build that only transforms does without.
 */
export function readCalls(model: Model, facts: ModuleFacts): CallFacts {
  if (!CONCERNED.test(model.source)) return plainFacts(model);
  const units = new Map(model.units.map(({ span }, index) => [keyOf(span), index]));
  const runs = new Set(
    model.definitions.flatMap(({ call }) => propertyOf(call.arguments[0] as Node | undefined, 'run') ?? []),
  );
  const isUnit = (node: Node) => runs.has(node) || units.has(keyOf(node));
  const context = new CallContext(model, facts, isUnit);
  const { walk } = context;
  readFunctions(context);
  for (const found of walk.calls) readCall(context, found);
  readLoops(context);
  readTries(context);
  readThrows(context);
  readRaces(context);
  readPromises(context);
  readWriters(context);
  readMutations(context);
  readRequests(context);
  readAgents(context);
  const async = model.functions.flatMap(({ node }) => {
    if (!isFunction(node as Node) || !(node as FunctionNode).async) return [];
    return (runs.has(node as Node) ? context.unitAt(node.start as number) : units.get(keyOf(node))) ?? [];
  });
  if (async.length > 0) context.out.async = async;
  return context.out;
}

/** What a module holds in which anything durable can be called. */
const CONCERNED = /\b(?:import|require|async|Promise|define(?:Action|Workflow|Agent))\b|use (?:step|workflow)/;

/** Of a module of plain functions: that they may throw. */
function plainFacts({ source, units }: Model): CallFacts {
  return { sites: [], ...(/\bthrow\b/.test(source) && { throws: units.map((_unit, index) => index) }) };
}

/** A range as one number. */
function keyOf({ start, end }: { start?: number | null; end?: number | null }): number {
  return (start as number) * 2 ** 26 + (end as number);
}

function readFunctions(context: CallContext): void {
  const { functions } = context.walk;
  if (functions.length === 0) return;
  context.out.functions = functions.map((found) => {
    const role = roleOf(context, found);
    if (role) found.fact.role = role;
    return found.fact;
  });
}

/** The call that a function is given to. */
function roleOf(context: CallContext, { node, ancestors }: Found): Role | null {
  let at = ancestors.length - 1;
  while (at >= 0 && unwrap(ancestors[at] as Node) === node) at--;
  const parent = ancestors[at];
  if (parent?.type === 'NewExpression')
    return { method: 'new Promise', result: outcomeOf(parent, ancestors.slice(0, at), context).result };
  if (parent?.type !== 'CallExpression' && parent?.type !== 'OptionalCallExpression') return null;
  const { result, combinator } = outcomeOf(parent, ancestors.slice(0, at), context);
  const method = unwrap(parent.callee as Node) === node ? '' : lastPiece(parent.callee as Node);
  return { method, result, ...togetherOf(context, combinator) };
}

/** The `Promise.all(…)` that a call stands in, where nobody waits for it. */
function togetherOf(context: CallContext, combinator: Node | undefined): Pick<Role, 'together'> {
  const found = combinator && context.calls.get(combinator);
  if (!found) return {};
  const start = found.node.start as number;
  const callee = found.node.callee as Node;
  const together: Role['together'] = { name: context.text(callee), span: context.span(callee) };
  if (mayAwait(context, found)) together.awaitAt = start;
  return { together };
}

function lastPiece(callee: Node): string {
  const inner = unwrap(callee);
  if (inner.type === 'Identifier') return inner.name;
  if (inner.type !== 'MemberExpression' && inner.type !== 'OptionalMemberExpression') return '?';
  return keyName(inner.property, inner.computed) ?? '?';
}

function readCall(context: CallContext, found: Found<CallNode>): void {
  const { node } = found;
  const target = targetOf(context, found);
  if (target) {
    const { result, position, combinator } = outcomeOf(node, found.ancestors, context);
    const site: CallSite = { ...target, result, ...togetherOf(context, combinator) };
    if (found.fn !== undefined) site.fn = found.fn;
    if (position) site.position = position;
    if (isLost(result) && result !== 'void' && mayAwait(context, found)) site.awaitAt = node.start as number;
    const open = node.type === 'CallExpression' && site.use !== undefined ? openingOf(context, node) : -1;
    if (open >= 0) site.parentheses = [open, (node.end as number) - 1];
    addArguments(context, node, site);
    context.addSite(node, site);
  }
  addPassed(context, found);
}

function targetOf(context: CallContext, { node }: Found<CallNode>): Omit<CallSite, 'result'> | null {
  const callee = node.callee as Node;
  const use = context.useOf(callee, true);
  if (use) {
    const { kind, path } = context.model.units[use.unit]?.uses[use.use] ?? {};
    return kind === 'global' && path?.[0] !== 'fetch' && path?.[0] !== 'globalThis' ? null : use;
  }
  if (node.type === 'NewExpression') return null;
  const bound = context.boundUse(callee);
  if (bound) return { ...bound, bound: true, span: context.span(callee) };
  const unit = () => context.unitAt(node.start as number);
  const name = context.contextCall(callee);
  if (name !== null) return { unit: unit(), context: name, span: context.span(callee) };
  const inner = unwrap(callee);
  const binding = isName(inner) ? context.bindingOf(headOf(inner)) : null;
  if (!binding || binding.scope.isStatic) return null;
  const [, ...members] = staticPath(inner) as string[];
  const value = members.length > 0 ? functionBehind(binding, members) : functionIn(context, binding, inner);
  const index = value && context.walk.indexes.get(value);
  return index === undefined || index === null ? null : { unit: unit(), inner: index, span: context.span(callee) };
}

function functionIn(context: CallContext, { declaration }: Binding, name: Node): Node | null {
  return isFunction(declaration) ? declaration : context.valueOf(name);
}

/** The offset of the parenthesis that opens the arguments. */
function openingOf({ model }: CallContext, { callee, typeParameters, typeArguments }: t.CallExpression): number {
  const before = typeParameters ?? typeArguments ?? callee;
  return findToken(model.source, '(', before.end as number);
}

/** `list.map(charge)`: the function itself is given away. */
function addPassed(context: CallContext, { node, ancestors, fn }: Found<CallNode>): void {
  if (node.type === 'NewExpression') return;
  const callee = unwrap(node.callee as Node);
  if (callee.type !== 'MemberExpression' && callee.type !== 'OptionalMemberExpression') return;
  const method = keyName(callee.property, callee.computed);
  if (method === null || !ITERATORS.has(method)) return;
  const [first] = node.arguments;
  const use = first && context.useOf(first as Node, false);
  if (!first || !use) return;
  const { result, combinator } = outcomeOf(node, ancestors, context);
  const site: CallSite = { ...use, result: 'passed', to: { method, result, ...togetherOf(context, combinator) } };
  if (fn !== undefined) site.fn = fn;
  context.addSite(first as Node, site);
}

const ITERATORS = new Set(['forEach', 'map', 'flatMap', 'filter', 'reduce', 'some', 'every', 'find']);

/** `await` may stand where the nearest function is async, and a type that was written keeps being right. */
function mayAwait(context: CallContext, { owner, ancestors }: Found): boolean {
  const around = ancestors.at(-1);
  const holder = around?.type === 'VariableDeclarator' ? around.id : assignedIn(context, around);
  if (holder?.type === 'Identifier' && holder.typeAnnotation) return false;
  if (!owner?.async) return false;
  const body = ancestors[ancestors.indexOf(owner) + 1];
  return body === undefined || body === owner.body;
}

/** Where the variable is declared that an assignment sets. */
function assignedIn(context: CallContext, node: Node | undefined): Node | undefined {
  return node?.type === 'AssignmentExpression' ? context.bindingOf(unwrap(node.left))?.node : undefined;
}

const BIG = 1_000;

function addArguments(context: CallContext, node: CallNode, site: CallSite): void {
  const [first] = node.arguments;
  const token = propertyOf(first && optionsIn(context, first as Node), 'token');
  const text = token && !isFunction(token) ? context.textOf(token) : null;
  if (token && text !== null) site.token = { text, span: context.span(token) };
  let longest: Node | null = null;
  for (const argument of node.arguments) {
    const inner = unwrap(argument as Node);
    if (!/^(?:String|Template)Literal$|^(?:Array|Object)Expression$/.test(inner.type)) continue;
    if (longest === null || sizeOf(inner) > sizeOf(longest)) longest = inner;
  }
  if (longest && sizeOf(longest) >= BIG) site.literal = { size: sizeOf(longest), span: context.span(longest) };
}

/** The object itself, or the one that a variable holds which nobody writes to. */
function optionsIn(context: CallContext, argument: Node): Node {
  const inner = unwrap(argument);
  const binding = inner.type === 'Identifier' ? context.bindingOf(inner) : null;
  return binding?.refs.some(({ access }) => access === 'write') ? inner : context.through(inner);
}

function sizeOf(node: Node): number {
  return (node.end as number) - (node.start as number);
}
