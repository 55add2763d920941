/** How findings are shown: the formats of `pawl check` and `pawl build`. */
import { relative } from 'node:path';
import type { Diagnostic, Format, FormatOptions, SourceLookup } from '../diagnostics/index.ts';
import { PawlError } from '../errors.ts';
import type { OptionSpecs } from './command.ts';
import type { Output } from './output.ts';

/** The option of every command that reports findings. A test sees that all formats are named. */
export const FORMAT_OPTION = {
  format: {
    type: 'string',
    value: 'FORMAT',
    description: 'pretty, tsc, json, sarif, github, gitlab or junit (default: pretty on a terminal, else tsc)',
  },
} as const satisfies OptionSpecs;

/**
 * The format that was asked for.
 *
 * @param name - value of `--format`
 * @returns null when none was named
 * @throws PawlError `PAWL_USAGE`
 */
export async function readFormat(name: string | undefined): Promise<Format | null> {
  if (name === undefined) return null;
  const { FORMATS, isFormat, nearest } = await import('../diagnostics/index.ts');
  if (isFormat(name)) return name;
  const meant = nearest(name, FORMATS);
  throw new PawlError('PAWL_USAGE', `There is no format \`${name}\`.`, {
    remedy: meant ? `Did you mean \`--format ${meant}\`?` : `The formats are ${FORMATS.join(', ')}.`,
  });
}

export interface FindingsOptions {
  /** Null for the default of where the output goes. */
  format: Format | null;
  /** Absolute. */
  root: string;
  out: Output;
  source: SourceLookup;
}

/** Writes findings to stdout. */
export async function printFindings(
  diagnostics: readonly Diagnostic[],
  { format, root, out, source }: FindingsOptions,
): Promise<void> {
  const { formatDiagnostics } = await import('../diagnostics/index.ts');
  const chosen = format ?? (out.json ? 'json' : out.isTTY ? 'pretty' : 'tsc');
  const options: FormatOptions = {
    source,
    color: out.colors.isColorSupported,
    folder: folderInCheckout(root, out.env),
  };
  if (chosen === 'sarif') {
    const { RULES, ruleHelp } = await import('../rules/index.ts');
    const { VERSION } = await import('../version.ts');
    options.rules = RULES.map(ruleHelp);
    options.version = VERSION;
  }
  out.write(formatDiagnostics(diagnostics, chosen, options));
}

/** Where in the checkout of a CI system the project is: reports name files by their path there. */
function folderInCheckout(root: string, env: Output['env']): string {
  const checkout = env.GITHUB_WORKSPACE ?? env.CI_PROJECT_DIR;
  if (!checkout) return '';
  const folder = relative(checkout, root).replaceAll('\\', '/');
  return folder.startsWith('..') || /^[A-Za-z]:/.test(folder) ? '' : folder;
}
