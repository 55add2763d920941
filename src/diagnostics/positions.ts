import type { Span } from './types.ts';

/**
 * Turns offsets of one text into lines and columns, both from 1. Lines end at LF, CRLF, CR, U+2028 and U+2029, as in
 * ECMAScript; columns count UTF-16 units, as editors and tsc do. A byte order mark takes an offset but no column.
 *
 * @example
 * const positions = new Positions('a\nbc');
 * positions.span(2, 4); // { start: 2, end: 4, line: 2, column: 1, endLine: 2, endColumn: 3 }
 */
export class Positions {
  readonly #text: string;
  #starts: number[] | null = null;
  #near = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** Offsets at which lines start. Made at the first question: most files are never asked. */
  get lineStarts(): readonly number[] {
    if (this.#starts) return this.#starts;
    const text = this.#text;
    const starts = [text.charCodeAt(0) === 0xfeff ? 1 : 0];
    const ends = /\r\n|[\n\r\u2028\u2029]/g;
    while (ends.exec(text)) starts.push(ends.lastIndex);
    this.#starts = starts;
    return starts;
  }

  at(offset: number): { line: number; column: number } {
    const line = this.#lineOf(offset);
    return { line: line + 1, column: this.#columnIn(line, offset) };
  }

  span(start: number, end: number): Span {
    const from = this.#lineOf(start);
    const to = this.#lineOf(end);
    return {
      start,
      end,
      line: from + 1,
      column: this.#columnIn(from, start),
      endLine: to + 1,
      endColumn: this.#columnIn(to, end),
    };
  }

  /** The index of the line that an offset stands in. */
  #lineOf(offset: number): number {
    const starts = this.lineStarts;
    // Most questions are about the line of the one before.
    const near = this.#near;
    if ((starts[near] as number) <= offset && offset < (starts[near + 1] ?? Infinity)) return near;
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] as number) <= offset) low = middle;
      else high = middle - 1;
    }
    this.#near = low;
    return low;
  }

  #columnIn(line: number, offset: number): number {
    return Math.max(1, offset - (this.lineStarts[line] as number) + 1);
  }
}
