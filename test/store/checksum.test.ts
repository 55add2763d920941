import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checksum } from '../../src/store/sqlite/checksum.ts';

test('is the CRC-32 of the text in UTF-8, short or long, ASCII or not', () => {
  expect(checksum('123456789')).toBe(0xcbf43926);
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 600 }), (text) => {
      expect(checksum(text)).toBe(crc32(text));
    }),
  );
  fc.assert(
    fc.property(fc.string({ minLength: 350, maxLength: 450 }), (text) => {
      expect(checksum(text)).toBe(crc32(text));
    }),
  );
});
