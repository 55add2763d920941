import type * as t from '@babel/types';
import { aliasOf, headOf, isSettled } from './aliases.ts';
import { isFunction, isTransparent, type Node, unwrap } from './ast.ts';
import type { Model, Pause, Scope } from './model.ts';

/** Small turns of phrase that say what code is for. */

/**
 * Whether a function runs where it stands: `(async () => { … })()`.
 *
 * @param stack - the nodes around it, itself on top
 */
export function isCalledInPlace(node: Node, stack: readonly Node[]): boolean {
  let child = node;
  for (let i = stack.length - 2; i >= 0; i--) {
    const parent = stack[i] as Node;
    if (!isTransparent(parent)) return parent.type === 'CallExpression' && parent.callee === child;
    child = parent;
  }
  return false;
}

const BRANCHES =
  /^(?:If|Switch|Try|While|DoWhile|For|ForOf|ForIn)Statement$|^(?:Conditional|Logical|OptionalCall|Yield|Await)Expression$/;

/**
 * Whether the function around runs a call each time that it runs itself, as far as the code is plain.
 *
 * @param stack - the nodes around the call, itself on top
 */
export function isAlwaysRun(stack: readonly Node[], source: string): boolean {
  let inner = stack.at(-1) as Node;
  for (let i = stack.length - 2; i >= 0; i--) {
    const parent = stack[i] as Node;
    if (isFunction(parent)) {
      const before = source.slice(parent.start as number, inner.start as number);
      return !/\b(?:return|throw|await|yield)\b/.test(before);
    }
    if (BRANCHES.test(parent.type)) return false;
    if (parent.type !== 'BlockStatement') inner = parent;
  }
  return false;
}

/** `function poll() { …; queueMicrotask(poll); }`: a function that gives itself, by whatever name it has. */
export function queuesItself({ callee, outer, given, scope, fn }: Model['queued'][number]): boolean {
  if (!isMicrotasks(callee, outer, 0)) return false;
  const binding = scope.find(given.name);
  if (!binding || binding.again || binding.refs.some(({ rebinds }) => rebinds)) return false;
  const { declaration } = binding;
  const value = declaration.type === 'VariableDeclarator' && declaration.init ? unwrap(declaration.init) : declaration;
  return fn?.node === value;
}

/** Whether a name may be one of `queueMicrotask`, or of an object that has it; the rule asks what it is in the end. */
function isMicrotasks(name: Node, scope: Scope, depth: number): boolean {
  if (name.type !== 'Identifier' || depth > 3) return false;
  const binding = scope.find(name.name);
  if (!binding) return /^(?:queueMicrotask|globalThis|window|self|global)$/.test(name.name);
  const alias = isSettled(binding) ? aliasOf(binding) : null;
  return alias !== null && !alias.hasDefault && isMicrotasks(headOf(alias.expression), binding.scope, depth + 1);
}

/**
 * Whether an assignment is made under a condition that asks for what it sets: `if (!client) client = …`, `if (client) return client;`
 * before it, `client || (client = …)`.
 *
 * @param name - of the variable or the member that is set
 * @param stack - the nodes around the assignment, itself on top
 */
export function isAskedFor(name: string, stack: readonly Node[], source: string): boolean {
  const mention = new RegExp(`(?<![\\w$])${name.replace(/[$#]/g, '\\$&')}(?![\\w$])`);
  const asks = ({ start, end }: Node) => mention.test(source.slice(start as number, end as number));
  for (let i = stack.length - 2; i >= 0; i--) {
    const parent = stack[i] as Node;
    const child = stack[i + 1] as Node;
    if (isFunction(parent)) return false;
    if ((parent.type === 'IfStatement' || parent.type === 'ConditionalExpression') && parent.test !== child) {
      if (asks(parent.test)) return true;
    } else if (parent.type === 'LogicalExpression' && parent.right === child) {
      if (asks(parent.left)) return true;
    } else if (parent.type === 'BlockStatement') {
      for (const statement of parent.body) {
        if (statement === child) break;
        if (statement.type === 'IfStatement' && leaves(statement.consequent) && asks(statement.test)) return true;
      }
    }
  }
  return false;
}

function leaves(node: t.Statement): boolean {
  const last = node.type === 'BlockStatement' ? node.body.at(-1) : node;
  return last?.type === 'ReturnStatement' || last?.type === 'ThrowStatement';
}

/**
 * `await new Promise((resolve) => setTimeout(resolve, ms))`, exactly.
 *
 * @param call - of `setTimeout`
 * @param stack - the nodes around it, itself on top
 */
export function pauseOf(call: t.CallExpression, timer: Node, stack: readonly Node[], scope: Scope): Pause | null {
  const [handler, time, ...more] = call.arguments;
  if (handler?.type !== 'Identifier' || !time || time.type === 'SpreadElement' || more.length > 0) return null;
  const around = stack.slice(0, -1).filter((node) => !isTransparent(node));
  let at = around.length - 1;
  if (around[at]?.type === 'ExpressionStatement' && around[at - 1]?.type === 'BlockStatement') {
    if ((around[at - 1] as t.BlockStatement).body.length !== 1) return null;
    at -= 2;
  }
  const executor = around[at] as t.ArrowFunctionExpression | undefined;
  const promise = around[at - 1];
  if (executor?.type !== 'ArrowFunctionExpression' && (executor as Node | undefined)?.type !== 'FunctionExpression')
    return null;
  if (promise?.type !== 'NewExpression' || around[at - 2]?.type !== 'AwaitExpression') return null;
  const [resolve, reject] = (executor as t.ArrowFunctionExpression).params;
  if (reject || resolve?.type !== 'Identifier' || resolve.name !== handler.name) return null;
  const constructor = unwrap(promise.callee as Node);
  if (constructor.type !== 'Identifier' || constructor.name !== 'Promise' || promise.arguments.length !== 1)
    return null;
  return { timer, promise, time: time as Node, scope };
}

/** Whether the module asks with `typeof` for a global, or for what it is a part of. */
export function isProbed(path: readonly string[], probed: ReadonlySet<string>): boolean {
  for (let length = 1; length <= path.length; length++) if (probed.has(path.slice(0, length).join('.'))) return true;
  return false;
}
