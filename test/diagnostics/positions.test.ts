import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Positions } from '../../src/diagnostics/index.ts';

describe('lines and columns', () => {
  test.each([
    ['LF', 'a\nbc\nd', 5, 3, 1],
    ['CRLF is one end', 'a\r\nbc\r\nd', 7, 3, 1],
    ['a lone CR ends a line', 'a\rbc', 2, 2, 1],
    ['line separators end lines', 'a\u2028b\u2029c', 4, 3, 1],
    ['a tab is one column', '\t\tx', 2, 1, 3],
    ['astral characters are two UTF-16 units, as in tsc', 'const 😀x', 8, 1, 9],
    ['a byte order mark takes no column', '\ufeffab', 2, 1, 2],
    ['the end of the text', 'a\n', 2, 2, 1],
    ['an empty text', '', 0, 1, 1],
  ])('%s', (_name, text, offset, line, column) => {
    expect(new Positions(text).at(offset)).toEqual({ line, column });
  });

  test('the byte order mark itself has the place of what follows', () => {
    expect(new Positions('\ufeffab').at(0)).toEqual({ line: 1, column: 1 });
  });

  test('a span has both ends', () => {
    expect(new Positions('ab\r\ncd').span(1, 5)).toEqual({
      start: 1,
      end: 5,
      line: 1,
      column: 2,
      endLine: 2,
      endColumn: 2,
    });
  });

  test('any text: lines and columns lead back to the offset', () => {
    const text = fc.array(fc.constantFrom('a', '😀', '\t', '\n', '\r\n', '\r', '\u2028', 'é'), { maxLength: 40 });
    fc.assert(
      fc.property(text, fc.nat(), (pieces, seed) => {
        const source = pieces.join('');
        const offset = source.length === 0 ? 0 : seed % (source.length + 1);
        const positions = new Positions(source);
        const { line, column } = positions.at(offset);
        expect((positions.lineStarts[line - 1] as number) + column - 1).toBe(offset);
      }),
    );
  });
});
