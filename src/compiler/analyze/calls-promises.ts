import type { PromiseFact } from '../call-facts.ts';
import { isFunction, type Node, unwrap } from './ast.ts';
import type { CallContext } from './calls-context.ts';
import { outcomeOf } from './calls-result.ts';
import { isWithin } from './calls-walk.ts';
import type { Binding } from './model.ts';

/**
 * Awaited `new Promise((resolve, reject) => …)`: who settles it. A promise of which that is not to be seen has no fact: its
 * `resolve` is called by the code around, or kept in a variable.
 */
export function readPromises(context: CallContext): void {
  const promises: PromiseFact[] = [];
  for (const found of context.walk.calls) {
    const { node, ancestors } = found;
    if (node.type !== 'NewExpression' || node.callee.type !== 'Identifier' || node.callee.name !== 'Promise') continue;
    if (context.refs.get(node.callee)?.binding) continue;
    const { result } = outcomeOf(node, ancestors, context);
    if (result !== 'awaited' && result !== 'combined') continue;
    const via = settlersOf(context, node.arguments[0] as Node | undefined);
    if (via === null) continue;
    const start = node.start as number;
    const span = context.spanOf(start, node.callee.end as number);
    promises.push({ unit: context.unitAt(start), span, via });
  }
  if (promises.length > 0) context.out.promises = promises;
}

/** The calls that are given a way to settle the promise; null where something else may. */
function settlersOf(context: CallContext, argument: Node | undefined): number[] | null {
  const executor = argument && unwrap(argument);
  if (!executor || !isFunction(executor)) return null;
  const via = new Set<number>();
  for (const parameter of executor.params) {
    if (parameter.type !== 'Identifier') return null;
    const binding = bindingOf(context, parameter);
    for (const { node } of binding?.refs ?? []) {
      const site = giverOf(context, node, executor);
      if (site === undefined) return null;
      via.add(site);
    }
  }
  return [...via];
}

function bindingOf(context: CallContext, parameter: Node): Binding | null {
  for (const { binding } of context.refs.values()) if (binding?.node === parameter) return binding;
  return null;
}

/** The call outermost within the executor that `resolve`, or a callback that calls it, is given to. */
function giverOf(context: CallContext, resolve: Node, executor: Node): number | undefined {
  let outermost: Node | null = null;
  for (const { node: call } of context.walk.calls) {
    if (!isWithin(call, executor) || call === executor) continue;
    const given = call.type === 'NewExpression' ? [] : call.arguments;
    if (!given.some((argument) => isWithin(resolve, argument as Node))) continue;
    if (outermost === null || isWithin(outermost, call)) outermost = call;
  }
  return outermost ? context.sites.get(outermost) : undefined;
}
