/** Where a text stops being JSON, which `JSON.parse` does not always say. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { jsonErrorAt } from '../../src/diagnostics/json-place.ts';

test.each([
  ['{ "name": }', 10],
  ['{ "a": 1,, }', 9],
  ['{ "a": 1, }', 10],
  ['[1,]', 3],
  ['[1 2]', 3],
  ['{ a: 1 }', 2],
  ["{ 'a': 1 }", 2],
  ['{ "a" 1 }', 6],
  ['{ "a": 01 }', 7],
  ['{ "a": "\n" }', 7],
  ['{ "a": "\\x" }', 7],
  ['{ "a": tru }', 7],
  ['{ "a": [1} }', 9],
  ['{ "a": 1', 8],
  ['{ "a": "b', 9],
  ['{ "a": "b\\', 10],
  ['{ "a": "b\\u00', 13],
  ['{ "a', 4],
  ['{ "a": "b\n', 7],
  ['{} {}', 3],
  [']', 0],
  ['', 0],
  ['// a\n{}', 0],
])('%j: at %d', (text, at) => {
  expect(() => JSON.parse(text)).toThrow(SyntaxError);
  expect(jsonErrorAt(text)).toBe(at);
});

test('it finds an error where `JSON.parse` does, and only there', () => {
  const isJson = (text: string): boolean => {
    try {
      JSON.parse(text);
      return true;
    } catch {
      return false;
    }
  };
  const damaged = fc
    .tuple(
      fc.json(),
      fc.nat(),
      fc.constantFrom('', ',', '}', ']', '"', '{', '[', ':', '0', ' ', '-', '\\', 'null', '\n'),
    )
    .map(([text, at, piece]) => {
      const cut = at % (text.length + 1);
      return text.slice(0, cut) + piece + text.slice(cut + (piece === '' ? 1 : 0));
    });
  fc.assert(
    fc.property(fc.oneof(fc.json(), damaged), (text) => {
      expect(jsonErrorAt(text) === null).toBe(isJson(text));
    }),
    { numRuns: 2000 },
  );
});
