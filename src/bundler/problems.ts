import type { Diagnostic, RelatedPlace, Severity, Span } from '../diagnostics/types.ts';

/**
 * Findings that only a bundler can make: it alone follows every import to its end.
 * The codes continue group 9; `duplicate` codes are excluded by a test against `diagnostics/codes.ts`.
 */
export const BUILD_CODES = {
  'unresolved-import': { code: 'PAWL9006', severity: 'error' },
  'unbundlable-module': { code: 'PAWL9007', severity: 'error' },
  'schema-not-static': { code: 'PAWL9008', severity: 'error' },
  'schema-without-json-form': { code: 'PAWL9009', severity: 'warning' },
  'id-mismatch': { code: 'PAWL9010', severity: 'error' },
} as const satisfies Record<string, { code: string; severity: Severity }>;

export type BuildRule = keyof typeof BUILD_CODES;

export interface Finding {
  file: string;
  span: Span;
  message: string;
  remedy?: string;
  related?: RelatedPlace[];
}

export function buildDiagnostic(rule: BuildRule, finding: Finding): Diagnostic {
  const { code, severity } = BUILD_CODES[rule];
  const { file, span, message, remedy, related = [] } = finding;
  return { code, rule, severity, file, span, message, ...(remedy === undefined ? {} : { remedy }), related };
}
