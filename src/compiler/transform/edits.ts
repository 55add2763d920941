import MagicString, { type SourceMap } from 'magic-string';
import { leaveOutStubs } from './gaps.ts';

interface Range {
  start: number;
  end: number;
}

interface Move extends Range {
  to: number;
  prefix: string;
  suffix: string;
}

/**
 * Collects what a target changes and applies it in the one order that works: cut, move, insert. A cut spares what is moved
 * out of it, so a nested step survives the removal of the workflow around it.
 */
export class Edits {
  readonly #source: string;
  readonly #cuts: Range[] = [];
  readonly #moves: Move[] = [];
  readonly #inserts: { at: number; text: string; side: 'left' | 'right'; stays?: boolean }[] = [];
  #head = '';
  #tail = '';

  constructor(source: string) {
    this.#source = source;
  }

  get changed(): boolean {
    return this.#cuts.length + this.#moves.length + this.#inserts.length > 0 || this.#head !== '' || this.#tail !== '';
  }

  cut(start: number, end: number): void {
    if (start < end) this.#cuts.push({ start, end });
  }

  /** Inserts text that belongs to what stands before `at`. */
  insert(at: number, text: string): void {
    this.#inserts.push({ at, text, side: 'left' });
  }

  /** Like `insert`, but stays where what stands at `at` is taken away. */
  insertForGood(at: number, text: string): void {
    this.#inserts.push({ at, text, side: 'left', stays: true });
  }

  /** Like `insertForGood`, before everything else that is inserted there. */
  insertFirst(at: number, text: string): void {
    this.#inserts.unshift({ at, text, side: 'left', stays: true });
  }

  replace(start: number, end: number, text: string): void {
    this.insert(start, text);
    this.cut(start, end);
  }

  /** Puts text around a range; it moves along when the range does. */
  wrap(start: number, end: number, prefix: string, suffix: string): void {
    this.#inserts.push({ at: start, text: prefix, side: 'right' });
    this.#inserts.push({ at: end, text: suffix, side: 'left' });
  }

  move(start: number, end: number, to: number, prefix: string, suffix: string): void {
    this.#moves.push({ start, end, to, prefix, suffix });
  }

  prepend(text: string): void {
    this.#head += text;
  }

  append(text: string): void {
    this.#tail += text;
  }

  /** Whether the character at `offset` is cut and not moved away from there. */
  isCut(offset: number): boolean {
    const cut = innermost(this.#cuts, offset);
    if (cut === null) return false;
    const move = innermost(this.#moves, offset);
    const isRescued = move !== null && move.start >= cut.start && move.end <= cut.end && size(move) <= size(cut);
    return !isRescued;
  }

  /** Text inside of something that is taken away goes with it, unless it moves out. */
  #isInsideCut(at: number): boolean {
    return this.#cuts.some(
      (cut) =>
        cut.start < at &&
        at < cut.end &&
        !this.#moves.some((move) => cut.start <= move.start && move.end <= cut.end && move.start < at && at < move.end),
    );
  }

  /** @param maps - whether to make a source map too */
  apply(file: string, maps = true): { code: string; map: SourceMap | null } {
    if (!this.changed) return { code: this.#source, map: null };
    const text = new MagicString(this.#source);
    for (const piece of this.#pieces()) text.remove(piece.start, piece.end);
    for (const { start, end, to } of this.#moves) text.move(start, end, to);
    const starts = new Map(this.#moves.map(({ start, end }) => [end, start]));
    for (const { at, text: inserted, side, stays } of this.#inserts) {
      if (!stays && this.#isInsideCut(at)) continue;
      if (side === 'right') {
        text.appendRight(at, inserted);
        continue;
      }
      // What is inserted right behind something that moves away does not go with it.
      let to = at;
      for (let start = starts.get(to); start !== undefined; start = starts.get(to)) to = start;
      text.appendLeft(to, inserted);
    }
    for (const { start, end, prefix, suffix } of this.#moves) {
      text.prependRight(start, prefix);
      text.appendLeft(end, suffix);
    }
    if (this.#head) text.prepend(this.#head);
    if (this.#tail) text.append(this.#tail);
    const code = text.toString();
    if (!maps) return { code, map: null };
    const map = text.generateMap({ source: file, includeContent: true, hires: 'boundary' });
    map.mappings = leaveOutStubs(code, map.mappings);
    return { code, map };
  }

  /** The cuts without what is moved out of them, and without overlaps. */
  #pieces(): Range[] {
    const edges = new Set<number>();
    for (const { start, end } of [...this.#cuts, ...this.#moves]) {
      edges.add(start);
      edges.add(end);
    }
    const sorted = [...edges].sort((a, b) => a - b);
    const pieces: Range[] = [];
    for (let i = 0; i + 1 < sorted.length; i++) {
      const start = sorted[i] as number;
      const end = sorted[i + 1] as number;
      if (!this.isCut(start)) continue;
      pieces.push({ start, end });
    }
    return pieces;
  }
}

function size(range: Range): number {
  return range.end - range.start;
}

function innermost<R extends Range>(ranges: readonly R[], offset: number): R | null {
  let found: R | null = null;
  for (const range of ranges)
    if (range.start <= offset && offset < range.end && (!found || size(range) < size(found))) found = range;
  return found;
}
