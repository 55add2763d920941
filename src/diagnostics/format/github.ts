import { fullMessage } from '../create.ts';
import type { Diagnostic, Severity } from '../types.ts';
import { type FormatOptions, inRepository } from './options.ts';
import { visible } from './text.ts';

const COMMANDS: Record<Severity, string> = { error: 'error', warning: 'warning', info: 'notice' };

/**
 * Workflow commands of GitHub Actions: findings become annotations of the commit.
 *
 * @example
 * '::error file=src/a.ts,line=12,endLine=12,col=9,endColumn=14,title=PAWL3002 io-in-workflow::The workflow `fulfil` calls `fetch`.'
 */
export function formatGithub(diagnostics: readonly Diagnostic[], options: FormatOptions): string {
  return diagnostics.map((diagnostic) => `${command(diagnostic, options)}\n`).join('');
}

function command(diagnostic: Diagnostic, options: FormatOptions): string {
  const { file, span, severity, code, rule } = diagnostic;
  const properties: [name: string, value: string | number][] = [
    ['file', inRepository(file, options)],
    ['line', span.line],
    ['endLine', span.endLine],
  ];
  // GitHub refuses columns of an annotation over several lines.
  if (span.line === span.endLine) properties.push(['col', span.column], ['endColumn', span.endColumn]);
  properties.push(['title', `${code} ${rule}`]);
  const list = properties.map(([name, value]) => `${name}=${escapeProperty(String(value))}`).join(',');
  return `::${COMMANDS[severity]} ${list}::${escapeData(fullMessage(diagnostic))}`;
}

/** A `%` comes first: the others bring new ones. What GitHub has no escape for would act on the terminal that shows its log. */
function escapeData(text: string): string {
  return visible(text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A'));
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
