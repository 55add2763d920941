import type { RelatedPlace, Span } from '../diagnostics/types.ts';

/**
 * What rules may ask about types. The checker answers with TypeScript; without it rules have `null` and look at syntax alone.
 *
 * - **boundary**: where a value becomes data: arguments and results of steps and workflows, payloads of hooks, captures.
 * - **refusal**: the part of a type that surely cannot cross. A type of which only some values cannot is not refused.
 * - **reference**: a step or a workflow as a value. It crosses, although its type is a function's.
 */
export interface Types {
  /** Of a function with a directive. `text` is the range of the whole function. */
  signature(file: string, text: Range): SignatureTypes | null;
  /** Of a definition: what its `run` is given and gives. `call` is the range of `defineAction(…)`. */
  definition(file: string, call: Range): DefinitionTypes | null;
  /** Of the arguments of a call; `callee` is the range of what is called. */
  arguments(file: string, callee: Range): ValueType[] | null;
  /** Of the type arguments that a call is written with. */
  typeArguments(file: string, callee: Range): ValueType[] | null;
  /** Of a variable at a place where it is named. */
  variable(file: string, name: Range): ValueType | null;
}

/** Offsets in the text of a file. */
export interface Range {
  start: number;
  end: number;
}

export interface SignatureTypes {
  parameters: ValueType[];
  /** Awaited. */
  result: ValueType;
}

export interface DefinitionTypes {
  input: ValueType | null;
  output: ValueType | null;
}

export interface ValueType {
  /** What the value is called, and the root of paths in it: `order`, `args[0]`, `result`. */
  name: string;
  /** Null where nothing is written: a result without a type. */
  span: Span | null;
  refusal: Refusal | null;
  /** Where it is `any`: the path from the root, as in refusals. */
  any: string | null;
  /** References were met in it, which have types of functions. */
  references: boolean;
}

export interface Refusal {
  kind: RefusalKind;
  /** From the root to what cannot cross: `order.customer.save`, `items[number].run`. */
  path: string;
  /** Its type, as TypeScript writes it: `() => void`. */
  type: string;
  /** The type is that of an asynchronous function, and nothing says which one: a step would fit. */
  mayBeStep: boolean;
  /** A place within the asked range that is more exact, or null. */
  span: Span | null;
  /** Where the member and its class are declared. */
  related: RelatedPlace[];
}

/** `class` is a class itself, `instance` one of its instances. */
export type RefusalKind = 'function' | 'symbol' | 'promise' | 'class' | 'instance';
