/**
 * Names by which the copies of pawl (step bundle, realm, app) and the code that the compiler wrote recognize things: symbols of
 * the global registry and well-known properties, never identity of classes.
 */

/** Static method of a class: instance → plain data. */
export const serialize: unique symbol = Symbol.for('pawl-serialize');
/** Static method of a class: plain data → instance. */
export const deserialize: unique symbol = Symbol.for('pawl-deserialize');

/** The same two as another SDK names them: classes written for it work unchanged. */
export const SERIALIZE_SYMBOLS: readonly symbol[] = [serialize, Symbol.for('workflow-serialize')];
export const DESERIALIZE_SYMBOLS: readonly symbol[] = [deserialize, Symbol.for('workflow-deserialize')];

/** Own property of a registered class: its id. */
export const CLASS_ID: unique symbol = Symbol.for('pawl.class-id');
/** Own property of a reference to a nested step: a function that gives what it captured. */
export const CAPTURES: unique symbol = Symbol.for('pawl.captures');
/** Own property of a bound reference to a step: its `this`. */
export const SELF: unique symbol = Symbol.for('pawl.self');
/** Own property of a definition (`defineAction`, …): how the runtime works with it. */
export const DEFINITION: unique symbol = Symbol.for('pawl.definition');

/** Any class, as far as serialization touches it. */
// biome-ignore lint/complexity/noBannedTypes: classes are functions of any shape.
export type AnyClass = Function & { [CLASS_ID]?: string };

// biome-ignore lint/complexity/noBannedTypes: see above.
type AnyFunction = Function & { stepId?: unknown; workflowId?: unknown };

/** The id of the step that a function is or refers to. */
export function stepIdOf(fn: AnyFunction): string | undefined {
  const id = fn.stepId;
  return typeof id === 'string' ? id : undefined;
}

/** The id of the workflow that a function or a definition is or refers to. */
export function workflowIdOf(value: unknown): string | undefined {
  if ((typeof value !== 'function' && typeof value !== 'object') || value === null) return undefined;
  const id = (value as AnyFunction).workflowId;
  return typeof id === 'string' ? id : undefined;
}

/** The id under which the build knows a class; a subclass does not inherit it. */
export function classIdOf(value: AnyClass): string | undefined {
  return Object.hasOwn(value, CLASS_ID) ? value[CLASS_ID] : undefined;
}

/** The first of the symbols under which a class has a method. */
export function staticMethod(value: object, symbols: readonly symbol[]): ((argument: unknown) => unknown) | undefined {
  for (const symbol of symbols) {
    const method = (value as Record<symbol, unknown>)[symbol];
    if (typeof method === 'function') return (argument) => Reflect.apply(method, value, [argument]);
  }
  return undefined;
}
