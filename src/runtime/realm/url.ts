/**
 * `URL` and `URLSearchParams`. Parsing asks the host, which has a whole implementation: a text goes there, the parts come
 * back as one text. The host's function is not reachable from workflow code, and neither are its errors.
 */
import { type HostUrl, URL_PARTS } from '../protocol.ts';

let hostUrl: HostUrl;

export function installHostUrl(host: HostUrl): void {
  hostUrl = host;
}

function ask(operation: string, href: string, value: string): string {
  let answer: unknown;
  try {
    answer = hostUrl(operation, href, value);
  } catch {
    // On a stack that is nearly full the error would be one of the host's.
    throw new RangeError('Maximum call stack size exceeded');
  }
  return typeof answer === 'string' ? answer : '';
}

type Part = (typeof URL_PARTS)[number];
type Parts = Record<Part, string>;

function split(answer: string): Parts | null {
  if (answer === '') return null;
  const values = answer.split('\n');
  const parts = {} as Parts;
  for (const [index, name] of URL_PARTS.entries()) parts[name] = values[index] ?? '';
  return parts;
}

export class URL {
  #parts: Parts;
  #params: URLSearchParams | undefined;

  constructor(input: unknown, base?: unknown) {
    const parts = resolve(input, base);
    if (!parts) {
      const error = new TypeError('Invalid URL');
      throw Object.assign(error, { code: 'ERR_INVALID_URL', input: String(input) });
    }
    this.#parts = parts;
  }

  static canParse(input: unknown, base?: unknown): boolean {
    return resolve(input, base) !== null;
  }

  static parse(input: unknown, base?: unknown): URL | null {
    return URL.canParse(input, base) ? new URL(input, base) : null;
  }

  get searchParams(): URLSearchParams {
    if (this.#params === undefined) {
      this.#params = new URLSearchParams(this.#parts.search);
      onChange.set(this.#params, (query) => this.#set('search', query));
    }
    return this.#params;
  }

  toString(): string {
    return this.#parts.href;
  }

  toJSON(): string {
    return this.#parts.href;
  }

  get [Symbol.toStringTag](): string {
    return 'URL';
  }

  #set(part: Part, value: string): void {
    const parts = split(ask(`set:${part}`, this.#parts.href, value));
    if (parts) this.#parts = parts;
  }

  static {
    for (const part of URL_PARTS) {
      Object.defineProperty(URL.prototype, part, {
        get(this: URL) {
          return this.#parts[part];
        },
        set:
          part === 'origin'
            ? undefined
            : function (this: URL, value: unknown) {
                const text = String(value);
                if (part === 'href') this.#parts = new URL(text).#parts;
                else this.#set(part, text);
                if ((part === 'href' || part === 'search') && this.#params) refill(this.#params, this.#parts.search);
              },
        enumerable: true,
        configurable: true,
      });
    }
  }
}

function resolve(input: unknown, base: unknown): Parts | null {
  const text = String(input);
  return split(base === undefined ? ask('parse', text, '') : ask('resolve', text, String(base)));
}

type Pair = [string, string];

/** Told when the parameters of a URL change. */
const onChange = new WeakMap<URLSearchParams, (query: string) => void>();

let refill: (params: URLSearchParams, query: string) => void;

export class URLSearchParams {
  #pairs: Pair[];

  constructor(init: unknown = '') {
    this.#pairs = pairsOf(init);
  }

  get size(): number {
    return this.#pairs.length;
  }

  append(name: string, value: string): void {
    this.#pairs.push([String(name), String(value)]);
    this.#changed();
  }

  delete(name: string, value?: string): void {
    this.#pairs = this.#pairs.filter((pair) => !matches(pair, name, value));
    this.#changed();
  }

  get(name: string): string | null {
    return this.#pairs.find(([key]) => key === String(name))?.[1] ?? null;
  }

  getAll(name: string): string[] {
    return this.#pairs.filter(([key]) => key === String(name)).map(([, value]) => value);
  }

  has(name: string, value?: string): boolean {
    return this.#pairs.some((pair) => matches(pair, name, value));
  }

  set(name: string, value: string): void {
    const key = String(name);
    const first = this.#pairs.findIndex((pair) => pair[0] === key);
    if (first < 0) this.#pairs.push([key, String(value)]);
    else {
      this.#pairs[first] = [key, String(value)];
      this.#pairs = this.#pairs.filter((pair, index) => index <= first || pair[0] !== key);
    }
    this.#changed();
  }

  sort(): void {
    this.#pairs.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    this.#changed();
  }

  forEach(callback: (value: string, name: string, params: URLSearchParams) => void, self?: unknown): void {
    for (const [name, value] of this.#pairs) Reflect.apply(callback, self, [value, name, this]);
  }

  *entries(): Generator<Pair, void, undefined> {
    for (const [name, value] of this.#pairs) yield [name, value];
  }

  *keys(): Generator<string, void, undefined> {
    for (const [name] of this.#pairs) yield name;
  }

  *values(): Generator<string, void, undefined> {
    for (const [, value] of this.#pairs) yield value;
  }

  [Symbol.iterator](): Generator<Pair, void, undefined> {
    return this.entries();
  }

  toString(): string {
    return this.#pairs.map(([name, value]) => `${encode(name)}=${encode(value)}`).join('&');
  }

  get [Symbol.toStringTag](): string {
    return 'URLSearchParams';
  }

  #changed(): void {
    onChange.get(this)?.(this.toString());
  }

  static {
    refill = (params, query) => {
      params.#pairs = pairsOf(query);
    };
  }
}

function matches([key, held]: Pair, name: string, value: string | undefined): boolean {
  return key === String(name) && (value === undefined || held === String(value));
}

function pairsOf(init: unknown): Pair[] {
  if (init === null || typeof init !== 'object') return parseQuery(String(init));
  if (Symbol.iterator in init) {
    return Array.from(init as Iterable<Iterable<unknown>>, (pair) => {
      const [name, value, ...more] = [...pair];
      if (value === undefined || more.length > 0) throw new TypeError('Each query pair must be a [name, value] tuple');
      return [String(name), String(value)];
    });
  }
  return Object.entries(init).map(([name, value]) => [name, String(value)]);
}

function parseQuery(text: string): Pair[] {
  const query = text.startsWith('?') ? text.slice(1) : text;
  return query
    .split('&')
    .filter((piece) => piece !== '')
    .map((piece) => {
      const at = piece.indexOf('=');
      return at < 0 ? [decode(piece), ''] : [decode(piece.slice(0, at)), decode(piece.slice(at + 1))];
    });
}

function encode(text: string): string {
  return encodeURIComponent(wellFormed(text))
    .replace(/%20/g, '+')
    .replace(/[!'()~]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** Half a surrogate pair would make the language's own encoder throw. */
function wellFormed(text: string): string {
  return text.replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '\ufffd');
}

function decode(text: string): string {
  const spaced = text.replace(/\+/g, ' ');
  try {
    return decodeURIComponent(spaced);
  } catch {
    // A malformed escape stays as it is, as the URL standard says.
    return spaced.replace(/(?:%[0-9a-f]{2})+/gi, (run) => {
      try {
        return decodeURIComponent(run);
      } catch {
        return '\ufffd';
      }
    });
  }
}
