import { describe, expect, test } from 'vitest';
import { createColors } from '../../src/diagnostics/colors.ts';
import { codeFrame, displayWidth } from '../../src/diagnostics/frame.ts';
import { Positions } from '../../src/diagnostics/index.ts';

const colors = createColors(false);

function frame(text: string, needle: string, context?: number): string {
  const start = text.indexOf(needle);
  return codeFrame(text, new Positions(text).span(start, start + needle.length), { colors, context });
}

/** The text that stands above the carets. */
function underlined(text: string, needle: string): string {
  const [line = '', carets = ''] = frame(text, needle, 0).split('\n');
  const from = carets.indexOf('^');
  let width = 0;
  let found = '';
  for (const character of line) {
    if (width >= from && width < from + carets.trim().split(' ').at(-1)!.length) found += character;
    width += displayWidth(character);
  }
  return found;
}

describe('the code frame', () => {
  test('shows the lines around', () => {
    expect(frame('one\ntwo\nthree\nfour', 'two')).toBe(
      ['  1 | one', '> 2 | two', '    | ^^^', '  3 | three'].join('\n'),
    );
  });

  test('pads line numbers to one width', () => {
    const text = Array.from({ length: 11 }, (_, index) => `line${index + 1};`).join('\n');
    expect(frame(text, 'line10')).toBe(
      ['   9 | line9;', '> 10 | line10;', '     | ^^^^^^', '  11 | line11;'].join('\n'),
    );
  });

  test.each([
    ['after tabs', '\t\tawait fetch(x);'],
    ['after wide characters', "const 価格 = '値段'; fetch(x);"],
    ['after emoji', "say('😀😀'); fetch(x);"],
    ['after combining marks', "say('e\u0301'); fetch(x);"],
    ['after CRLF lines', 'a\r\nb; fetch(x);\r\nc'],
    ['behind a byte order mark', '\ufefffetch(x);'],
  ])('underlines exactly %s', (_name, text) => {
    expect(underlined(text, 'fetch')).toBe('fetch');
  });

  test('underlines a wide name over its width', () => {
    expect(frame('価格 = 1', '価格', 0)).toBe(['> 1 | 価格 = 1', '    | ^^^^'].join('\n'));
  });

  test('an empty span has one caret', () => {
    expect(codeFrame('ab', new Positions('ab').span(2, 2), { colors })).toBe(['> 1 | ab', '    |   ^'].join('\n'));
  });

  test('a span over lines is underlined to the end of its first', () => {
    expect(frame('const a = {\n  b,\n};', '{\n  b,\n}', 0)).toBe(['> 1 | const a = {', '    |           ^'].join('\n'));
  });

  test('a long line is cut around the finding', () => {
    const text = `${'x'.repeat(5000)};fetch(y);${'z'.repeat(5000)}`;
    const [line = '', carets = ''] = frame(text, 'fetch', 0).split('\n');
    expect(line.length).toBeLessThan(140);
    expect(line.slice(carets.indexOf('^'), carets.lastIndexOf('^') + 1)).toBe('fetch');
  });

  test('no line ends in a blank', () => {
    expect(frame('one\n\nthree', 'three')).not.toMatch(/[ \t]$/m);
  });
});
