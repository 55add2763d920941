import type { Range } from '../../rules/types.ts';
import type { SourceNode, SyntaxNode, TypeModel } from './model.ts';

/** Finds in the tree of TypeScript what facts speak of by their offsets, and reads what types do not tell. */

export type Kind = TypeModel['SyntaxKind'];

/** The function that stands at a range; nodes of either parser may begin at another modifier or decorator. */
export function functionAt(kinds: Kind, source: SourceNode, range: Range): SyntaxNode | null {
  const { start, end } = shifted(source, range);
  let best: SyntaxNode | null = null;
  const visit = (node: SyntaxNode): void => {
    if (node.pos > start || node.end < end) return;
    if (node.end === end && isFunction(kinds, node) && (!best || distance(node, start) <= distance(best, start)))
      best = node;
    node.forEachChild(visit);
  };
  source.forEachChild(visit);
  return best;
}

function distance(node: SyntaxNode, start: number): number {
  return Math.abs(node.getStart() - start);
}

/** The innermost node around a range. */
export function nodeAt(source: SourceNode, range: Range): SyntaxNode | null {
  const { start, end } = shifted(source, range);
  let found: SyntaxNode | null = null;
  const visit = (node: SyntaxNode): SyntaxNode | undefined => {
    if (node.pos > start || node.end < end || node.getStart() > start) return undefined;
    found = node;
    return node.forEachChild(visit) ?? node;
  };
  source.forEachChild(visit);
  return found;
}

/** The call whose callee stands at a range. */
export function callAt(kinds: Kind, source: SourceNode, callee: Range): SyntaxNode | null {
  let child = nodeAt(source, callee);
  while (child?.parent) {
    const parent: SyntaxNode = child.parent;
    if (parent.kind === kinds.CallExpression) return parent.expression === child ? parent : null;
    if (!isTransparent(kinds, parent)) return null;
    child = parent;
  }
  return null;
}

/** Offsets of facts are in a text without a byte order mark. */
function shifted({ text }: SourceNode, { start, end }: Range): Range {
  const mark = text.charCodeAt(0) === 0xfeff ? 1 : 0;
  return { start: start + mark, end: end + mark };
}

function isTransparent(kinds: Kind, { kind }: SyntaxNode): boolean {
  return (
    kind === kinds.ParenthesizedExpression ||
    kind === kinds.NonNullExpression ||
    kind === kinds.SatisfiesExpression ||
    kind === kinds.AsExpression
  );
}

export function isFunction(kinds: Kind, { kind }: SyntaxNode): boolean {
  return (
    kind === kinds.FunctionDeclaration ||
    kind === kinds.FunctionExpression ||
    kind === kinds.ArrowFunction ||
    kind === kinds.MethodDeclaration
  );
}

/** An expression without parentheses, `satisfies`, `!` and `await`, which change nothing of the value. */
export function unwrap(kinds: Kind, node: SyntaxNode): SyntaxNode {
  let inner = node;
  while (
    inner.expression &&
    (inner.kind === kinds.ParenthesizedExpression ||
      inner.kind === kinds.NonNullExpression ||
      inner.kind === kinds.SatisfiesExpression ||
      inner.kind === kinds.AwaitExpression)
  )
    inner = inner.expression;
  return inner;
}

const DIRECTIVE = /^use (?:step|workflow)$/;

/** Whether a function has a directive, its own or the module's. */
export function hasDirective(kinds: Kind, fn: SyntaxNode): boolean {
  if (!isFunction(kinds, fn)) return false;
  if (startsWithDirective(kinds, fn.body?.statements)) return true;
  const { statements } = fn.getSourceFile();
  return startsWithDirective(kinds, statements) && isTopLevel(fn);
}

function startsWithDirective(kinds: Kind, statements: readonly SyntaxNode[] | undefined): boolean {
  for (const statement of statements ?? []) {
    const { kind, expression } = statement;
    if (kind !== kinds.ExpressionStatement || !expression || expression.kind !== kinds.StringLiteral) return false;
    if (DIRECTIVE.test(expression.text ?? '')) return true;
  }
  return false;
}

/** `export async function f`, `export const f = async () => …`: a handful of nodes below the module. */
function isTopLevel(fn: SyntaxNode): boolean {
  let depth = 0;
  for (let node: SyntaxNode | undefined = fn.parent; node?.parent; node = node.parent) depth++;
  return depth <= 3;
}

/** What a function returns, expression by expression. */
export function returned(kinds: Kind, fn: SyntaxNode): SyntaxNode[] {
  const { body } = fn;
  if (!body) return [];
  if (body.kind !== kinds.Block) return [body];
  const found: SyntaxNode[] = [];
  const visit = (node: SyntaxNode): undefined => {
    if (isFunction(kinds, node) || node.kind === kinds.ClassDeclaration || node.kind === kinds.ClassExpression)
      return undefined;
    if (node.kind === kinds.ReturnStatement && node.expression) found.push(node.expression);
    node.forEachChild(visit);
    return undefined;
  };
  body.forEachChild(visit);
  return found;
}

export function hasModifier(node: SyntaxNode, ...kinds: (number | string | undefined)[]): boolean {
  return node.modifiers?.some(({ kind }) => kinds.includes(kind)) === true;
}

/** An option of an object literal, by name. */
export function optionOf(literal: SyntaxNode | undefined, name: string): SyntaxNode | null {
  for (const property of literal?.properties ?? [])
    if (property.name?.text === name) return property.initializer ?? property;
  return null;
}
