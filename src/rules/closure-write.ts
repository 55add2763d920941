import type { Unit, Use } from '../compiler/facts.ts';
import { chainPlaces, chainText, placeName, runsAtLoad } from './chain.ts';
import { defineRule, type RuleContext } from './define-rule.ts';
import { levelName } from './levels.ts';
import { wantedOf } from './per-list.ts';
import type { Chain, Place, Program, Reference, ResolvedUse } from './program.ts';
import { reachedCode } from './reached.ts';
import { chainsFrom } from './workflow-chains.ts';

/**
 * Variables of enclosing functions are the compiler's part. Here: variables of modules, which steps and workflows each have a
 * copy of. A write counts only where no workflow reaches that same write, for then (a memo table in a shared helper) each copy
 * is consistent in itself.
 */
export const closureWrite = defineRule({
  name: 'closure-write',
  by: 'compiler and program',
  description: 'A step writes a variable that the workflow reads: the write is lost',
  explanation: {
    mistake:
      'A step assigns to a captured variable or changes what it holds, or does so with a variable of a module (itself or through a helper), and workflow code reads it.',
    why: 'A step runs in another process with a copy of its inputs and its own copy of every module. What it writes there, the workflow never sees; and after a replay nobody does.',
    allowed:
      'Returning the value from the step. Variables that only steps read and write, such as a client that is made on first use. Variables that only the workflow writes. Changing a captured object for a purpose of its own: what the step also reads or passes on.',
    unseen:
      'Changes through methods of anything but arrays, maps and sets, and through references that were passed on.',
  },
  bad: `let charged = 0;

async function charge(amount: number) {
  'use step';
  charged += amount;
}

export async function fulfil(amounts: number[]) {
  'use workflow';
  for (const amount of amounts) await charge(amount);
  return charged;
}
`,
  good: `async function charge(amount: number) {
  'use step';
  return amount;
}

export async function fulfil(amounts: number[]) {
  'use workflow';
  let charged = 0;
  for (const amount of amounts) charged += await charge(amount);
  return charged;
}
`,
  check({ program, report }) {
    const changed = changedInSteps(program);
    if (changed.size === 0) return;
    const { reads, writes } = workflowAccess(program, changed);
    if (reads.size === 0) return;
    const chains = chainsFrom('closure-write', program, 'step', (use, reference) =>
      lostWrite(use, reference, reads, writes),
    );
    for (const { hops, end } of chains) if (!runsAtLoad(hops)) reportWrite(report, hops, end);
  },
});

interface Variable {
  /** Names the module and the variable in it. */
  key: string;
  /** From the variable on: `['state', 'count']`. */
  path: readonly string[];
  /** It is initialized with something that is neither a class nor a function. */
  isData: boolean;
}

interface Read extends Variable, Place {
  use: Use;
}

interface LostWrite {
  variable: Variable;
  read: Read;
}

function lostWrite(
  use: Use,
  reference: Reference,
  reads: ReadonlyMap<string, Read[]>,
  writes: ReadonlySet<Use>,
): LostWrite | null {
  if (writes.has(use)) return null;
  const variable = changedBy(use, reference);
  const read = variable && reads.get(variable.key)?.find((candidate) => conflicts(variable, candidate));
  return variable && read ? { variable, read } : null;
}

/** The variable that a use changes, as far as it is changed: by an assignment, or by a method of the collection that it holds. */
function changedBy(use: Use, reference: Reference): Variable | null {
  if (use.access === 'write') return variableOf(reference);
  if (use.access !== 'call' || reference.kind !== 'unit' || reference.rest.length !== 1) return null;
  const { holds } = reference.unit;
  const variable = holds && MUTATORS[holds].has(reference.rest[0] as string) ? variableOf(reference) : null;
  return variable && { ...variable, path: variable.path.slice(0, -1) };
}

/** Methods that change a collection and give back nothing that it held. */
const MUTATORS: Record<NonNullable<Unit['holds']>, ReadonlySet<string>> = {
  array: new Set(['push', 'unshift', 'sort', 'reverse', 'fill', 'copyWithin']),
  map: new Set(['set', 'delete', 'clear']),
  set: new Set(['add', 'delete', 'clear']),
};

function variableOf(reference: Reference): Variable | null {
  switch (reference.kind) {
    case 'binding':
      return { key: `${reference.module.file}#${reference.path[0]}`, path: reference.path, isData: false };
    case 'unit': {
      if (reference.unit.kind !== 'variable') return null;
      return { key: `${reference.module.file}#${reference.path[0]}`, path: reference.path, isData: true };
    }
    case 'global':
      return { key: `#${reference.path[0]}`, path: reference.path, isData: false };
    default:
      return null;
  }
}

/** Uses that may change something: most code has none. */
const changes = wantedOf(
  ({ use: { access, path } }: ResolvedUse) => access === 'write' || isMutator(path.at(-1) ?? ''),
);

function isMutator(name: string): boolean {
  return MUTATORS.array.has(name) || MUTATORS.map.has(name) || MUTATORS.set.has(name);
}

/** The variables that steps change. */
function changedInSteps(program: Program): Set<string> {
  const changed = new Set<string>();
  for (const { uses } of reachedCode(program, 'step').places)
    for (const { use, reference } of changes(uses)) {
      const variable = changedBy(use, reference);
      if (variable) changed.add(variable.key);
    }
  return changed;
}

/** What workflow code reads of some variables, and the very uses with which it writes. */
function workflowAccess(
  program: Program,
  changed: ReadonlySet<string>,
): { reads: Map<string, Read[]>; writes: Set<Use> } {
  const reads = new Map<string, Read[]>();
  const writes = new Set<Use>();
  for (const { module, unit, uses } of reachedCode(program, 'workflow').places)
    for (const { use, reference } of uses) {
      if (use.access === 'write' || changedBy(use, reference)) {
        writes.add(use);
        continue;
      }
      const variable = variableOf(reference);
      if (!variable || !changed.has(variable.key)) continue;
      const list = reads.get(variable.key) ?? [];
      reads.set(variable.key, list);
      list.push({ ...variable, module, unit, use });
    }
  return { reads, writes };
}

/**
 * `state.count` written conflicts with `state.count.x` read and with `state` passed on, not with `state.name` nor a call
 * `state()`. Of a class (`Order.cache` written) or a global the mere mention is no reading of its members.
 */
function conflicts(written: Variable, read: Read): boolean {
  const shared = Math.min(written.path.length, read.path.length);
  for (let index = 0; index < shared; index++) if (written.path[index] !== read.path[index]) return false;
  return read.path.length >= written.path.length || (read.isData && read.use.access === 'read');
}

function reportWrite(
  report: RuleContext['report'],
  hops: Chain<LostWrite>['hops'],
  { variable, read }: LostWrite,
): void {
  const [first, second] = hops;
  const name = variable.path.join('.');
  const through = second ? ` through \`${placeName(second)}\`` : '';
  report({
    file: first.module.file,
    span: first.use.span,
    message: `${levelName(first)} \`${placeName(first)}\` writes \`${name}\`${through}, which workflow code reads: steps have a copy of their own, so the write is lost.`,
    chain: second && chainText(hops, name),
    remedy: 'Return the value from the step and assign it in the workflow.',
    related: [
      ...(second ? chainPlaces(hops, name) : []),
      {
        file: read.module.file,
        span: read.use.span,
        message: `\`${placeName(read)}\` reads \`${read.path.join('.')}\``,
      },
    ],
  });
}
