import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { CancelledError, FatalError, RetryableError } from '../../src/index.ts';
import { createCodec, type Codec } from '../../src/runtime/serialization/codec.ts';
import { passthroughCodec } from '../../src/runtime/serialization/passthrough.ts';
import { CLASS_ID, deserialize, serialize } from '../../src/runtime/serialization/symbols.ts';
import { deliverPayload } from '../../src/runtime/hook-delivery.ts';
import { closeAll, settle, setup } from './support.ts';

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

describe('what is too much', () => {
  const nested = (levels: number): object => {
    let value: object = { end: true };
    for (let level = 1; level < levels; level++) value = { next: value };
    return value;
  };
  const tooDeep = {
    code: 'PAWL_NOT_SERIALIZABLE',
    message: expect.stringMatching(/^value\.next\.next\.next\.next… is nested deeper than 1000 levels\.$/),
    remedy: expect.stringMatching(/^Pass it flat/),
  };

  test('the same depth for every engine, cold or warm', () => {
    expect(round(nested(1000))).toEqual(nested(1000));
    expect(() => codec.stringify(nested(1001), to)).toThrow(expect.objectContaining(tooDeep));
    expect(() => codec.stringify(nested(50_000), to)).toThrow(expect.objectContaining(tooDeep));
    for (let round = 0; round < 3000; round++) codec.stringify(nested(40), to);
    expect(() => codec.stringify(nested(1001), to)).toThrow(expect.objectContaining(tooDeep));
  });

  test('wide values are none', () => {
    const sparse = Object.assign([], { 5000: nested(10), 9000: nested(10) });
    const ring: { self?: unknown } = {};
    ring.self = ring;
    const wide = Array.from({ length: 3000 }, (_, index) => ({
      index,
      bytes: new Uint16Array(new ArrayBuffer(32), 2 * (index % 8), 4),
      map: new Map([[{ index }, new Set([{ index }])]]),
      bare: Object.assign(Object.create(null) as object, { a: { b: index } }),
      ring,
    }));
    expect(round({ wide, sparse, again: [wide, sparse] })).toEqual({ wide, sparse, again: [wide, sparse] });
  });

  test.each<[string, (value: object) => object, RegExp]>([
    ['arrays', (value) => [value], /^value\[0\]\[0\]\[0\]\[0\]… is nested/],
    ['maps', (value) => new Map([['k', value]]), /^value\.get\("k"\)\.get\("k"\)/],
    ['sets', (value) => new Set([value]), /^value\(0\)/],
    ['keys that are no names', (value) => ({ 'a b': value }), /^value\["a b"\]\["a b"\]/],
  ])('%s', (_, wrap, message) => {
    let value: object = {};
    for (let level = 0; level < 2000; level++) value = wrap(value);
    expect(() => codec.stringify(value, to)).toThrow(
      expect.objectContaining({ code: 'PAWL_NOT_SERIALIZABLE', message: expect.stringMatching(message) }),
    );
  });

  test('what the program makes without end while it is written', () => {
    let deeper = 0;
    const endless = (): object =>
      Object.defineProperty({}, 'next', { enumerable: true, get: () => (deeper++ < 1e6 ? endless() : null) });
    expect(() => codec.stringify(endless(), to)).toThrow(expect.objectContaining(tooDeep));

    class Twin {
      declare private readonly twin: true;
      static [serialize](): unknown {
        return [new Twin()];
      }
    }
    Object.defineProperty(Twin, CLASS_ID, { value: 'src/t.ts#Twin' });
    expect(() => codec.stringify({ a: new Twin() }, to)).toThrow(
      expect.objectContaining({
        code: 'PAWL_NOT_SERIALIZABLE',
        message: 'value has no end: writing it took all of the stack.',
        remedy: expect.stringMatching(/serialize method/),
      }),
    );
  });

  test('text that no string can hold', () => {
    const half = 'x'.repeat(2 ** 28);
    expect(() => codec.stringify({ half, other: `${half}y` }, to)).toThrow(
      expect.objectContaining({
        code: 'PAWL_NOT_SERIALIZABLE',
        message: 'value is too large: as text it takes more than 256 million characters.',
        remedy: expect.stringMatching(/^Keep what is large elsewhere/),
      }),
    );
  }, 60_000);

  test('data of another making that is too deep to read has a code', () => {
    const flat = Array.from({ length: 100_000 }, (_, index) => [index + 1]);
    expect(() => codec.parse(`1${JSON.stringify([...flat, 1])}`)).toThrow(
      expect.objectContaining({ code: 'PAWL_DATA_INVALID', message: expect.stringMatching(/too deeply/) }),
    );
  });

  test('an error with a deep field gets across without it', () => {
    const copy = codec.parse(codec.stringifyThrown(Object.assign(new TypeError('t'), { a: 1, deep: nested(5000) })));
    expect(copy).toMatchObject({ name: 'TypeError', message: 't', a: 1 });
    expect(copy).not.toHaveProperty('deep');
    // What is warm takes less stack, and could go deeper than is allowed.
    for (let round = 0; round < 500; round++) codec.stringify(nested(1000), to);
    for (let levels = 1001; levels < 6000; levels += 200) {
      const warm = codec.parse(
        codec.stringifyThrown(Object.assign(new TypeError('t'), { a: 1, deep: nested(levels) })),
      );
      expect(warm).toMatchObject({ message: 't', a: 1 });
      expect(warm).not.toHaveProperty('deep');
    }
    let chain = new Error('first');
    for (let level = 0; level < 3000; level++) chain = new Error(`level ${level}`, { cause: chain });
    expect(codec.parse(codec.stringifyThrown(chain))).toMatchObject({ message: 'level 2999' });
  });

  const PROGRAM = `const work = step('work');
    const nested = (n) => { let v = {}; while (n-- > 1) v = { next: v }; return v; };
    workflow('result', async () => work(5000));
    workflow('arguments', async () => work(1, nested(5000)));
    workflow('own', async () => nested(5000));
    workflow('caught', async () => { try { return await work(5000); } catch (e) { return [e.code, e.place]; } });
    workflow('input', async (x) => x);
    workflow('hook', async () => createHook({ token: 't' }));`;

  test('a step whose result it is runs once, and no other value fails without a code and a place', async () => {
    let calls = 0;
    const { run, start, worker } = await setup({
      workflows: PROGRAM,
      steps: {
        work: async (levels: number) => {
          calls++;
          return nested(levels);
        },
      },
    });
    const failure = (message: RegExp, place: string) =>
      expect.objectContaining({
        cause: expect.objectContaining({
          code: 'PAWL_NOT_SERIALIZABLE',
          message: expect.stringMatching(message),
          place,
          remedy: expect.stringMatching(/^Pass it flat/),
        }),
      });
    await expect(run('result')).rejects.toEqual(failure(/^result\.next.*1000 levels/, 'the result of step work'));
    expect(calls).toBe(1);
    expect(await run('caught')).toEqual(['PAWL_NOT_SERIALIZABLE', 'the result of step work']);
    expect(calls).toBe(2);
    await expect(run('arguments')).rejects.toEqual(failure(/^args\[1\]\.next/, 'the input of step work'));
    expect(calls).toBe(2);
    await expect(run('own')).rejects.toEqual(failure(/^result\.next/, 'the result of workflow own'));
    await expect(run('input', nested(5000))).rejects.toMatchObject({
      code: 'PAWL_NOT_SERIALIZABLE',
      place: 'the arguments of workflow input',
      message: expect.stringMatching(/^args\[0\]\.next/),
    });
    const waiting = await start('hook');
    await settle();
    await expect(deliverPayload(worker, 't', nested(5000))).rejects.toMatchObject({
      code: 'PAWL_NOT_SERIALIZABLE',
      place: 'the payload for hook t',
    });
    await deliverPayload(worker, 't', nested(900));
    expect(await waiting.returnValue).toEqual(nested(900));
  });
});
