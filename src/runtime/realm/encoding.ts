/** `TextEncoder`, `TextDecoder` (UTF-8), `atob` and `btoa`, written in the language itself: the realm has no host to ask. */
import { domException } from './dom-exception.ts';

const REPLACEMENT = 0xfffd;

export class TextEncoder {
  get encoding(): string {
    return 'utf-8';
  }

  encode(input: unknown = ''): Uint8Array {
    const text = String(input);
    const bytes = new Uint8Array(text.length * 3);
    const { written } = this.encodeInto(text, bytes);
    return bytes.slice(0, written);
  }

  encodeInto(input: string, target: Uint8Array): { read: number; written: number } {
    const text = String(input);
    let read = 0;
    let written = 0;
    while (read < text.length) {
      let code = text.codePointAt(read) as number;
      const units = code > 0xffff ? 2 : 1;
      if (code >= 0xd800 && code <= 0xdfff) code = REPLACEMENT;
      const size = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
      if (written + size > target.length) break;
      if (size === 1) {
        target[written] = code;
      } else {
        target[written] = ((0xff00 >> size) & 0xff) | (code >> (6 * (size - 1)));
        for (let index = 1; index < size; index++) {
          target[written + index] = 0x80 | ((code >> (6 * (size - 1 - index))) & 0x3f);
        }
      }
      written += size;
      read += units;
    }
    return { read, written };
  }
}

interface DecoderOptions {
  fatal?: boolean;
  ignoreBOM?: boolean;
}

export class TextDecoder {
  readonly #fatal: boolean;
  readonly #ignoreBom: boolean;
  #left: number[] = [];
  #begun = false;

  constructor(label: unknown = 'utf-8', options: DecoderOptions = {}) {
    if (!/^\s*(?:utf-?8|unicode-1-1-utf-8|unicode11utf8|unicode20utf8|x-unicode20utf8)\s*$/i.test(String(label))) {
      throw new RangeError(`The encoding '${String(label)}' is not supported in workflow code: only utf-8 is.`);
    }
    this.#fatal = Boolean(options.fatal);
    this.#ignoreBom = Boolean(options.ignoreBOM);
  }

  get encoding(): string {
    return 'utf-8';
  }

  get fatal(): boolean {
    return this.#fatal;
  }

  get ignoreBOM(): boolean {
    return this.#ignoreBom;
  }

  decode(input?: ArrayBuffer | ArrayBufferView, options: { stream?: boolean } = {}): string {
    const bytes = bytesOf(input);
    const all = this.#left.length > 0 ? Uint8Array.from([...this.#left, ...bytes]) : bytes;
    const stream = Boolean(options.stream);
    const { text, rest } = this.#decodeAll(all, stream);
    this.#left = rest;
    const first = !this.#begun;
    this.#begun = stream;
    return first && !this.#ignoreBom && text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
  }

  #decodeAll(bytes: Uint8Array, stream: boolean): { text: string; rest: number[] } {
    const parts: string[] = [];
    let codes: number[] = [];
    let at = 0;
    while (at < bytes.length) {
      const { code, size } = decodeOne(bytes, at);
      if (code === INCOMPLETE && stream) break;
      if (code < 0) {
        if (this.#fatal) {
          this.#left = [];
          throw new TypeError('The encoded data was not valid for encoding utf-8');
        }
        codes.push(REPLACEMENT);
      } else {
        codes.push(code);
      }
      at += size;
      if (codes.length > 8192) {
        parts.push(String.fromCodePoint(...codes));
        codes = [];
      }
    }
    parts.push(String.fromCodePoint(...codes));
    return { text: parts.join(''), rest: [...bytes.subarray(at)] };
  }
}

const INVALID = -1;
const INCOMPLETE = -2;

/** One code point, or the longest invalid or incomplete piece, as the Encoding standard cuts them. */
function decodeOne(bytes: Uint8Array, at: number): { code: number; size: number } {
  const lead = bytes[at] as number;
  if (lead < 0x80) return { code: lead, size: 1 };
  const needed =
    lead >= 0xc2 && lead <= 0xdf ? 1 : lead >= 0xe0 && lead <= 0xef ? 2 : lead >= 0xf0 && lead <= 0xf4 ? 3 : 0;
  if (needed === 0) return { code: INVALID, size: 1 };
  let code = lead & (0x3f >> needed);
  let low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  let high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  for (let index = 1; index <= needed; index++) {
    const byte = bytes[at + index];
    if (byte === undefined) return { code: INCOMPLETE, size: index };
    if (byte < low || byte > high) return { code: INVALID, size: index };
    code = (code << 6) | (byte & 0x3f);
    low = 0x80;
    high = 0xbf;
  }
  return { code, size: needed + 1 };
}

function bytesOf(input: ArrayBuffer | ArrayBufferView | undefined): Uint8Array {
  if (input === undefined) return new Uint8Array(0);
  if (ArrayBuffer.isView(input)) return new Uint8Array(input.buffer, input.byteOffset, input.byteLength);
  return new Uint8Array(input);
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

export function btoa(input: unknown): string {
  const text = String(input);
  let out = '';
  for (let index = 0; index < text.length; index += 3) {
    const codes = [text.charCodeAt(index), text.charCodeAt(index + 1), text.charCodeAt(index + 2)];
    if (codes.some((code) => code > 0xff)) {
      throw domException('The text contains characters outside of the Latin1 range.', 'InvalidCharacterError');
    }
    const [a = 0, b = Number.NaN, c = Number.NaN] = codes;
    const bits = (a << 16) | (b << 8) | c;
    out += (ALPHABET[bits >> 18] as string) + (ALPHABET[(bits >> 12) & 63] as string);
    out += Number.isNaN(b) ? '=' : (ALPHABET[(bits >> 6) & 63] as string);
    out += Number.isNaN(c) ? '=' : (ALPHABET[bits & 63] as string);
  }
  return out;
}

export function atob(input: unknown): string {
  let text = String(input).replace(/[\t\n\f\r ]/g, '');
  if (text.length % 4 === 0) text = text.replace(/==?$/, '');
  if (text.length % 4 === 1 || /[^A-Za-z0-9+/]/.test(text)) {
    throw domException('The text to be decoded is not correctly encoded.', 'InvalidCharacterError');
  }
  const parts: string[] = [];
  let bits = 0;
  let count = 0;
  for (const character of text) {
    bits = (bits << 6) | ALPHABET.indexOf(character);
    count += 6;
    if (count >= 8) {
      count -= 8;
      parts.push(String.fromCharCode((bits >> count) & 0xff));
      bits &= (1 << count) - 1;
    }
  }
  return parts.join('');
}
