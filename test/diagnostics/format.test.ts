import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { createDiagnostic, formatDiagnostics, sortDiagnostics, summarize } from '../../src/diagnostics/index.ts';
import { chained, fixable, helper, text } from './findings.ts';

const options = { source: (file: string) => (file === 'src/quote.ts' ? text : helper) };

describe('tsc', () => {
  test('is one line a finding, with chain and remedy', () => {
    expect(formatDiagnostics([chained, fixable], 'tsc', options)).toBe(
      'src/quote.ts(3,22): error PAWL3002: Workflow `quote` reaches `fetch`. (quote → priceOf (src/pricing.ts:1:39) → fetch) Move it into a step.\n' +
        'src/pricing.ts(1,14): error PAWL1002: Not async.\n',
    );
  });

  test('is nothing for nothing', () => {
    expect(formatDiagnostics([], 'tsc', options)).toBe('');
  });
});

describe('json', () => {
  test('has the fields of the contract and no others', () => {
    expect(JSON.parse(formatDiagnostics([chained, fixable], 'json', options))).toEqual([
      {
        code: 'PAWL3002',
        rule: 'io-in-workflow',
        severity: 'error',
        file: 'src/quote.ts',
        line: 3,
        column: 22,
        endLine: 3,
        endColumn: 29,
        message:
          'Workflow `quote` reaches `fetch`. (quote → priceOf (src/pricing.ts:1:39) → fetch) Move it into a step.',
        related: [
          { file: 'src/quote.ts', line: 3, column: 22, message: '`quote` calls `priceOf`' },
          { file: 'src/pricing.ts', line: 1, column: 39, message: '`priceOf` calls `fetch`' },
        ],
      },
      {
        code: 'PAWL1002',
        rule: 'directive-not-async',
        severity: 'error',
        file: 'src/pricing.ts',
        line: 1,
        column: 14,
        endLine: 1,
        endColumn: 21,
        message: 'Not\nasync.',
        related: [],
        fix: { title: "Add 'async'", edits: [{ start: 0, end: 0, text: 'async ' }] },
      },
    ]);
  });

  test('is an array for nothing', () => {
    expect(formatDiagnostics([], 'json', options)).toBe('[]\n');
  });
});

describe('pretty', () => {
  test('has place, message, frame, chain and help', () => {
    expect(formatDiagnostics([chained], 'pretty', options)).toMatchInlineSnapshot(`
      "src/quote.ts:3:22 - error PAWL3002 io-in-workflow

        Workflow \`quote\` reaches \`fetch\`.

          2 |
        > 3 | export const quote = priceOf(1);
            |                      ^^^^^^^
          4 |

          src/quote.ts:3:22    \`quote\` calls \`priceOf\`
          src/pricing.ts:1:39  \`priceOf\` calls \`fetch\`

        help: Move it into a step.

      1 error in 1 file
      "
    `);
  });

  test('colours only when asked', () => {
    const plain = formatDiagnostics([chained, fixable], 'pretty', options);
    const coloured = formatDiagnostics([chained, fixable], 'pretty', { ...options, color: true });
    expect(plain).not.toContain('\u001b[');
    expect(coloured).toContain('\u001b[');
    expect(stripVTControlCharacters(coloured)).toBe(plain);
  });

  test('goes without a frame where the text is not at hand', () => {
    for (const source of [
      () => null,
      () => {
        throw new Error('gone');
      },
    ]) {
      expect(formatDiagnostics([fixable], 'pretty', { source })).not.toContain('^');
    }
  });
});

describe('order and summary', () => {
  test('file, place, code; repetitions once', () => {
    const place = (file: string, line: number, column: number, rule: 'duplicate-id' | 'io-in-workflow') =>
      createDiagnostic(rule, {
        file,
        span: { start: 0, end: 1, line, column, endLine: line, endColumn: column + 1 },
        message: 'm',
      });
    const sorted = sortDiagnostics([
      place('b.ts', 1, 1, 'duplicate-id'),
      place('a.ts', 10, 1, 'duplicate-id'),
      place('a.ts', 2, 9, 'duplicate-id'),
      place('a.ts', 2, 9, 'io-in-workflow'),
      place('a.ts', 2, 9, 'duplicate-id'),
    ]);
    expect(sorted.map(({ file, span, code }) => `${file}:${span.line}:${span.column} ${code}`)).toEqual([
      'a.ts:2:9 PAWL3002',
      'a.ts:2:9 PAWL6001',
      'a.ts:10:1 PAWL6001',
      'b.ts:1:1 PAWL6001',
    ]);
  });

  test.each([
    [[], 'no findings'],
    [[chained], '1 error in 1 file'],
    [[chained, fixable], '2 errors in 2 files'],
    [[chained, { ...fixable, severity: 'warning' as const }], '1 error and 1 warning in 2 files'],
    [
      [chained, { ...fixable, severity: 'warning' as const }, { ...fixable, severity: 'info' as const }],
      '1 error, 1 warning and 1 note in 2 files',
    ],
  ])('%#', (diagnostics, expected) => {
    expect(summarize(diagnostics)).toBe(expected);
  });
});
