import type * as t from '@babel/types';
import type { FunctionFact } from '../facts.ts';
import { isFunction, isTransparent, keyName, type Node, unwrap } from './ast.ts';
import type { DirectiveSite, FunctionInfo, Model } from './model.ts';
import { report } from './report.ts';

/**
 * Refuses a directive function whose `this`, `super`, `arguments` or `new.target` belong to something that is not there when it
 * runs, or that surely cannot be serialized along with it. Instances of classes are judged over all modules (rule 2005).
 */
export function checkThis(model: Model, site: DirectiveSite, placement: FunctionFact['placement']): boolean {
  const { info, kind, node } = site;
  const refuse = (at: Node, what: string, remedy: string): false => {
    report(model, 'step-this-arguments', at.start as number, at.end as number, what, { remedy });
    return false;
  };
  if (info.superAt && (placement === 'hoisted' || node.type === 'ObjectMethod'))
    return refuse(
      info.superAt,
      `'super' means nothing in this ${kind}: it runs on its own, away from the object that it was written in.`,
      'Call the method by its class, or do the call outside and pass its result.',
    );
  if (info.arrow && info.argumentsAt)
    return refuse(
      info.argumentsAt,
      `'arguments' in an arrow function belongs to the function around it, which is not there when the ${kind} runs.`,
      'Declare a rest parameter: (...args) => …',
    );
  if (info.arrow && info.newTargetAt)
    return refuse(
      info.newTargetAt,
      `An arrow function has no 'new.target' of its own, and what is around it is not there when the ${kind} runs.`,
      'Ask for it outside and pass what follows from it as an argument.',
    );
  if (info.arrow && info.thisAt && placement !== 'inline' && thisOwner(info) === null)
    return refuse(
      info.thisAt,
      `'this' in this ${kind} belongs to no object that could be serialized with it.`,
      'Pass what the function needs as an argument, or write a method of a serializable class.',
    );
  const helper = info.thisAt && kind === 'step' ? functionBeside(model, site) : null;
  if (info.thisAt && helper !== null)
    return refuse(
      info.thisAt,
      `'this' in this step is an object that also holds the function '${helper}', which cannot be serialized.`,
      'Pass what the step needs as an argument, or move the other functions out of the object.',
    );
  if (info.arrow && info.thisAt && placement === 'inline' && info.parent === null)
    return refuse(
      info.thisAt,
      `'this' is undefined in an arrow function at the top level of a module.`,
      'Pass what the function needs as an argument, or write a method.',
    );
  if (kind === 'workflow' && !info.arrow && info.thisAt && !(node as t.ClassMethod).static)
    return refuse(
      info.thisAt,
      `A workflow is started by its id, so it has no 'this'.`,
      'Pass what the workflow needs as an argument.',
    );
  return true;
}

/** The method or field whose `this` an arrow function sees; null when that is a plain function or nothing. */
export function thisOwner(info: FunctionInfo): FunctionInfo | null {
  let owner = info.parent;
  while (owner?.arrow) owner = owner.parent;
  if (!owner) return null;
  return owner.node.type === 'FunctionDeclaration' || owner.node.type === 'FunctionExpression' ? null : owner;
}

/** The name of a plain function in the object that surely is a step's `this`: a literal that a variable holds. */
function functionBeside(model: Model, { node, info, ancestors }: DirectiveSite): string | null {
  const member = info.arrow ? thisOwner(info)?.node : node;
  const at = member === node ? ancestors.length : ancestors.indexOf(member as Node);
  let i = at - 1;
  while (i >= 0 && isTransparent(ancestors[i] as Node)) i--;
  if (ancestors[i]?.type === 'ObjectProperty') i--;
  else if (member?.type !== 'ObjectMethod') return null;
  const object = ancestors[i];
  if (object?.type !== 'ObjectExpression' || !isHeldByVariable(ancestors, i)) return null;
  for (const property of object.properties) {
    if (property.type === 'SpreadElement' || (property.type === 'ObjectMethod' && property.kind !== 'method')) continue;
    const value = property.type === 'ObjectMethod' ? property : unwrap(property.value);
    if (isFunction(value) && !model.directives.some((site) => site.node === value))
      return keyName(property.key, property.computed) ?? 'computed';
  }
  return null;
}

/** Whether only object literals stand between the one at `index` and a variable. */
function isHeldByVariable(ancestors: readonly Node[], index: number): boolean {
  for (let i = index - 1; i >= 0; i--) {
    const parent = ancestors[i] as Node;
    if (parent.type === 'VariableDeclarator') return true;
    if (parent.type !== 'ObjectProperty' && parent.type !== 'ObjectExpression' && !isTransparent(parent)) return false;
  }
  return false;
}
