import type { ModuleFacts, Unit, Use } from '../compiler/facts.ts';
import type { RuleName } from '../diagnostics/codes.ts';
import type { Chain, ChainQuery, Hop, Place, Program, Reference } from '../rules/program.ts';

/**
 * Reachability over the call graph. Units are nodes; a use that calls, constructs or passes on another unit is an edge. A
 * function that is mentioned counts as called: it is given to `map`, to `then`, to a helper that will call it.
 */

/** The unit that a use leads to, if it leads to one. */
export function targetOf(use: Use, reference: Reference): Place | null {
  if (reference.kind !== 'unit' || use.access === 'write') return null;
  const { module, unit, rest } = reference;
  if (unit.kind === 'variable') return isLookedAt(unit, rest) ? null : { module, unit };
  if (rest.length > 0 && !/^(?:call|apply|bind)$/.test(rest[0] as string)) return null;
  return { module, unit };
}

/** What tells of a collection, or changes it, and runs nothing that is in it. */
const LOOKS = new Set([
  'has',
  'size',
  'length',
  'keys',
  'includes',
  'indexOf',
  'add',
  'set',
  'push',
  'delete',
  'clear',
]);

/** `handlers.has(name)`, where `handlers` is a `Map` of functions. */
function isLookedAt({ holds, uses }: Unit, [member]: readonly string[]): boolean {
  return holds !== undefined && member !== undefined && LOOKS.has(member) && isInert(uses);
}

/** Whether all that a collection was made of is functions. */
export function isInert(uses: readonly Use[]): boolean {
  return uses.every(
    ({ deferred, kind, access, path }) =>
      deferred ||
      (access === 'read' && kind !== 'global') ||
      (access === 'new' && kind === 'global' && /^(?:Map|Set|Array)$/.test(path.join('.'))),
  );
}

/** Everything that `root` reaches through units that `through` allows, nearest first. */
export function reachFrom(program: Program, root: Place, through: (target: Place) => boolean): Place[] {
  const reached: Place[] = [root];
  const seen = new Set<Unit>([root.unit]);
  for (let at = 0; at < reached.length; at++) {
    for (const { target } of program.usesOf(reached[at] as Place).all) {
      if (!target || seen.has(target.unit) || !through(target)) continue;
      seen.add(target.unit);
      reached.push(target);
    }
  }
  return reached;
}

/** How to get from a unit to its nearest end: the use that leads on, and the unit behind it (null at the end itself). */
interface Way<End> {
  use: Use;
  next: Place | null;
  end: End;
}

interface Node<End> {
  place: Place;
  edges: { use: Use; target: Place }[];
  ends: { use: Use; end: End }[];
  /** Edges and ends (without target) that a suppression cuts off. */
  cut: { use: Use; target: Place | null }[];
}

/** What reachability asks about suppressions: a comment on any line of a chain cuts it there. */
export interface ChainSuppressions {
  /** Told of each module before anything is asked about it. */
  add(module: ModuleFacts): void;
  covers(file: string, line: number, rule: RuleName): boolean;
  markUsed(file: string, line: number, rule: RuleName): void;
}

/**
 * Chains from the roots to what the query looks for: one for each use in a root that leads there, the shortest. Units are
 * visited once whatever the number of roots, so it costs as much as the part of the program that workflows reach.
 */
export function findChains<End>(
  program: Program,
  query: ChainQuery<End>,
  suppressions: ChainSuppressions,
): Chain<End>[] {
  const nodes = explore(program, query, suppressions);
  const ways = nearestEnds(nodes, query.rank ?? (() => 0));
  for (const { place, cut } of nodes.values()) {
    for (const { use, target } of cut) {
      if (!target || ways.has(target.unit)) suppressions.markUsed(place.module.file, use.span.line, query.rule);
    }
  }
  const chains: Chain<End>[] = [];
  for (const root of query.roots) {
    const node = nodes.get(root.unit) as Node<End>;
    for (const { use, end } of node.ends) chains.push({ hops: [{ ...root, use }], end });
    const direct = new Set(node.ends.map(({ use }) => use));
    for (const { use, target } of node.edges) {
      const way = ways.get(target.unit);
      if (!way || direct.has(use)) continue;
      const hops: [Hop, ...Hop[]] = [{ ...root, use }];
      let place: Place | null = target;
      while (place) {
        const step: Way<End> = ways.get(place.unit) as Way<End>;
        hops.push({ ...place, use: step.use });
        place = step.next;
      }
      chains.push({ hops, end: way.end });
    }
  }
  return chains;
}

function explore<End>(program: Program, query: ChainQuery<End>, suppressions: ChainSuppressions): Map<Unit, Node<End>> {
  const nodes = new Map<Unit, Node<End>>();
  const queue: Place[] = [...query.roots];
  for (let at = 0; at < queue.length; at++) {
    const place = queue[at] as Place;
    if (nodes.has(place.unit)) continue;
    const node: Node<End> = { place, edges: [], ends: [], cut: [] };
    nodes.set(place.unit, node);
    const root = at < query.roots.length;
    const said = new Said();
    for (const { use, reference, target: leads } of program.usesOf(place).all) {
      const end = query.end(use, reference, place);
      const target = end === null ? leads : null;
      if (end === null && !(target && query.through(target))) continue;
      if (said.has(use, target)) continue;
      // The place in the root is where the finding will stand: there the suppression is applied to the finding itself.
      const cut = !root && suppressions.covers(place.module.file, use.span.line, query.rule);
      if (cut) node.cut.push({ use, target });
      else if (end !== null) node.ends.push({ use, end });
      else if (target) node.edges.push({ use, target });
      if (target) queue.push(target);
    }
  }
  return nodes;
}

/** `const get = fetch; get(url)`: where a variable is made it has been said already. */
class Said {
  /** By where they start; most units have no such variable, and then nobody asks. */
  readonly #uses = new Map<number, { path: readonly string[]; unit: Unit | undefined }[]>();

  /** Whether a use leads where the one did that its variable was made with. What it is asked about it keeps. */
  has({ via, from, path, span }: Use, target: Place | null): boolean {
    const unit = target?.unit;
    if (via !== undefined) {
      const known = this.#uses.get(via);
      return known?.some((each) => each.unit === unit && each.path.every((piece, i) => piece === path[i])) === true;
    }
    const start = from ?? span.start;
    const known = this.#uses.get(start);
    if (known) known.push({ path, unit });
    else this.#uses.set(start, [{ path, unit }]);
    return false;
  }
}

/** Breadth first from the ends backwards, so each unit gets a shortest way. */
function nearestEnds<End>(nodes: Map<Unit, Node<End>>, rank: (end: End) => number): Map<Unit, Way<End>> {
  const callers = new Map<Unit, { from: Node<End>; use: Use; target: Place }[]>();
  const ways = new Map<Unit, Way<End>>();
  const queue: Unit[] = [];
  for (const node of nodes.values()) {
    for (const { use, target } of node.edges) {
      const list = callers.get(target.unit);
      if (list) list.push({ from: node, use, target });
      else callers.set(target.unit, [{ from: node, use, target }]);
    }
    const [first] = [...node.ends].sort((a, b) => rank(a.end) - rank(b.end));
    if (!first) continue;
    ways.set(node.place.unit, { use: first.use, next: null, end: first.end });
    queue.push(node.place.unit);
  }
  for (let at = 0; at < queue.length; at++) {
    const unit = queue[at] as Unit;
    const way = ways.get(unit) as Way<End>;
    for (const { from, use, target } of callers.get(unit) ?? []) {
      if (ways.has(from.place.unit)) continue;
      ways.set(from.place.unit, { use, next: target, end: way.end });
      queue.push(from.place.unit);
    }
  }
  return ways;
}
