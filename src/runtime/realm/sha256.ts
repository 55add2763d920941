/** SHA-256 of a text, in base64url: one-way, unlike the generators of `random.ts`. */
import { bytesToBase64 } from './base64.ts';
import { TextEncoder } from './encoding.ts';

const BLOCK = 64;

function isPrime(number: number): boolean {
  for (let factor = 2; factor * factor <= number; factor++) if (number % factor === 0) return false;
  return true;
}

/** The first 32 bits of the fractions of the roots of the first primes. */
function rootsOfPrimes(count: number, root: (prime: number) => number): number[] {
  const words: number[] = [];
  for (let number = 2; words.length < count; number++) {
    if (isPrime(number)) words.push(((root(number) % 1) * 2 ** 32) | 0);
  }
  return words;
}

const INITIAL = rootsOfPrimes(8, Math.sqrt);
const CONSTANTS = rootsOfPrimes(64, Math.cbrt);

export function sha256(text: string): string {
  const message = padded(new TextEncoder().encode(text));
  const state = Uint32Array.from(INITIAL);
  for (let offset = 0; offset < message.byteLength; offset += BLOCK) mix(state, message, offset);
  const digest = new DataView(new ArrayBuffer(32));
  for (const [index, word] of state.entries()) digest.setUint32(index * 4, word);
  return bytesToBase64(new Uint8Array(digest.buffer)).replaceAll('+', '-').replaceAll('/', '_').replace(/=$/, '');
}

/** A one, zeros, and the length in bits. */
function padded(bytes: Uint8Array): DataView {
  const length = Math.ceil((bytes.length + 9) / BLOCK) * BLOCK;
  const all = new Uint8Array(length);
  all.set(bytes);
  all[bytes.length] = 0x80;
  const view = new DataView(all.buffer);
  view.setUint32(length - 4, bytes.length * 8);
  return view;
}

function mix(state: Uint32Array, message: DataView, offset: number): void {
  const words = new Uint32Array(64);
  for (let index = 0; index < 64; index++)
    words[index] = index < 16 ? message.getUint32(offset + index * 4) : next(words, index);
  let [a, b, c, d, e, f, g, h] = state as unknown as [number, number, number, number, number, number, number, number];
  for (let index = 0; index < 64; index++) {
    const choice = (e & f) ^ (~e & g);
    const first = (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + choice + at(CONSTANTS, index) + at(words, index)) | 0;
    const majority = (a & b) ^ (a & c) ^ (b & c);
    const second = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + majority) | 0;
    [a, b, c, d, e, f, g, h] = [(first + second) | 0, a, b, c, (d + first) | 0, e, f, g];
  }
  for (const [index, word] of [a, b, c, d, e, f, g, h].entries()) state[index] = at(state, index) + word;
}

function next(words: Uint32Array, index: number): number {
  const near = at(words, index - 2);
  const far = at(words, index - 15);
  const first = turn(far, 7) ^ turn(far, 18) ^ (far >>> 3);
  const second = turn(near, 17) ^ turn(near, 19) ^ (near >>> 10);
  return at(words, index - 16) + first + at(words, index - 7) + second;
}

function turn(word: number, by: number): number {
  return (word >>> by) | (word << (32 - by));
}

function at(words: ArrayLike<number>, index: number): number {
  return words[index] as number;
}
