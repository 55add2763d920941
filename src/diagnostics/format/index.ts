import type { Diagnostic } from '../types.ts';
import { formatJson } from './json.ts';
import { formatPretty, type PrettyOptions } from './pretty.ts';
import { formatTsc } from './tsc.ts';

type Formatter = (diagnostics: readonly Diagnostic[], options: PrettyOptions) => string;

const FORMATTERS = { pretty: formatPretty, tsc: formatTsc, json: formatJson } satisfies Record<string, Formatter>;

export type Format = keyof typeof FORMATTERS;
export const FORMATS = Object.keys(FORMATTERS) as Format[];

/** Whether `name` is a format that `formatDiagnostics` knows. */
export function isFormat(name: string): name is Format {
  return Object.hasOwn(FORMATTERS, name);
}

/**
 * Writes findings in one of the formats.
 *
 * @param diagnostics - sorted by the caller
 * @param format - `pretty` for people, `tsc` one line each, `json` for programs
 * @param options - file texts and colour for `pretty`
 */
export function formatDiagnostics(diagnostics: readonly Diagnostic[], format: Format, options: PrettyOptions): string {
  const formatter: Formatter = FORMATTERS[format];
  return formatter(diagnostics, options);
}
