import type * as t from '@babel/types';
import { type FunctionNode, isFunction, type Node } from './ast.ts';
import { exactDirective, meantDirective } from './directives.ts';
import type { Model, StrayDirective } from './model.ts';
import { report } from './report.ts';

/**
 * Directives that mean nothing where or as they stand: misspelled (1003) or not at the top of a function or a module (1004).
 * JavaScript evaluates such a string and forgets it, so the function would run unprotected without a word.
 */
export function checkStrays(model: Model): void {
  checkPrologue(model, model.program);
  for (const { node } of model.functions)
    if (isFunction(node as Node) && (node as FunctionNode).body.type === 'BlockStatement')
      checkPrologue(model, (node as FunctionNode).body as t.BlockStatement);
  for (const stray of model.strays) {
    const exact = exactDirective(stray.text);
    if (stray.form !== 'statement') glued(model, stray);
    else if (exact && (stray.node as t.ExpressionStatement).expression.type === 'StringLiteral')
      misplaced(model, stray);
    else misspelled(model, stray.node, stray.text, quoted(stray.text));
  }
}

/** `'use step'[0]`, `() => 'use step'`: part of an expression. */
function glued(model: Model, { literal, text, form }: StrayDirective): void {
  const start = literal.start as number;
  const end = literal.end as number;
  if (form === 'arrow')
    report(
      model,
      'directive-misplaced',
      start,
      end,
      `'${text}' is what this arrow function returns: without a block it has no place for a directive.`,
      {
        remedy: `Give the function a body: async () => { '${text}'; … }`,
      },
    );
  else
    report(
      model,
      'directive-misplaced',
      start,
      end,
      `'${text}' is part of a longer expression, so it is no directive.`,
      {
        remedy: 'End it with a semicolon, as the first statement of the function.',
      },
    );
}

function checkPrologue(model: Model, body: t.Program | t.BlockStatement): void {
  let first: t.Directive | null = null;
  for (const directive of body.directives) {
    const { value, extra } = directive.value;
    if (!exactDirective(value)) misspelled(model, directive, value, extra?.raw as string | undefined);
    else if (first === null) first = directive;
    else if (value === first.value.value) repeated(model, first, directive, body.type === 'Program');
  }
}

function repeated(model: Model, first: t.Directive, again: t.Directive, ofModule: boolean): void {
  const start = again.start as number;
  const end = again.end as number;
  report(
    model,
    'duplicate-directive',
    start,
    end,
    `The ${ofModule ? 'module' : 'function'} already has '${first.value.value}'.`,
    {
      remedy: 'Remove the directive here.',
      related: [{ start: first.start as number, end: first.end as number, message: 'the directive that counts' }],
      fix: {
        title: 'Remove the directive',
        edits: [{ start, end: end + (model.source[end] === ';' ? 1 : 0), text: '' }],
      },
    },
  );
}

function misspelled(model: Model, node: Node, text: string, raw: string | undefined): void {
  const kind = exactDirective(text) ?? meantDirective(text);
  if (!kind) return;
  const quote = raw?.startsWith('"') ? '"' : "'";
  const inner = node.type === 'Directive' ? node.value : (node as t.ExpressionStatement).expression;
  const start = inner.start as number;
  const end = inner.end as number;
  const right = `${quote}use ${kind}${quote}`;
  report(
    model,
    'directive-misspelled',
    start,
    end,
    `${model.source.slice(start, end)} is no directive: the function would run without any protection.`,
    {
      remedy: `Write ${right}.`,
      fix: { title: `Write ${right}`, edits: [{ start, end, text: right }] },
    },
  );
}

function quoted(text: string): string {
  return `'${text}'`;
}

function misplaced(model: Model, stray: StrayDirective): void {
  const { node, text, ancestors } = stray;
  const start = node.start as number;
  const end = node.end as number;
  const parent = ancestors[ancestors.length - 1] as Node;
  const owner = ancestors[ancestors.length - 2];
  const literal = model.source.slice(start, end).replace(/;$/, '');
  if (parent.type === 'Program') {
    const top = topOf(model);
    report(
      model,
      'directive-misplaced',
      start,
      end,
      `'${text}' stands after other statements, where it means nothing.`,
      {
        remedy: 'A directive for the whole module is its first statement, before the imports.',
        fix: {
          title: 'Move the directive to the top of the module',
          edits: [
            { start: top, end: top, text: `${literal};\n` },
            { start, end, text: '' },
          ],
        },
      },
    );
  } else if (parent.type === 'BlockStatement' && owner && isFunction(owner)) {
    const top = (parent.start as number) + 1;
    report(
      model,
      'directive-misplaced',
      start,
      end,
      `'${text}' is not the first statement of its function, where it means nothing.`,
      {
        remedy: 'Move it to the start of the function body.',
        fix: {
          title: 'Move the directive to the start of the function',
          edits: [
            { start: top, end: top, text: `${openingOf(model.source, top, start)}${literal};` },
            { start, end, text: '' },
          ],
        },
      },
    );
  } else
    report(
      model,
      'directive-misplaced',
      start,
      end,
      `'${text}' stands in a block that is not a function body, where it means nothing.`,
      {
        remedy: 'Move it to the start of the function that it is meant for.',
      },
    );
}

/** Before the first statement or directive, after a hashbang and opening comments. */
function topOf(model: Model): number {
  const first = model.program.directives[0] ?? model.program.body[0];
  return (first?.start ?? 0) as number;
}

/** What stands before the first statement of a body: a line of its own where the body has lines, else a blank. */
function openingOf(source: string, top: number, statement: number): string {
  const end = /^[ \t]*(\r\n|\n|\r)/.exec(source.slice(top, top + 100))?.[1];
  return end === undefined ? ' ' : end + (/[ \t]*$/.exec(source.slice(0, statement)) as RegExpExecArray)[0];
}
