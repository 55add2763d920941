import type * as t from '@babel/types';
import type { TextEdit } from '../../diagnostics/types.ts';
import type { MutationFact } from '../call-facts.ts';
import { eachChild, isFunction, type Node, unwrap } from './ast.ts';
import type { CallContext } from './calls-context.ts';
import { isWithin } from './calls-walk.ts';
import { collectionOf, MUTATORS } from './collections.ts';
import type { Binding, DirectiveSite, Ref } from './model.ts';

/** Methods that add to an array: what they are called on is one, where it arrived as plain data. */
const ADDERS = new Set(['push', 'unshift']);

interface Change {
  ref: Ref;
  /** What is changed: `['order', 'total']`. */
  path: string[];
}

/**
 * Parameters of steps that are changed and then never looked at again: what a step gets is a copy, so the change is for nobody.
 * A step may well change its copy for a purpose of its own, so each mention that could see the change keeps it quiet.
 */
export function readMutations(context: CallContext): void {
  const mutations: MutationFact[] = [];
  for (const site of context.model.directives) {
    if (site.kind !== 'step' || site.info.argumentsAt) continue;
    for (const binding of site.info.scope?.bindings?.values() ?? []) {
      const fact = binding.kind === 'param' ? mutationOf(context, site, binding) : null;
      if (fact) mutations.push(fact);
    }
  }
  if (mutations.length > 0) context.out.mutations = mutations;
}

function mutationOf(context: CallContext, site: DirectiveSite, binding: Binding): MutationFact | null {
  const { refs } = binding;
  if (refs.some(({ rebinds }) => rebinds)) return null;
  const changes = refs.flatMap((ref) => changeOf(context, ref, binding) ?? []);
  const lost = changes.filter((change) => !refs.some((ref) => maySee(context, ref, change, changes)));
  const [first] = lost;
  if (!first) return null;
  const { ref, path } = first;
  const start = ref.node.start as number;
  const fact: MutationFact = {
    unit: site.unit,
    span: context.spanOf(start, ref.end),
    name: binding.name,
    path,
  };
  const edits = lost.length === changes.length ? repair(context, site, binding, lost) : null;
  if (edits) fact.fix = { title: `Return '${binding.name}', and take it where the step is called`, edits };
  return fact;
}

function changeOf(context: CallContext, ref: Ref, binding: Binding): Change | null {
  if (ref.access === 'write') return { ref, path: ref.path };
  if (ref.access !== 'call' || ref.path.length < 2) return null;
  const method = ref.path.at(-1) as string;
  if (ref.path.length === 2) {
    const kind = collectionOf(binding.declaration, binding.node);
    const isKnown = kind ? MUTATORS[kind].has(method) : ADDERS.has(method) && !hasNamedType(binding.node);
    if (!isKnown) return null;
  } else if (!ADDERS.has(method)) return null;
  // What the method gives is of use: `while ((item = items.shift()))`.
  return isStatement(context, ref) ? { ref, path: ref.path.slice(0, -1) } : null;
}

/** `queue: Queue` may be a class whose `push` does more. */
function hasNamedType(id: Node): boolean {
  const annotation = (id as t.Identifier).typeAnnotation;
  return annotation?.type === 'TSTypeAnnotation' && annotation.typeAnnotation.type === 'TSTypeReference';
}

function isStatement(context: CallContext, { end }: Ref): boolean {
  for (const { node, ancestors } of context.calls.values())
    if (unwrap(node.callee as Node).end === end) return ancestors.at(-1)?.type === 'ExpressionStatement';
  return false;
}

/** Whether a mention may see a change, at whatever time it runs. */
function maySee(context: CallContext, ref: Ref, change: Change, changes: readonly Change[]): boolean {
  const { path } = change;
  const own = changes.find((candidate) => candidate.ref === ref);
  if (own) return false;
  const called = ref.access === 'call' ? ref.path.slice(0, -1) : ref.path;
  const isAbove = called.length < path.length && isPrefix(called, path);
  // All of it: an argument, a result, a method of it that may look at everything.
  if (isAbove && (ref.access === 'call' || ref.path.length < path.length)) return true;
  const isPlace = isPrefix(path, ref.path) || isPrefix(ref.path, path);
  if (!isPlace) return false;
  // Another name for the same list.
  const isList = change.ref.access === 'call';
  if (isList && ref.path.length === path.length) return true;
  return (ref.node.start as number) > (change.ref.node.start as number) || isRepeated(context, ref, change);
}

function isPrefix(short: readonly string[], long: readonly string[]): boolean {
  return short.length <= long.length && short.every((piece, index) => piece === long[index]);
}

/** It runs in a function of its own, or in a loop that both stand in. */
function isRepeated(context: CallContext, ref: Ref, change: Change): boolean {
  if (ref.fn !== change.ref.fn) return true;
  return context.walk.loops.some(({ node }) => isWithin(ref.node, node) && isWithin(change.ref.node, node));
}

/** `return order` in the step, and `order = await total(order)` wherever it is called. */
function repair(
  context: CallContext,
  site: DirectiveSite,
  binding: Binding,
  changes: readonly Change[],
): TextEdit[] | null {
  const { node, outer } = site;
  const index = node.params.findIndex((parameter) => parameter === binding.node);
  const holder = holderOf(context, site);
  if (index < 0 || !holder || node.body.type !== 'BlockStatement' || hasReturn(node.body)) return null;
  const type = typeEdit(context, node, binding);
  if (type === null || outer === null) return null;
  const edits = [...type];
  for (const ref of holder.refs) {
    if (ref.exported || (ref.access === 'write' && ref.path.length === 2)) continue;
    const edit =
      ref.access === 'call' && ref.path.length === 1 ? callEdit(context, ref, index, binding, changes) : null;
    if (!edit) return null;
    edits.push(edit);
  }
  const close = (node.body.end as number) - 1;
  const { source } = context.model;
  const last = node.body.body.at(-1);
  if (!last) return null;
  const lineStart = source.lastIndexOf('\n', last.start as number) + 1;
  const indent = /^[ \t]*/.exec(source.slice(lineStart))?.[0] ?? '';
  const isOneLine = !source.slice(last.end as number, close).includes('\n');
  const newline = source.includes('\r\n') ? '\r\n' : '\n';
  const at = lineEnd(source, last.end as number, close);
  edits.push({ start: at, end: at, text: `${isOneLine ? ' ' : newline + indent}return ${binding.name};` });
  return edits.length > type.length + 1 ? edits : null;
}

/** Behind a comment on the statement's own line. */
function lineEnd(source: string, from: number, close: number): number {
  const line = /^[ \t]*\/\/[^\r\n]*/.exec(source.slice(from, close));
  return from + (line?.[0].length ?? 0);
}

/** The variable that the step is called by. */
function holderOf(_context: CallContext, { node, outer, ancestors }: DirectiveSite): Binding | null {
  if (node.type === 'FunctionDeclaration') return node.id ? outer.find(node.id.name) : null;
  const parent = ancestors.at(-1);
  if (parent?.type !== 'VariableDeclarator' || parent.id.type !== 'Identifier') return null;
  return outer.find(parent.id.name);
}

function hasReturn(body: Node): boolean {
  let found = false;
  const visit = (node: Node): void => {
    if (isFunction(node)) return;
    if (node.type === 'ReturnStatement') found = true;
    else eachChild(node, visit);
  };
  visit(body);
  return found;
}

/** What a written type has to become; null where that is not clear. */
function typeEdit(context: CallContext, node: DirectiveSite['node'], { node: parameter }: Binding): TextEdit[] | null {
  const written = (node as t.FunctionDeclaration).returnType;
  if (!written) return [];
  const own = (parameter as t.Identifier).typeAnnotation;
  const void_ = /^:\s*Promise\s*<\s*(void)\s*>$/d.exec(context.text(written));
  const place = void_?.indices?.[1];
  if (!place || own?.type !== 'TSTypeAnnotation') return null;
  const from = written.start as number;
  return [{ start: from + place[0], end: from + place[1], text: context.text(own.typeAnnotation) }];
}

/** `await total(order);` becomes `order = await total(order);`. */
function callEdit(
  context: CallContext,
  { end }: Ref,
  index: number,
  parameter: Binding,
  changes: readonly Change[],
): TextEdit | null {
  for (const { node, ancestors } of context.calls.values()) {
    if (node.callee.end !== end) continue;
    const awaited = ancestors.at(-1);
    const statement = ancestors.at(-2);
    const argument = node.arguments[index];
    if (awaited?.type !== 'AwaitExpression' || statement?.type !== 'ExpressionStatement') return null;
    if (argument?.type !== 'Identifier') return null;
    const variable = context.bindingOf(argument);
    if (!variable || variable.scope.isStatic) return null;
    const start = awaited.start as number;
    if (variable.kind === 'let' || variable.kind === 'var' || variable.kind === 'param') {
      // What the step returns has the type of its parameter, which may know less than the variable's.
      if (typeTextOf(context, variable) !== typeTextOf(context, parameter)) return null;
      return { start, end: start, text: `${argument.name} = ` };
    }
    if (variable.kind !== 'const' || changes.some((change) => isRemoval(context, change))) return null;
    const text = context.text(awaited);
    return { start, end: awaited.end as number, text: `Object.assign(${argument.name}, ${text})` };
  }
  return null;
}

/** The type that is written at a variable; null for none. */
function typeTextOf(context: CallContext, { node }: Binding): string | null {
  const annotation = (node as t.Identifier).typeAnnotation;
  return annotation ? context.text(annotation).replace(/\s+/g, ' ') : null;
}

/** What is gone cannot be assigned. */
function isRemoval(context: CallContext, { ref }: Change): boolean {
  const before = context.model.source.slice(0, ref.node.start as number);
  return /\bdelete\s+$/.test(before) || (ref.access === 'call' && /^(?:delete|clear)$/.test(ref.path.at(-1) as string));
}
