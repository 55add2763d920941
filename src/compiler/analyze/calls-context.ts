import type * as t from '@babel/types';
import type { Span } from '../../diagnostics/types.ts';
import type { CallFacts, CallSite, LoopFact } from '../call-facts.ts';
import type { ModuleFacts, Use } from '../facts.ts';
import { headOf, isName } from './aliases.ts';
import { isFunction, keyName, type Node, unwrap } from './ast.ts';
import type { Names } from './calls-result.ts';
import { type CallNode, CallWalk, type Found, type LoopNode, propertyOf } from './calls-walk.ts';
import type { Binding, Model, Ref, Scope } from './model.ts';
import { evaluate } from './options.ts';

/** Names of calls that some pass looks for, whatever they are called on. */
const OF_INTEREST = new Set([
  ...['Promise', 'DurableAgent', 'fetch', 'race', 'all', 'allSettled', 'any', 'getWriter', 'next', 'sleep', 'hook'],
  ...[
    'push',
    'unshift',
    'set',
    'add',
    'delete',
    'clear',
    'pop',
    'shift',
    'splice',
    'sort',
    'reverse',
    'fill',
    'copyWithin',
  ],
  ...['forEach', 'map', 'flatMap', 'filter', 'reduce', 'some', 'every', 'find'],
]);

function lastName(callee: Node): string {
  if (callee.type === 'Identifier') return callee.name;
  if (callee.type !== 'MemberExpression' && callee.type !== 'OptionalMemberExpression') return '';
  return keyName(callee.property, callee.computed) ?? '';
}

/** What the passes over calls share: the walk, names, and the facts in the making. */
export class CallContext implements Names {
  readonly model: Model;
  readonly facts: ModuleFacts;
  readonly walk: CallWalk;
  readonly out: CallFacts = { sites: [] };
  /** Sites by the node of their call. */
  readonly sites = new Map<Node, number>();
  readonly loops = new Map<Node, LoopFact>();
  #calls: ReadonlyMap<Node, Found<CallNode>> | undefined;
  #refs: Map<Node, Ref> | undefined;
  #read: Set<Node> | undefined;
  readonly #uses = new Map<number, { unit: number; use: number; access: Use['access'] }>();
  readonly #contexts = new Map<Node, string | null>();

  /** @param isUnit - whether a function is a unit of its own */
  constructor(model: Model, facts: ModuleFacts, isUnit: (node: Node) => boolean) {
    this.model = model;
    this.facts = facts;
    model.units.forEach(({ uses }, unit) => {
      uses.forEach(({ access, span }, use) => {
        const known = this.#uses.get(span.end);
        if (access !== 'write' && (!known || known.access === 'read')) this.#uses.set(span.end, { unit, use, access });
      });
    });
    for (const { kind, call } of model.definitions) if (kind === 'workflow') this.#addContext(call);
    this.walk = new CallWalk(isUnit, (call) => this.#isOfInterest(call));
    this.walk.run(model.program);
  }

  /** Most calls are none of ours: `Math.max(…)`, `text.slice(…)`. */
  #isOfInterest({ type, callee }: CallNode): boolean {
    const inner = unwrap(callee as Node);
    if (type === 'NewExpression') return OF_INTEREST.has(lastName(inner));
    const use = this.useOf(inner, true);
    if (!use)
      return (
        inner.type === 'Identifier' ||
        inner.type === 'CallExpression' ||
        OF_INTEREST.has(lastName(inner)) ||
        this.#isOfLiteral(inner)
      );
    return !this.#isGlobal(use) || OF_INTEREST.has(lastName(inner));
  }

  /** `wrapped.run()`, where `wrapped` is an object that the function around made in place. */
  #isOfLiteral(callee: Node): boolean {
    const declaration = isName(callee) ? this.bindingOf(headOf(callee))?.declaration : undefined;
    return declaration?.type === 'VariableDeclarator' && declaration.init?.type === 'ObjectExpression';
  }

  #isGlobal({ unit, use }: { unit: number; use: number }): boolean {
    return this.model.units[unit]?.uses[use]?.kind === 'global';
  }

  /** Calls by their nodes. */
  get calls(): ReadonlyMap<Node, Found<CallNode>> {
    this.#calls ??= new Map(this.walk.calls.map((found) => [found.node, found]));
    return this.#calls;
  }

  get refs(): ReadonlyMap<Node, Ref> {
    if (!this.#refs) {
      this.#refs = new Map();
      // Of several references at one node the first speaks of the whole of it.
      for (const ref of this.model.refs) if (!this.#refs.has(ref.node)) this.#refs.set(ref.node, ref);
    }
    return this.#refs;
  }

  get read(): ReadonlySet<Node> {
    if (!this.#read) {
      this.#read = new Set();
      for (const { binding, rebinds } of this.model.refs) if (binding && !rebinds) this.#read.add(binding.node);
    }
    return this.#read;
  }

  /** The names under which a defined workflow's `run` gets its context. */
  #addContext(call: t.CallExpression): void {
    const run = propertyOf(call.arguments[0] as Node | undefined, 'run');
    const parameter = run && isFunction(run) ? run.params[1] : undefined;
    if (parameter?.type === 'Identifier') this.#contexts.set(parameter, null);
    if (parameter?.type !== 'ObjectPattern') return;
    for (const property of parameter.properties)
      if (property.type === 'ObjectProperty' && property.key.type === 'Identifier')
        this.#contexts.set(property.value, property.key.name);
  }

  span(node: Node): Span {
    return this.model.positions.span(node.start as number, node.end as number);
  }

  spanOf(start: number, end: number): Span {
    return this.model.positions.span(start, end);
  }

  text(node: Node): string {
    return this.model.source.slice(node.start as number, node.end as number);
  }

  /** The innermost unit at an offset. */
  unitAt(offset: number): number {
    let best = 0;
    let size = Number.POSITIVE_INFINITY;
    this.model.units.forEach(({ span }, index) => {
      if (span.start <= offset && offset < span.end && span.end - span.start < size) {
        best = index;
        size = span.end - span.start;
      }
    });
    return best;
  }

  /** The use that ends where an expression does. */
  useOf(expression: Node, called: boolean): { unit: number; use: number } | null {
    const found = this.#uses.get(unwrap(expression).end as number);
    return found && (found.access !== 'read') === called ? { unit: found.unit, use: found.use } : null;
  }

  /** The use of `charge.bind` in `charge.bind(null)(order)`, also where a variable of the same code holds what that gives. */
  boundUse(callee: Node): { unit: number; use: number } | null {
    const call = this.through(callee);
    const bind = call.type === 'CallExpression' ? unwrap(call.callee as Node) : null;
    if (bind?.type !== 'MemberExpression' || keyName(bind.property, bind.computed) !== 'bind') return null;
    const use = this.useOf(bind, true);
    return use?.unit === this.unitAt(callee.start as number) && !this.#isGlobal(use) ? use : null;
  }

  /** What is called of the context of a defined workflow. */
  contextCall(callee: Node): string | null {
    const inner = unwrap(callee);
    if (inner.type === 'Identifier') return this.#contexts.get(this.bindingOf(inner)?.node as Node) ?? null;
    if (inner.type !== 'MemberExpression' || inner.computed || inner.property.type !== 'Identifier') return null;
    const binding = this.bindingOf(unwrap(inner.object));
    return binding && this.#contexts.get(binding.node) === null ? inner.property.name : null;
  }

  bindingOf(node: Node): Binding | null {
    return this.refs.get(node)?.binding ?? null;
  }

  /** The initial value of a variable that is assigned once. */
  valueOf(node: Node): Node | null {
    const binding = this.bindingOf(unwrap(node));
    if (!binding || binding.refs.some(({ rebinds }) => rebinds)) return null;
    const { declaration } = binding;
    if (declaration.type !== 'VariableDeclarator' || declaration.id !== binding.node || !declaration.init) return null;
    return unwrap(declaration.init);
  }

  /** The expression, or what the variable that it names was made with. */
  through(node: Node): Node {
    const inner = unwrap(node);
    return (inner.type === 'Identifier' && this.valueOf(inner)) || inner;
  }

  /** A text that is known without running the code. */
  textOf(node: Node): string | null {
    const value = evaluate(node, this.scopeOf(node), 0);
    return typeof value === 'string' ? value : null;
  }

  scopeOf(node: Node): Scope {
    let inner = unwrap(node);
    while (inner.type === 'MemberExpression') inner = unwrap(inner.object);
    return this.refs.get(inner)?.scope ?? this.model.module;
  }

  addSite(node: Node, site: CallSite): number {
    const index = this.out.sites.push(site) - 1;
    this.sites.set(node, index);
    return index;
  }

  /** The site of a call, or of the one under `.then(…)` and its siblings. */
  siteUnder(expression: Node): number | undefined {
    return this.sites.get(withoutHandlers(expression));
  }
}

const HANDLERS = new Set(['then', 'catch', 'finally']);

/** `hook` of `hook.then(…).catch(…)`. */
export function withoutHandlers(node: Node): Node {
  const inner = unwrap(node);
  const callee = inner.type === 'CallExpression' ? unwrap(inner.callee as Node) : null;
  if (callee?.type !== 'MemberExpression') return inner;
  return HANDLERS.has(keyName(callee.property, callee.computed) ?? '') ? withoutHandlers(callee.object) : inner;
}

/** The nearest loop around a node in the same function. */
export function loopAround({ ancestors, owner }: Found): LoopNode | null {
  for (let i = ancestors.length - 1; i >= 0; i--) {
    const node = ancestors[i] as Node;
    if (node === owner) return null;
    if (isLoop(node)) return node;
  }
  return null;
}

export function isLoop(node: Node): node is LoopNode {
  switch (node.type) {
    case 'WhileStatement':
    case 'DoWhileStatement':
    case 'ForStatement':
    case 'ForOfStatement':
    case 'ForInStatement':
      return true;
    default:
      return false;
  }
}
