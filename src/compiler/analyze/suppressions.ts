import type { SuppressionFact } from '../facts.ts';
import type { Model } from './model.ts';

/**
 * `// pawl-ignore PAWL3002 -- reason`: on a line of its own it speaks of the next line of code, beside code of its own line.
 * Several codes are separated by commas or spaces; what follows `--` is the reason.
 */
export function readSuppressions(model: Model): SuppressionFact[] {
  const found: SuppressionFact[] = [];
  const { positions, source } = model;
  for (const comment of model.comments) {
    const match = /^([\s*]*pawl-ignore)(?![\w-])/.exec(comment.value);
    if (!match) continue;
    const start = comment.start as number;
    const end = comment.end as number;
    const body = comment.value.slice((match[1] as string).length);
    const dashes = body.indexOf('--');
    const list = dashes < 0 ? body : body.slice(0, dashes);
    const base = start + 2 + (match[1] as string).length;
    const codes = [...list.matchAll(/[^\s,]+/g)].map((word) => ({
      code: word[0],
      span: positions.span(base + word.index, base + word.index + word[0].length),
    }));
    const { line } = positions.at(start);
    found.push({
      codes,
      reason: dashes < 0 ? '' : body.slice(dashes + 2).trim(),
      span: positions.span(start, end),
      line: standsAlone(source, positions.lineStarts[line - 1] as number, start, end)
        ? nextCodeLine(model, positions.at(end).line)
        : line,
    });
  }
  return found;
}

function standsAlone(source: string, lineStart: number, start: number, end: number): boolean {
  if (!/^[\s{]*$/.test(source.slice(lineStart, start))) return false;
  const rest = /^[^\r\n]*/.exec(source.slice(end, end + 1_000))?.[0] ?? '';
  return /^[\s})\];,]*(?:$|\/[/*])/.test(rest);
}

function nextCodeLine(model: Model, after: number): number {
  const { positions, source, comments } = model;
  for (let line = after + 1; line <= positions.lineStarts.length; line++) {
    const from = positions.lineStarts[line - 1] as number;
    const first = from + source.slice(from).search(/\S|$/);
    if (positions.at(first).line !== line) continue;
    const comment = comments.find(
      (candidate) => (candidate.start as number) <= first && first < (candidate.end as number),
    );
    if (!comment) return line;
    if (positions.at(comment.end as number).line > line) line = positions.at(comment.end as number).line - 1;
  }
  return after;
}
