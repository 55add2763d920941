import type * as t from '@babel/types';
import type { InnerFunction } from '../call-facts.ts';
import { eachChild, type FunctionNode, isFunction, isTypeOnly, keyName, type Node, unwrap } from './ast.ts';

export type CallNode = t.CallExpression | t.OptionalCallExpression | t.NewExpression;
export type LoopNode = t.WhileStatement | t.DoWhileStatement | t.ForStatement | t.ForOfStatement | t.ForInStatement;

/** A node and what stands around it, the innermost last. */
export interface Found<N extends Node = Node> {
  node: N;
  ancestors: readonly Node[];
  /** The nearest function that is no unit of its own: index into `functions`. */
  fn: number | undefined;
  /** The nearest function of any kind. */
  owner: FunctionNode | null;
}

export interface FoundFunction extends Found<FunctionNode> {
  fact: InnerFunction;
}

/**
 * A walk of its own for the call facts: most builds never ask for them, and the walk that all need stays as fast as it is.
 */
export class CallWalk {
  readonly calls: Found<CallNode>[] = [];
  readonly loops: Found<LoopNode>[] = [];
  readonly tries: Found<t.TryStatement>[] = [];
  readonly throws: t.ThrowStatement[] = [];
  readonly functions: FoundFunction[] = [];
  /** Objects that may be tools: those with an `execute`. */
  readonly tools: Found<t.ObjectExpression>[] = [];
  readonly indexes = new Map<Node, number>();
  readonly #isUnit: (node: Node) => boolean;
  readonly #isOfInterest: (node: CallNode) => boolean;
  readonly #stack: Node[] = [];
  #fn: number | undefined;
  #owner: FunctionNode | null = null;

  /**
   * @param isUnit - whether a function is a unit of its own
   * @param isOfInterest - which calls to keep
   */
  constructor(isUnit: (node: Node) => boolean, isOfInterest: (node: CallNode) => boolean) {
    this.#isUnit = isUnit;
    this.#isOfInterest = isOfInterest;
  }

  run(program: t.Program): void {
    this.#visit(program);
  }

  readonly #visit = (node: Node): void => {
    if (node.type === 'Identifier' || (node.type.startsWith('TS') && isTypeOnly(node))) return;
    switch (node.type) {
      case 'CallExpression':
      case 'OptionalCallExpression':
      case 'NewExpression':
        if (this.#isOfInterest(node)) this.calls.push(this.#found(node));
        break;
      case 'WhileStatement':
      case 'DoWhileStatement':
      case 'ForStatement':
      case 'ForOfStatement':
      case 'ForInStatement':
        this.loops.push(this.#found(node));
        break;
      case 'TryStatement':
        this.tries.push(this.#found(node));
        break;
      case 'ThrowStatement':
        this.throws.push(node);
        break;
      case 'ObjectExpression':
        if (node.properties.some((property) => isNamed(property, 'execute'))) this.tools.push(this.#found(node));
        break;
      default:
        if (isFunction(node)) return this.#function(node);
    }
    this.#children(node);
  };

  #children(node: Node): void {
    this.#stack.push(node);
    eachChild(node, this.#visit);
    this.#stack.pop();
  }

  #function(node: FunctionNode): void {
    const fn = this.#fn;
    const owner = this.#owner;
    if (this.#isUnit(node)) this.#fn = undefined;
    else {
      const fact: InnerFunction = { start: node.start as number, end: node.end as number, async: node.async === true };
      if (fn !== undefined) fact.fn = fn;
      this.functions.push({ ...this.#found(node), fact });
      this.#fn = this.functions.length - 1;
      this.indexes.set(node, this.#fn);
    }
    this.#owner = node;
    this.#children(node);
    this.#fn = fn;
    this.#owner = owner;
  }

  #found<N extends Node>(node: N): Found<N> {
    return { node, ancestors: [...this.#stack], fn: this.#fn, owner: this.#owner };
  }
}

function isNamed(property: t.ObjectExpression['properties'][number], name: string): boolean {
  return property.type !== 'SpreadElement' && keyName(property.key, property.computed) === name;
}

/** A property of an object literal; a method stands for its function. */
export function propertyOf(object: Node | null | undefined, name: string): Node | null {
  const inner = object && unwrap(object);
  if (inner?.type !== 'ObjectExpression') return null;
  for (const property of inner.properties) {
    if (property.type === 'SpreadElement' || keyName(property.key, property.computed) !== name) continue;
    return property.type === 'ObjectProperty' ? unwrap(property.value) : property;
  }
  return null;
}

/** Whether a node stands within another. */
export function isWithin(inner: Node, outer: Node): boolean {
  return (outer.start as number) <= (inner.start as number) && (inner.end as number) <= (outer.end as number);
}
