import { fullMessage } from '../create.ts';
import { fingerprints } from '../fingerprint.ts';
import type { Diagnostic, Severity } from '../types.ts';
import { type FormatOptions, inRepository, safely } from './options.ts';
import { wellFormed } from './text.ts';

const SEVERITIES: Record<Severity, string> = { error: 'major', warning: 'minor', info: 'info' };

/** A report of GitLab's Code Quality: `artifacts: reports: codequality: FILE`. An array, also when there are no findings. */
export function formatGitlab(diagnostics: readonly Diagnostic[], options: FormatOptions): string {
  const names = fingerprints(diagnostics, safely(options.source));
  const issues = diagnostics.map((diagnostic, index) => ({
    description: wellFormed(fullMessage(diagnostic)),
    check_name: `${diagnostic.code} ${diagnostic.rule}`,
    fingerprint: names[index],
    severity: SEVERITIES[diagnostic.severity],
    location: {
      path: wellFormed(inRepository(diagnostic.file, options)),
      lines: { begin: diagnostic.span.line, end: diagnostic.span.endLine },
    },
  }));
  return `${JSON.stringify(issues, null, 2)}\n`;
}
