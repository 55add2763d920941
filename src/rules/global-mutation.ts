import type { Use } from '../compiler/facts.ts';
import { chainPlaces, chainText, placeName, runsAtLoad } from './chain.ts';
import { defineRule } from './define-rule.ts';
import { isPlain, levelName } from './levels.ts';
import { wantedOf } from './per-list.ts';
import type { Place, Program, Reference, ResolvedUse } from './program.ts';
import { reachedCode } from './reached.ts';
import { chainsFrom } from './workflow-chains.ts';

/**
 * Each run has its own copy of every module, so state in variables of modules is not shared, neither with other runs nor with
 * steps. Code that only makes a value once (`??=`, memo tables) or works with a scratch variable that it sets before it reads
 * is none the worse for it, and is not reported.
 */
export const globalMutation = defineRule({
  name: 'global-mutation',
  by: 'program',
  description: 'Workflow code writes a variable of a module, or a global',
  explanation: {
    mistake:
      'A workflow assigns to a variable of a module or to a member of an object that one holds, changes an array, a `Map` or a `Set` in one, or writes a global (`globalThis.x`, `Date.now = …`), directly or through helpers.',
    why: 'Each run has a copy of every module of its own, which is made anew in each replay. Other runs, steps and apps never see what was written there; what looks like a counter of all orders counts those of one run.',
    allowed:
      'Variables of functions. Making a value once, with `??=` or under a condition that asks for it. Memo tables in helpers (`known[key] = …`, `known.set(key, …)`), and scratch variables that a helper sets and then reads. Members of instances. `globalThis.fetch = fetch`, by which programs for the Workflow SDK make a package use its `fetch`. All writes of code that only steps reach.',
    unseen:
      'Changes through references that were passed on to functions or kept in variables that are assigned again, through `Object.assign` and other functions, and of what packages export.',
  },
  bad: {
    'src/stats.ts': `let fulfilled = 0;

export function count() {
  fulfilled++;
  return fulfilled;
}
`,
    'src/fulfil.ts': `import { count } from './stats';

export async function fulfil(order: string) {
  'use workflow';
  return \`\${order} is number \${count()}\`;
}
`,
  },
  good: {
    'src/stats.ts': `export async function count(order: string) {
  'use step';
  const response = await fetch('https://stats.example/orders/' + order, { method: 'PUT' });
  return (await response.json()) as number;
}
`,
    'src/fulfil.ts': `import { count } from './stats';

export async function fulfil(order: string) {
  'use workflow';
  return \`\${order} is number \${await count(order)}\`;
}
`,
  },
  check({ program, report }) {
    if (!reachedCode(program, 'workflow').places.some(({ uses }) => changes(uses).length > 0)) return;
    const scratch = scratchVariables(program);
    const chains = chainsFrom('global-mutation', program, 'workflow', (use, reference, at) =>
      mutation(use, reference, at, scratch),
    );
    for (const { hops, end } of chains) {
      if (runsAtLoad(hops)) continue;
      const [first, second] = hops;
      const through = second ? ` through \`${placeName(second)}\`` : '';
      const what = end.isGlobal ? `the global \`${end.name}\`` : `\`${end.name}\``;
      report({
        file: first.module.file,
        span: first.use.span,
        message: `${levelName(first)} \`${placeName(first)}\` ${end.verb} ${what}${through}: each run has ${end.isGlobal ? 'globals' : 'a copy of every module'} of its own, made anew in each replay, so no other run and no step sees the change.`,
        chain: second && chainText(hops, end.name),
        remedy: 'Keep it in a variable of the workflow and pass it on, or keep it outside: write it in a step.',
        related: second ? chainPlaces(hops, end.name) : [],
      });
    }
  },
});

interface Mutation {
  name: string;
  verb: 'writes' | 'changes';
  isGlobal: boolean;
}

/** The variable of a module that a reference leads to. */
interface Variable {
  key: string;
  path: readonly string[];
}

const CHANGES: Record<'array' | 'map' | 'set', ReadonlySet<string>> = {
  array: new Set(['push', 'pop', 'shift', 'unshift', 'splice', 'sort', 'reverse', 'fill', 'copyWithin']),
  map: new Set(['set', 'delete', 'clear']),
  set: new Set(['add', 'delete', 'clear']),
};
const GROWS = new Set(['push', 'unshift']);

function mutation(use: Use, reference: Reference, at: Place, scratch: ReadonlySet<string>): Mutation | null {
  if (use.access === 'write' && reference.kind === 'global') return globalWrite(use, reference.path);
  const variable = variableOf(reference);
  if (!variable) return null;
  const name = variable.path.join('.');
  const inHelper = isPlain(at);
  if (use.access === 'write') {
    if (use.how === 'lazy' || use.how === 'own' || variable.path.at(-1) === 'lastIndex') return null;
    if (inHelper && (use.how === 'computed' || scratch.has(variable.key))) return null;
    return { name, verb: 'writes', isGlobal: false };
  }
  const method = use.access === 'call' ? changeOf(reference) : null;
  if (method === null || (inHelper && (!GROWS.has(method) || scratch.has(variable.key)))) return null;
  return { name: variable.path.slice(0, -1).join('.'), verb: 'changes', isGlobal: false };
}

/** Uses that may change something: most code has none. */
const changes = wantedOf(
  ({ use: { access, path } }: ResolvedUse) => access === 'write' || (access === 'call' && isChange(path.at(-1) ?? '')),
);

function isChange(name: string): boolean {
  return CHANGES.array.has(name) || CHANGES.map.has(name) || CHANGES.set.has(name);
}

function globalWrite(use: Use, path: readonly string[]): Mutation | null {
  const [head = ''] = path;
  if (use.how === 'lazy' || head === 'module' || head === 'exports' || path.join('.') === 'fetch') return null;
  if (head === 'import.meta') return null;
  return { name: path.join('.'), verb: 'writes', isGlobal: true };
}

/** The method with which a call changes the collection that a variable holds. */
function changeOf(reference: Reference): string | null {
  if (reference.kind !== 'unit' || reference.rest.length !== 1) return null;
  const [method = ''] = reference.rest;
  const { holds } = reference.unit;
  return holds && CHANGES[holds].has(method) ? method : null;
}

/** Members of instances are no state of the module, and what is set on a function is told to the function. */
function variableOf(reference: Reference): Variable | null {
  if (reference.kind !== 'binding' && reference.kind !== 'unit') return null;
  if (reference.kind === 'unit' && reference.unit.kind !== 'variable') return null;
  const { module, path } = reference;
  if (path.some((piece) => piece.startsWith('#'))) return null;
  return { key: `${module.file}#${path[0]}`, path };
}

/**
 * Variables that helpers use to get something done: one sets it and then reads it, itself or through what it calls, as a parser
 * does with its position; or takes out again what it put in.
 */
function scratchVariables(program: Program): Set<string> {
  const found = new Set<string>();
  for (const at of reachedCode(program, 'workflow').places)
    for (const { use, reference } of changes(at.uses)) {
      if (!isPlain(at)) continue;
      const variable = variableOf(reference);
      if (!variable || found.has(variable.key)) continue;
      const method = use.access === 'call' ? changeOf(reference) : null;
      const isScratch =
        use.access === 'write'
          ? (use.how === undefined || (use.how === 'lower' && raises(program, at, variable.key))) &&
            reads(program, at, variable.key)
          : method !== null && !GROWS.has(method);
      if (isScratch) found.add(variable.key);
    }
  return found;
}

/** A depth that is counted up before, and down again after. */
function raises(program: Program, { module, unit }: Place, key: string): boolean {
  return unit.uses.some((use) => use.how === 'update' && variableOf(program.resolve(module, use))?.key === key);
}

function reads(program: Program, place: Place, key: string): boolean {
  return program
    .reach(place, isPlain)
    .some(({ module, unit }) =>
      unit.uses.some((use) => use.access !== 'write' && variableOf(program.resolve(module, use))?.key === key),
    );
}
