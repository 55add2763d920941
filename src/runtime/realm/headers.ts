/** `Headers`, as the Fetch standard has them. */
import type { HeadersData } from '../serialization/http.ts';

const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they end a header, or its line.
// oxlint-disable-next-line no-control-regex
const FORBIDDEN = /[\u0000\r\n]|[^\u0000-\u00ff]/;

export class Headers {
  /** By lower-case names, in the order in which they came. */
  #list: HeadersData = [];

  constructor(init?: unknown) {
    if (init === undefined || init === null) return;
    if (typeof init !== 'object')
      throw new TypeError('Headers are made from an object, or from pairs of name and value');
    if (Symbol.iterator in init) {
      for (const pair of init as Iterable<Iterable<unknown>>) {
        const [name, value, ...more] = [...pair];
        if (value === undefined || more.length > 0)
          throw new TypeError('Each header pair must be a [name, value] tuple');
        this.append(name, value);
      }
    } else {
      for (const name of Object.keys(init)) this.append(name, (init as Record<string, unknown>)[name]);
    }
  }

  append(name: unknown, value: unknown): void {
    this.#list.push([nameOf(name), valueOf(value)]);
  }

  delete(name: unknown): void {
    const key = nameOf(name);
    this.#list = this.#list.filter(([each]) => each !== key);
  }

  get(name: unknown): string | null {
    const key = nameOf(name);
    const values = this.#list.filter(([each]) => each === key).map(([, value]) => value);
    return values.length === 0 ? null : values.join(', ');
  }

  getSetCookie(): string[] {
    return this.#list.filter(([name]) => name === 'set-cookie').map(([, value]) => value);
  }

  has(name: unknown): boolean {
    const key = nameOf(name);
    return this.#list.some(([each]) => each === key);
  }

  set(name: unknown, value: unknown): void {
    const key = nameOf(name);
    const text = valueOf(value);
    const first = this.#list.findIndex(([each]) => each === key);
    if (first < 0) {
      this.#list.push([key, text]);
      return;
    }
    this.#list[first] = [key, text];
    this.#list = this.#list.filter(([each], index) => index <= first || each !== key);
  }

  forEach(callback: (value: string, name: string, headers: Headers) => void, self?: unknown): void {
    for (const [name, value] of this.#sorted()) Reflect.apply(callback, self, [value, name, this]);
  }

  *entries(): Generator<[string, string], void, undefined> {
    yield* this.#sorted();
  }

  *keys(): Generator<string, void, undefined> {
    for (const [name] of this.#sorted()) yield name;
  }

  *values(): Generator<string, void, undefined> {
    for (const [, value] of this.#sorted()) yield value;
  }

  [Symbol.iterator](): Generator<[string, string], void, undefined> {
    return this.entries();
  }

  get [Symbol.toStringTag](): string {
    return 'Headers';
  }

  /** By name, values of one name joined; cookies each for itself. */
  #sorted(): HeadersData {
    const names = [...new Set(this.#list.map(([name]) => name))].sort();
    return names.flatMap((name): HeadersData => {
      if (name === 'set-cookie') return this.getSetCookie().map((value) => [name, value]);
      return [[name, this.get(name) ?? '']];
    });
  }
}

function nameOf(name: unknown): string {
  const text = String(name);
  if (!NAME.test(text)) throw new TypeError(`${JSON.stringify(text)} is no name of a header`);
  return text.toLowerCase();
}

function valueOf(value: unknown): string {
  const text = String(value).replace(/^[\t\n\r ]+|[\t\n\r ]+$/g, '');
  if (FORBIDDEN.test(text)) throw new TypeError(`${JSON.stringify(text)} is no value of a header`);
  return text;
}
