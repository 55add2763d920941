import type { Diagnostic } from '../types.ts';
import { formatGithub } from './github.ts';
import { formatGitlab } from './gitlab.ts';
import { formatJson } from './json.ts';
import { formatJunit } from './junit.ts';
import type { FormatOptions } from './options.ts';
import { formatPretty } from './pretty.ts';
import { formatSarif } from './sarif.ts';
import { formatTsc } from './tsc.ts';

type Formatter = (diagnostics: readonly Diagnostic[], options: FormatOptions) => string;

export type Format = 'pretty' | 'tsc' | 'json' | 'sarif' | 'github' | 'gitlab' | 'junit';

const FORMATTERS: Record<Format, Formatter> = {
  pretty: formatPretty,
  tsc: formatTsc,
  json: formatJson,
  sarif: formatSarif,
  github: formatGithub,
  gitlab: formatGitlab,
  junit: formatJunit,
};

export const FORMATS = Object.keys(FORMATTERS) as Format[];

/** Whether `name` is a format that `formatDiagnostics` knows. */
export function isFormat(name: string): name is Format {
  return Object.hasOwn(FORMATTERS, name);
}

/**
 * Writes findings in one of the formats.
 *
 * @param diagnostics - sorted by the caller
 * @param format - `pretty` for people, `tsc` one line each, `json` for programs, the others for CI systems
 * @param options - file texts, colour, documentation of rules
 * @returns text that ends in a newline, or nothing
 */
export function formatDiagnostics(diagnostics: readonly Diagnostic[], format: Format, options: FormatOptions): string {
  return FORMATTERS[format](diagnostics, options);
}
