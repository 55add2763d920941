/**
 * Says in a source map that the code which stands in for a step's body comes from nowhere. Without that it would seem to belong to
 * the name before it, and the place of an error would be where a step is declared, not where it is called.
 *
 * Works on the encoded text: to decode and encode all of a map would take as long as to make it.
 */
const STUB = /\((?:__pawl\d*_\d+, )*(?:__pawl\d*_\d+|\.\.\.__pawl\d*_(?:args|rest))\) \{/g;

/** @returns `mappings` of a version 3 map of `code`, with a segment of its column alone where each stub begins */
export function leaveOutStubs(code: string, mappings: string): string {
  let lines: string[] | null = null;
  let line = 0;
  let lineStart = 0;
  let columns: number[] = [];
  const flush = (): void => {
    if (columns.length === 0) return;
    lines ??= mappings.split(';');
    lines[line] = withGaps(lines[line] ?? '', columns);
    columns = [];
  };
  for (const { index } of code.matchAll(STUB)) {
    for (let at = code.indexOf('\n', lineStart); at !== -1 && at < index; at = code.indexOf('\n', lineStart)) {
      flush();
      line++;
      lineStart = at + 1;
    }
    columns.push(index - lineStart);
  }
  flush();
  return (lines as string[] | null)?.join(';') ?? mappings;
}

/** Columns of a line are written as differences, so the segment after a new one is written anew. */
function withGaps(line: string, columns: readonly number[]): string {
  const out: string[] = [];
  let before = 0;
  let column = 0;
  let next = 0;
  for (const segment of line === '' ? [] : line.split(',')) {
    const { value, length } = decode(segment);
    column += value;
    for (; next < columns.length && (columns[next] as number) < column; next++) {
      out.push(encode((columns[next] as number) - before));
      before = columns[next] as number;
    }
    out.push(encode(column - before) + segment.slice(length));
    before = column;
  }
  for (; next < columns.length; next++) {
    out.push(encode((columns[next] as number) - before));
    before = columns[next] as number;
  }
  return out.join(',');
}

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** The first number of a segment, which is never negative, and how many characters it takes. */
function decode(segment: string): { value: number; length: number } {
  let bits = 0;
  let length = 0;
  for (let more = true; more; length++) {
    const digit = DIGITS.indexOf(segment[length] as string);
    bits |= (digit & 31) << (5 * length);
    more = (digit & 32) !== 0;
  }
  return { value: bits >> 1, length };
}

function encode(value: number): string {
  let text = '';
  let bits = value << 1;
  do {
    const digit = bits & 31;
    bits >>>= 5;
    text += DIGITS[bits > 0 ? digit | 32 : digit];
  } while (bits > 0);
  return text;
}
