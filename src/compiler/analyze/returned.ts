import { eachChild, type FunctionNode, isFunction, isTypeOnly, type Node, unwrap } from './ast.ts';
import type { FunctionInfo, Model } from './model.ts';

/**
 * Code that a call of the function around it does not run: closures that are only returned, as such or in an object, and what only they
 * call. `createApi(base)` that returns `{ link: …, get: (path) => fetch(base + path) }` does no I/O; `get` would, for whoever calls it.
 *
 * @returns ranges of offsets, in order and apart from each other
 */
export function returnedCode(model: Model): [start: number, end: number][] {
  const makers = new Map<FunctionInfo, FunctionInfo[]>();
  for (const info of model.functions) {
    const outermost = outermostOf(info);
    if (outermost === info || !isFunction(info.node as Node)) continue;
    makers.set(outermost, [...(makers.get(outermost) ?? []), info]);
  }
  if (makers.size === 0) return [];
  const own = new Set(
    model.units.flatMap(({ kind, span }) => (kind === 'function' || kind === 'method' ? span.start : [])),
  );
  const ranges: [number, number][] = [];
  for (const [maker, inner] of makers) {
    if (isFunction(maker.node as Node) && own.has(maker.node.start as number))
      ranges.push(...new Maker(model, maker, inner).later());
  }
  return ranges.sort(([a], [b]) => a - b);
}

/** The function of the top level, or of a member of a class, that a function stands in. */
function outermostOf(info: FunctionInfo): FunctionInfo {
  let at = info;
  while (at.parent && isFunction(at.parent.node as Node)) at = at.parent;
  return at;
}

/** The nearest function, where the value of a field or a static block is none. */
function aroundOf(info: FunctionInfo | null): FunctionInfo | null {
  let at = info;
  while (at && !isFunction(at.node as Node)) at = at.parent;
  return at;
}

/** A function with functions in it. */
class Maker {
  readonly #model: Model;
  readonly #maker: FunctionInfo;
  readonly #inner: readonly FunctionInfo[];
  readonly #returned = new Set<Node>();
  /** Names that are returned as they are. */
  readonly #given = new Set<Node>();
  /** What declares the variable that holds a function, or an object with it. */
  readonly #holders = new Map<Node, Node>();
  /** Names that stand in an object which a variable holds, or for it, with what declares that variable. */
  readonly #members = new Map<Node, Node>();

  constructor(model: Model, maker: FunctionInfo, inner: readonly FunctionInfo[]) {
    this.#model = model;
    this.#maker = maker;
    this.#inner = inner;
    const { body } = maker.node as FunctionNode;
    if (body.type !== 'BlockStatement') this.#give(body);
    this.#read(body, true);
  }

  /** Ranges of the outermost functions that no call of the maker runs. */
  later(): [number, number][] {
    if (this.#returned.size === 0 && this.#holders.size === 0) return [];
    const runs = this.#running();
    return this.#inner.flatMap((info): [number, number][] => {
      if (runs.has(info) || !runs.has(aroundOf(info.parent))) return [];
      return [[info.node.start as number, info.node.end as number]];
    });
  }

  #running(): ReadonlySet<FunctionInfo | null> {
    const holders = new Set([...this.#holders.values(), ...this.#members.values()]);
    const [start, end] = [this.#maker.node.start as number, this.#maker.node.end as number];
    const mentions = this.#model.refs.filter(
      ({ binding, node }) =>
        binding !== null &&
        holders.has(binding.node) &&
        (node.start as number) >= start &&
        (node.start as number) < end &&
        !this.#given.has(node),
    );
    const runs = new Set<FunctionInfo | null>([this.#maker]);
    const isUsed = (holder: Node, depth = 0): boolean =>
      mentions.some(({ binding, fn, node }) => {
        if (binding?.node !== holder || !runs.has(aroundOf(fn))) return false;
        const owner = this.#members.get(node);
        return !owner || (depth < 10 && isUsed(owner, depth + 1));
      });
    for (let size = 0; size < runs.size; ) {
      size = runs.size;
      for (const info of this.#inner) {
        const node = info.node as Node;
        if (runs.has(info) || this.#returned.has(node)) continue;
        const holder = this.#holders.get(node);
        if ((!holder || isUsed(holder)) && runs.has(aroundOf(info.parent))) runs.add(info);
      }
    }
    return runs;
  }

  /** @param isOwn - whether the node is code of the maker itself, and not of a function in it */
  #read(node: Node, isOwn: boolean): void {
    if (isTypeOnly(node)) return;
    if (node.type === 'ReturnStatement' && isOwn && node.argument) this.#give(node.argument);
    else if (node.type === 'FunctionDeclaration' && node.id) this.#holders.set(node, node.id);
    else if (node.type === 'VariableDeclarator' && node.id.type === 'Identifier' && node.init)
      this.#hold(node.init, node.id);
    const own = isOwn && !isFunction(node);
    eachChild(node, (child) => this.#read(child, own));
  }

  /** `const get = () => …`, `const api = { get: () => … }` */
  #hold(value: Node, holder: Node): void {
    const inner = unwrap(value);
    if (inner.type === 'Identifier') this.#members.set(inner, holder);
    else if (isFunction(inner)) this.#holders.set(inner, holder);
    else if (inner.type === 'ObjectExpression')
      for (const property of inner.properties) {
        if (property.type === 'ObjectMethod') this.#holders.set(property, holder);
        else if (property.type === 'ObjectProperty') this.#hold(property.value, holder);
      }
  }

  #give(value: Node): void {
    const inner = unwrap(value);
    switch (inner.type) {
      case 'Identifier':
        this.#given.add(inner);
        return;
      case 'ObjectExpression':
        for (const property of inner.properties) {
          if (property.type === 'ObjectMethod') this.#returned.add(property);
          else this.#give(property.type === 'ObjectProperty' ? property.value : property.argument);
        }
        return;
      case 'ArrayExpression':
        for (const element of inner.elements) if (element) this.#give(element);
        return;
      case 'ConditionalExpression':
        this.#give(inner.consequent);
        this.#give(inner.alternate);
        return;
      case 'LogicalExpression':
        this.#give(inner.left);
        this.#give(inner.right);
        return;
      default:
        if (isFunction(inner)) this.#returned.add(inner);
    }
  }
}
