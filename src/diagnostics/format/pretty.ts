import { type Colors, createColors } from '../colors.ts';
import { codeFrame } from '../frame.ts';
import { summarize } from '../order.ts';
import type { Diagnostic, Severity } from '../types.ts';
import { type FormatOptions, type SourceLookup, safely } from './options.ts';
import { oneLine, visible } from './text.ts';

/**
 * Findings for people: place, message, the code with the span underlined, the call chain, and what to write instead.
 *
 * @param diagnostics - in the order in which they are to be shown
 * @returns text that ends in a newline, also when there is nothing to report
 */
export function formatPretty(diagnostics: readonly Diagnostic[], options: FormatOptions): string {
  const colors = createColors(options.color ?? false);
  const source = safely(options.source);
  const blocks = diagnostics.map((diagnostic) => prettyBlock(diagnostic, source, colors));
  if (options.summary !== false) blocks.push(summaryLine(diagnostics, colors));
  return `${blocks.join('\n\n')}\n`;
}

function prettyBlock(diagnostic: Diagnostic, source: SourceLookup, colors: Colors): string {
  const { file, span, severity, code, rule, message, remedy, related, fix } = diagnostic;
  const place = `${colors.cyan(oneLine(file))}:${colors.yellow(String(span.line))}:${colors.yellow(String(span.column))}`;
  const lines = [
    `${place} - ${paint(severity, colors)} ${colors.dim(`${code} ${rule}`)}`,
    '',
    indent(visible(message)),
  ];
  const text = source(file);
  if (text !== null) lines.push('', indent(codeFrame(text, span, { colors })));
  if (related.length > 0) {
    const places = related.map((hop) => `${oneLine(hop.file)}:${hop.span.line}:${hop.span.column}`);
    const width = Math.max(...places.map((hop) => hop.length));
    lines.push('');
    for (const [index, hop] of related.entries()) {
      lines.push(`    ${colors.cyan((places[index] as string).padEnd(width))}  ${oneLine(hop.message)}`);
    }
  }
  const notes: string[] = [];
  if (remedy && remedy !== `${fix?.title}.`) notes.push(indent(`${colors.green('help:')} ${visible(remedy)}`));
  if (fix) notes.push(indent(`${colors.green('fix:')}  ${visible(fix.title)} (pawl check --fix)`));
  if (notes.length > 0) lines.push('', ...notes);
  return lines.join('\n');
}

function indent(text: string): string {
  return text
    .split('\n')
    .map((line) => (line === '' ? '' : `  ${line}`))
    .join('\n');
}

function paint(severity: Severity, colors: Colors): string {
  switch (severity) {
    case 'error':
      return colors.bold(colors.red('error'));
    case 'warning':
      return colors.bold(colors.yellow('warning'));
    case 'info':
      return colors.bold(colors.blue('info'));
  }
}

function summaryLine(diagnostics: readonly Diagnostic[], colors: Colors): string {
  const text = summarize(diagnostics);
  if (diagnostics.some((diagnostic) => diagnostic.severity === 'error')) return colors.red(text);
  return diagnostics.length > 0 ? colors.yellow(text) : colors.green(text);
}
