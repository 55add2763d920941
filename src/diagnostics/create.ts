import { CODES, type RuleName } from './codes.ts';
import type { Diagnostic, Fix, RelatedPlace, Span } from './types.ts';

export interface DiagnosticInput {
  file: string;
  span: Span;
  message: string;
  remedy?: string;
  related?: RelatedPlace[];
  fix?: Fix;
}

/** Makes the diagnostic of a rule: code and severity come from the table of codes. */
export function createDiagnostic(rule: RuleName, input: DiagnosticInput): Diagnostic {
  const { code, severity } = CODES[rule];
  const diagnostic: Diagnostic = {
    code,
    rule,
    severity,
    file: input.file,
    span: input.span,
    message: input.message,
    related: input.related ?? [],
  };
  if (input.remedy !== undefined) diagnostic.remedy = input.remedy;
  if (input.fix !== undefined) diagnostic.fix = input.fix;
  return diagnostic;
}

/** Message and remedy in one, for formats that have one field for both. */
export function fullMessage({ message, remedy }: Diagnostic): string {
  return remedy === undefined ? message : `${message} ${remedy}`;
}
