import type { Diagnostic, Fix, TextEdit } from './types.ts';

export interface FixResult {
  text: string;
  /** The fixes that went in; those that overlap with an earlier one have to wait for the next round. */
  applied: Fix[];
}

/**
 * Applies the fixes of one file's diagnostics. Fixes go in whole or not at all; a fix whose edits touch those of an earlier
 * one is left out, so the caller checks again and repeats until nothing is applied.
 *
 * @param text - the text that the diagnostics were made for
 * @param diagnostics - findings of that file, in any order
 * @returns the new text and what was applied
 */
export function applyFixes(text: string, diagnostics: readonly Diagnostic[]): FixResult {
  const { edits, applied } = selectFixes(text, diagnostics);
  let result = '';
  let at = 0;
  for (const edit of edits) {
    result += text.slice(at, edit.start) + edit.text;
    at = edit.end;
  }
  return { text: result + text.slice(at), applied };
}

/**
 * The edits that `applyFixes` makes, for those who apply them in a way of their own.
 *
 * @returns edits that do not touch each other, in the order of the text
 */
export function selectFixes(
  text: string,
  diagnostics: readonly Pick<Diagnostic, 'span' | 'fix'>[],
): { edits: TextEdit[]; applied: Fix[] } {
  const taken: TextEdit[] = [];
  const applied: Fix[] = [];
  for (const { fix } of [...diagnostics].sort((a, b) => a.span.start - b.span.start)) {
    if (!fix || fix.edits.length === 0 || !fix.edits.every((edit) => fits(edit, text.length))) continue;
    const edits = fix.edits.map((edit) => tidy(edit, text));
    if (edits.some((edit) => taken.some((other) => overlaps(edit, other)))) continue;
    taken.push(...edits);
    applied.push(fix);
  }
  taken.sort((a, b) => a.start - b.start || a.end - b.end);
  return { edits: taken, applied };
}

function fits(edit: TextEdit, length: number): boolean {
  return edit.start >= 0 && edit.start <= edit.end && edit.end <= length;
}

/** What is deleted leaves no trace: a line that held nothing else goes, blanks at its end or twice within it too. */
function tidy(edit: TextEdit, text: string): TextEdit {
  if (edit.text !== '' || edit.start === edit.end) return edit;
  let { start, end } = edit;
  while (start > 0 && isBlank(text[start - 1])) start--;
  while (end < text.length && isBlank(text[end])) end++;
  const lineEnd = /^(?:\r\n|\r|\n|$)/.exec(text.slice(end, end + 2));
  const lineStart = start === 0 || isLineEnd(text[start - 1]);
  if (lineStart && lineEnd) return { ...edit, start, end: end + lineEnd[0].length };
  if (lineEnd) return { ...edit, start, end };
  if (lineStart) return edit;
  return start < edit.start ? { ...edit, end } : edit;
}

function isBlank(character: string | undefined): boolean {
  return character === ' ' || character === '\t';
}

function isLineEnd(character: string | undefined): boolean {
  return character === '\n' || character === '\r';
}

/** Two insertions at one place overlap too: their order would be a guess. */
function overlaps(a: TextEdit, b: TextEdit): boolean {
  return a.start < b.end && b.start < a.end ? true : a.start === b.start || touchesInsertion(a, b);
}

function touchesInsertion(a: TextEdit, b: TextEdit): boolean {
  const insertion = a.start === a.end ? a : b.start === b.end ? b : null;
  if (!insertion) return false;
  const other = insertion === a ? b : a;
  return insertion.start > other.start && insertion.start < other.end;
}
