/** What compiled code of the workflow target calls: values of `COMPILED_API`. */
import { COMMAND } from '../protocol.ts';
import { type Codec, createCodec, type StepReference } from '../serialization/codec.ts';
import { type AnyClass, CAPTURES, CLASS_ID, SELF } from '../serialization/symbols.ts';
import { child } from './child.ts';
import { realmPlatform } from './http.ts';
import { current, currentRun, type Run } from './run.ts';
import { createHook, getWorkflowMetadata, sleep } from './workflow-api.ts';

type AnyFn = (...args: never[]) => unknown;
type StepFunction = (...args: unknown[]) => Promise<unknown>;

/** A step's input without captures and `this`, of no arguments: the most common one. */
const NO_INPUT: unknown[] = [[]];

export function call(id: string, args: unknown[], captures?: unknown[], self?: unknown): Promise<unknown> {
  const run = currentRun();
  try {
    const data = run.codec.stringify(inputOf(args, captures, self), {
      root: inputPath,
      what: `the input of step ${id}`,
    });
    return run.request(COMMAND.step, id, data);
  } catch (error) {
    return run.loading ? callWhenLoaded(id, args, captures, self) : Promise.reject(error);
  }
}

/** In an import cycle a module may hold a step of one that has not run yet: it is known as a step when all have. */
async function callWhenLoaded(id: string, args: unknown[], captures?: unknown[], self?: unknown): Promise<unknown> {
  await undefined;
  return call(id, args, captures, self);
}

/** `[args]`, `[args, captures]` or `[args, captures, self]`: how a step's input is recorded. */
function inputOf(args: unknown[], captures: unknown[] | undefined, self: unknown): unknown[] {
  if (self !== undefined) return [args, captures ?? [], self];
  if (captures !== undefined && captures.length > 0) return [args, captures];
  return args.length === 0 ? NO_INPUT : [args];
}

/** `[0][1].save` → `args[1].save`. */
function inputPath(path: string): string {
  const root = INPUT_ROOTS[Number(path[1])] ?? 'input';
  return root + path.slice(3);
}

const INPUT_ROOTS = ['args', 'captures', 'this'];

/**
 * A step that is an expression.
 *
 * @param made - the function that calls it, as the method `name`; code that an older version compiled has none
 */
export function step(
  id: string,
  captures?: () => unknown[],
  self?: boolean,
  made?: Record<string, StepFunction>,
  name?: string,
): StepFunction {
  const own = made?.[name as string];
  if (own !== undefined) {
    ref(id, own, captures);
    return own;
  }
  const fn = function (this: unknown, ...args: unknown[]): Promise<unknown> {
    try {
      return call(id, args, captures?.(), self ? this : undefined);
    } catch (error) {
      return Promise.reject(error);
    }
  };
  ref(id, fn, captures);
  return fn;
}

/**
 * Marks a function as a reference to a step, so that it can be passed to steps as a value. Returns undefined: compiled code
 * passes that on as the captures of a declared step, which has none.
 *
 * @param name - what it is called in the source, where a bundler may have renamed it
 */
export function ref(id: string, fn: AnyFn, captures?: () => unknown[], name?: string): void {
  rename(fn, name);
  mark(fn, 'stepId', id);
  if (captures) mark(fn, CAPTURES, captures);
}

/**
 * Registers a workflow.
 *
 * @param name - what it is called in the source, where a bundler may have renamed it
 * @param called - what stands in its place and starts a run of its own; code that an older version compiled has none: there the
 *   function itself is called, within the run
 * @param self - its `this`
 */
export function workflow<F extends AnyFn>(id: string, fn: F, name?: string, called: F = fn, self?: unknown): F {
  rename(fn, name);
  rename(called, name);
  const run = self === undefined ? fn : (...args: never[]): unknown => Reflect.apply(fn, self, args);
  currentRun().workflows.set(id, { fn: run as never, value: called });
  mark(called, 'workflowId', id);
  return called;
}

export function cls<C extends AnyClass>(id: string, value: C): C {
  currentRun().classes.set(id, value);
  mark(value, CLASS_ID, id);
  return value;
}

export function action(slug: string): { slug: string; run: StepFunction } {
  return { slug, run: step(slug) };
}

/** In code that an older version compiled: the whole prompt is one step. */
export function agent(slug: string): { slug: string; prompt: StepFunction } {
  return { slug, prompt: step(slug) };
}

interface WorkflowDefinition {
  run(input: unknown, context: unknown): unknown;
}

interface DefinedWorkflow {
  slug: string;
  run(input: unknown): Promise<unknown>;
}

/** Registers a defined workflow; its `run` starts a run of its own. */
export function workflowDefinition(slug: string, definition: WorkflowDefinition): DefinedWorkflow {
  return registerDefinition(slug, definition, (input) => child(slug, [input]));
}

/** The same in code that an older version compiled: its `run` goes on within the run. */
export function defineWorkflow(slug: string, definition: WorkflowDefinition): DefinedWorkflow {
  return registerDefinition(slug, definition, async (input) => definition.run(input, context()));
}

function registerDefinition(
  slug: string,
  definition: WorkflowDefinition,
  run: DefinedWorkflow['run'],
): DefinedWorkflow {
  const value = { slug, run };
  const fn = (input: unknown): unknown => definition.run(input, context());
  currentRun().workflows.set(slug, { fn, value });
  mark(value, 'workflowId', slug);
  return value;
}

/** The second parameter of a defined workflow's `run`. */
function context(): unknown {
  return { sleep, hook: createHook, run: getWorkflowMetadata() };
}

function mark(target: object, key: PropertyKey, value: unknown): void {
  Object.defineProperty(target, key, { value, writable: true, configurable: true });
}

/** Costs as much as making the function, so it is only done where a bundler did it before. */
function rename(fn: AnyFn, name: string | undefined): void {
  if (name !== undefined && fn.name !== name) Object.defineProperty(fn, 'name', { value: name, configurable: true });
}

export const compiledApi = {
  step,
  call,
  ref,
  workflow,
  child,
  cls,
  action,
  agent,
  workflowDefinition,
  defineWorkflow,
};

/** How values arrive in a run: references become callable again. */
export function codecOf(run: Run): Codec {
  return createCodec({
    step: (reference: StepReference) => {
      const { id, self } = reference;
      const captures = (): unknown[] => reference.captures ?? [];
      return self === undefined ? step(id, captures) : boundStep(id, captures, self);
    },
    workflow: (id) => run.workflows.get(id)?.value ?? missingWorkflow(id),
    class: (id) => run.classes.get(id),
    platform: realmPlatform,
  });
}

function boundStep(id: string, captures: () => unknown[], self: unknown): StepFunction {
  const fn = (...args: unknown[]): Promise<unknown> => call(id, args, captures(), self);
  ref(id, fn, captures);
  mark(fn, SELF, self);
  return fn;
}

function missingWorkflow(id: string): AnyFn {
  const fn = (): never => {
    throw new Error(`The workflow ${id} is not part of the code that the run ${current?.id} started with.`);
  };
  mark(fn, 'workflowId', id);
  return fn;
}
