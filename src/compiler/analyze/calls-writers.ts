import type * as t from '@babel/types';
import type { TextEdit } from '../../diagnostics/types.ts';
import type { WriterFact } from '../call-facts.ts';
import { keyName, type Node, unwrap } from './ast.ts';
import type { CallContext } from './calls-context.ts';
import { type CallNode, type Found, isWithin } from './calls-walk.ts';
import type { Binding, Ref } from './model.ts';

const ENDS = new Set(['releaseLock', 'close', 'abort']);

/**
 * `const writer = getWritable().getWriter()` whose lock a `finally` does not give back. A writer that goes elsewhere (an argument, a
 * closure, a result) may be released there.
 */
export function readWriters(context: CallContext): void {
  const writers: WriterFact[] = [];
  for (const found of context.walk.calls) {
    const fact = isGetWriter(found.node) ? writerOf(context, found) : null;
    if (fact) writers.push(fact);
  }
  if (writers.length > 0) context.out.writers = writers;
}

function isGetWriter(node: CallNode): boolean {
  const callee = unwrap(node.callee as Node);
  return callee.type === 'MemberExpression' && keyName(callee.property, callee.computed) === 'getWriter';
}

function writerOf(context: CallContext, found: Found<CallNode>): WriterFact | null {
  const { node, ancestors, owner } = found;
  const writable = context.through((unwrap(node.callee as Node) as t.MemberExpression).object);
  const site = context.sites.get(writable);
  const declarator = ancestors.at(-1);
  const declaration = ancestors.at(-2);
  const block = ancestors.at(-3);
  if (site === undefined || !owner) return null;
  if (declarator?.type !== 'VariableDeclarator' || declarator.id.type !== 'Identifier') return null;
  if (declaration?.type !== 'VariableDeclaration' || declaration.kind.includes('using')) return null;
  const binding = bindingOf(context, declarator.id);
  const refs = binding?.refs ?? [];
  if (refs.some((ref) => ref.rebinds || ref.path.length < 2 || ref.fn?.node !== owner)) return null;
  const ends = refs.filter(({ access, path }) => access === 'call' && path.length === 2 && ENDS.has(path[1] as string));
  if (ends.some((ref) => isInFinally(context, ref, owner))) return null;
  const released = ends.filter(({ path }) => path[1] === 'releaseLock');
  const fact: WriterFact = {
    unit: context.unitAt(node.start as number),
    span: context.span(unwrap(node.callee as Node)),
    name: declarator.id.name,
    site,
    released: released.length > 0,
  };
  const edits = block?.type === 'BlockStatement' ? guard(context, declaration, block, fact.name, released) : null;
  if (edits) fact.fix = { title: `Release the lock of '${fact.name}' in a finally block`, edits };
  return fact;
}

function bindingOf(context: CallContext, id: Node): Binding | null {
  for (const { binding } of context.refs.values()) if (binding?.node === id) return binding;
  return null;
}

function isInFinally(context: CallContext, { node }: Ref, owner: Node): boolean {
  return context.walk.tries.some(
    ({ node: { finalizer } }) => finalizer && isWithin(node, finalizer) && isWithin(finalizer, owner),
  );
}

/** Puts what uses the writer into a `try`: up to where the lock was given back, or to the end of the block. */
function guard(
  context: CallContext,
  declaration: t.VariableDeclaration,
  block: t.BlockStatement,
  name: string,
  released: readonly Ref[],
): TextEdit[] | null {
  if (declaration.declarations.length > 1 || released.length > 1) return null;
  const rest = block.body.slice(block.body.indexOf(declaration) + 1);
  const [release] = released;
  const at = release ? rest.findIndex((statement) => isReleaseOf(release, statement)) : rest.length;
  const guarded = rest.slice(0, Math.max(0, at));
  const first = guarded[0];
  const last = rest[at] ?? guarded.at(-1);
  if (!first || !last) return null;
  // What is declared within a block is not seen behind it, and a function may be called before it.
  if (guarded.some(({ type }) => type === 'FunctionDeclaration')) return null;
  if (at < rest.length && guarded.some(({ type }) => /Declaration$/.test(type))) return null;
  const { source } = context.model;
  const newline = source.includes('\r\n') ? '\r\n' : '\n';
  const lineStart = source.lastIndexOf('\n', (first.start as number) - 1) + 1;
  const indent = /^[ \t]*/.exec(source.slice(lineStart))?.[0] ?? '';
  const step = indent.startsWith('\t') ? '\t' : '  ';
  const start = first.start as number;
  const body = indented(source.slice(start, (guarded.at(-1) as Node).end as number), step);
  if (body === null) return null;
  const lines = ['try {', `${indent}${step}${body}`, `${indent}} finally {`];
  const text = [...lines, `${indent}${step}${name}.releaseLock();`, `${indent}}`].join(newline);
  return [{ start, end: last.end as number, text }];
}

/** `writer.releaseLock();`, also with `await`. */
function isReleaseOf({ node }: Ref, statement: Node): boolean {
  if (statement.type !== 'ExpressionStatement' || !isWithin(node, statement)) return false;
  const expression = unwrap(statement.expression);
  const call = expression.type === 'AwaitExpression' ? unwrap(expression.argument) : expression;
  return call.type === 'CallExpression' && isWithin(node, call.callee as Node);
}

/** Code one step further to the right; null where that would change a text that spans lines. */
function indented(text: string, step: string): string | null {
  return /`[^`]*\n[^`]*`/.test(text) ? null : text.replace(/\n(?=[^\r\n])/g, `\n${step}`);
}
