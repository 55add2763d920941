import { parseAst } from 'rolldown/parseAst';
import { compareText } from '../diagnostics/order.ts';
import { createDiagnostic } from '../diagnostics/create.ts';
import type { Diagnostic } from '../diagnostics/types.ts';
import type { ManifestSpan } from '../manifest/schema.ts';
import { eachNode } from './chunk-syntax.ts';
import type { ProgramDescription } from './program.ts';

/** Ids in the order of their kinds: what a bundle hands to the helpers of compiled code. */
export type HelperCalls = ReadonlyMap<string, ReadonlySet<string>>;

/** A call of a helper with a literal id. The names are pawl's own and survive bundling (`virtual.ts`). */
const CALL = /\b__pawl_(\w+?)(?:\$\d+)?\(\s*("(?:[^"\\\n]|\\.)*")/g;

/** Which ids a bundle passes to which helper, read off its text. */
export function helperCalls(code: string): HelperCalls {
  const calls = new Map<string, Set<string>>();
  for (const [, helper = '', literal = ''] of code.matchAll(CALL)) add(calls, helper, literal);
  return calls;
}

/** The same from the syntax tree: slower, and never deceived by a string, an escape or a function of the user's of such a name. */
export function parsedHelperCalls(code: string): HelperCalls {
  const calls = new Map<string, Set<string>>();
  const program = parseAst(code);
  const helpers = helperNames(program);
  eachNode(program, ({ type, callee, arguments: args }) => {
    if (type !== 'CallExpression') return;
    const helper = helpers.get((callee as { name?: string }).name ?? '');
    const id = (args as { value?: unknown }[])[0]?.value;
    if (helper && typeof id === 'string') add(calls, helper, JSON.stringify(id));
  });
  return calls;
}

/** What a bundle calls the helpers, which `virtual.ts` declares. */
function helperNames(program: unknown): Map<string, string> {
  const names = new Map<string, string>();
  eachNode(program, (node) => {
    const { name } = (node.id ?? {}) as { name?: string };
    const helper = name && /^__pawl_(\w+?)(?:\$\d+)?$/.exec(name)?.[1];
    if (!name || !helper) return;
    const { name: value = '', property } = standsFor(node);
    if (property?.name === helper || value.replace(/\$\d+$/, '') === helper) names.set(name, helper);
  });
  return names;
}

/** `step` of `const __pawl_step$1 = step`, `__pawl.compiled.step` of `function __pawl_step(...args) { return __pawl.compiled.step(...args); }`. */
function standsFor({ type, init, body }: Record<string, unknown>): { name?: string; property?: { name?: string } } {
  if (type === 'VariableDeclarator') return init ?? {};
  if (type !== 'FunctionDeclaration') return {};
  const [first] = (body as { body: { argument?: { callee?: object } | null }[] }).body;
  return first?.argument?.callee ?? {};
}

function add(calls: Map<string, Set<string>>, helper: string, literal: string): void {
  let ids = calls.get(helper);
  if (!ids) calls.set(helper, (ids = new Set()));
  ids.add(JSON.parse(literal));
}

export interface Bundles {
  workflows: string;
  steps: string;
}

/**
 * What the manifest lists, what the step bundle registers and what the workflow bundle calls and registers must be the same, or a
 * run would find out later.
 *
 * - Steps: listed = registered in the step bundle; every one that a workflow calls is called in the workflow bundle, and that
 *   calls no other.
 * - Workflows: listed = registered in the workflow bundle.
 * - Classes: listed = registered in both.
 *
 * @param written - code of a module that went into the workflow bundle: a call that stands in it and not in the bundle can never
 *   run (`if (DEBUG) await dump()`), and the bundler left it out
 * @returns one error for each id that is off; empty for a sound build
 */
export function verifyIds(
  described: ProgramDescription,
  bundles: Bundles,
  written: (file: string) => string | undefined = () => undefined,
): Diagnostic[] {
  const quick = compare(described, helperCalls(bundles.workflows), helperCalls(bundles.steps), written);
  if (quick.length === 0) return quick;
  return compare(described, parsedHelperCalls(bundles.workflows), parsedHelperCalls(bundles.steps), written);
}

function compare(
  described: ProgramDescription,
  workflow: HelperCalls,
  step: HelperCalls,
  written: (file: string) => string | undefined,
): Diagnostic[] {
  const steps = new Set(Object.keys(described.steps));
  const workflows = new Set(Object.keys(described.workflows));
  const classes = new Set(Object.keys(described.classes));
  const needed = new Set(Object.values(described.workflows).flatMap((each) => each.steps));
  const called = union(workflow, 'step', 'call', 'ref', 'action');
  const registered = union(step, 'step', 'closure', 'action', 'agent');
  const started = union(workflow, 'workflow', 'workflowDefinition');
  const problems: [what: string, id: string, problem: string][] = [
    ...missing('step', steps, registered, 'is in the manifest, but the step bundle does not register it'),
    ...missing('step', registered, steps, 'is registered by the step bundle, but it is not in the manifest'),
    ...missing(
      'step',
      needed,
      called,
      'is called by a workflow in the source, but the workflow bundle does not call it',
    ).filter(([, id]) => !written(described.steps[id]?.file ?? '')?.includes(JSON.stringify(id))),
    ...missing('step', called, steps, 'is called by the workflow bundle, but it is not in the manifest'),
    ...missing('workflow', workflows, started, 'is in the manifest, but the workflow bundle does not register it'),
    ...missing('workflow', started, workflows, 'is registered by the workflow bundle, but it is not in the manifest'),
    ...missing(
      'class',
      classes,
      union(workflow, 'cls'),
      'is in the manifest, but the workflow bundle does not register it',
    ),
    ...missing('class', classes, union(step, 'cls'), 'is in the manifest, but the step bundle does not register it'),
    ...missing(
      'class',
      union(workflow, 'cls'),
      classes,
      'is registered by the workflow bundle, but it is not in the manifest',
    ),
    ...missing('class', union(step, 'cls'), classes, 'is registered by the step bundle, but it is not in the manifest'),
  ];
  return problems.map(([what, id, problem]) => {
    const { file, span } = placeOf(id, described);
    return createDiagnostic('id-mismatch', {
      file,
      span: { start: 0, end: 0, ...span },
      message: `The ${what} \`${id}\` ${problem}.`,
      remedy: 'This is a defect of pawl; please report it with this file.',
    });
  });
}

function union(calls: HelperCalls, ...helpers: string[]): Set<string> {
  return new Set(helpers.flatMap((helper) => [...(calls.get(helper) ?? [])]));
}

function missing(
  what: string,
  all: ReadonlySet<string>,
  present: ReadonlySet<string>,
  problem: string,
): [what: string, id: string, problem: string][] {
  return [...all]
    .filter((id) => !present.has(id))
    .sort(compareText)
    .map((id) => [what, id, problem]);
}

function placeOf(id: string, { steps, workflows, classes }: ProgramDescription): { file: string; span: ManifestSpan } {
  const known = steps[id] ?? workflows[id] ?? classes[id];
  return known ?? { file: id.split('#')[0] ?? id, span: { line: 1, column: 1, endLine: 1, endColumn: 1 } };
}
