/**
 * Programs written by hand, in the form that the compiler gives them: a workflow bundle as text, steps as functions.
 */
import { createVirtualClock, type VirtualClock } from '../../src/runtime/clock.ts';
import { type Program, programOf, type StepEntry, type StepRegistry } from '../../src/runtime/program.ts';
import type { WorkerEvent } from '../../src/runtime/progress.ts';
import { createWorker, type Worker } from '../../src/runtime/worker.ts';
import type { WorkerOptions } from '../../src/runtime/worker-options.ts';
import type { Manifest } from '../../src/manifest/index.ts';
import { wrapWorkflowBundle } from '../../src/manifest/index.ts';
import { openStore } from '../../src/store/index.ts';
import type { EventStore } from '../../src/store/port.ts';
import { Run } from '../../src/runtime/run-handle.ts';

type AnyFunction = (...args: never[]) => unknown;

export interface Sources {
  /**
   * Code of the workflow bundle. The names of `pawl` and of compiled code are in scope; steps are called as `step('id')(…args)`.
   * Each `workflow('name', fn)` in it is registered.
   */
  workflows: string;
  steps?: Record<string, AnyFunction & { maxRetries?: number; timeout?: number | string }>;
  registry?: Partial<StepRegistry>;
  options?: Record<string, Manifest['steps'][string]['options']>;
}

const NAMES =
  'sleep, createHook, createWebhook, defineHook, getWritable, getWorkflowMetadata, FatalError, RetryableError, CancelledError';
const COMPILED = 'step, call, ref, workflow, child, cls, action, agent, workflowDefinition, defineWorkflow';

const span = { line: 1, column: 1, endLine: 1, endColumn: 2 };
const hash = `sha256-${'0'.repeat(64)}`;

/** Puts code into the form of a bundle. */
export function bundle(code: string): string {
  return wrapWorkflowBundle(
    `(function () { const { ${NAMES} } = __pawl.api; const { ${COMPILED} } = __pawl.compiled;\n${code}\n})();`,
  ).code;
}

export function program({ workflows, steps = {}, registry = {}, options = {} }: Sources): Program {
  const ids = [...workflows.matchAll(/\b(?:workflow|defineWorkflow|workflowDefinition)\(\s*'([^']+)'/g)].map(
    (match) => match[1] as string,
  );
  const style = 'directive' as const;
  const entry = { style, name: 'x', file: 'src/x.ts', span, hash };
  const stepIds = [...Object.keys(steps), ...(registry.steps?.keys() ?? []), ...(registry.actions?.keys() ?? [])];
  const manifest: Manifest = {
    version: 1,
    pawl: '0.0.0',
    integrity: hash,
    bundles: { workflows: { file: 'workflows.js', hash }, steps: { file: 'steps.js', hash } },
    workflows: Object.fromEntries(ids.map((id) => [id, { ...entry, steps: [] }])),
    steps: Object.fromEntries(
      stepIds.map((id) => [id, { ...entry, options: options[id] ?? {}, captures: [], usesThis: false }]),
    ),
    agents: {},
    classes: {},
  };
  const entries = new Map([...Object.entries(steps)].map(([id, fn]) => [id, { fn: fn as never }] as const));
  return programOf(
    manifest,
    { code: bundle(workflows) },
    { ...registry, steps: new Map<string, StepEntry>([...entries, ...(registry.steps ?? [])]) },
  );
}

export interface Setup {
  worker: Worker;
  store: EventStore;
  clock: VirtualClock;
  events: WorkerEvent[];
  start<T = unknown>(workflowId: string, ...args: unknown[]): Promise<Run<T>>;
  run<T = unknown>(workflowId: string, ...args: unknown[]): Promise<T>;
  close(): Promise<void>;
}

const open: (() => Promise<void>)[] = [];

/** To be called after each test. */
export async function closeAll(): Promise<void> {
  for (const close of open.splice(0)) await close();
}

export async function memoryStore(): Promise<EventStore> {
  const store = await openStore('sqlite::memory:');
  open.push(() => store.close());
  return store;
}

/** A store of which some methods do what a test says; the others are its own. */
export function patched(store: EventStore, own: Partial<EventStore>): EventStore {
  return new Proxy(store, {
    get(target, key) {
      const value: unknown = Reflect.get(key in own ? own : target, key);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** A worker on a store in memory, with virtual time. */
export async function setup(
  sources: Sources | Program,
  options: Partial<WorkerOptions> & { clock?: VirtualClock } = {},
): Promise<Setup> {
  const store = options.store ?? (await memoryStore());
  const clock = options.clock ?? createVirtualClock();
  const events: WorkerEvent[] = [];
  const made = 'manifest' in sources ? sources : program(sources);
  const worker = await createWorker({
    ...options,
    program: made,
    store,
    clock,
    onEvent: (event) => events.push(event),
  });
  const close = (): Promise<void> => worker.close({ timeout: 0 });
  open.unshift(close);
  const start = async <T>(workflowId: string, ...args: unknown[]): Promise<Run<T>> =>
    new Run<T>(await worker.startRun({ workflowId, args }), () => worker);
  return {
    worker,
    store,
    clock,
    events,
    start,
    run: async <T>(workflowId: string, ...args: unknown[]) => (await start<T>(workflowId, ...args)).returnValue,
    close,
  };
}

/** Lets everything that can happen without the clock moving happen. */
export async function settle(turns = 20): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
}
