/**
 * The form of the workflow bundle, the one thing that the build and the sandbox agree upon.
 *
 * The bundle is a script (not a module) whose value is a function of one object, `__pawl`, that the sandbox makes for each run:
 *
 *     (function (__pawl) { "use strict"; const { Date, Math, … } = __pawl.globals;
 *     (function () { …bundle… })();
 *     })
 *
 * - `__pawl.globals`: values of `VIRTUAL_GLOBALS`. Workflow code sees these in place of the realm's own; a missing one is
 *   `undefined` there, so that `typeof fetch` says what is true.
 * - `__pawl.api`: values of `WORKFLOW_API`, what `import { sleep } from 'pawl'` gives in a workflow.
 * - `__pawl.compiled`: values of `COMPILED_API`, what compiled code calls.
 *
 * The user's code stands in a function of its own, so a top-level `class Request` or `var fetch` of a module shadows the
 * virtual global and does not clash with it.
 */

/**
 * Names that workflow code must not take from the host or the realm. Everything else of the language (`Array`, `Promise`,
 * `Map`, …) comes from the realm. `eval` is absent: strict code cannot bind it; the realm forbids code generation.
 */
export const VIRTUAL_GLOBALS = [
  'globalThis',
  'self',
  'window',
  'global',
  'process',
  'Buffer',
  'console',
  'Date',
  'Math',
  'Intl',
  'crypto',
  'performance',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'clearTimeout',
  'clearInterval',
  'clearImmediate',
  'queueMicrotask',
  'fetch',
  'Headers',
  'Request',
  'Response',
  'FormData',
  'Blob',
  'File',
  'XMLHttpRequest',
  'WebSocket',
  'EventSource',
  'BroadcastChannel',
  'MessageChannel',
  'structuredClone',
  'URL',
  'URLSearchParams',
  'TextEncoder',
  'TextDecoder',
  'atob',
  'btoa',
  'Event',
  'EventTarget',
  'AbortController',
  'AbortSignal',
  'DOMException',
  'ReadableStream',
  'WritableStream',
  'TransformStream',
  'navigator',
  'WebAssembly',
  'WeakRef',
  'FinalizationRegistry',
  'Atomics',
  'SharedArrayBuffer',
] as const;
export type VirtualGlobal = (typeof VIRTUAL_GLOBALS)[number];

/** What `import { … } from 'pawl'` gives in the workflow bundle: the value exports of `src/index.ts`. */
export const WORKFLOW_API = [
  'sleep',
  'createHook',
  'createWebhook',
  'defineHook',
  'getWritable',
  'getStepMetadata',
  'getWorkflowMetadata',
  'fetch',
  'FatalError',
  'RetryableError',
  'CancelledError',
  'defineAction',
  'defineWorkflow',
  'defineAgent',
  'defineCredential',
  'serialize',
  'deserialize',
] as const;
export type WorkflowApiName = (typeof WORKFLOW_API)[number];

/**
 * What compiled code in the workflow target imports from `pawl/internal/workflow`; `agentDefinition` comes with the bundle;
 * older bundles have `defineWorkflow` and `agent` too.
 */
export const COMPILED_API = [
  'step',
  'call',
  'ref',
  'workflow',
  'child',
  'cls',
  'action',
  'workflowDefinition',
] as const;
export type CompiledApiName = (typeof COMPILED_API)[number];

/** Stands where a package had an `import()` whose specifier nobody knows. */
const LOAD =
  'const __load = () => Promise.reject(new Error("`import()` is not available in a workflow. Move the code that uses it into a step."));';

const PREFIX = `(function (__pawl) { "use strict"; const { ${VIRTUAL_GLOBALS.join(', ')} } = __pawl.globals; ${LOAD}\n`;
const SUFFIX = '})\n';

/** A source map, version 3, as far as wrapping touches it. */
export interface ShiftableMap {
  mappings: string;
}

/**
 * Makes the workflow bundle out of the bundler's output.
 *
 * @param code One expression statement: an immediately invoked function that holds all modules (rolldown's `iife` format).
 * @param map  The map of `code`; the result has it moved by the lines that stand before.
 * @returns The script, which ends in a newline, and the map of it.
 * @example
 * const { code } = wrapWorkflowBundle('(function () { … })();');
 * const bundle = vm.runInContext(code, realm); // a function of { globals, api, compiled }
 */
export function wrapWorkflowBundle<T extends ShiftableMap>(code: string, map: T): { code: string; map: T };
export function wrapWorkflowBundle(code: string): { code: string; map: null };
export function wrapWorkflowBundle<T extends ShiftableMap>(code: string, map?: T): { code: string; map: T | null } {
  const body = code.endsWith('\n') ? code : `${code}\n`;
  return { code: PREFIX + body + SUFFIX, map: map ? { ...map, mappings: `;${map.mappings}` } : null };
}
