/** Bytes as text. As `atob` and `btoa` without their detour over texts, which takes minutes for what is large. */
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

const VALUES = new Uint8Array(128);
for (let index = 0; index < ALPHABET.length; index++) VALUES[ALPHABET.charCodeAt(index)] = index;

const CODES = Uint8Array.from(ALPHABET, (character) => character.charCodeAt(0));
const PADDING = 61;

/** Texts are put together in pieces of so many bytes: arguments go onto the stack. A multiple of 3. */
const PIECE = 6144;

export function bytesToBase64(bytes: Uint8Array): string {
  const { length } = bytes;
  const codes = new Uint8Array((PIECE / 3) * 4);
  let text = '';
  for (let from = 0; from < length; from += PIECE) {
    const to = from + PIECE < length ? from + PIECE : length;
    let size = 0;
    for (let index = from; index < to; index += 3) {
      const a = bytes[index] as number;
      const b = bytes[index + 1] ?? 0;
      const c = bytes[index + 2] ?? 0;
      codes[size++] = CODES[a >> 2] as number;
      codes[size++] = CODES[((a & 3) << 4) | (b >> 4)] as number;
      codes[size++] = CODES[((b & 15) << 2) | (c >> 6)] as number;
      codes[size++] = CODES[c & 63] as number;
    }
    const over = (to - from) % 3;
    if (over !== 0) codes[size - 1] = PADDING;
    if (over === 1) codes[size - 2] = PADDING;
    text += String.fromCharCode.apply(null, codes.subarray(0, size) as unknown as number[]);
  }
  return text;
}

/** @param text with padding, as `bytesToBase64` and Node write it */
export function base64ToBytes(text: string): Uint8Array<ArrayBuffer> {
  const { length } = text;
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const bytes = new Uint8Array((length / 4) * 3 - padding);
  let at = 0;
  for (let index = 0; index < length; index += 4) {
    const bits =
      ((VALUES[text.charCodeAt(index)] as number) << 18) |
      ((VALUES[text.charCodeAt(index + 1)] as number) << 12) |
      ((VALUES[text.charCodeAt(index + 2)] as number) << 6) |
      (VALUES[text.charCodeAt(index + 3)] as number);
    // Beyond the end nothing is written.
    bytes[at++] = bits >> 16;
    bytes[at++] = bits >> 8;
    bytes[at++] = bits;
  }
  return bytes;
}
