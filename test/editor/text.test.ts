import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { EditorText } from '../../src/editor/text.ts';

const texts = fc.array(fc.constantFrom('a', '𝒳', '👩‍💻', '\n', '\r\n', '\r', '\u2028', '\t', 'é'), { maxLength: 40 });

test('offsets are positions as the protocol counts them', () => {
  fc.assert(
    fc.property(texts, fc.nat(90), (pieces, at) => {
      const raw = pieces.join('');
      const document = TextDocument.create('file:///a.ts', 'typescript', 1, raw);
      const offset = Math.min(at, raw.length);
      const text = new EditorText(raw);
      expect(text.positionAt(offset)).toEqual(document.positionAt(offset));
      const position = document.positionAt(offset);
      expect(text.offsetAt(position)).toBe(document.offsetAt(position));
    }),
  );
});

test('positions outside of the text are taken to its edge', () => {
  const text = new EditorText('ab\r\ncd');
  expect(text.offsetAt({ line: 0, character: 99 })).toBe(2);
  expect(text.offsetAt({ line: 9, character: 0 })).toBe(6);
  expect(text.offsetAt({ line: -1, character: 4 })).toBe(0);
  expect(text.positionAt(99)).toEqual({ line: 1, character: 2 });
  expect(text.positionAt(3)).toEqual({ line: 0, character: 2 });
});

test('a byte order mark is a character to the editor, and none to the checker', () => {
  const text = new EditorText('\ufeffab\ncd');
  expect(text.text).toBe('ab\ncd');
  expect(text.positionAt(0)).toEqual({ line: 0, character: 1 });
  expect(text.offsetAt({ line: 0, character: 2 })).toBe(1);
  expect(text.offsetAt({ line: 0, character: 0 })).toBe(0);
  expect(text.rangeOf({ start: 3, end: 4 })).toEqual({
    start: { line: 1, character: 0 },
    end: { line: 1, character: 1 },
  });
});
