import { createHash } from 'node:crypto';
import type { SourceLookup } from './format/options.ts';
import { Positions } from './positions.ts';
import type { Diagnostic } from './types.ts';

/**
 * Names of findings that survive edits elsewhere: made of code, file, message and the text of the line, never of its number. Of
 * findings that are alike in all of these, the second, the third … have their number in it, so that no two have one name.
 *
 * @param diagnostics - in the order in which they are reported
 * @param source - texts of files; without one the line is left out
 * @returns 32 hexadecimal digits each, in the same order
 */
export function fingerprints(diagnostics: readonly Diagnostic[], source: SourceLookup): string[] {
  const lines = new Map<string, (line: number) => string>();
  const seen = new Map<string, number>();
  return diagnostics.map(({ code, file, span, message }) => {
    let lineOf = lines.get(file);
    if (!lineOf) {
      lineOf = lineReader(source(file));
      lines.set(file, lineOf);
    }
    const parts = [code, file, withoutPlaces(message), lineOf(span.line)];
    const key = parts.join('\0');
    const count = seen.get(key) ?? 0;
    seen.set(key, count + 1);
    return createHash('sha256').update(`${key}\0${count}`).digest('hex').slice(0, 32);
  });
}

/** Indentation and blanks between words may change. */
function lineReader(text: string | null): (line: number) => string {
  if (text === null) return () => '';
  const { lineStarts } = new Positions(text);
  return (line) => {
    const start = lineStarts[line - 1];
    if (start === undefined) return '';
    return text.slice(start, lineStarts[line]).replace(/\s+/g, ' ').trim();
  };
}

/** Messages may name other places: `src/a.ts:12:9`, `src/a.ts(12,9)`. */
function withoutPlaces(message: string): string {
  return message.replace(/:\d+(?::\d+)?\b/g, '').replace(/\(\d+,\d+\)/g, '');
}
