import { fullMessage } from '../create.ts';
import type { Diagnostic, Fix, Severity } from '../types.ts';

/** A finding as programs read it: lines and columns from 1, files relative to the root. */
export interface JsonDiagnostic {
  code: string;
  rule: string;
  severity: Severity;
  file: string;
  line: number;
  column: number;
  endLine: number;
  endColumn: number;
  /** What is wrong, through which calls, and what to write instead. */
  message: string;
  related: { file: string; line: number; column: number; message: string }[];
  fix?: Fix;
}

export function toJsonDiagnostic(diagnostic: Diagnostic): JsonDiagnostic {
  const { code, rule, severity, file, span, related, fix } = diagnostic;
  return {
    code,
    rule,
    severity,
    file,
    line: span.line,
    column: span.column,
    endLine: span.endLine,
    endColumn: span.endColumn,
    message: fullMessage(diagnostic),
    related: related.map((place) => ({
      file: place.file,
      line: place.span.line,
      column: place.span.column,
      message: place.message,
    })),
    ...(fix === undefined ? {} : { fix }),
  };
}

/** An array of findings, also when there are none. */
export function formatJson(diagnostics: readonly Diagnostic[]): string {
  return `${JSON.stringify(diagnostics.map(toJsonDiagnostic), null, 2)}\n`;
}
