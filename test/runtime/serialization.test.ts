import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { CancelledError, FatalError, RetryableError } from '../../src/index.ts';
import { createCodec, type Codec } from '../../src/runtime/serialization/codec.ts';
import { passthroughCodec } from '../../src/runtime/serialization/passthrough.ts';
import { CLASS_ID, deserialize, serialize } from '../../src/runtime/serialization/symbols.ts';
import { closeAll, setup } from './support.ts';

afterEach(closeAll);

const codec: Codec = createCodec({
  step: (reference) => reference,
  workflow: (id) => ({ workflow: id }),
  class: () => undefined,
});
const to = { root: 'value', what: 'a test' };
const round = <T>(value: T): T => codec.parse(codec.stringify(value, to)) as T;

/** Everything that structured cloning takes and that equals by content. */
const anything = fc
  .anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withSet: true,
    withTypedArray: true,
    withSparseArray: true,
    withUnicodeString: true,
    withNullPrototype: true,
    withBoxedValues: true,
    maxDepth: 4,
  })
  .filter((value) => !hasProtoKey(value));

/** `__proto__` as a key is refused: see below. */
function hasProtoKey(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (value instanceof Map) return [...value].flat().some(hasProtoKey);
  if (value instanceof Set) return [...value].some(hasProtoKey);
  return Object.keys(value).includes('__proto__') || Object.values(value).some(hasProtoKey);
}

describe('values', () => {
  test('come back as they were', () => {
    fc.assert(
      fc.property(anything, (value) => {
        expect(round(value)).toStrictEqual(value);
      }),
      { numRuns: 500 },
    );
  });

  test('come back as they were from the realm, through a workflow', async () => {
    const { run } = await setup({
      workflows: `const echo = step('echo'); workflow('w', async (values) => { const out = []; for (const v of values) out.push(await echo(v)); return out; });`,
      steps: { echo: async (value: unknown) => value },
    });
    const values = fc.sample(anything, { numRuns: 150, seed: 7 });
    expect(await run('w', values)).toStrictEqual(values);
  });

  test('that are special', () => {
    for (const value of [
      undefined,
      null,
      -0,
      Number.NaN,
      Infinity,
      -Infinity,
      2n ** 70n,
      '',
      '\ud800',
      new Date(Number.NaN),
      /a\/b/giu,
      new URL('https://a.example/?b'),
      new URLSearchParams('a=1'),
    ]) {
      expect(round(value)).toStrictEqual(value);
      expect(round([value])).toStrictEqual([value]);
    }
    expect(Object.is(round(-0), -0)).toBe(true);
    expect(round(new Uint16Array([1, 2, 3]).subarray(1))).toStrictEqual(new Uint16Array([2, 3]));
    expect(round(Buffer.from('hello'))).toStrictEqual(new Uint8Array(Buffer.from('hello')));
  });

  test('that are shared or cyclic keep their shape', () => {
    const shared = { a: 1 };
    const value: { one: object; two: object; self?: object; map: Map<object, object> } = {
      one: shared,
      two: shared,
      map: new Map([[shared, shared]]),
    };
    value.self = value;
    const copy = round(value);
    expect(copy.one).toBe(copy.two);
    expect(copy.self).toBe(copy);
    expect(copy.map.get(copy.one)).toBe(copy.one);
  });

  test('the text is JSON after a version', () => {
    expect(codec.stringify([1, 'a'], to)).toBe('1[[1,2],1,"a"]');
    expect(codec.stringify(undefined, to)).toBe('1-1');
  });

  test.each([
    ['2[[1],5]', 'PAWL_DATA_VERSION', /format version 2/],
    ['[[1],5]', 'PAWL_DATA_INVALID', /no format version/],
  ])('%s is refused', (data, code, message) => {
    expect(() => codec.parse(data)).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) }));
  });
});

describe('errors', () => {
  const same = (error: Error): void => {
    const copy = round(error);
    expect(copy).toBeInstanceOf(error.constructor as ErrorConstructor);
    expect({ ...copy, name: copy.name, message: copy.message, stack: copy.stack }).toEqual({
      ...error,
      name: error.name,
      message: error.message,
      stack: error.stack,
    });
    expect(Object.keys(copy)).toEqual(Object.keys(error));
  };

  test('keep class, message, stack and fields', () => {
    for (const error of [
      new Error('e'),
      new TypeError('t'),
      new RangeError(''),
      new SyntaxError('s'),
      new URIError('u'),
      new EvalError('v'),
      new ReferenceError('r'),
      new FatalError('f'),
      new CancelledError('c'),
      new RetryableError('later', { retryAfter: '5s' }),
      new RetryableError({ retryAfter: 5 }),
      Object.assign(new Error('with fields'), { code: 'E_CODE', status: 404, detail: { list: [1n, new Date(0)] } }),
      new DOMException('aborted', 'AbortError'),
    ])
      same(error);
  });

  test('keep causes and parts, to any depth', () => {
    const error = new Error('top', { cause: new TypeError('middle', { cause: { code: 5 } }) });
    const copy = round(error);
    expect(copy.cause).toBeInstanceOf(TypeError);
    expect((copy.cause as Error).cause).toEqual({ code: 5 });
    const many = round(new AggregateError([new RangeError('a'), 'b'], 'many'));
    expect(many).toBeInstanceOf(AggregateError);
    expect(many.errors).toEqual([new RangeError('a'), 'b']);
    const cyclic = new Error('cyclic');
    cyclic.cause = cyclic;
    expect(codec.parse(codec.stringifyThrown(cyclic))).toMatchObject({ message: 'cyclic' });
  });

  test('of unknown classes keep their name', () => {
    class HttpError extends Error {
      override name = 'HttpError';
      status = 500;
    }
    const copy = round(new HttpError('down'));
    expect(copy).toBeInstanceOf(Error);
    expect([copy.name, copy.message, copy.status]).toEqual(['HttpError', 'down', 500]);
  });

  test('get across whatever hangs on them', () => {
    const error = Object.assign(new Error('request failed'), {
      socket: { on() {} },
      status: 500,
      retry: () => {},
      sym: Symbol('x'),
    });
    Object.defineProperty(error, 'bad', {
      enumerable: true,
      get() {
        throw new Error('getter');
      },
    });
    const copy = round(error) as typeof error;
    expect({ ...copy }).toEqual({ status: 500 });
    expect(round(new Error('x', { cause: () => {} })).cause).toMatch(/=>/);
  });

  test('whatever is thrown becomes data', () => {
    const read = (thrown: unknown): unknown => codec.parse(codec.stringifyThrown(thrown));
    expect(read('text')).toBe('text');
    expect(read({ code: 1 })).toEqual({ code: 1 });
    expect(read(() => {})).toMatchObject({ message: 'A value was thrown: a function' });
    expect(read(Symbol('s'))).toMatchObject({ message: 'A value was thrown: the symbol s' });
    // oxlint-disable-next-line typescript/no-extraneous-class
    class Odd {
      static [serialize](): never {
        throw new Error('cannot');
      }
    }
    expect(read(Object.assign(new Error('still'), { odd: new Odd() }))).toMatchObject({ message: 'still' });
  });
});

describe('what cannot cross', () => {
  // oxlint-disable-next-line typescript/no-extraneous-class
  class Client {}
  const cases: [unknown, string][] = [
    [{ a: { save() {} } }, 'value.a.save is the function save.'],
    [[1, { 'odd key': [() => {}] }], 'value[1]["odd key"][0] is a function.'],
    [{ s: Symbol('x') }, 'value.s is the symbol x.'],
    [{ c: new Client() }, 'value.c is a Client.'],
    [new Map([['k', new WeakMap()]]), 'value.get("k") is a WeakMap.'],
    [{ p: Promise.resolve() }, 'value.p is a promise.'],
    [{ [Symbol('k')]: 1 }, 'value is an object with symbols or __proto__ as keys.'],
    [JSON.parse('{"__proto__": 1}'), 'value is an object with symbols or __proto__ as keys.'],
    [new Error('x'), ''],
  ];
  test.each(cases.filter(([, message]) => message !== ''))('%o', (value, message) => {
    expect(() => codec.stringify(value, to)).toThrow(
      expect.objectContaining({ code: 'PAWL_NOT_SERIALIZABLE', message, remedy: expect.any(String), place: 'a test' }),
    );
  });

  test('a class without an id', () => {
    // oxlint-disable-next-line typescript/no-extraneous-class
    class Point {
      static [serialize](value: Point): unknown {
        return { ...value };
      }
    }
    expect(() => codec.stringify(new Point(), to)).toThrow(expect.objectContaining({ code: 'PAWL_CLASS_UNKNOWN' }));
    Object.defineProperty(Point, CLASS_ID, { value: 'src/p.ts#Point' });
    const data = codec.stringify({ at: new Point() }, to);
    expect(() => codec.parse(data)).toThrow(/src\/p.ts#Point is not known here/);
  });
});

test('reading without the program and writing again gives the same', () => {
  class Point {
    x = 1;
    static [serialize](value: Point): unknown {
      return { x: value.x };
    }
    static [deserialize](): Point {
      return new Point();
    }
  }
  Object.defineProperty(Point, CLASS_ID, { value: 'src/p.ts#Point' });
  const step = Object.defineProperty(() => {}, 'stepId', { value: 'src/a.ts#charge' });
  const workflow = Object.defineProperty(() => {}, 'workflowId', { value: 'src/a.ts#fulfil' });
  const data = codec.stringify(
    { point: new Point(), Point, step, workflow, error: new FatalError('x', { cause: new Point() }) },
    to,
  );
  const passthrough = passthroughCodec();
  expect(passthrough.stringify(passthrough.parse(data), to)).toBe(data);
});
