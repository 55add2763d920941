/**
 * `pawl/internal/client`: what compiled code of the client target calls. A workflow is a reference there, a step the function
 * that it is. Not for people.
 */
import { PawlError } from '../errors.ts';
import { refuseWorkflowInAction } from '../leaf.ts';

// biome-ignore lint/suspicious/noExplicitAny: functions of users, of any signature.
// oxlint-disable-next-line typescript/no-explicit-any
type AnyFunction = (...args: any[]) => any;
type AnyClass = abstract new (...args: never[]) => unknown;

const CLASS_ID = Symbol.for('pawl.class-id');
/** Classes by id, for values that come back: shared with `pawl/client`, of which there may be another copy. */
const CLASSES = Symbol.for('pawl.classes.1');

/**
 * Marks a workflow, so that `start` knows it.
 *
 * @param name - what it is called in the source, where a bundler may have renamed it
 */
export function workflow<F extends AnyFunction>(id: string, fn: F, name?: string): F {
  return mark(named(fn, name), 'workflowId', id);
}

/** What a workflow throws that is called like a function. */
export function direct(id: string): Error {
  refuseWorkflowInAction(id.slice(id.indexOf('#') + 1));
  return new PawlError('PAWL_WORKFLOW_CALLED', `The workflow ${id} was called like a function.`, {
    remedy: 'Start it: `start(workflow, args)` of pawl/client.',
  });
}

/** Marks a step, so that it can be passed to a workflow as a value. */
export function step<F extends AnyFunction>(id: string, fn: F, name?: string): F {
  return mark(named(fn, name), 'stepId', id);
}

/** Makes a class known whose instances cross boundaries. */
export function cls<C extends AnyClass>(id: string, value: C): C {
  const holder = globalThis as unknown as Record<symbol, Map<string, AnyClass> | undefined>;
  holder[CLASSES] ??= new Map();
  holder[CLASSES].set(id, value);
  return mark(value, CLASS_ID, id);
}

/** A definition of a workflow, which `start` takes. */
export function workflowDefinition<D extends object>(slug: string, definition: D): D {
  return mark(definition, 'workflowId', slug);
}

/** An action is the object that it is: called in an app, it runs there. */
export function action<D>(_slug: string, definition: D): D {
  return definition;
}

export function agent<D>(_slug: string, definition: D): D {
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
