import type * as t from '@babel/types';
import type { Positions } from '../../diagnostics/positions.ts';
import type { Diagnostic } from '../../diagnostics/types.ts';
import type { DirectiveKind, FunctionFact, Unit, Use } from '../facts.ts';
import type { AliasUnit } from './aliases.ts';
import type { FunctionNode, Node } from './ast.ts';

/**
 * The inside view of a module, made by one walk: scopes, bindings, references, functions. Passes read it; what other
 * parts of pawl may know of it leaves as `ModuleFacts`.
 */

export type BindingKind =
  | 'var'
  | 'let'
  | 'const'
  | 'param'
  | 'function'
  | 'class'
  | 'catch'
  | 'import'
  | 'enum'
  | 'namespace';

export interface Binding {
  name: string;
  kind: BindingKind;
  scope: Scope;
  /** The identifier that declares it. */
  node: Node;
  /** Declarator, function, class, specifier. */
  declaration: Node;
  refs: Ref[];
  /** `var` and functions may be declared more than once. */
  again?: true;
}

export class Scope {
  readonly parent: Scope | null;
  /**
   * `module` and `namespace` scopes exist once: what is declared there is never a capture. `function` scopes hold parameters
   * and body; everything else is a `block`.
   */
  readonly kind: 'module' | 'namespace' | 'function' | 'block';
  readonly fn: FunctionInfo | null;
  readonly node: Node;
  bindings: Map<string, Binding> | null = null;

  constructor(parent: Scope | null, kind: Scope['kind'], node: Node, fn: FunctionInfo | null) {
    this.parent = parent;
    this.kind = kind;
    this.node = node;
    this.fn = fn;
  }

  declare(binding: Binding): Binding {
    this.bindings ??= new Map();
    const existing = this.bindings.get(binding.name);
    if (existing) {
      existing.again = true;
      return existing;
    }
    this.bindings.set(binding.name, binding);
    return binding;
  }

  find(name: string): Binding | null {
    for (let scope: Scope | null = this; scope; scope = scope.parent) {
      const found = scope.bindings?.get(name);
      if (found) return found;
    }
    return null;
  }

  get isStatic(): boolean {
    return this.kind === 'module' || this.kind === 'namespace';
  }
}

export interface Ref {
  name: string;
  node: Node;
  scope: Scope;
  /** The nearest function around it, null at the top level. */
  fn: FunctionInfo | null;
  binding: Binding | null;
  path: string[];
  access: Use['access'];
  /** A plain `x = …`, not `x.y = …`. */
  rebinds: boolean;
  /** End of the whole member chain. */
  end: number;
  unit: number;
  /** Index of the statement of the program body. */
  statement: number;
  /** Stands in an export specifier. */
  exported: boolean;
  /** No use in the sense of facts: it stands behind `typeof`, or other references say more exactly what is taken. */
  silent: boolean;
  /** Of a write: what kind of write it is. */
  how?: Use['how'];
  /** A `catch` stands around it, in the same function. */
  inTry: boolean;
  /** It is an argument of a call. */
  given?: true;
  /** Where in the path the first element of an array stands that a pattern takes. */
  elementAt?: number;
  /** The variable of a function that a pattern takes it by: there it is shown. */
  named?: Node;
  /** The variable of a function that it is kept in, as all of its value or as a member of a literal. */
  holder?: { id: Node; members: readonly string[] };
  /** It is compared with something. */
  compared?: true;
  /** Arguments of the call or `new` that it is the callee of; infinite with a spread. */
  args?: number;
  /** It stands for a parameter that a call leaves out: the function, and the parameter's index. */
  orElse?: { fn: FunctionInfo; index: number };
}

export interface FunctionInfo {
  node: FunctionNode | t.StaticBlock | t.ClassProperty | t.ClassPrivateProperty | t.ClassAccessorProperty;
  parent: FunctionInfo | null;
  scope: Scope | null;
  arrow: boolean;
  thisAt: Node | null;
  argumentsAt: Node | null;
  superAt: Node | null;
  privateAt: Node | null;
  newTargetAt: Node | null;
  /** It runs where it stands: `(async () => { … })()`, static blocks and fields. */
  inPlace: boolean;
}

/** What is to be found out about a function, a static block or the value of a field: nothing yet. */
export function functionInfo(node: FunctionInfo['node'], parent: FunctionInfo | null): FunctionInfo {
  return {
    node,
    parent,
    scope: null,
    arrow: node.type === 'ArrowFunctionExpression',
    thisAt: null,
    argumentsAt: null,
    superAt: null,
    privateAt: null,
    newTargetAt: null,
    inPlace: node.type === 'StaticBlock' || ('static' in node && 'value' in node && node.static === true),
  };
}

/** A function with a directive, as found: not yet named or judged. */
export interface DirectiveSite {
  kind: DirectiveKind;
  node: FunctionNode;
  info: FunctionInfo;
  /** The scope that the function stands in. */
  outer: Scope;
  ancestors: readonly Node[];
  directive: Node;
  fromModule: boolean;
  unit: number;
}

export interface DefinitionSite {
  kind: 'action' | 'workflow' | 'agent' | 'credential';
  call: t.CallExpression;
  ancestors: readonly Node[];
  /** Unit of `run`, -1 without one. */
  unit: number;
}

export interface ClassSite {
  node: t.ClassDeclaration | t.ClassExpression;
  ancestors: readonly Node[];
  serialize: boolean;
  deserialize: boolean;
  /** The static method that makes an instance of data, where it is one. */
  deserializer: t.ClassMethod | null;
  /** Members with one of the symbols that are not static. */
  misplaced: Node[];
  /** Code that only running it would tell may give the class more static members. */
  open: boolean;
}

/** `Order[serialize] = …` */
export interface SymbolWrite {
  symbol: 'serialize' | 'deserialize';
  object: Node;
  node: Node;
  scope: Scope;
}

/** `charge.maxRetries = 5` and other assignments that could be options. */
export interface OptionSite {
  path: string[];
  value: Node;
  node: t.AssignmentExpression;
  scope: Scope;
}

/** A string statement that looks like a directive but is none. */
export interface StrayDirective {
  node: Node;
  /** The text itself. */
  literal: Node;
  text: string;
  /** A statement of its own; the beginning of a longer one; an arrow function's whole body. */
  form: 'statement' | 'glued' | 'arrow';
  /** The statements around it. */
  ancestors: readonly Node[];
}

export interface ModuleReference {
  specifier: string | null;
  form: 'require' | 'dynamic';
  node: t.CallExpression | t.ImportExpression;
  /** What is taken of it: `require('fs').readFile` → `['readFile']`. */
  path: string[];
  unit: number;
  fn: FunctionInfo | null;
  /** Index of the statement of the program body. */
  statement: number;
  /** Local names that a `const … = require('x')` declares, by imported name (`*` for the whole). */
  locals: { local: string; imported: string }[];
  topLevel: boolean;
}

/** `this.save` or `super.save` in a method, `super()` in a constructor (its name is `constructor`). */
export interface MemberUse {
  /** The class around; null in the method of an object literal, which `object` is. */
  site: ClassSite | null;
  object: { ancestors: readonly Node[]; node: Node } | null;
  name: string;
  isStatic: boolean;
  /** It is the base class's. */
  ofBase: boolean;
  node: Node;
  parent: Node;
  unit: number;
  held?: HeldMember;
}

/** `this.io.get`: a member of what the member is. */
export interface HeldMember {
  path: string[];
  node: Node;
  parent: Node;
}

/** `await new Promise((resolve) => setTimeout(resolve, ms))`. */
export interface Pause {
  timer: Node;
  promise: Node;
  time: Node;
  scope: Scope;
}

export interface Model {
  source: string;
  file: string;
  packageName: string | null;
  program: t.Program;
  comments: readonly t.Comment[];
  positions: Positions;
  module: Scope;
  refs: Ref[];
  functions: FunctionInfo[];
  directives: DirectiveSite[];
  definitions: DefinitionSite[];
  classes: ClassSite[];
  symbolWrites: SymbolWrite[];
  options: OptionSite[];
  strays: StrayDirective[];
  requires: ModuleReference[];
  members: MemberUse[];
  /** Local names of what SDKs export whose results are followed. */
  sdk: Set<string>;
  /** What stands behind `typeof`. */
  probes: Ref[];
  pauses: Pause[];
  /** `for await (const request of webhook)`: what a declarator without initializer takes its values from. */
  iterated: Map<Node, Node>;
  /** The call that initializes a variable, by the variable's unit. */
  results: Map<number, t.CallExpression>;
  /** The `new` that initializes a variable, by the variable's unit. */
  instances: Map<number, t.NewExpression>;
  /** Calls that a function makes whenever it runs, of `queueMicrotask` by some name: what they are given, a name or a function that calls it. */
  queued: { callee: Node; outer: Scope; given: t.Identifier; scope: Scope; fn: FunctionInfo | null }[];
  /** What all of the value of a variable is, by its declarator. */
  heads: Map<Node, Ref>;
  aliases: AliasUnit[];
  /** What object literals that units hold take over from other objects. */
  spreads: { unit: number; ref: Ref }[];
  /** Arrays that units hold. */
  arrays: Map<number, t.ArrayExpression>;
  /** Elements of arrays that patterns take in place: `const [first] = [save]`. */
  elements: { unit: number; element: Node }[];
  /** Paths of setters, and of the units that they are: a getter beside one has the path itself. */
  setters: Map<string, string>;
  units: Unit[];
  usesCommonJs: boolean;
  diagnostics: Diagnostic[];
}

/** A directive function that the compiler transforms: the facts about it, and its nodes. */
export interface DirectiveFunction {
  fact: FunctionFact;
  site: DirectiveSite;
  /** Where a moved function goes: the end of this node (the program, a namespace's block or a class body). */
  home: Node;
  /** The `const` that holds the function, when the function calls itself by that name and has to move. */
  selfName: string | null;
  /** Captures `this` lexically (a moved arrow). */
  lexicalThis: boolean;
}
