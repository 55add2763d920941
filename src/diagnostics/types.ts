/**
 * Glossary of diagnostics.
 *
 * - **diagnostic**: one finding: code, severity, message, place, related places, fix.
 * - **span**: a range of one file, as offsets and as lines and columns.
 * - **related**: another place that explains the finding; for transitive rules the hops of the call chain, in order.
 * - **remedy**: the sentence that tells what to write instead.
 */

export type Severity = 'error' | 'warning' | 'info';

/** A range of one source file. Offsets count UTF-16 units from 0, `end` is exclusive; lines and columns count from 1. */
export interface Span {
  start: number;
  end: number;
  line: number;
  column: number;
  endLine: number;
  endColumn: number;
}

export interface RelatedPlace {
  /** Path relative to the root, with `/`. */
  file: string;
  span: Span;
  message: string;
}

/** Replaces the characters from `start` to `end` of the diagnostic's own file by `text`. */
export interface TextEdit {
  start: number;
  end: number;
  text: string;
}

export interface Fix {
  /** What the fix does, in the imperative: `Add 'async'`. */
  title: string;
  edits: TextEdit[];
}

export interface Diagnostic {
  /** `PAWL1001` … `PAWL9010`; never reused. */
  code: string;
  /** The rule's name, also its file, fixture folder and ESLint id: `directive-not-async`. */
  rule: string;
  severity: Severity;
  /** Path relative to the root, with `/`. */
  file: string;
  span: Span;
  /** What is wrong and why, one or two sentences, no trailing newline. */
  message: string;
  /** The call chain in one line: `fulfil → priceOf (src/pricing.ts:12:9) → fetch`; `related` has its places. */
  chain?: string;
  /** What to write instead, one sentence. */
  remedy?: string;
  related: RelatedPlace[];
  fix?: Fix;
}
