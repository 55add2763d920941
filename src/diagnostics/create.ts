import { CODES, type RuleName } from './codes.ts';
import type { Diagnostic, Fix, RelatedPlace, Span } from './types.ts';

export interface DiagnosticInput {
  file: string;
  span: Span;
  message: string;
  chain?: string;
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
  if (input.chain !== undefined) diagnostic.chain = input.chain;
  if (input.remedy !== undefined) diagnostic.remedy = input.remedy;
  if (input.fix !== undefined) diagnostic.fix = input.fix;
  return diagnostic;
}

/** Message, chain and remedy in one, for formats that have one field for all. */
export function fullMessage({ message, chain, remedy }: Diagnostic): string {
  const way = chain === undefined ? '' : ` (${chain})`;
  return `${message}${way}${remedy === undefined ? '' : ` ${remedy}`}`;
}
