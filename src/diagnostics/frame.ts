import type { Colors } from './colors.ts';
import { visible } from './format/text.ts';
import type { Span } from './types.ts';

/**
 * The lines around a finding with the span underlined.
 *
 * It is ours, and not `@babel/code-frame`, for three things that real files need: the underline stands right under wide and
 * combining characters and after tabs; a line of a minified file is cut around the finding; a span of a hundred lines
 * shows its first.
 */

const CONTEXT_LINES = 1;
const MAX_WIDTH = 120;
const TAB = '  ';

export interface FrameOptions {
  colors: Colors;
  /** Lines shown before and after, 1 unless told. */
  context?: number;
}

/**
 * @param text - the whole file
 * @param span - what to underline; a span over several lines is underlined to the end of its first
 * @returns lines without a trailing newline
 * @example
 *   11 | const order = await load(id);
 * > 12 | const price = await fetch(url);
 *      |                     ^^^^^
 */
export function codeFrame(text: string, span: Span, { colors, context = CONTEXT_LINES }: FrameOptions): string {
  const first = Math.max(1, span.line - context);
  const lines = linesAround(text, first, span.line + context);
  const width = String(first + lines.length - 1).length;
  const target = lines[span.line - first] ?? '';
  const from = span.column - 1;
  const to = span.endLine > span.line ? target.trimEnd().length : span.endColumn - 1;
  const cut = window(target, from, Math.max(from + 1, to));

  const out: string[] = [];
  for (const [index, line] of lines.entries()) {
    const number = String(first + index).padStart(width);
    const shown = clip(line, cut);
    if (first + index !== span.line) {
      out.push(colors.dim(`  ${number} | ${shown}`.trimEnd()));
      continue;
    }
    out.push(`${colors.red('>')} ${colors.dim(`${number} |`)} ${shown}`.trimEnd());
    const lead = clip(line.slice(0, from), { ...cut, end: from });
    const marked = line.slice(Math.max(from, cut.start), Math.min(Math.max(to, from + 1), cut.end));
    const carets = '^'.repeat(Math.max(1, displayWidth(visible(marked))));
    out.push(`  ${' '.repeat(width)} ${colors.dim('|')} ${' '.repeat(displayWidth(lead))}${colors.red(carets)}`);
  }
  return out.join('\n');
}

/** The lines `first` to `last`, from 1, without their ends; fewer where the text is shorter. */
function linesAround(text: string, first: number, last: number): string[] {
  const ends = /\r\n|[\n\r\u2028\u2029]/g;
  const lines: string[] = [];
  let start = text.charCodeAt(0) === 0xfeff ? 1 : 0;
  for (let line = 1; line <= last; line++) {
    const end = ends.exec(text);
    if (line >= first) lines.push(text.slice(start, end ? end.index : text.length));
    if (!end) break;
    start = ends.lastIndex;
  }
  return lines;
}

interface Cut {
  start: number;
  end: number;
}

/** The part of a long line to show, so that the marked range is in it. */
function window(line: string, from: number, to: number): Cut {
  if (line.length <= MAX_WIDTH) return { start: 0, end: Number.POSITIVE_INFINITY };
  const start = to <= MAX_WIDTH - 10 ? 0 : Math.max(0, from - 40);
  return { start, end: start + MAX_WIDTH };
}

function clip(line: string, { start, end }: Cut): string {
  const tail = line.length > end ? '…' : '';
  const shown = visible(line.slice(start, Math.min(line.length, end))).replaceAll('\t', TAB);
  return `${start > 0 && line.length > 0 ? '…' : ''}${shown}${tail}`;
}

const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/;
const ZERO = /\p{Mark}|[\u200b-\u200d]/u;

/** Columns that a terminal gives a text: two for wide characters and emoji, none for combining marks. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const character of text) {
    if (character === '\t') width += TAB.length;
    else if (ZERO.test(character)) continue;
    else width += character.length > 1 || WIDE.test(character) ? 2 : 1;
  }
  return width;
}
