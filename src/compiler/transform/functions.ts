import type * as t from '@babel/types';
import { type FunctionNode, keyName, type Node } from '../analyze/ast.ts';
import type { DirectiveFunction } from '../analyze/model.ts';
import {
  atBlockStart,
  atClassEnd,
  atModuleStart,
  declaredName,
  keepKey,
  keyText,
  memberOf,
  namespaceOf,
  paramsStart,
  privateMember,
} from './places.ts';
import { namingKey, plainLength, plainName, plainParams, withArguments } from './signatures.ts';
import type { Transform } from './transform.ts';

/**
 * Rewrites the functions that carry a directive.
 *
 * - `workflow`: a step becomes a call into the event log; a workflow keeps its body under another name and is registered, and in its
 *   place stands a call into the event log that makes a run of it.
 * - `step`: a step keeps its body and is registered, moved to the top level when it is nested, with what it captures as
 *   parameters; a workflow throws when called.
 * - `client`: a step stays as it is, a workflow becomes a reference for `start`.
 *
 * A function declaration stays one, in its place, in every target: JavaScript hoists it over its block and over import cycles,
 * lets a parameter or a `var` have its name, and merges it with a namespace.
 */
export function transformFunctions(transform: Transform): void {
  for (const [i, fn] of transform.analysis.functions.entries()) {
    if (fn.fact.kind === 'step') {
      if (transform.mode === 'workflow' || transform.mode === 'schemas') stepCall(transform, fn);
      else if (transform.mode === 'step') stepBody(transform, fn, transform.local(`nested${i}`));
      else stepReference(transform, fn);
    } else if (transform.mode === 'workflow') workflowBody(transform, fn, transform.local(`workflow${i}`));
    else workflowReference(transform, fn);
  }
}

const PURE = '/*#__PURE__*/ ';

// ------------------------------------------------------------ steps, called

function stepCall(transform: Transform, fn: DirectiveFunction): void {
  const { node } = fn.site;
  const { placement, captures } = fn.fact;
  if (placement === 'method') {
    callInstead(transform, fn, '');
    if (node.type === 'ClassMethod') atClassEnd(transform, fn, `${open(transform, 'ref', fn)}${memberOf(node)});`);
  } else if (node.type !== 'FunctionDeclaration') {
    replaceExpression(transform, node, PURE + calledExpression(transform, fn));
  } else if (placement === 'declaration') callInstead(transform, fn, knownFromStart(transform, fn, node));
  else {
    callInstead(transform, fn, captures.length > 0 ? captureList(fn) : '');
    knownInBlock(transform, fn, node);
  }
}

/**
 * A step that is an expression, as a method with the name that the step has. The helper takes it out of the object: to a bundler
 * that could be an effect, which it would keep.
 */
function calledExpression(transform: Transform, fn: DirectiveFunction): string {
  const { captures, usesThis } = fn.fact;
  const key = JSON.stringify(plainName(fn));
  const made = (thunk: string, list: string): string =>
    `${open(transform, 'step', fn)}${thunk}, ${usesThis}, { async ${key}${calling(transform, fn, list)} }, ${key})`;
  if (captures.length === 0) return made('undefined', '');
  if (!fn.lexicalThis) return made(captureThunk(fn), captureList(fn));
  // A method has a `this` of its own.
  const thunk = transform.local('captures');
  return `((${thunk}) => ${made(thunk, `${thunk}()`)})(${captureThunk(fn)})`;
}

/**
 * Makes it known that a declared function refers to a step. The variable is undefined, before and after: it only ties the
 * function and the statement together, so that a bundler keeps both or, when nobody uses the function, neither.
 *
 * @returns what the function's call passes as its captures
 */
function knownFromStart(transform: Transform, fn: DirectiveFunction, node: t.FunctionDeclaration): string {
  const name = declaredName(transform, node);
  const known = `${open(transform, 'ref', fn)}${name}, undefined, ${JSON.stringify(plainName(fn))});`;
  if (namespaceOf(fn)) {
    atModuleStart(transform, fn, known);
    return '';
  }
  const tie = transform.local(`ref_${name.replace(/^__pawl\d*_/, '')}`);
  atModuleStart(transform, fn, `var ${tie} = ${PURE}${known}`);
  return tie;
}

/** The same for a nested function, each time that its block begins. */
function knownInBlock(transform: Transform, fn: DirectiveFunction, node: t.FunctionDeclaration): void {
  const thunk = fn.fact.captures.length > 0 ? `, ${captureThunk(fn)}` : '';
  atBlockStart(transform, fn, `${open(transform, 'ref', fn)}${(node.id as t.Identifier).name}${thunk})`);
}

/** Puts a call into the event log in place of a body. */
function callInstead(transform: Transform, fn: DirectiveFunction, captures: string): void {
  const { node } = fn.site;
  transform.edits.replace(paramsStart(transform.source, node), node.end as number, calling(transform, fn, captures));
}

/** Parameters and body of a function that makes a call into the event log. */
function calling(transform: Transform, fn: DirectiveFunction, captures: string): string {
  const more = fn.fact.usesThis ? `, ${captures || 'undefined'}, this` : captures && `, ${captures}`;
  const call = open(transform, 'call', fn);
  return withArguments(transform, fn.site.node, (args) => `return ${call}${args}${more});`);
}

function captureList(fn: DirectiveFunction): string {
  return `[${fn.fact.captures.map((capture) => capture.name).join(', ')}]`;
}

function captureThunk(fn: DirectiveFunction): string {
  return `() => ${captureList(fn)}`;
}

/** Puts another expression in place of a function expression, an arrow function or an object's method. */
function replaceExpression(transform: Transform, node: FunctionNode, value: string): void {
  const { edits } = transform;
  if (node.type !== 'ObjectMethod') {
    edits.replace(node.start as number, node.end as number, value);
    return;
  }
  const keyEnd = keepKey(transform, node);
  edits.replace(keyEnd, node.end as number, `: ${value}`);
}

// --------------------------------------------------------------- steps, run

/** @param factory - a name that a nested step's maker may have */
function stepBody(transform: Transform, fn: DirectiveFunction, factory: string): void {
  const { node } = fn.site;
  switch (fn.fact.placement) {
    case 'declaration':
      registerDeclaration(transform, fn, node as t.FunctionDeclaration, open(transform, 'step', fn));
      return;
    case 'method': {
      const method = node.type === 'ClassPrivateMethod' ? privateMember(node) : memberOf(node as t.ClassMethod);
      atClassEnd(transform, fn, `${open(transform, 'step', fn)}${method});`);
      return;
    }
    case 'inline':
      registerInline(transform, fn, open(transform, 'step', fn));
      return;
    case 'hoisted':
      if (!insideWorkflow(transform, fn)) makeInstead(transform, fn, factory);
      moveOut(transform, fn, factory);
      return;
  }
}

/** `__pawl_step("id", `: a call to be closed. */
function open(transform: Transform, helper: string, fn: DirectiveFunction): string {
  return `${transform.helper(helper)}(${JSON.stringify(fn.fact.id)}, `;
}

/** Whether the function stands in a workflow's body, which is not there in the step target, and not in a step that moved out of it. */
function insideWorkflow({ analysis, functionOf }: Transform, fn: DirectiveFunction): boolean {
  for (let i = fn.site.ancestors.length - 1; i >= 0; i--) {
    const ancestor = fn.site.ancestors[i] as Node;
    const around = functionOf.get(ancestor);
    if (around) return around.fact.kind === 'workflow';
    if (analysis.definitions.some(({ fact, options }) => fact.kind === 'workflow' && options?.get('run') === ancestor))
      return true;
  }
  return false;
}

/** Puts a function that is made at each call in place of a nested step: of what the step captures, as it is then. */
function makeInstead(transform: Transform, fn: DirectiveFunction, factory: string): void {
  const { edits, source } = transform;
  const { node } = fn.site;
  const start = node.start as number;
  const registered = fn.home.type === 'ClassBody';
  if (node.type === 'FunctionDeclaration') {
    knownInBlock(transform, fn, node);
    const maker = registered ? `${transform.helper('factory')}(${JSON.stringify(fn.fact.id)})` : factory;
    const captured = fn.fact.captures.map((capture) => capture.name).join(', ');
    const params = plainParams(transform, node) || `...${transform.local('args')}`;
    const made = `${maker}(${captured}).apply(this, arguments)`;
    edits.insert(start, `async function ${node.id?.name}(${params}) { return ${made}; }`);
    return;
  }
  const signature = `${JSON.stringify(plainName(fn))}, ${plainLength(node)}`;
  const bound = `${open(transform, 'bound', fn)}${captureThunk(fn)}, ${registered ? 'undefined' : factory}, ${signature})`;
  edits.insert(start, node.type === 'ObjectMethod' ? `${keyText(source, node)}: ${bound}` : bound);
}

/**
 * Moves a nested step's text to its home, as a factory over what it captures. The factory is a function declaration too: code that
 * runs while the module is loaded may call the step. In a class it is registered before anything else of the class runs.
 */
function moveOut(transform: Transform, fn: DirectiveFunction, factory: string): void {
  const { node } = fn.site;
  const self = transform.local('this');
  const names = fn.fact.captures.map(({ name }) => (name === 'this' ? self : name)).join(', ');
  const register = open(transform, 'closure', fn);
  let prefix = 'return ';
  let suffix = ';';
  if (node.type === 'ObjectMethod') {
    prefix += '({ ';
    suffix = ` })[${JSON.stringify(keyName(node.key, node.computed))}];`;
  }
  if (fn.lexicalThis) {
    prefix = `return (function () { ${prefix}`;
    suffix += ` }).call(${self});`;
  }
  if (fn.selfName !== null) {
    prefix = `const ${fn.selfName} = ${prefix.slice('return '.length)}`;
    suffix += ` return ${fn.selfName};`;
  }
  const { home } = fn;
  const inClass = home.type === 'ClassBody';
  if (inClass) {
    prefix = `\n;static { ${register}function (${names}) { ${prefix}`;
    suffix += ' }); }';
  } else {
    prefix = `\nfunction ${factory}(${names}) { ${prefix}`;
    suffix += ` }\n${register}${factory});`;
  }
  const to = inClass
    ? (home.start as number) + 1
    : home.type === 'Program'
      ? transform.source.length
      : (home.end as number) - 1;
  transform.edits.move(node.start as number, node.end as number, to, prefix, suffix);
}

/** In the client a step is a plain function, known by its id so that it can be passed to a workflow as a value. */
function stepReference(transform: Transform, fn: DirectiveFunction): void {
  const { node } = fn.site;
  const { placement } = fn.fact;
  if (placement === 'declaration')
    registerDeclaration(transform, fn, node as t.FunctionDeclaration, open(transform, 'step', fn));
  else if (placement === 'inline') registerInline(transform, fn, open(transform, 'step', fn));
}

// --------------------------------------------------------------- workflows

/** @param body - a name that the workflow's own function may have, where it has one */
function workflowBody(transform: Transform, fn: DirectiveFunction, body: string): void {
  const { edits, source } = transform;
  const { node } = fn.site;
  const register = open(transform, 'workflow', fn);
  const name = JSON.stringify(plainName(fn));
  const child = withArguments(transform, node, (args) => `return ${open(transform, 'child', fn)}${args});`);
  if (node.type === 'FunctionDeclaration') {
    const declared = declaredName(transform, node);
    edits.insert(paramsStart(source, node), `${child} async function ${body}`);
    atModuleStart(transform, fn, `${register}${body}, ${name}, ${declared});`);
  } else if (node.type === 'ClassMethod' || node.type === 'ClassPrivateMethod') {
    const called = node.type === 'ClassMethod' ? memberOf(node) : `this.#${node.key.id.name}`;
    edits.insert(paramsStart(source, node), `${child} static async #${body}`);
    atClassEnd(transform, fn, `${register}this.#${body}, ${name}, ${called}, this);`);
  } else {
    const called = `{ async ${name}${child} }[${name}]`;
    const own = node.type === 'FunctionExpression' ? node.id : null;
    if (!own) registerInline(transform, fn, register, `, undefined, ${called}`);
    else {
      // Within the function its name is what stands in its place, too.
      edits.wrap(
        node.start as number,
        node.end as number,
        `((${own.name}) => ${own.name} = ${register}{ ${namingKey(own.name)}`,
        ` }[${name}], undefined, ${called}))()`,
      );
      edits.cut(own.start as number, own.end as number);
    }
  }
}

function workflowReference(transform: Transform, fn: DirectiveFunction): void {
  const { edits, source } = transform;
  const { node } = fn.site;
  const thrown = `{ throw ${transform.helper('direct')}(${JSON.stringify(fn.fact.id)}); }`;
  const signature = `(${plainParams(transform, node)}) ${thrown}`;
  const call = open(transform, 'workflow', fn);
  if (node.type === 'FunctionDeclaration') {
    registerDeclaration(transform, fn, node, call);
    edits.replace(paramsStart(source, node), node.end as number, signature);
  } else if (fn.fact.placement === 'method') {
    edits.replace(paramsStart(source, node), node.end as number, signature);
    if (node.type === 'ClassMethod') atClassEnd(transform, fn, `${call}${memberOf(node)});`);
  } else {
    const key = JSON.stringify(plainName(fn));
    replaceExpression(transform, node, `${call}{ async ${key}${signature} }[${key}])`);
  }
}

// ------------------------------------------------------------ registrations

/** `registration` is the open call: `__pawl_step("id", `. */
function registerDeclaration(
  transform: Transform,
  fn: DirectiveFunction,
  node: t.FunctionDeclaration,
  registration: string,
): void {
  const name = JSON.stringify(plainName(fn));
  atModuleStart(transform, fn, `${registration}${declaredName(transform, node)}, ${name});`);
}

/**
 * The name that the place gave an anonymous function is given by the key of an object.
 *
 * @param more - further arguments of the registration
 */
function registerInline(transform: Transform, fn: DirectiveFunction, registration: string, more = ''): void {
  const { edits, source } = transform;
  const { node } = fn.site;
  const name = plainName(fn);
  const key = JSON.stringify(name);
  if (node.type !== 'ObjectMethod') {
    const isNamed = name === '' || (node as t.FunctionExpression).id;
    const [before, after] = isNamed ? ['', ''] : [`{ ${namingKey(name)}`, ` }[${key}]`];
    edits.wrap(node.start as number, node.end as number, registration + before, `${after}${more})`);
    return;
  }
  const keyEnd = keepKey(transform, node);
  const params = paramsStart(source, node);
  edits.insert(keyEnd, `: ${registration}{ async ${key}`);
  edits.cut(keyEnd, node.typeParameters ? (node.typeParameters.start as number) : params);
  edits.insert(node.end as number, ` }[${key}]${more})`);
}
