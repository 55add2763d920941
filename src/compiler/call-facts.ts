import type { Fix, Span } from '../diagnostics/types.ts';

/**
 * Glossary of call facts: how calls stand in the code, where `analyze` was asked for it. Numbers that name something are indexes
 * into the lists of the same facts; `start` and `end` are offsets, so that one thing may be seen to stand within another.
 *
 * - **site**: a call of something that is not local to the unit (or of the workflow's context, or of a nested function).
 * - **result**: what becomes of the value that a call gives, a promise most of the time.
 * - **role**: what a nested function is made for: a callback, an executor, a function called in place.
 */
export interface CallFacts {
  sites: CallSite[];
  /** Functions that are no units of their own. */
  functions?: InnerFunction[];
  loops?: LoopFact[];
  tries?: TryFact[];
  races?: RaceFact[];
  promises?: PromiseFact[];
  writers?: WriterFact[];
  mutations?: MutationFact[];
  requests?: RequestFact[];
  actions?: ActionFact[];
  agents?: AgentFact[];
  tools?: ToolFact[];
  toolSets?: ToolSetFact[];
  optionals?: OptionalFact[];
  /** Units whose own function is async. */
  async?: number[];
  /** Units that hold a `throw`. */
  throws?: number[];
}

export interface CallSite {
  unit: number;
  /** Index into the unit's uses: what is called. */
  use?: number;
  /** Instead of a use: what is called of the context of a defined workflow, `sleep` or `hook`. */
  context?: string;
  /** Instead of a use: the nested function that is called. */
  inner?: number;
  /** With a use: called is what `bind`, its last piece, has given. */
  bound?: true;
  /** With `context`, `inner` and `bound`; a use has its own. */
  span?: Span;
  result: CallResult;
  /** With `passed`: to which method, and what becomes of what that gives. */
  to?: Role;
  /** Offsets of the parentheses around the arguments, where something is called by its name. */
  parentheses?: [number, number];
  /** Where `await ` could be put, if the nearest function is async. */
  awaitAt?: number;
  /** The nearest function around it, where that is no unit of its own. */
  fn?: number;
  position?: 'ternary' | 'spread';
  /** See `Role`. */
  together?: Role['together'];
  /** The token of a hook's options, where it is known without running the code. */
  token?: { text: string; span: Span };
  /** Length of the longest literal among the arguments, in characters; from 1,000 on. */
  literal?: { size: number; span: Span };
}

/**
 * - `awaited`, `returned`; `combined`: an element of what `Promise.all` and its siblings take, whose promise is then used.
 * - `chained`: nothing is done with it but `.then(handler)` or `.catch(handler)`.
 * - `stored`, `argument`: in a variable that something reads; given to another function.
 * - `passed`: no call: the function itself is given to a method, `list.map(charge)`.
 * - `dropped`: a statement of its own, or a piece of a text; `unused`: in a variable that nothing reads; `tested`: asked whether it is true.
 * - `void`: dropped and said so. `other`: any other use.
 */
export type CallResult =
  | 'awaited'
  | 'returned'
  | 'combined'
  | 'chained'
  | 'stored'
  | 'argument'
  | 'passed'
  | 'dropped'
  | 'unused'
  | 'tested'
  | 'void'
  | 'other';

/** A function that is given to a call, and what becomes of what that call gives. */
export interface Role {
  /** The last piece of what is called: `map`; `''` when the function itself is called, `new Promise` for an executor. */
  method: string;
  result: CallResult;
  /** The `Promise.all` that the value is given to, where nobody waits for that. */
  together?: { name: string; span: Span; awaitAt?: number };
}

export interface InnerFunction {
  start: number;
  end: number;
  /** The nested function around it. */
  fn?: number;
  async: boolean;
  role?: Role;
}

export interface LoopFact {
  unit: number;
  fn?: number;
  start: number;
  end: number;
  /** From the keyword to the end of the head. */
  span: Span;
  /** Nothing in its head ends it. */
  endless: boolean;
  /** Something in its body does: `break`, `return`, `throw`; or `yield` gives control away. */
  exits: boolean;
}

/** A `try` whose `catch` never asks what went wrong, and lets the code go on as if nothing had. */
export interface TryFact {
  unit: number;
  fn?: number;
  /** Of the guarded block. */
  start: number;
  end: number;
  /** Of the whole statement. */
  after: number;
  /** `catch`, and what it names. */
  span: Span;
  /** All that the handler does but writing a log. */
  sites: number[];
  /** The innermost loop around it in the same function goes on. */
  loop?: number;
}

/** `Promise.race` of a hook and one other thing, in a loop. */
export interface RaceFact {
  unit: number;
  span: Span;
  /** `value`: the hook itself; `iterator`: a new `next()` each time; `created`: a new hook each time. */
  form: 'value' | 'iterator' | 'created';
  /** What makes the hook. */
  hook: number;
  other: number;
  /** What the loop waits for after the other thing won, before it races again. */
  waits: number[];
}

/** An awaited `new Promise(…)`. */
export interface PromiseFact {
  unit: number;
  span: Span;
  /** The calls that are told to settle it; none: nothing ever does. */
  via: number[];
}

/** `const writer = getWritable().getWriter()`, not released in a `finally`. */
export interface WriterFact {
  unit: number;
  span: Span;
  name: string;
  /** The call of `getWritable`. */
  site: number;
  /** Something releases it, where no error passes. */
  released: boolean;
  fix?: Fix;
}

/** A parameter that a function changes and then never mentions again. */
export interface MutationFact {
  unit: number;
  span: Span;
  name: string;
  /** The change: `order.total`. */
  path: string[];
  fix?: Fix;
}

/** A mutating HTTP request. */
export interface RequestFact {
  unit: number;
  span: Span;
  /** What is called, where that is a use: `fetch`. */
  site: number;
  method: string;
  /** The part of the address that is known without running the code. */
  url: string;
  /** The key among the headers: none; there; there and another one at each attempt. */
  key: 'missing' | 'present' | 'changing';
  keySpan?: Span;
}

/** The secrets of an action, as its `run` handles them. */
export interface ActionFact {
  definition: number;
  /** What `credentials` lists; null where that is not to be seen. */
  declared: string[][] | null;
  /** Credentials that are asked for by name. */
  asked: { key: string; span: Span }[];
  /** Secrets that leave `run`: returned, or given to a call (the site). */
  leaked: { path: string[]; span: Span; site?: number; secret: string[] | null }[];
  /** Schemas in `input` that have no JSON form: `z.date()`. */
  formless: { text: string; span: Span }[];
}

export interface AgentFact {
  /** -1 for a `new DurableAgent({ tools })`, which is no definition. */
  definition: number;
  /** Of a workflow, an agent: options that belong to actions. */
  credentials?: Span;
  /** What `tools` holds by name, with its place; `name` where it stands in a record. */
  tools: { path: string[]; span: Span; name?: string }[];
}

/** A tool that is written in place: `{ description, inputSchema, execute }`. */
export interface ToolFact {
  unit: number;
  name: string;
  nameSpan: Span;
  /** Made for an agent in this unit, the tools in place or in a variable of the module. */
  given?: number;
  /** The definition that this agent is; none of a `new DurableAgent({ tools })`. */
  definition?: number;
  described: boolean;
  /** Range of `execute`, where that is a function in place. */
  execute?: { start: number; end: number };
  /** The use that `execute` is, where it names a function. */
  handler?: { unit: number; use: number };
  formless: { text: string; span: Span }[];
}

/** A name in the `tools` of an agent: a variable or an import that holds tools. */
export interface ToolSetFact {
  /** Of the agent. */
  unit: number;
  definition?: number;
  use: { unit: number; use: number };
}

/** `.optional()` in a schema that a model has to fill. */
export interface OptionalFact {
  unit: number;
  span: Span;
  text: string;
  /** What takes the schema: a call, or a definition. */
  site?: number;
  definition?: number;
  fix?: Fix;
}
