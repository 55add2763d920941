/**
 * `pawl/internal/step`: what compiled code of the step target calls. Inlined into each step bundle, so that a bundle has a registry
 * of its own. Not for people.
 */
import { PawlError } from '../errors.ts';
import { refuseWorkflowInAction } from '../leaf.ts';

// biome-ignore lint/suspicious/noExplicitAny: functions of users, of any signature.
// oxlint-disable-next-line typescript/no-explicit-any
type AnyFunction = (...args: any[]) => any;
type AnyClass = abstract new (...args: never[]) => unknown;

/** A step is a function, or is made from what it captured. */
type StepEntry = { fn: AnyFunction } | { factory: AnyFunction };

/** The same symbols as in `runtime/serialization/symbols.ts`, which a bundle does not need otherwise. */
const CLASS_ID = Symbol.for('pawl.class-id');
const CAPTURES = Symbol.for('pawl.captures');

/** Everything that the bundle can run, by id. */
export const registry = {
  steps: new Map<string, StepEntry>(),
  classes: new Map<string, AnyClass>(),
  actions: new Map<string, unknown>(),
  workflows: new Map<string, unknown>(),
  agents: new Map<string, unknown>(),
};

/**
 * Registers a step.
 *
 * @param name - what it is called in the source, where a bundler may have renamed it
 */
export function step<F extends AnyFunction>(id: string, fn: F, name?: string): F {
  registry.steps.set(id, { fn });
  return mark(named(fn, name), 'stepId', id);
}

/** Registers a nested step: `factory.apply(self, captures)` makes the function. */
export function closure(id: string, factory: AnyFunction): void {
  registry.steps.set(id, { factory });
}

/** The registered factory of a nested step. */
export function factory(id: string): AnyFunction {
  const entry = registry.steps.get(id);
  if (entry === undefined || !('factory' in entry)) {
    throw new PawlError('PAWL_STEP_MISSING', `There is no step ${id}.`, { remedy: 'Run `pawl build`.' });
  }
  return entry.factory;
}

/**
 * A function in place of a nested one: makes the step and runs it here and now.
 *
 * @param make - its factory; the registered one when left out
 * @param name - of the nested function, as `length`
 */
export function bound(
  id: string,
  captures: () => unknown[],
  make?: AnyFunction,
  name?: string,
  length?: number,
): AnyFunction {
  const fn = function (this: unknown, ...args: unknown[]): unknown {
    const target = Reflect.apply(make ?? factory(id), this, captures()) as AnyFunction;
    return Reflect.apply(target, this, args);
  };
  if (length) Object.defineProperty(fn, 'length', { value: length, configurable: true });
  ref(id, named(fn, name), captures);
  return fn;
}

/** Marks a function as a reference to a nested step, so that it can be passed to steps as a value. */
export function ref(id: string, fn: AnyFunction, captures?: () => unknown[]): void {
  mark(fn, 'stepId', id);
  if (captures) mark(fn, CAPTURES, captures);
}

/** Marks a workflow, so that `start` knows it. */
export function workflow<F extends AnyFunction>(id: string, fn: F, name?: string): F {
  return mark(named(fn, name), 'workflowId', id);
}

/** What a workflow throws that is called like a function. */
export function direct(id: string): Error {
  refuseWorkflowInAction(id.slice(id.indexOf('#') + 1));
  return new PawlError('PAWL_WORKFLOW_CALLED', `The workflow ${id} was called like a function outside of a workflow.`, {
    remedy: 'Start it: `start(workflow, args)` of pawl/client.',
  });
}

/** Registers a class whose instances cross boundaries. */
export function cls<C extends AnyClass>(id: string, value: C): C {
  registry.classes.set(id, value);
  return mark(value, CLASS_ID, id);
}

/** Registers an action, which is a step by its slug. */
export function action<D>(slug: string, definition: D): D {
  registry.actions.set(slug, definition);
  return definition;
}

/** Registers a defined workflow: its schemas are used here, its `run` is not. */
export function workflowDefinition<D extends object>(slug: string, definition: D): D {
  registry.workflows.set(slug, definition);
  return mark(definition, 'workflowId', slug);
}

/** Registers an agent, which is a step by its slug. */
export function agent<D>(slug: string, definition: D): D {
  registry.agents.set(slug, definition);
  return definition;
}

function mark<T extends object>(target: T, key: PropertyKey, value: unknown): T {
  return Object.defineProperty(target, key, { value, writable: true, configurable: true });
}

function named<F extends AnyFunction>(fn: F, name: string | undefined): F {
  return name === undefined || fn.name === name
    ? fn
    : Object.defineProperty(fn, 'name', { value: name, configurable: true });
}
