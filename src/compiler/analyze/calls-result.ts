import type * as t from '@babel/types';
import type { CallResult, CallSite } from '../call-facts.ts';
import { isTransparent, keyName, type Node, unwrap } from './ast.ts';
import type { Ref } from './model.ts';

/** What a question about the place of a call needs to know about names. */
export interface Names {
  refs: ReadonlyMap<Node, Ref>;
  /** Identifiers that declare a variable which something reads. */
  read: ReadonlySet<Node>;
}

/** What becomes of a value, and where it stood on its way. */
export interface Outcome {
  result: CallResult;
  position?: NonNullable<CallSite['position']>;
  /** The outermost `Promise.all(…)` on the way, where what it gives is lost. */
  combinator?: t.CallExpression;
}

const COMBINATORS = new Set(['all', 'allSettled', 'any', 'race', 'resolve']);
const HANDLERS = new Set(['then', 'catch', 'finally']);

/**
 * What becomes of the value of an expression.
 *
 * @param node - the expression
 * @param ancestors - the nodes around it, the innermost last
 */
export function outcomeOf(node: Node, ancestors: readonly Node[], names: Names): Outcome {
  let child = node;
  let position: Outcome['position'];
  let chained = false;
  let forgotten = false;
  let combinator: t.CallExpression | null = null;
  const done = (result: CallResult): Outcome => {
    if (forgotten && result === 'dropped') result = 'unused';
    if (chained && (result === 'dropped' || result === 'unused')) result = 'chained';
    if (combinator && !isLost(result)) result = 'combined';
    const outcome: Outcome = position ? { result, position } : { result };
    if (combinator && (result === 'dropped' || result === 'unused')) outcome.combinator = combinator;
    return outcome;
  };
  for (let i = ancestors.length - 1; i >= 0; i--) {
    const parent = ancestors[i] as Node;
    if (!isTransparent(parent)) {
      switch (parent.type) {
        case 'AwaitExpression':
          position ??= combinator ? undefined : positionOf(parent, ancestors.slice(0, i));
          return done('awaited');
        case 'ForOfStatement':
          return done(parent.await && parent.right === child ? 'awaited' : 'other');
        case 'ReturnStatement':
          return done('returned');
        case 'ArrowFunctionExpression':
          return done(parent.body === child ? 'returned' : 'other');
        case 'ExpressionStatement':
          return done('dropped');
        case 'UnaryExpression':
          return done(parent.operator === 'void' ? 'void' : parent.operator === '!' ? 'tested' : 'other');
        case 'IfStatement':
        case 'WhileStatement':
        case 'DoWhileStatement':
          return done('tested');
        case 'ConditionalExpression':
          if (parent.test === child) return done('tested');
          position = 'ternary';
          break;
        case 'LogicalExpression':
          if (parent.left === child && parent.operator === '&&') return done('tested');
          break;
        case 'AssignmentExpression':
          // Something reads the variable, or whatever it is written to; otherwise of interest is what becomes of the assignment.
          if (!isForgotten(parent, names)) return done('stored');
          forgotten = true;
          break;
        case 'SequenceExpression':
          if (parent.expressions.at(-1) !== child) return done('dropped');
          break;
        case 'ForStatement':
          return done(parent.test === child ? 'tested' : 'dropped');
        case 'VariableDeclarator':
          return done(isRead(parent, ancestors.slice(0, i), names) ? 'stored' : 'unused');
        case 'ArrayExpression':
          break;
        case 'TemplateLiteral':
          // What a tag does with it, the tag knows.
          return done(ancestors[i - 1]?.type === 'TaggedTemplateExpression' ? 'argument' : 'dropped');
        case 'SpreadElement':
          position = 'spread';
          break;
        case 'MemberExpression':
        case 'OptionalMemberExpression': {
          const name = keyName(parent.property, parent.computed);
          const call = ancestors[i - 1];
          if (parent.object !== child || name === null || !HANDLERS.has(name) || !isCallOf(call, parent))
            return done('other');
          chained ||= name !== 'finally' && call.arguments.length > 0;
          i--;
          child = call;
          continue;
        }
        case 'CallExpression':
        case 'OptionalCallExpression':
          if (parent.callee === child) return done('other');
          if (!isCombinator(parent, names)) return done('argument');
          combinator = parent;
          break;
        default:
          return done('other');
      }
    }
    child = parent;
  }
  return done('other');
}

/** Where a value that was waited for stands in its statement. */
function positionOf(node: Node, ancestors: readonly Node[]): Outcome['position'] {
  let child = node;
  for (const parent of ancestors.toReversed()) {
    if (parent.type === 'ConditionalExpression' && parent.test !== child) return 'ternary';
    if (parent.type === 'SpreadElement') return 'spread';
    if (/Statement$|Function|Declarat/.test(parent.type)) return undefined;
    child = parent;
  }
  return undefined;
}

/** Nobody will know how it ends. */
export function isLost(result: CallResult): boolean {
  return result === 'dropped' || result === 'unused' || result === 'tested' || result === 'void';
}

function isCallOf(node: Node | undefined, callee: Node): node is t.CallExpression {
  return (node?.type === 'CallExpression' || node?.type === 'OptionalCallExpression') && node.callee === callee;
}

/** `Promise.all(…)` and its siblings. */
export function isCombinator(node: Node, names: Names, only?: string): node is t.CallExpression {
  if (node.type !== 'CallExpression') return false;
  const callee = unwrap(node.callee as Node);
  if (callee.type !== 'MemberExpression') return false;
  const name = keyName(callee.property, callee.computed);
  const object = unwrap(callee.object);
  if (object.type !== 'Identifier' || object.name !== 'Promise' || name === null) return false;
  return (only ? name === only : COMBINATORS.has(name)) && names.refs.get(object)?.binding === null;
}

/** `let told; told = notify(order);`, where nothing reads the variable of a function. */
function isForgotten({ operator, left }: t.AssignmentExpression, { refs, read }: Names): boolean {
  const binding = operator === '=' ? refs.get(unwrap(left))?.binding : null;
  if (!binding || binding.scope.isStatic || (binding.kind !== 'let' && binding.kind !== 'var')) return false;
  return !read.has(binding.node);
}

/** A variable of the module may be read elsewhere. */
function isRead(declarator: t.VariableDeclarator, ancestors: readonly Node[], { read }: Names): boolean {
  const declaration = ancestors.at(-1);
  if (declarator.id.type !== 'Identifier' || ancestors.at(-2)?.type === 'ExportNamedDeclaration') return true;
  if (declaration?.type === 'VariableDeclaration' && declaration.kind.includes('using')) return true;
  return read.has(declarator.id);
}
