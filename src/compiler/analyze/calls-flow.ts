import type * as t from '@babel/types';
import type { LoopFact, TryFact } from '../call-facts.ts';
import { eachChild, isFunction, isTypeOnly, type Node, unwrap } from './ast.ts';
import { type CallContext, isLoop, loopAround } from './calls-context.ts';
import type { LoopNode } from './calls-walk.ts';

/** Loops that never end, and errors that nobody asks about. */

export function readLoops(context: CallContext): void {
  const { loops } = context.walk;
  for (const found of loops) {
    const { node, ancestors, fn } = found;
    const start = node.start as number;
    const head = headEnd(node);
    const fact: LoopFact = {
      unit: context.unitAt(start),
      start,
      end: node.end as number,
      span: context.spanOf(start, head),
      endless: isEndless(context, node),
      exits: leaves(node.body, node, labelsOf(ancestors)) || yields(node.body),
    };
    if (fn !== undefined) fact.fn = fn;
    context.loops.set(node, fact);
  }
  if (loops.length > 0) context.out.loops = [...context.loops.values()];
}

export function readThrows(context: CallContext): void {
  const units = new Set(context.walk.throws.map(({ start }) => context.unitAt(start as number)));
  if (units.size > 0) context.out.throws = [...units];
}

/** Where a loop's head ends: before the body, or for `do` at the keyword. */
function headEnd(node: LoopNode): number {
  const start = node.start as number;
  if (node.type === 'DoWhileStatement') return start + 'do'.length;
  if (node.type === 'WhileStatement') return (node.test.end as number) + 1;
  return Math.max(start + 'for'.length, (node.body.start as number) - 1);
}

function isEndless(context: CallContext, node: LoopNode): boolean {
  if (node.type === 'ForOfStatement' || node.type === 'ForInStatement') return false;
  const test = node.test && unwrap(node.test);
  if (!test) return true;
  if (test.type === 'BooleanLiteral') return test.value;
  if (test.type === 'NumericLiteral') return test.value !== 0;
  const value = test.type === 'Identifier' ? context.valueOf(test) : null;
  return value?.type === 'BooleanLiteral' && value.value;
}

function labelsOf(ancestors: readonly Node[]): string[] {
  const labels: string[] = [];
  for (let i = ancestors.length - 1; ancestors[i]?.type === 'LabeledStatement'; i--)
    labels.push((ancestors[i] as t.LabeledStatement).label.name);
  return labels;
}

/**
 * Whether code in a statement leaves the loop around it: by `break`, `return`, `throw`, or `continue` of a loop further out.
 *
 * @param own - labels of that loop
 */
export function leaves(body: Node, loop: Node | null, own: readonly string[] = []): boolean {
  const inner = new Set<string>();
  let found = false;
  const visit = (node: Node, isNested: boolean, isSwitch: boolean): void => {
    if (found || isFunction(node) || isTypeOnly(node)) return;
    switch (node.type) {
      case 'ReturnStatement':
      case 'ThrowStatement':
        found = true;
        return;
      case 'BreakStatement':
        if (node.label ? !inner.has(node.label.name) : !isNested && !isSwitch) found = true;
        return;
      case 'ContinueStatement':
        if (node.label && !inner.has(node.label.name) && !own.includes(node.label.name)) found = true;
        return;
      case 'LabeledStatement':
        inner.add(node.label.name);
        break;
      default:
    }
    const nested = isNested || (node !== loop && isLoop(node));
    const within = isSwitch || node.type === 'SwitchStatement';
    eachChild(node, (child) => visit(child, nested, within));
  };
  visit(body, false, false);
  return found;
}

/** Who takes the values of a generator ends its loop by taking no more. */
function yields(body: Node): boolean {
  let found = false;
  const visit = (node: Node): void => {
    if (found || isFunction(node) || isTypeOnly(node)) return;
    if (node.type === 'YieldExpression') found = true;
    else eachChild(node, visit);
  };
  visit(body);
  return found;
}

export function readTries(context: CallContext): void {
  const facts: TryFact[] = [];
  for (const found of context.walk.tries) {
    const { handler } = found.node;
    const sites = handler && !found.node.finalizer ? sitesOfIdle(context, handler) : null;
    if (!handler || sites === null) continue;
    const loop = loopAround(found);
    const { block, end } = found.node;
    const fact: TryFact = {
      unit: context.unitAt(block.start as number),
      start: block.start as number,
      end: block.end as number,
      after: end as number,
      span: context.spanOf(handler.start as number, endOfHead(handler)),
      sites,
    };
    if (found.fn !== undefined) fact.fn = found.fn;
    const around = loop && context.loops.get(loop);
    if (around) fact.loop = (context.out.loops ?? []).indexOf(around);
    facts.push(fact);
  }
  if (facts.length > 0) context.out.tries = facts;
}

function endOfHead({ start, param }: t.CatchClause): number {
  return param ? (param.end as number) + 1 : (start as number) + 'catch'.length;
}

/** The calls of a handler that does nothing but write a log and call what has a site; null for one that does more. */
function sitesOfIdle(context: CallContext, handler: t.CatchClause): number[] | null {
  const sites: number[] = [];
  for (const statement of handler.body.body) {
    if (statement.type === 'EmptyStatement') continue;
    if (statement.type === 'ContinueStatement' && !statement.label) continue;
    if (statement.type !== 'ExpressionStatement') return null;
    let call = unwrap(statement.expression);
    if (call.type === 'AwaitExpression') call = unwrap(call.argument);
    if (call.type !== 'CallExpression') return null;
    if (isLog(call)) continue;
    const site = context.sites.get(call);
    if (site === undefined || (handler.param && mentions(context, handler.param, call))) return null;
    sites.push(site);
  }
  return sites;
}

function mentions(context: CallContext, param: Node, node: Node): boolean {
  if (param.type !== 'Identifier') return true;
  for (const { binding, node: at } of context.refs.values())
    if (
      binding?.node === param &&
      (node.start as number) <= (at.start as number) &&
      (at.end as number) <= (node.end as number)
    )
      return true;
  return false;
}

const LOGS = /^(?:console|log|logger|logging|debug)$/i;

/** `console.warn(…)`, `logger.error(…)`. */
function isLog(call: t.CallExpression): boolean {
  let callee = unwrap(call.callee as Node);
  while (callee.type === 'MemberExpression') callee = unwrap(callee.object);
  return callee.type === 'Identifier' && LOGS.test(callee.name);
}
