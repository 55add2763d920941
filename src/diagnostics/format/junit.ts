import { fullMessage } from '../create.ts';
import type { Diagnostic } from '../types.ts';
import { type FormatOptions, inRepository } from './options.ts';
import { wellFormed } from './text.ts';

/**
 * A JUnit report: a suite for each file, a test for each finding. Errors fail; warnings and notes pass with a text, as the exit code has
 * it. Without findings there is one test that passes: readers take a report without tests for a broken one.
 */
export function formatJunit(diagnostics: readonly Diagnostic[], options: FormatOptions): string {
  const byFile = new Map<string, Diagnostic[]>();
  for (const diagnostic of diagnostics) {
    const list = byFile.get(diagnostic.file);
    if (list) list.push(diagnostic);
    else byFile.set(diagnostic.file, [diagnostic]);
  }
  const suites = [...byFile].map(([file, found]) => suite(inRepository(file, options), found));
  if (suites.length === 0) {
    suites.push(
      '  <testsuite name="pawl check" tests="1" failures="0" errors="0">\n' +
        '    <testcase name="no findings" classname="pawl check"/>\n' +
        '  </testsuite>',
    );
  }
  const counts = `tests="${Math.max(1, diagnostics.length)}" failures="${failures(diagnostics)}" errors="0"`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="pawl" ${counts}>\n${suites.join('\n')}\n</testsuites>\n`;
}

function failures(diagnostics: readonly Diagnostic[]): number {
  return diagnostics.filter(({ severity }) => severity === 'error').length;
}

function suite(file: string, diagnostics: readonly Diagnostic[]): string {
  const name = escapeXml(file);
  const cases = diagnostics.map((diagnostic) => testCase(name, diagnostic));
  const counts = `tests="${diagnostics.length}" failures="${failures(diagnostics)}" errors="0"`;
  return `  <testsuite name="${name}" ${counts}>\n${cases.join('\n')}\n  </testsuite>`;
}

function testCase(file: string, diagnostic: Diagnostic): string {
  const { code, rule, severity, span } = diagnostic;
  const message = escapeXml(fullMessage(diagnostic));
  const name = `${escapeXml(`${code} ${rule}`)} (${span.line}:${span.column})`;
  const text = `${file}:${span.line}:${span.column} ${severity} ${message}`;
  const outcome =
    severity === 'error'
      ? `<failure type="${escapeXml(code)}" message="${message}">${text}</failure>`
      : `<system-out>${text}</system-out>`;
  return `    <testcase name="${name}" classname="${file}" file="${file}" line="${span.line}">\n      ${outcome}\n    </testcase>`;
}

// XML 1.0 has no place for these, not even escaped.
const FORBIDDEN = /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g;

const ENTITIES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  // As they are, readers would make blanks of them in attributes.
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
};

function escapeXml(text: string): string {
  return wellFormed(text)
    .replace(FORBIDDEN, '\ufffd')
    .replace(/[&<>"\t\n\r]/g, (character) => ENTITIES[character] as string);
}
