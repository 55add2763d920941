import type * as t from '@babel/types';
import { findToken, type FunctionNode, keyName, type Node } from '../analyze/ast.ts';
import type { DirectiveFunction } from '../analyze/model.ts';
import { firstStatement, type Transform } from './transform.ts';

/**
 * Rewrites the functions that carry a directive.
 *
 * - `workflow`: a step becomes a call into the event log; a workflow keeps its body and is registered.
 * - `step`: a step keeps its body and is registered, moved to the top level when it is nested, with what it captures as
 *   parameters; a workflow throws when called.
 * - `client`: a step stays as it is, a workflow becomes a reference for `start`.
 */
export function transformFunctions(transform: Transform): void {
  for (const fn of transform.analysis.functions) {
    if (fn.fact.kind === 'step') {
      if (transform.mode === 'workflow' || transform.mode === 'schemas') stepCall(transform, fn);
      else if (transform.mode === 'step') stepBody(transform, fn);
      else stepReference(transform, fn);
    } else if (transform.mode === 'workflow') workflowBody(transform, fn);
    else workflowReference(transform, fn);
  }
}

const PURE = '/*#__PURE__*/ ';

// ------------------------------------------------------------ steps, called

function stepCall(transform: Transform, fn: DirectiveFunction): void {
  const { edits } = transform;
  const { node } = fn.site;
  const { id, placement, usesThis } = fn.fact;
  const quoted = JSON.stringify(id);
  if (placement === 'method') {
    const self = usesThis ? ', undefined, this' : '';
    edits.replace(
      paramsStart(transform.source, node),
      node.end as number,
      `(...__pawl_args) { return ${transform.helper('call')}(${quoted}, __pawl_args${self}); }`,
    );
    if (node.type === 'ClassMethod')
      atClassEnd(transform, fn, `${transform.helper('ref')}(${quoted}, ${memberOf(node)});`);
    return;
  }
  const self = usesThis ? ', true' : '';
  const captures = fn.fact.captures.length > 0 ? `, ${captureThunk(fn)}` : self ? ', undefined' : '';
  const stub = `${PURE}${transform.helper('step')}(${quoted}${captures}${self})`;
  if (node.type === 'FunctionDeclaration') declareInstead(transform, fn, node, stub);
  else replaceExpression(transform, node, stub);
}

function captureThunk(fn: DirectiveFunction): string {
  return `() => [${fn.fact.captures.map((capture) => capture.name).join(', ')}]`;
}

/** Puts a variable in place of a function declaration: at the start of its block, because functions are hoisted. */
function declareInstead(transform: Transform, fn: DirectiveFunction, node: t.FunctionDeclaration, value: string): void {
  const { edits } = transform;
  const { ancestors } = fn.site;
  const parent = ancestors[ancestors.length - 1] as Node;
  const start = node.start as number;
  const end = node.end as number;
  const name = node.id?.name;
  cutOverloads(transform, fn, name);
  if (parent.type === 'ExportDefaultDeclaration') {
    if (name === undefined) edits.replace(start, end, `${value};`);
    else {
      edits.replace(parent.start as number, end, `export { ${name} as default };`);
      edits.insertForGood(firstStatement(transform.analysis.model.program), `var ${name} = ${value};\n`);
    }
  } else if (parent.type === 'ExportNamedDeclaration') {
    const block = ancestors[ancestors.length - 2] as Node;
    if (block.type === 'TSModuleBlock') edits.replace(start, end, `const ${name} = ${value};`);
    else {
      edits.replace(parent.start as number, end, `export { ${name} };`);
      edits.insertForGood(firstStatement(transform.analysis.model.program), `var ${name} = ${value};\n`);
    }
  } else {
    const first = statementsOf(parent)?.[0];
    if (parent.type === 'Program') {
      edits.insertForGood(firstStatement(parent), `var ${name} = ${value};\n`);
      transform.cutStatement(start, end);
    } else if (first) {
      edits.insert(first.start as number, `let ${name} = ${value}; `);
      transform.cutStatement(start, end);
    } else edits.replace(start, end, `var ${name} = ${value};`);
  }
}

/** Overload signatures belong to a function declaration; beside a variable of that name they are an error. */
function cutOverloads(transform: Transform, fn: DirectiveFunction, name: string | undefined): void {
  const { ancestors } = fn.site;
  const parent = ancestors.at(-1) as Node;
  const block = parent.type.startsWith('Export') ? (ancestors.at(-2) as Node) : parent;
  for (const statement of statementsOf(block) ?? []) {
    const node = (statement as t.ExportNamedDeclaration).declaration ?? statement;
    if (node.type !== 'TSDeclareFunction' || node.declare || node.id?.name !== name) continue;
    transform.cutStatement(statement.start as number, statement.end as number);
  }
}

function statementsOf(node: Node): readonly Node[] | null {
  switch (node.type) {
    case 'BlockStatement':
    case 'StaticBlock':
    case 'TSModuleBlock':
    case 'Program':
      return node.body;
    case 'SwitchCase':
      return node.consequent;
    default:
      return null;
  }
}

/** Puts another expression in place of a function expression, an arrow function or an object's method. */
function replaceExpression(transform: Transform, node: FunctionNode, value: string): void {
  const { edits } = transform;
  if (node.type !== 'ObjectMethod') {
    edits.replace(node.start as number, node.end as number, value);
    return;
  }
  const [keyStart, keyEnd] = keyRange(transform.source, node);
  edits.cut(node.start as number, keyStart);
  edits.replace(keyEnd, node.end as number, `: ${value}`);
}

// --------------------------------------------------------------- steps, run

function stepBody(transform: Transform, fn: DirectiveFunction): void {
  const { edits } = transform;
  const { node } = fn.site;
  const quoted = JSON.stringify(fn.fact.id);
  switch (fn.fact.placement) {
    case 'declaration':
      registerDeclaration(transform, fn, node as t.FunctionDeclaration, `${transform.helper('step')}(${quoted}, `);
      return;
    case 'method': {
      const method = node.type === 'ClassPrivateMethod' ? privateMember(node) : memberOf(node as t.ClassMethod);
      atClassEnd(transform, fn, `${transform.helper('step')}(${quoted}, ${method});`);
      return;
    }
    case 'inline':
      registerInline(transform, node, `${transform.helper('step')}(${quoted}, `);
      return;
    case 'hoisted': {
      const bound = `${transform.helper('bound')}(${quoted}, ${captureThunk(fn)})`;
      if (!insideWorkflow(transform, fn)) {
        if (node.type === 'FunctionDeclaration') declareBound(transform, fn, node, bound);
        else if (node.type === 'ObjectMethod')
          edits.insert(
            node.start as number,
            `${transform.source.slice(...keyRange(transform.source, node))}: ${bound}`,
          );
        else edits.insert(node.start as number, bound);
      }
      moveOut(transform, fn);
      return;
    }
  }
}

/** Whether the function stands in a workflow's body, which is not there in the step target, and not in a step that moved out of it. */
function insideWorkflow({ analysis }: Transform, fn: DirectiveFunction): boolean {
  return (
    fn.site.ancestors.reduceRight<boolean | null>((known, ancestor) => {
      if (known !== null) return known;
      const around = analysis.functions.find((other) => (other.site.node as Node) === ancestor);
      if (around) return around.fact.kind === 'workflow';
      return analysis.definitions.some(
        ({ fact, options }) => fact.kind === 'workflow' && options?.get('run') === ancestor,
      )
        ? true
        : null;
    }, null) ?? false
  );
}

function declareBound(transform: Transform, fn: DirectiveFunction, node: t.FunctionDeclaration, bound: string): void {
  const { edits } = transform;
  if (transform.gluesTo(node.end as number)) edits.insert(node.start as number, ';');
  const parent = fn.site.ancestors[fn.site.ancestors.length - 1] as Node;
  const first = statementsOf(parent)?.[0];
  if (first) edits.insert(first.start as number, `let ${node.id?.name} = ${bound}; `);
  else edits.insert(node.start as number, `var ${node.id?.name} = ${bound};`);
}

/** Moves a nested step's text to its home, as a factory over what it captures. */
function moveOut(transform: Transform, fn: DirectiveFunction): void {
  const { node } = fn.site;
  const { captures, id } = fn.fact;
  const names = captures.map((capture) => (capture.name === 'this' ? '__pawl_this' : capture.name));
  let prefix = `${transform.helper('closure')}(${JSON.stringify(id)}, (${names.join(', ')}) => `;
  let suffix = ');';
  if (fn.selfName !== null) {
    prefix += `{ const ${fn.selfName} = `;
    suffix = `; return ${fn.selfName}; }${suffix}`;
  }
  if (fn.lexicalThis) {
    prefix += '(function () { return ';
    suffix = `; }).call(__pawl_this)${suffix}`;
  }
  if (node.type === 'ObjectMethod') {
    const key = keyName(node.key, node.computed) as string;
    prefix += '({ ';
    suffix = ` })[${JSON.stringify(key)}]${suffix}`;
  }
  const { home } = fn;
  if (home.type === 'ClassBody') {
    prefix = `;static { ${prefix}`;
    suffix += ' }';
  }
  const to = home.type === 'Program' ? transform.source.length : (home.end as number) - 1;
  transform.edits.move(node.start as number, node.end as number, to, `\n${prefix}`, suffix);
}

/** In the client a step is a plain function, known by its id so that it can be passed to a workflow as a value. */
function stepReference(transform: Transform, fn: DirectiveFunction): void {
  const { node } = fn.site;
  const quoted = JSON.stringify(fn.fact.id);
  if (fn.fact.placement === 'declaration')
    registerDeclaration(transform, fn, node as t.FunctionDeclaration, `${transform.helper('step')}(${quoted}, `);
  else if (fn.fact.placement === 'inline') registerInline(transform, node, `${transform.helper('step')}(${quoted}, `);
}

// --------------------------------------------------------------- workflows

function workflowBody(transform: Transform, fn: DirectiveFunction): void {
  const { node } = fn.site;
  const call = `${transform.helper('workflow')}(${JSON.stringify(fn.fact.id)}, `;
  if (node.type === 'FunctionDeclaration') registerDeclaration(transform, fn, node, call);
  else if (fn.fact.placement === 'method') atClassEnd(transform, fn, `${call}${boundMember(node)});`);
  else registerInline(transform, node, call);
}

function workflowReference(transform: Transform, fn: DirectiveFunction): void {
  const { edits, source } = transform;
  const { node } = fn.site;
  const quoted = JSON.stringify(fn.fact.id);
  const thrown = `{ throw ${transform.helper('direct')}(${quoted}); }`;
  const call = `${transform.helper('workflow')}(${quoted}, `;
  if (node.type === 'FunctionDeclaration') {
    registerDeclaration(transform, fn, node, call);
    edits.replace(paramsStart(source, node), node.end as number, `() ${thrown}`);
  } else if (fn.fact.placement === 'method') {
    edits.replace(paramsStart(source, node), node.end as number, `() ${thrown}`);
    if (node.type === 'ClassMethod') atClassEnd(transform, fn, `${call}${memberOf(node)});`);
  } else replaceExpression(transform, node, `${call}async () => ${thrown})`);
}

// ------------------------------------------------------------------ places

/** `registration` is the open call: `__pawl_step("id", `. */
function registerDeclaration(
  transform: Transform,
  fn: DirectiveFunction,
  node: t.FunctionDeclaration,
  registration: string,
): void {
  let name = node.id?.name;
  if (name === undefined) {
    name = '__pawl_default';
    const at = paramsStart(transform.source, node);
    transform.edits.insert(at, /\s/.test(transform.source[at - 1] as string) ? name : ` ${name}`);
  }
  const text = `${registration}${name});`;
  const block = fn.site.ancestors.findLast((ancestor) => ancestor.type === 'TSModuleBlock');
  if (block) transform.edits.insert((block.end as number) - 1, ` ;${text} `);
  else transform.edits.append(`\n${text}`);
}

function registerInline(transform: Transform, node: FunctionNode, registration: string): void {
  const { edits, source } = transform;
  if (node.type !== 'ObjectMethod') {
    edits.wrap(node.start as number, node.end as number, registration, ')');
    return;
  }
  const [keyStart, keyEnd] = keyRange(source, node);
  edits.cut(node.start as number, keyStart);
  const params = paramsStart(source, node);
  edits.insert(keyEnd, `: ${registration}async function `);
  edits.cut(keyEnd, node.typeParameters ? (node.typeParameters.start as number) : params);
  edits.insert(node.end as number, ')');
}

function atClassEnd({ edits }: Transform, fn: DirectiveFunction, text: string): void {
  const body = fn.site.ancestors.findLast((ancestor) => ancestor.type === 'ClassBody') as t.ClassBody;
  edits.insert((body.end as number) - 1, ` ;static { ${text} } `);
}

function memberOf(node: t.ClassMethod): string {
  const owner = node.static ? 'this' : 'this.prototype';
  return `${owner}[${JSON.stringify(keyName(node.key, node.computed))}]`;
}

/** A private method has no value of its own: it is called on its instance, or on the class of the static block. */
function privateMember(node: t.ClassPrivateMethod): string {
  const call = `this.#${node.key.id.name}(...args)`;
  return node.static ? `(...args) => ${call}` : `function (...args) { return ${call}; }`;
}

function boundMember(node: FunctionNode): string {
  if (node.type === 'ClassPrivateMethod') return privateMember(node);
  return `${memberOf(node as t.ClassMethod)}.bind(this)`;
}

/** Offset of the type parameters or the `(` of a function, or of an arrow function's single parameter. */
export function paramsStart(source: string, node: FunctionNode): number {
  if (node.typeParameters) return node.typeParameters.start as number;
  let from = node.start as number;
  if (node.type === 'ObjectMethod' || node.type === 'ClassMethod') from = keyRange(source, node)[1];
  else if (node.type === 'ClassPrivateMethod') from = node.key.end as number;
  else if ((node as t.FunctionDeclaration).id)
    from = ((node as t.FunctionDeclaration).id as t.Identifier).end as number;
  return findToken(source, '(', from);
}

/** The key with its brackets, if computed. */
function keyRange(source: string, node: t.ObjectMethod | t.ClassMethod): [number, number] {
  const start = node.key.start as number;
  const end = node.key.end as number;
  if (!node.computed) return [start, end];
  const from = node.decorators?.at(-1)?.end ?? node.start;
  return [findToken(source, '[', from as number), findToken(source, ']', end) + 1];
}
