/** A position as the Language Server Protocol has it: line and UTF-16 unit, both from 0. */
export interface TextPosition {
  line: number;
  character: number;
}

export interface TextRange {
  start: TextPosition;
  end: TextPosition;
}

/**
 * Offsets of the checker as positions of an editor, and back. They differ in two things: editors end lines at LF, CRLF and CR
 * alone (not at U+2028 and U+2029), and the checker sees no byte order mark, where some editors count one.
 */
export class EditorText {
  /** What the checker sees. */
  readonly text: string;
  readonly #mark: number;
  #starts: number[] | null = null;

  /** @param raw - as the editor has it */
  constructor(raw: string) {
    this.#mark = raw.charCodeAt(0) === 0xfeff ? 1 : 0;
    this.text = raw.slice(this.#mark);
  }

  /** The position of an offset; one outside of the text is taken to its nearer end. */
  positionAt(offset: number): TextPosition {
    const starts = this.#lineStarts();
    const at = Math.max(0, Math.min(offset, this.text.length));
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] as number) <= at) low = middle;
      else high = middle - 1;
    }
    // Between CR and LF there is no position.
    const character = Math.min(at, this.#lineEnd(low)) - (starts[low] as number);
    return { line: low, character: character + (low === 0 ? this.#mark : 0) };
  }

  rangeOf({ start, end }: { start: number; end: number }): TextRange {
    return { start: this.positionAt(start), end: this.positionAt(end) };
  }

  /** The offset of a position; one outside of the text is taken to the nearest end of its line. */
  offsetAt({ line, character }: TextPosition): number {
    const starts = this.#lineStarts();
    if (line < 0) return 0;
    if (line >= starts.length) return this.text.length;
    const within = Math.max(0, character - (line === 0 ? this.#mark : 0));
    return Math.min((starts[line] as number) + within, this.#lineEnd(line));
  }

  #lineStarts(): readonly number[] {
    if (this.#starts) return this.#starts;
    const starts = [0];
    const ends = /\r\n|[\n\r]/g;
    while (ends.exec(this.text)) starts.push(ends.lastIndex);
    this.#starts = starts;
    return starts;
  }

  /** Where a line's text ends, before what ends the line. */
  #lineEnd(line: number): number {
    const next = this.#lineStarts()[line + 1];
    if (next === undefined) return this.text.length;
    return this.text[next - 1] === '\n' && this.text[next - 2] === '\r' ? next - 2 : next - 1;
  }
}
