import { describe, expect, test } from 'vitest';
import {
  applyFixes,
  CODES,
  createDiagnostic,
  findRule,
  nearest,
  suggestRule,
  type TextEdit,
} from '../../src/diagnostics/index.ts';
import { editDistance } from '../../src/diagnostics/nearest.ts';

describe('the table of codes', () => {
  const infos = Object.values(CODES);

  test('codes are unique and have four digits', () => {
    expect(new Set(infos.map(({ code }) => code)).size).toBe(infos.length);
    for (const { code } of infos) expect(code).toMatch(/^PAWL[1-9]\d{3}$/);
  });

  test('names are kebab case, and rules are found by code, number and name', () => {
    for (const [name, { code }] of Object.entries(CODES)) {
      expect(name).toMatch(/^[a-z]+(-[a-z]+)*$/);
      for (const word of [code, code.toLowerCase(), code.slice(4), name, name.toUpperCase(), ` ${name} `]) {
        expect(findRule(word)?.name).toBe(name);
      }
    }
    expect(findRule('constructor')).toBeNull();
    expect(findRule('')).toBeNull();
  });
});

describe('suggestions', () => {
  test.each([
    ['io-in-workflo', 'io-in-workflow'],
    ['PAWL3020', 'PAWL3002'],
    ['duplicate_id', 'duplicate-id'],
    ['something-else-entirely', null],
  ])('%s', (word, expected) => {
    expect(suggestRule(word)).toBe(expected);
  });

  test('the first of the nearest is taken, and nothing far', () => {
    expect(nearest('tcs', ['json', 'tsc', 'tcp'])).toBe('tsc');
    expect(nearest('x', ['pretty'])).toBeNull();
  });

  test.each([
    ['', '', 0],
    ['a', '', 1],
    ['ab', 'ba', 1],
    ['kitten', 'sitting', 3],
  ])('distance of %j and %j', (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
    expect(editDistance(b, a)).toBe(distance);
  });
});

describe('fixes', () => {
  const withEdits = (start: number, edits: TextEdit[]) =>
    createDiagnostic('duplicate-directive', {
      file: 'a.ts',
      span: { start, end: start + 1, line: 1, column: start + 1, endLine: 1, endColumn: start + 2 },
      message: 'm',
      fix: { title: `fix at ${start}`, edits },
    });

  test('are applied in any order of reports', () => {
    const fixes = [withEdits(4, [{ start: 4, end: 5, text: 'E' }]), withEdits(0, [{ start: 0, end: 0, text: '>' }])];
    expect(applyFixes('abcdef', fixes).text).toBe('>abcdEf');
  });

  test('go in whole or not at all', () => {
    const first = withEdits(0, [{ start: 0, end: 2, text: 'X' }]);
    const second = withEdits(1, [
      { start: 1, end: 3, text: 'Y' },
      { start: 5, end: 6, text: 'Z' },
    ]);
    const { text, applied } = applyFixes('abcdef', [first, second]);
    expect(text).toBe('Xcdef');
    expect(applied.map(({ title }) => title)).toEqual(['fix at 0']);
  });

  test('two insertions at one place wait for each other, neighbours do not', () => {
    const insert = (start: number) => withEdits(start, [{ start, end: start, text: '+' }]);
    expect(applyFixes('ab', [insert(1), insert(1)]).applied).toHaveLength(1);
    expect(
      applyFixes('abcd', [
        withEdits(0, [{ start: 0, end: 2, text: '' }]),
        withEdits(2, [{ start: 2, end: 3, text: '' }]),
      ]).text,
    ).toBe('d');
  });

  test('an edit outside of the text is left out', () => {
    expect(applyFixes('ab', [withEdits(0, [{ start: 1, end: 9, text: '' }])])).toEqual({ text: 'ab', applied: [] });
  });
});
