import type * as t from '@babel/types';
import { findToken, type FunctionNode, keyName, type Node } from '../analyze/ast.ts';
import type { DirectiveFunction } from '../analyze/model.ts';
import type { Transform } from './transform.ts';

/**
 * Where generated code goes. What is made known of a function declaration is said where its block begins, because the function
 * exists from there on: code that stands before it, another `case`, or a module of an import cycle may use it.
 */

/** Offset before the first statement that is no import. */
export function firstStatement(program: t.Program): number {
  const first = program.body.find((node) => node.type !== 'ImportDeclaration');
  return (first?.start ?? program.end ?? 0) as number;
}

/** Inserts a statement where the module begins, or the namespace that the function stands in. No line moves. */
export function atModuleStart({ analysis, edits }: Transform, fn: DirectiveFunction, text: string): void {
  const block = namespaceOf(fn);
  if (block) edits.insert((block.body[0] as Node).start as number, `${text} `);
  else edits.insertForGood(firstStatement(analysis.model.program), `${text} `);
}

export function namespaceOf(fn: DirectiveFunction): t.TSModuleBlock | undefined {
  return fn.site.ancestors.findLast((ancestor) => ancestor.type === 'TSModuleBlock');
}

/** Evaluates an expression where the block begins that a function declaration stands in. */
export function atBlockStart({ edits }: Transform, fn: DirectiveFunction, expression: string): void {
  const { ancestors } = fn.site;
  const parent = ancestors.at(-1) as Node;
  if (parent.type === 'SwitchCase') {
    // All cases are one block, and the first thing that runs in it is the first test.
    const branch = (ancestors.at(-2) as t.SwitchStatement).cases.find(({ test }) => test);
    if (branch?.test) {
      edits.wrap(branch.test.start as number, branch.test.end as number, `(${expression}, `, ')');
      return;
    }
  }
  const [first] = statementsOf(parent);
  edits.insert((first ?? fn.site.node).start as number, `${expression}; `);
}

function statementsOf(node: Node): readonly Node[] {
  switch (node.type) {
    case 'BlockStatement':
    case 'StaticBlock':
    case 'TSModuleBlock':
    case 'Program':
      return node.body;
    case 'SwitchCase':
      return node.consequent;
    default:
      return [];
  }
}

export function atClassEnd({ edits }: Transform, fn: DirectiveFunction, text: string): void {
  const body = fn.site.ancestors.findLast((ancestor) => ancestor.type === 'ClassBody') as t.ClassBody;
  edits.insert((body.end as number) - 1, ` ;static { ${text} } `);
}

/** The name of a declared function; an anonymous default export gets one. */
export function declaredName(transform: Transform, node: t.FunctionDeclaration): string {
  if (node.id) return node.id.name;
  const { edits, source } = transform;
  const name = transform.local('default');
  const at = paramsStart(source, node);
  edits.insert(at, /\s/.test(source[at - 1] as string) ? name : ` ${name}`);
  return name;
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

/** The key of a method as a property has it. `__proto__: value` would set the prototype. */
export function keyText(source: string, node: t.ObjectMethod): string {
  return isProto(node) ? "['__proto__']" : source.slice(...keyRange(source, node));
}

/** Makes a method begin with its key, as a property does; returns where the key ends. */
export function keepKey({ edits, source }: Transform, node: t.ObjectMethod): number {
  const [start, end] = keyRange(source, node);
  edits.cut(node.start as number, start);
  if (isProto(node)) edits.replace(start, end, keyText(source, node));
  return end;
}

function isProto(node: t.ObjectMethod): boolean {
  return !node.computed && keyName(node.key, false) === '__proto__';
}

/** A method, seen from a static block of its class. */
export function memberOf(node: t.ClassMethod): string {
  const owner = node.static ? 'this' : 'this.prototype';
  return `${owner}[${JSON.stringify(keyName(node.key, node.computed))}]`;
}

/** A private method has no value of its own: it is called on its instance, or on the class of the static block. */
export function privateMember(node: t.ClassPrivateMethod): string {
  const call = `this.#${node.key.id.name}(...args)`;
  return node.static ? `(...args) => ${call}` : `function (...args) { return ${call}; }`;
}
