import { findRule } from '../diagnostics/lookup.ts';
import { selectFixes } from '../diagnostics/fixes.ts';
import type { Diagnostic, TextEdit } from '../diagnostics/types.ts';
import { suppression } from './suppress.ts';

/** Something that an editor offers to do with a file. */
export interface Action {
  /** What it does, in the imperative. */
  title: string;
  /** `fix`: repairs one finding; `suppress`: silences one; `fix-all`: repairs what can be repaired in the file. */
  kind: 'fix' | 'suppress' | 'fix-all';
  /** The finding that it is about; null for `fix-all`. */
  diagnostic: Diagnostic | null;
  /** Replacements in that file, in the order of the text; offsets are those of the text before. */
  edits: TextEdit[];
  /** The part of the inserted text that a person is meant to replace. */
  placeholder?: string;
}

/**
 * What can be done about the findings of a range.
 *
 * @param file - path relative to the root
 * @param text - the text that the findings were made for
 * @param diagnostics - of that file
 * @param range - offsets; a finding that touches it counts
 */
export function actionsFor(
  file: string,
  text: string,
  diagnostics: readonly Diagnostic[],
  range: { start: number; end: number },
): Action[] {
  const touched = diagnostics.filter(({ span }) => span.start <= range.end && range.start <= span.end);
  const fixes = touched.flatMap((diagnostic) => fixOf(text, diagnostic) ?? []);
  const suppressions = touched.flatMap((diagnostic) => suppressOf(file, text, diagnostic) ?? []);
  return [...fixes, ...suppressions];
}

/** One action for all fixes of a file that do not get in each other's way; null when there is none. */
export function fixAllAction(text: string, diagnostics: readonly Diagnostic[]): Action | null {
  const { edits } = selectFixes(text, diagnostics);
  if (edits.length === 0) return null;
  return { title: 'Fix all pawl findings in this file', kind: 'fix-all', diagnostic: null, edits };
}

function fixOf(text: string, diagnostic: Diagnostic): Action | null {
  const { edits, applied } = selectFixes(text, [diagnostic]);
  const [fix] = applied;
  return fix ? { title: fix.title, kind: 'fix', diagnostic, edits } : null;
}

function suppressOf(file: string, text: string, diagnostic: Diagnostic): Action | null {
  if (!findRule(diagnostic.code)?.info.suppressible) return null;
  const edit = suppression(file, text, diagnostic);
  if (!edit) return null;
  const { placeholder } = edit;
  return {
    title: `Suppress ${diagnostic.code} on this line, with a reason`,
    kind: 'suppress',
    diagnostic,
    edits: [{ start: edit.start, end: edit.end, text: edit.text }],
    ...(placeholder === null ? {} : { placeholder }),
  };
}
