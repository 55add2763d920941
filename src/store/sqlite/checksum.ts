import { crc32 } from 'node:zlib';

/** Above so many characters the native function is the faster one. */
const SHORT = 400;
const POLYNOMIAL = 0xedb88320;

const TABLE = new Int32Array(256).map((_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1;
  return value;
});

/** CRC-32 of the text in UTF-8. For the short ASCII text of most events without a call into C++, which takes ten times as long. */
export function checksum(text: string): number {
  const { length } = text;
  if (length > SHORT) return crc32(text);
  let value = -1;
  for (let index = 0; index < length; index++) {
    const code = text.charCodeAt(index);
    if (code > 127) return crc32(text);
    value = (TABLE[(value ^ code) & 255] as number) ^ (value >>> 8);
  }
  return (value ^ -1) >>> 0;
}
