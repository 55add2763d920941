import type * as t from '@babel/types';
import type { ModuleFacts, PauseFact } from '../facts.ts';
import type { Node } from './ast.ts';
import type { Model } from './model.ts';

/** Pauses by timer, with what has to be known to put a durable one in their place. */
export function readPauses(model: Model): Pick<ModuleFacts, 'pauses' | 'importsAt'> {
  if (model.pauses.length === 0) return {};
  const span = (node: Node) => model.positions.span(node.start as number, node.end as number);
  const pauses = model.pauses
    .filter(({ scope }) => !scope.find('setTimeout') && !scope.find('Promise'))
    .map(({ timer, promise, time, scope }): PauseFact => {
      const known = scope.find('sleep');
      const sleep = known === null ? 'free' : known.kind === 'import' ? 'import' : 'taken';
      return { timer: span(timer), span: span(promise), time: span(time), sleep };
    });
  return { pauses, importsAt: placeForImport(model) };
}

/** Before the first import; in a module without one before the first statement, and the comment that belongs to it. */
function placeForImport({ program, comments, source }: Model): number {
  const first = program.body.find(({ type }) => type === 'ImportDeclaration') ?? program.body[0];
  let at = (first?.start ?? 0) as number;
  for (const comment of comments.toReversed() as t.Comment[]) {
    const end = comment.end as number;
    const isBefore = end <= at && /^[ \t]*\r?\n?[ \t]*$/.test(source.slice(end, at));
    const isOwnLine = /(?:^|\n)[ \t]*$/.test(source.slice(0, comment.start as number));
    if (first?.type !== 'ImportDeclaration' && isBefore && isOwnLine) at = comment.start as number;
  }
  return at;
}
