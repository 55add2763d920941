import { parse, stringify } from 'devalue';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readScalars, writeScalars } from '../../src/runtime/serialization/scalars.ts';

const scalar = fc.oneof(
  fc.constantFrom<unknown>(null, undefined, true, false, 0, -0, 1, 5, Number.NaN, Infinity, 2 ** 53, 1.5, '', 'a', 'a'),
  fc.integer(),
  fc.string(),
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom('<script>', '"', '\\', '\u2028', '\ud800', 'A-1004', '\n', '\x7f'),
  fc.constantFrom<unknown>(1n, new Date(0), [], {}, [1]),
);
const plain = fc.oneof(
  fc.constantFrom<unknown>(null, true, false, 0, 1, 'a', 'b', 'A-1004'),
  fc.integer(),
  fc.string(),
);
const list = fc.oneof(
  fc.array(plain, { maxLength: 20 }),
  fc.array(scalar, { maxLength: 20 }),
  fc.array(fc.oneof(fc.array(plain, { maxLength: 6 }), plain), { maxLength: 5 }),
  fc.array(fc.oneof(fc.array(scalar, { maxLength: 4 }), fc.array(fc.array(plain)), scalar), { maxLength: 4 }),
  // One list in two places, and one that holds itself.
  fc.array(plain, { maxLength: 3 }).map((inner) => [inner, 1, inner]),
  fc.constantFrom<unknown>(
    new Array(1),
    Object.assign([1], { 2: 2 }),
    'text',
    5,
    null,
    { length: 1, 0: 1 },
    Object.setPrototypeOf([1], null),
  ),
);

test('what is written without devalue is what devalue writes', () => {
  let written = 0;
  fc.assert(
    fc.property(list, (value) => {
      const text = writeScalars(value);
      if (text === null) return;
      written++;
      expect(text).toBe(stringify(value));
    }),
    { numRuns: 5_000 },
  );
  expect(written).toBeGreaterThan(500);
});

test('what is read without devalue is what devalue reads', () => {
  let read = 0;
  fc.assert(
    fc.property(list, (value) => {
      const text = stringify(value);
      const found = readScalars(JSON.parse(text));
      if (found === null) return;
      read++;
      expect(found).toEqual(parse(text));
      expect(found).toEqual(value);
      if (found[0] === value) throw new Error('It is the same list.');
      const same = (array: unknown[]): boolean => Array.isArray(array[0]) && array[0] === array[2];
      expect(same(found)).toBe(same(value as unknown[]));
    }),
    { numRuns: 5_000 },
  );
  expect(read).toBeGreaterThan(500);
});

test.each([
  ['[[1]]'],
  ['[[1],[0]]'],
  ['[[1],[1]]'],
  ['[[1],[2],[3],5]'],
  ['[[2],5]'],
  ['[[0],5]'],
  ['[["Date","x"]]'],
  ['[[1],["Date","x"]]'],
  ['[[1],[-7,1]]'],
  ['[[1],[7],5]'],
  ['[[-1]]'],
  ['5'],
  ['[{"a":1},5]'],
  ['[["1"],5]'],
])('anything else is left to devalue: %s', (text) => {
  expect(readScalars(JSON.parse(text))).toBe(null);
});

test('the arguments of most calls are such lists', () => {
  const itself: unknown[] = [];
  itself.push([itself]);
  expect(stringify(itself)).toBe('[[1],[0]]');
  for (const value of [[], [5], ['A-1004', 3, true, null], ['same', 'same'], [[]], [[5]], [['A-1004', 3], [true]]])
    expect(writeScalars(value)).not.toBe(null);
});
