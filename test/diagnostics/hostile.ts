/** Findings that tools choke on: what a user's text or a file's name may hold. */
import { createDiagnostic, type Diagnostic, Positions, type Severity } from '../../src/diagnostics/index.ts';

export const HOSTILE_TEXTS = [
  'two\nlines\r\nand a third\rone',
  '100% of a:b,c;d::e ]]> <b>&amp;</b> "quoted" \'single\' `code`',
  '::error file=x::injected',
  '\u0000\u0001\u0008\u000b\u001b[31mred\u001b[0m\u007f\u0085\u2028\u2029\ufffe\uffff',
  'lone \ud800 and \udc00 surrogates, whole 👩‍💻',
  '\u202eright to left\u202c ‏',
  '{0} {placeholder} [link](https://example.com) \\backslash',
  '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]>&a;',
  '\ttabs\tand   blanks ',
];

export const HOSTILE_FILES = [
  'src/a b.ts',
  'src/100%.ts',
  'src/a:b,c.ts',
  'src/q?x#y.ts',
  'src/line\nend.ts',
  'src/<&"\'>.ts',
  'src/\u001b[31m.ts',
  'src/\ud800.ts',
  'src/日本語/é.ts',
  '../lib/[id]/(group)/$x.ts',
];

const SEVERITIES: readonly Severity[] = ['error', 'warning', 'info'];

/** A finding for each combination of text and file name, in all severities. */
export function hostileFindings(): Diagnostic[] {
  return HOSTILE_FILES.flatMap((file, f) =>
    HOSTILE_TEXTS.map((text, t) => ({
      ...createDiagnostic('io-in-workflow', {
        file,
        span: new Positions(SOURCE).span(6, 11),
        message: text,
        chain: text,
        remedy: text,
        related: [{ file, span: new Positions(SOURCE).span(0, 5), message: text }],
        fix: { title: text, edits: [{ start: 6, end: 11, text }] },
      }),
      severity: SEVERITIES[(f + t) % 3] as Severity,
    })),
  );
}

export const SOURCE = 'const fetch = 1;\n\u001b[2Jsecond\n';

/** As many as a large and neglected project may have. */
export function manyFindings(count: number): Diagnostic[] {
  return Array.from({ length: count }, (_, index) =>
    createDiagnostic('io-in-workflow', {
      file: `src/m${index % 100}.ts`,
      span: {
        start: 0,
        end: 1,
        line: 1 + Math.floor(index / 100),
        column: 1,
        endLine: 1 + Math.floor(index / 100),
        endColumn: 2,
      },
      message: `Workflow calls \`fetch\` for the ${index}. time.`,
    }),
  );
}
