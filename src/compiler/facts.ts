import type { Span } from '../diagnostics/types.ts';
import type { CallFacts } from './call-facts.ts';

export type * from './call-facts.ts';

/**
 * Glossary of facts: what analysis knows of one module, as plain data (it survives JSON).
 *
 * - **unit**: a piece of code that is reached as a whole: the module's top level, a function or method that has a static
 *   path at the top level (`priceOf`, `helpers.priceOf`, `Order#total`), what initializes a variable of the module (or a
 *   property of an object that one holds), and every directive function and every `run` of a definition wherever it stands.
 *   Other nested functions belong to the unit around them.
 * - **use**: a mention of something that is not local to the unit.
 * - **path**: identifier and static members: `fs.promises.readFile` is `['fs', 'promises', 'readFile']`. A piece with `#` before
 *   it is a member of an instance: `new Order().total` is `['Order', '#total']`. `import.meta` is one piece. Of functions of the SDKs
 *   that pawl knows `()` is what a call gives, and `await` what that promises: `getWritable().getWriter` is
 *   `['getWritable', '()', 'getWriter']`.
 */
export interface ModuleFacts {
  version: 1;
  /** Path relative to the root, with `/`. */
  file: string;
  format: 'esm' | 'cjs';
  /** The directive that stands at the top of the module. */
  directive: { kind: DirectiveKind; span: Span } | null;
  imports: ImportFact[];
  exports: ExportFact[];
  functions: FunctionFact[];
  definitions: DefinitionFact[];
  /** Classes that have a step method or the serialization symbols. */
  classes: ClassFact[];
  units: Unit[];
  suppressions: SuppressionFact[];
  /** How calls stand in the code; there where `analyze` was asked for it. */
  calls?: CallFacts;
  /** The class that a class extends, where that is a name; `path` is the extending class's. */
  bases?: { path: string; of: NonNullable<Unit['instanceOf']> }[];
  /** The classes of the module's top level. */
  shapes?: ClassShape[];
  pauses?: PauseFact[];
  /** Offset at which an import can be put in: before the first one, or before the first statement and what belongs to it. */
  importsAt?: number;
}

/**
 * What a class of the top level is for serialization: enough to tell, with those of its bases, whether an instance can cross.
 */
export interface ClassShape {
  /** The path in the module, as in `bases`. */
  path: string;
  nameSpan: Span;
  /** The class that it extends; `unknown` where that is no name of a class. */
  base: NonNullable<Unit['instanceOf']> | 'unknown' | null;
  abstract: boolean;
  /** It has the static methods of its own. */
  serialize: boolean;
  deserialize: boolean;
  /** `deserialize` is a method that never mentions `this`: it makes instances of the class that it names, not of a subclass. */
  fixed: boolean;
  /** It may have static members that are not to be seen: a decorator, a computed name, code that gets hold of the class. */
  open: boolean;
  /** A symbol on an instance member, or set from outside of the class. */
  misplaced: { span: Span; outside: boolean }[];
  /** Steps that take an instance with them as `this`. */
  needs: { step: string; span: Span }[];
}

export type DirectiveKind = 'step' | 'workflow';
export type Target = 'workflow' | 'step' | 'client';

export interface ImportFact {
  /** The module specifier as written. */
  source: string;
  /** `default`, `*` for a namespace, `''` for a bare import, otherwise the exported name. */
  imported: string;
  /** The local name, `''` for a bare import. */
  local: string;
  form: 'import' | 'import-equals' | 'require' | 'dynamic';
  typeOnly: boolean;
  span: Span;
}

export interface ExportFact {
  /** Exported name; `default`; `*` for `export * from`. */
  name: string;
  /** The local binding that is exported, or null (re-export, anonymous default). */
  local: string | null;
  /** The specifier of a re-export, or null. */
  source: string | null;
  /** With `source`: the name there, `*` for all of it. */
  imported: string | null;
  typeOnly: boolean;
  span: Span;
}

/** A function with a directive, its own or the module's. */
export interface FunctionFact {
  kind: DirectiveKind;
  id: string;
  /** The path within the file, the id's part after `#`; also the name shown to people is its last piece. */
  path: string;
  name: string;
  /** The whole function, in methods with key and modifiers. */
  span: Span;
  /** Where to point at: the name, or the function's first token. */
  nameSpan: Span;
  directiveSpan: Span;
  /** Whether the directive is the module's. */
  fromModule: boolean;
  placement: 'declaration' | 'inline' | 'hoisted' | 'method';
  /** The variables of enclosing functions and blocks that a step takes with it, in order of first use. */
  captures: CaptureFact[];
  /** Whether `this` is serialized along with the arguments. */
  usesThis: boolean;
  options: StepOptions;
  /** Parameter count as written, without `this`. */
  parameters: number;
  /** Index into `units`. */
  unit: number;
  /** sha256 (hex) of nothing but the function's source text. */
  text: { start: number; end: number };
}

export interface CaptureFact {
  name: string;
  /** First use inside of the step. */
  span: Span;
  /** How the variable is declared. */
  declared: 'var' | 'let' | 'const' | 'param' | 'function' | 'class' | 'catch' | 'this' | 'step' | 'other';
  declarationSpan: Span;
}

/** Durations are kept as written: milliseconds or a string such as `30s`. */
export interface StepOptions {
  maxRetries?: number;
  timeout?: number | string;
  heartbeatTimeout?: number | string;
  retryAfter?: number | string;
  concurrency?: number;
}

export interface DefinitionFact {
  kind: 'action' | 'workflow' | 'agent' | 'credential';
  /** Static slug (`key` of credentials), or null when it is missing or computed (a diagnostic says so). */
  slug: string | null;
  slugSpan: Span | null;
  /** The slug is a string literal in place. */
  slugLiteral?: true;
  name: string | null;
  description: string | null;
  /** The local binding that holds the definition, if any. */
  local: string | null;
  /** Export names, `default` included. */
  exported: string[];
  /** The call. */
  span: Span;
  nameSpan: Span;
  /** Names of the options present. */
  options: string[];
  /** Static paths of the elements of `tools` (agents) or `credentials` (actions). */
  references: string[][];
  /** Static path of what is the `model` of an agent, or of the function that is called for it. */
  model?: string[];
  /** Fields of a credential that are no secrets. */
  public?: string[];
  /** Constant settings of an action: `timeout`, `maxRetries`, … */
  settings?: StepOptions;
  /** Unit of `run`, or null. */
  unit: number | null;
}

export interface ClassFact {
  id: string;
  name: string;
  span: Span;
  nameSpan: Span;
  serialize: boolean;
  deserialize: boolean;
}

export interface Unit {
  /** `''` for the module's top level, else the static path; for nested directive functions their id path. */
  path: string;
  kind: 'module' | 'function' | 'method' | 'variable' | DirectiveKind | 'action' | 'agent' | 'workflow-definition';
  span: Span;
  nameSpan: Span;
  uses: Use[];
  /** A function that stands in an argument of a call, which is made when the module is loaded: `register({ run() {…} })`. */
  given?: true;
  /** A variable that holds `new X(…)`: the path of X. */
  instanceOf?: { kind: 'import' | 'local'; path: string[] };
  /** A variable that holds what a call of an SDK's function gives: the path of that, `['defineHook', '()']`. */
  resultOf?: string[];
  /** A variable that holds a new collection. */
  holds?: 'array' | 'map' | 'set';
  /** Objects whose members are this one's too, `{ ...base }`, the last one first. */
  spreads?: Pick<AliasFact, 'kind' | 'path'>[];
  /** A variable, or a member of one, that is nothing but another name of something. */
  alias?: AliasFact;
  /** It would be that, but something else may have been put there since. */
  unsure?: true;
}

/** What a variable is another name of. */
export interface AliasFact {
  kind: 'import' | 'local' | 'global';
  path: string[];
  /** It holds the rest of an array from this element on. */
  offset?: number;
  /** It holds the rest of an object, without these members. */
  without?: string[];
  /** It has a default, which counts where there is no such member. */
  orElse?: true;
}

export interface Use {
  /**
   * - `global`: a name that the module does not declare (shadowing respected).
   * - `import`: `path[0]` is the local name of an import.
   * - `local`: `path[0]` is a binding of the module's top level.
   * - `nested`: `path[0]` is the path of a nested directive function's unit.
   * - `module`: `require('x')` or `import('x')` in place; `path[0]` is the specifier, `''` when computed.
   * - `unknown`: a variable of the unit that held one of these, and to which something else was assigned.
   */
  kind: 'global' | 'import' | 'local' | 'nested' | 'module' | 'unknown';
  path: string[];
  /** `call`, `new`, `write` (assignment to the path or a part of it), else `read`. */
  access: 'read' | 'call' | 'new' | 'write';
  span: Span;
  /**
   * Of a write, unless it just sets the path: `update` (`++`, `+=`, `delete`); `lower` (`--`, `-=`); `lazy`, a value that is made once (`??=`, or under a
   * condition that asks for it); `computed`, an element whose key is not known; `own`, a member of `this`.
   */
  how?: 'update' | 'lower' | 'lazy' | 'computed' | 'own';
  /**
   * The code copes where there is no such thing: `typeof` asks for the global somewhere in the module (`typeof`), or a `catch` stands
   * around it (`try`).
   */
  guarded?: 'typeof' | 'try';
  /** In units that run when the module is loaded: stands in a function there, which runs when it is called. */
  deferred?: true;
  /** Stands in a closure that the function returns: who calls the function does not run it. */
  returned?: true;
  /** In the module's own unit: index of the statement. */
  statement?: number;
  /** `queueMicrotask` is given the function in which it is called. */
  endless?: true;
  /** It stands in the code as a variable of the unit, which was made with the use that starts at this offset. */
  via?: number;
  /** Its span is that of a variable which a pattern takes it by; this is where the expression starts that it is taken of. */
  from?: number;
}

/** `await new Promise((resolve) => setTimeout(resolve, ms))` and nothing more than that. */
export interface PauseFact {
  /** The name of the timer: where its use is. */
  timer: Span;
  /** `new Promise(…)` as a whole, and in it the expression of the time. */
  span: Span;
  time: Span;
  /** `sleep` there is a name that nothing declares (`free`), one of an import (`import`), or another one. */
  sleep: 'free' | 'import' | 'taken';
}

export interface SuppressionFact {
  codes: { code: string; span: Span }[];
  reason: string;
  span: Span;
  /** The line that it speaks of, from 1. */
  line: number;
}
