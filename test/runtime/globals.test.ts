import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { closeAll, settle, setup } from './support.ts';

afterEach(closeAll);

/** Evaluates the body of an async function in workflow code, with `input` in scope. */
async function evaluate<T = unknown>(body: string, input?: unknown, options: { seed?: string } = {}): Promise<T> {
  const { run } = await setup(
    { workflows: `workflow('w', async (input) => { ${body} });` },
    { newSeed: () => options.seed ?? 'seed' },
  );
  return run<T>('w', input);
}

describe('time', () => {
  test('is that of the event, whatever the clock does meanwhile', async () => {
    const { start, clock } = await setup({
      workflows: `workflow('w', async () => {
        const seen = [Date.now(), new Date().getTime(), performance.now(), performance.timeOrigin];
        for (let i = 0; i < 1e5; i++);
        seen.push(Date.now()); await sleep(1234); seen.push(Date.now(), performance.now(), new Date().toISOString()); return seen; });`,
    });
    const t = clock.now();
    const run = await start('w');
    await settle();
    clock.advance(5000);
    expect(await run.returnValue).toEqual([t, t, 0, t, t, t + 1234, 1234, new Date(t + 1234).toISOString()]);
  });

  test('dates are in UTC and en-US, whatever the host is set to', async () => {
    const result = await evaluate<unknown[]>(`
      const d = new Date(2020, 0, 31, 12, 30, 15, 250);
      return [d.toISOString(), d.toString(), d.getHours(), d.getTimezoneOffset(), d.toLocaleString(), d.toLocaleDateString(), d.toLocaleTimeString(),
        d.toLocaleDateString('de-DE', { weekday: 'long' }), new Intl.DateTimeFormat().resolvedOptions().timeZone,
        new Intl.NumberFormat().resolvedOptions().locale, (1234567.5).toLocaleString(), d.toDateString(), d.toTimeString(),
        new Date('2020-06-01T10:00').toISOString(), new Date('2020-06-01').toISOString(), new Date('June 1, 2020 10:00').toISOString(),
        new Date('Mon, 01 Jun 2020 10:00:00 GMT+0200').toISOString(), Date.parse('2020-06-01T10:00:00-05:00'), typeof Date(), new Date(NaN).toString(),
        new Date(2020, 1, 30).getDate(), new Date(99, 0).getFullYear(), d.getYear(), new Date(d).getTime() === d.getTime(), Date.length, Date.name];`);
    expect(result).toEqual(
      [
        '2020-01-31T12:30:15.250Z',
        'Fri Jan 31 2020 12:30:15 GMT+0000 (Coordinated Universal Time)',
        12,
        0,
        '1/31/2020, 12:30:15 PM',
        '1/31/2020',
        '12:30:15 PM',
        'Freitag',
        'UTC',
        'en-US',
        '1,234,567.5',
        'Fri Jan 31 2020',
        '12:30:15 GMT+0000 (Coordinated Universal Time)',
        '2020-06-01T10:00:00.000Z',
        '2020-06-01T00:00:00.000Z',
        '2020-06-01T10:00:00.000Z',
        '2020-06-01T08:00:00.000Z',
        Date.UTC(2020, 5, 1, 15),
        'string',
        'Invalid Date',
        1,
        1999,
        120,
        true,
        7,
        'Date',
      ].map((each) => (typeof each === 'string' ? expect.stringMatching(new RegExp(`^${escape(each)}$`)) : each)),
    );
  });

  /** Spaces in times are narrow ones in newer versions of ICU. */
  const escape = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll(' ', '\\s');

  test('subclasses and Date as a function keep working', async () => {
    expect(
      await evaluate(`class D extends Date { year() { return this.getFullYear(); } }
        const d = new D(Date.UTC(2021, 5)); return [d.year(), d instanceof Date, d.constructor === D, new Date().constructor === Date, JSON.stringify(new Date(0))];`),
    ).toEqual([2021, true, true, true, '"1970-01-01T00:00:00.000Z"']);
  });
});

describe('randomness', () => {
  const BODY = `return [Math.random(), Math.random(), crypto.randomUUID(), [...crypto.getRandomValues(new Uint8Array(8))], createHook().token];`;

  test('is a function of the seed', async () => {
    const first = await evaluate(BODY, null, { seed: 'a' });
    expect(await evaluate(BODY, null, { seed: 'a' })).toEqual(first);
    expect(await evaluate(BODY, null, { seed: 'b' })).not.toEqual(first);
  });

  test('is well spread, and ids are valid', async () => {
    const { numbers, ids } = await evaluate<{ numbers: number[]; ids: string[] }>(
      `return { numbers: Array.from({ length: 20000 }, () => Math.random()), ids: Array.from({ length: 100 }, () => crypto.randomUUID()) };`,
    );
    expect(numbers.every((each) => each >= 0 && each < 1)).toBe(true);
    expect(new Set(numbers).size).toBe(20000);
    expect(numbers.reduce((a, b) => a + b) / 20000).toBeCloseTo(0.5, 1);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(new Set(ids).size).toBe(100);
  });
});

describe('what a workflow cannot do', () => {
  test.each([
    ['setTimeout(() => {}, 1)', /sleep/],
    ['setInterval(() => {}, 1)', /sleep/],
    ["fetch('https://a.example')", /step/],
    ["new WebSocket('wss://a.example')", /step/],
    ['new FormData()', /step/],
    ['crypto.subtle', /step/],
    ['AbortSignal.timeout(5)', /sleep/],
    ['getStepMetadata()', /getWorkflowMetadata/],
  ])('%s throws an error that says what to do instead', async (code, remedy) => {
    const { run } = await setup({
      workflows: `const { getStepMetadata } = __pawl.api; workflow('w', async () => { ${code}; });`,
    });
    await expect(run('w')).rejects.toMatchObject({
      cause: { code: 'PAWL_NOT_IN_WORKFLOW', remedy: expect.stringMatching(remedy) },
    });
  });

  test('what is not there is undefined', async () => {
    expect(
      await evaluate(
        `return [typeof process, typeof Buffer, typeof WeakRef, typeof FinalizationRegistry, typeof Atomics, typeof SharedArrayBuffer, typeof WebAssembly, typeof require, typeof navigator];`,
      ),
    ).toEqual(Array.from({ length: 9 }, () => 'undefined'));
  });
});

test('globalThis is the run’s own', async () => {
  const { run } = await setup({
    workflows: `workflow('w', async (name) => { const before = globalThis.x; globalThis.x = name; globalThis.Array = 'mine'; self.y = 1;
      return [before, globalThis.x, globalThis.Array, Array.isArray([]), globalThis.y, globalThis.globalThis === globalThis, typeof globalThis.Date, 'Map' in globalThis]; });`,
  });
  const expected = (name: string) => [undefined, name, 'mine', true, 1, true, 'function', true];
  expect(await run('w', 'a')).toEqual(expected('a'));
  expect(await run('w', 'b')).toEqual(expected('b'));
});

test('modules of a bundle are evaluated for each run', async () => {
  const { run } = await setup({
    workflows: `let count = 0; const cache = new Map(); workflow('w', async () => { count++; cache.set(count, 1); return [count, cache.size]; });`,
  });
  expect([await run('w'), await run('w')]).toEqual([
    [1, 1],
    [1, 1],
  ]);
});

describe('encodings agree with the host', () => {
  /** Checks many inputs in one run. */
  async function compare<T>(body: string, inputs: T[], expected: (input: T) => unknown): Promise<void> {
    const results = await evaluate<unknown[]>(
      `return input.map((each) => { try { return (${body})(each); } catch (e) { return 'threw ' + e.name; } });`,
      inputs,
    );
    for (const [index, input] of inputs.entries()) {
      let wanted: unknown;
      try {
        wanted = expected(input);
      } catch (error) {
        wanted = `threw ${(error as Error).name}`;
      }
      expect(results[index], JSON.stringify(input)).toEqual(wanted);
    }
  }
  const texts = fc.sample(
    fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string(),
      fc.string({ unit: fc.nat(0xffff).map((code) => String.fromCharCode(code)) }),
    ),
    { numRuns: 400, seed: 1 },
  );
  const bytes = fc.sample(fc.uint8Array({ maxLength: 24 }), { numRuns: 400, seed: 2 });
  // Mostly valid sequences with a byte changed.
  const near = texts.flatMap((text, index) => {
    const encoded = new TextEncoder().encode(text);
    if (encoded.length === 0) return [];
    encoded[index % encoded.length] = (index * 37) & 0xff;
    return [encoded];
  });

  test('TextEncoder', () =>
    compare('(t) => [...new TextEncoder().encode(t)]', texts, (text) => [...new TextEncoder().encode(text)]));
  test('TextDecoder', () =>
    compare('(b) => new TextDecoder().decode(b)', [...bytes, ...near], (each) => new TextDecoder().decode(each)));
  test('TextDecoder, fatal', () =>
    compare('(b) => new TextDecoder("utf-8", { fatal: true }).decode(b)', [...bytes, ...near], (each) =>
      new TextDecoder('utf-8', { fatal: true }).decode(each),
    ));
  test('TextDecoder, in pieces', () =>
    compare(
      '(b) => { const d = new TextDecoder(); return d.decode(b.slice(0, 3), { stream: true }) + d.decode(b.slice(3)); }',
      near,
      (each) => {
        const decoder = new TextDecoder();
        return decoder.decode(each.slice(0, 3), { stream: true }) + decoder.decode(each.slice(3));
      },
    ));
  test('btoa and atob', async () => {
    const latin = bytes.map((each) => String.fromCharCode(...each));
    await compare('(t) => btoa(t)', [...latin, 'ž'], (text) => btoa(text));
    await compare(
      '(t) => atob(t)',
      [...latin.map((text) => btoa(text)), 'YQ', ' Y Q= =', 'a', '%', 'YQ===', ''],
      (text) => atob(text),
    );
  });
  test('URL', async () => {
    const urls = [
      'https://user:pass@example.com:8080/a/../b?x=1&y=%20#frag',
      'HTTP://EXAMPLE.com',
      'https://münchen.example/ä?ö#ü',
      'nonsense',
      '',
      'file:///etc/passwd',
      'mailto:a@b.example',
      'https://[::1]/',
      'https://1.2.3',
      'javascript:alert(1)',
      'https://example.com:443/',
      'https://exa mple.com',
      'data:text/plain,hi',
      ...fc.sample(fc.webUrl({ withQueryParameters: true, withFragments: true }), { numRuns: 60, seed: 3 }),
    ];
    const parts = [
      'href',
      'protocol',
      'username',
      'password',
      'host',
      'hostname',
      'port',
      'pathname',
      'search',
      'hash',
      'origin',
    ] as const;
    await compare(
      `(t) => { const u = new URL(t); return [${parts.map((part) => `u.${part}`)}, String(u), JSON.stringify(u), [...u.searchParams]]; }`,
      urls,
      (text) => {
        const url = new URL(text);
        return [...parts.map((part) => url[part]), String(url), JSON.stringify(url), [...url.searchParams]];
      },
    );
    await compare(
      '(t) => new URL(t, "https://base.example/a/b").href',
      ['../c', '//x.example', '?q', '#h', 'https://y.example/z', ''],
      (text) => new URL(text, 'https://base.example/a/b').href,
    );
  });
  test('URL, changed', async () => {
    const change = `(v) => { const u = new URL('https://a.example/p?x=1#h'); const p = u.searchParams; const seen = [];
      for (const k of ['hash', 'host', 'hostname', 'password', 'pathname', 'port', 'protocol', 'search', 'username']) { u[k] = v; seen.push(u.href, [...p].join()); }
      p.append('added', v); seen.push(u.href); p.set('x', v); p.delete('added'); p.sort(); seen.push(u.href, p.size, p.get('x'), p.getAll('x'), p.has('x', v), p.toString()); return seen; }`;
    // oxlint-disable-next-line no-eval
    const host = (0, eval)(change) as (value: string) => unknown;
    await compare(change, ['b', 'q=1&q=2', 'ü&=?#/', '8081', 'http', '', 'a b+c', "!'()~*"], host);
  });
  test('URLSearchParams', async () => {
    const inputs = ['a=1&b=2', '?a=%20+%2B', '&&=&x', 'ä=ö', '%E0%A4%A', 'a=1&a=2', '%zz=1'];
    await compare('(t) => [String(new URLSearchParams(t)), [...new URLSearchParams(t)]]', inputs, (text) => [
      String(new URLSearchParams(text)),
      [...new URLSearchParams(text)],
    ]);
    await compare(
      '(t) => String(new URLSearchParams(t))',
      [
        { a: '1', b: 'x y' },
        [
          ['a', '1'],
          ['a', '2'],
        ],
      ] as never[],
      (init) => String(new URLSearchParams(init)),
    );
    await compare('(t) => String(new URLSearchParams([["k", t]]))', texts, (text) =>
      String(new URLSearchParams([['k', text]])),
    );
  });
});

test('structuredClone copies what the host’s does', async () => {
  const body = `
    const shared = { n: 1 }; const cycle = { shared, list: [shared, undefined, -0, NaN, 5n, , 'x'] }; cycle.self = cycle;
    const value = { cycle, date: new Date(5), re: /a/gi, map: new Map([[shared, new Set([1])]]), bytes: new Uint8Array([1, 2, 3]).subarray(1), view: new DataView(new ArrayBuffer(4), 1),
      error: new RangeError('r', { cause: new TypeError('c') }), boxed: Object('b'), nothing: null, klass: new (class X { a = 1; get b() { return 2; } })() };
    const copy = structuredClone(value);
    const refused = [() => {}, Symbol('s'), new WeakMap(), Promise.resolve()].map((each) => { try { structuredClone(each); } catch (e) { return e.name; } });
    return [copy.cycle.self === copy.cycle, copy.cycle.shared === copy.cycle.list[0], copy.cycle !== cycle, Object.is(copy.cycle.list[2], -0), 5 in copy.cycle.list, copy.date.getTime(), copy.re.flags,
      [...copy.map.keys()][0] === copy.cycle.shared, [...copy.bytes], copy.bytes.buffer.byteLength, copy.view.byteOffset, copy.error instanceof RangeError, copy.error.cause.message, typeof copy.boxed,
      copy.klass.constructor === Object, JSON.stringify(copy.klass), refused];`;
  // oxlint-disable-next-line no-new-func
  const host = new Function(body) as () => unknown[];
  expect(await evaluate(body)).toEqual(host());
});

test('AbortController and its signals', async () => {
  expect(
    await evaluate(`
      const c = new AbortController(); const seen = [];
      c.signal.addEventListener('abort', (e) => seen.push(e.type, e.target === c.signal), { once: true }); c.signal.onabort = () => seen.push('on');
      const any = AbortSignal.any([new AbortController().signal, c.signal]);
      c.abort(); c.abort('again');
      try { c.signal.throwIfAborted(); } catch (e) { seen.push(e.name, e instanceof DOMException, e.code); }
      seen.push(any.aborted, any.reason === c.signal.reason, AbortSignal.abort('why').reason);
      try { new AbortSignal(); } catch (e) { seen.push(e.name); }
      return seen;`),
  ).toEqual(['on', 'abort', true, 'AbortError', true, 20, true, true, 'why', 'TypeError']);
});

test('queueMicrotask runs in order, and what it throws is not lost', async () => {
  expect(
    await evaluate(
      `const seen = []; queueMicrotask(() => seen.push(1)); Promise.resolve().then(() => seen.push(2)); await null; await null; return seen;`,
    ),
  ).toEqual([1, 2]);
  const { run } = await setup({
    workflows: `workflow('w', async () => { queueMicrotask(() => { throw new Error('lost'); }); });`,
  });
  await expect(run('w')).rejects.toMatchObject({ cause: { code: 'PAWL_UNHANDLED_REJECTION' } });
});

test('console shows all kinds of values', async () => {
  const { run, events } = await setup({
    workflows: `workflow('w', async () => {
      const cycle = {}; cycle.self = cycle;
      console.log('%s is %d years, %i, %j and %%', 'Ann', 42.5, 42.5, { a: 1 }, 'rest', cycle);
      console.info(new Map([[1, { a: new Set(['x']) }]]), [undefined, null, -0, 3n, Symbol('s'), () => {}, function named() {}], new Date(0), /x/g);
      console.warn(new (class Order { id = 1; })(), { 'odd key': 1, ok: 2 }, new Uint8Array([1, 2]), [[[[[['deep']]]]]]);
      console.assert(true, 'no'); console.assert(false, 'yes'); console.time('x'); console.group('g'); console.groupEnd();
      console.log(new Proxy({}, { ownKeys() { throw new Error('x'); } })); });`,
  });
  await run('w');
  expect(events.flatMap((event) => (event.type === 'console' ? [`${event.level}: ${event.text}`] : []))).toEqual([
    'log: Ann is 42.5 years, 42, { a: 1 } and % rest { self: [circular] }',
    'info: Map {1 => { a: Set {"x"} }} [undefined, null, -0, 3n, Symbol(s), [function (anonymous)], [function named]] 1970-01-01T00:00:00.000Z /x/g',
    'warn: Order { id: 1 } { "odd key": 1, ok: 2 } Uint8Array [1, 2] [[[[[[array]]]]]]',
    'error: Assertion failed: yes',
    'log: g',
    'log: [cannot be shown]',
  ]);
});
