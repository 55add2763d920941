import { fullMessage } from '../create.ts';
import type { Diagnostic } from '../types.ts';
import { oneLine } from './text.ts';

/**
 * One line a finding, the form of `tsc --pretty false`, which editors, CI problem matchers and `grep` know.
 *
 * @example
 * 'src/a.ts(12,9): error PAWL3002: The workflow `fulfil` calls `fetch`.'
 */
export function formatTsc(diagnostics: readonly Diagnostic[]): string {
  return diagnostics.map((diagnostic) => `${tscLine(diagnostic)}\n`).join('');
}

function tscLine(diagnostic: Diagnostic): string {
  const { file, span, severity, code } = diagnostic;
  const text = oneLine(fullMessage(diagnostic).replace(/\s*[\r\n]+\s*/g, ' '));
  return `${oneLine(file)}(${span.line},${span.column}): ${severity} ${code}: ${text}`;
}
