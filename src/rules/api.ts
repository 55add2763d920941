import type { Use } from '../compiler/facts.ts';
import { givesPart } from '../sdks.ts';
import { namesOf } from './names.ts';
import { wantedOf } from './per-list.ts';
import type { Program, Reference, ResolvedUse } from './program.ts';

/** Which level a name of the API belongs to, as data. The names of other SDKs that pawl knows mean the same. */

export interface ApiUse {
  /** As people write it: `sleep`, `approval.create`. */
  name: string;
  /** Why it does not work elsewhere: the second half of the message. */
  because: string;
  remedy: string;
}

const SLEEP = 'Call it in the workflow, between steps. To wait within a step, use a timer of Node.';
const HOOK = 'Make it in the workflow, and pass the step what it needs of it, the token for example.';

const WORKFLOW_ONLY: Record<string, string | undefined> = {
  sleep: SLEEP,
  createHook: HOOK,
  createWebhook: HOOK,
  'defineHook.().create': HOOK,
};

/** Of a stream's writable end: what writes, or prepares to. */
const WRITES = new Set(['getWriter', 'close', 'abort']);

/**
 * The path of what a reference takes of the durable part of an SDK, with `()` for what calls give; null for anything else.
 *
 * @example
 * apiPath(reference); // ['defineHook', '()', 'create'] for `approval.create`
 */
export function apiPath(reference: Reference): readonly string[] | null {
  if (reference.kind === 'package') {
    return givesPart(reference.specifier, 'durable') ? reference.path.filter((piece) => piece !== 'default') : null;
  }
  if (reference.kind !== 'unit' || !reference.unit.resultOf) return null;
  const [local = '', ...rest] = reference.unit.resultOf;
  const fact = reference.module.imports.find((each) => each.local === local && !each.typeOnly);
  if (!fact || !givesPart(fact.source, 'durable')) return null;
  return [...(fact.imported === '*' ? [] : [fact.imported]), ...rest, ...reference.rest];
}

/** Of the SDKs' functions, or of what a variable may hold of them. */
export const apiUses = wantedOf(
  ({ reference }: ResolvedUse) =>
    reference.kind === 'package' || (reference.kind === 'unit' && reference.unit.kind === 'variable'),
);

/** A use of what works in workflow code only: waiting, and being waited for. */
export function workflowOnly(use: Use, reference: Reference): ApiUse | null {
  const path = use.access === 'write' ? null : apiPath(reference);
  const remedy = path && Object.hasOwn(WORKFLOW_ONLY, path.join('.')) ? WORKFLOW_ONLY[path.join('.')] : undefined;
  if (remedy === undefined) return null;
  return {
    name: nameOf(use, path as readonly string[]),
    because: 'only a workflow can wait durably; a step runs to its end in one go, again from its start after a failure',
    remedy,
  };
}

/** A use of what works in steps only: their metadata, and what is I/O. */
export function stepOnly(use: Use, reference: Reference): ApiUse | null {
  const path = use.access === 'write' ? null : apiPath(reference);
  if (!path) return null;
  const [head] = path;
  const last = path.at(-1) as string;
  // Code that serves both levels tries, and takes something else where there is no step.
  if (path.length === 1 && head === 'getStepMetadata' && use.guarded !== 'try') {
    return {
      name: nameOf(use, path),
      because: 'it tells of an attempt of a step, and a workflow has none',
      remedy: 'Use `getWorkflowMetadata()`, or call it in a step.',
    };
  }
  if (use.access !== 'call') return null;
  if (head === 'getWritable' && path.length === 3 && WRITES.has(last)) {
    return {
      name: nameOf(use, path),
      because: 'writing to a stream is I/O, which each replay would repeat',
      remedy: 'Take the stream with `getWritable()` and hand it to a step, which writes.',
    };
  }
  if (head === 'createWebhook' && last === 'respondWith') {
    return {
      name: nameOf(use, path),
      because: 'answering a request is I/O, which each replay would repeat',
      remedy: 'Hand the request to a step, which answers it.',
    };
  }
  return null;
}

/** Whether a use could be one that `durableOnly` names, as far as it tells itself. */
export function mayBeDurable({ modules }: Program): (use: Use) => boolean {
  const names = new Set<string>();
  const isApi = (source: string) => givesPart(source, 'durable');
  // `export * from 'pawl'` passes all of them on.
  if (
    modules.some(({ exports }) => exports.some(({ name, source }) => name === '*' && source !== null && isApi(source)))
  )
    for (const name of API) names.add(name);
  namesOf(modules, names, isApi);
  return ({ kind, access, path }) =>
    access === 'call' && kind !== 'global' && (path.at(-1) === 'create' || path.some((piece) => names.has(piece)));
}

const API = [
  ...['sleep', 'createHook', 'createWebhook', 'defineHook'],
  ...['getStepMetadata', 'getWorkflowMetadata', 'getWritable'],
];

/** A call of what works in steps and workflows, but nowhere else. */
export function durableOnly(use: Use, reference: Reference): ApiUse | null {
  const waits = workflowOnly(use, reference);
  if (waits) {
    return {
      name: waits.name,
      because: 'this works in workflow code only',
      remedy: "Make the function a workflow with 'use workflow', or call it from one; in an app use timers of Node.",
    };
  }
  const path = apiPath(reference);
  if (use.access === 'write' || use.guarded === 'try' || path?.length !== 1) return null;
  const [head = ''] = path;
  if (head !== 'getStepMetadata' && head !== 'getWorkflowMetadata' && head !== 'getWritable') return null;
  const where = head === 'getStepMetadata' ? 'while a step runs' : 'in workflow code and while a step runs';
  return {
    name: nameOf(use, path),
    because: `this works ${where} only`,
    remedy: 'Call it in the step or the workflow and pass on what you need; an app has the handle of the run.',
  };
}

/** The name in the API, `getWritable().getWriter`; members of what a variable of the program holds as they are written. */
function nameOf(use: Use, path: readonly string[]): string {
  const shown = path[0] === 'defineHook' ? use.path : path;
  return shown
    .filter((piece) => piece !== 'await')
    .join('.')
    .replaceAll('.()', '()');
}
