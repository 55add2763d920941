import type { ModuleFacts, PauseFact } from '../facts.ts';
import type { Node } from './ast.ts';
import type { Model } from './model.ts';

/** Pauses by timer, with what has to be known to put a durable one in their place. */
export function readPauses(model: Model): Pick<ModuleFacts, 'pauses' | 'importsAt'> {
  const importsAt = placeForImport(model);
  if (model.pauses.length === 0) return { importsAt };
  const span = (node: Node) => model.positions.span(node.start as number, node.end as number);
  const pauses = model.pauses
    .filter(({ scope }) => !scope.find('setTimeout') && !scope.find('Promise'))
    .map(({ timer, promise, time, scope }): PauseFact => {
      const known = scope.find('sleep');
      const sleep = known === null ? 'free' : known.kind === 'import' ? 'import' : 'taken';
      return { timer: span(timer), span: span(promise), time: span(time), sleep };
    });
  return { pauses, importsAt };
}

/** Before the first import; in a module without one before the first statement, and the comment that belongs to it. */
function placeForImport({ program, comments, source }: Model): number {
  const first = program.body.find(({ type }) => type === 'ImportDeclaration') ?? program.body[0];
  let at = (first?.start ?? 0) as number;
  if (first?.type === 'ImportDeclaration') return at;
  for (let i = comments.length - 1; i >= 0; i--) {
    const { start, end } = comments[i] as { start: number; end: number };
    if (end > at) continue;
    const isBefore = /^[ \t]*\r?\n?[ \t]*$/.test(source.slice(end, at));
    if (!isBefore || !/(?:^|\n)[ \t]*$/.test(source.slice(Math.max(0, start - 200), start))) break;
    at = start;
  }
  return at;
}
