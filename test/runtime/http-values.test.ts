/** `Headers`, `Request` and `Response` cross between workflows, steps and callers, with their bodies. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { resumeHook, start as startFrom } from '../../src/runtime/client.ts';
import { base64ToBytes, bytesToBase64 } from '../../src/runtime/realm/base64.ts';
import { Headers as RealmHeaders } from '../../src/runtime/realm/headers.ts';
import { sha256 } from '../../src/runtime/realm/sha256.ts';
import { createCodec } from '../../src/runtime/serialization/codec.ts';
import { hostPlatform, stringifyWithBodies } from '../../src/runtime/serialization/http-host.ts';
import { DEFINITION } from '../../src/runtime/serialization/symbols.ts';
import { closeAll, settle, setup } from './support.ts';

afterEach(closeAll);

const codec = createCodec({
  step: (reference) => reference,
  workflow: (id) => id,
  class: () => undefined,
  platform: hostPlatform(),
});
const to = { root: 'value', what: 'a test' };
const round = async <T>(value: T): Promise<T> => codec.parse(await stringifyWithBodies(codec, value, to)) as T;

const BINARY = Uint8Array.from({ length: 70_000 }, (_, index) => (index * 7919) & 0xff);

describe('on the host', () => {
  test('headers come back, cookies each for itself', async () => {
    const headers = new Headers([
      ['a', '1'],
      ['A', '2'],
      ['set-cookie', 'x=1'],
      ['set-cookie', 'y=2'],
    ]);
    expect([...(await round({ headers })).headers]).toEqual([...headers]);
  });

  test('a request comes back, without a type that it had not', async () => {
    const request = new Request('https://a.example/b?c=d#e', { method: 'PUT', body: BINARY, redirect: 'manual' });
    const back = await round(request);
    expect([back.url, back.method, back.redirect, [...back.headers]]).toEqual([request.url, 'PUT', 'manual', []]);
    expect(Buffer.compare(await back.bytes(), BINARY)).toBe(0);
    // What arrived crosses also after it was read.
    expect(Buffer.compare(await (await round(back)).bytes(), BINARY)).toBe(0);
  });

  test.each([
    ['text', 'žluťoučký 🐎 \ufeff'],
    ['an empty text', ''],
    ['bytes that are no text', new Uint8Array([0xff, 0xfe, 0x80])],
    ['bytes that are text but for their zeros', new Uint8Array(10)],
    ['nothing', null],
  ])('a response comes back with %s', async (_, body) => {
    const response = new Response(body, { status: 201, statusText: 'Made', headers: { 'x-a': 'b' } });
    const copy = response.clone();
    const back = await round(response);
    expect([back.status, back.statusText, back.headers.get('x-a')]).toEqual([201, 'Made', 'b']);
    expect(back.headers.get('content-type')).toBe(copy.headers.get('content-type'));
    expect(await back.bytes()).toEqual(await copy.bytes());
    expect(back.body === null).toBe(copy.body === null);
  });

  test('what has no body, or went wrong, comes back', async () => {
    expect((await round(new Response(null, { status: 204 }))).status).toBe(204);
    expect((await round(Response.error())).type).toBe('error');
    expect((await round(Response.redirect('https://a.example/', 307))).headers.get('location')).toBe(
      'https://a.example/',
    );
  });

  test('one message in two places is one, and many bodies are read in one go', async () => {
    const response = new Response('a');
    const [first, second, ...others] = await round([
      response,
      response,
      ...['b', 'c'].map((text) => new Response(text)),
    ]);
    expect(first).toBe(second);
    expect(await Promise.all([first, ...others].map((each) => each?.text()))).toEqual(['a', 'b', 'c']);
  });

  test.each([
    ['of the host', Response],
    // As servers do that bring a faster one.
    ['of a library', class Response$1 extends Response {}],
  ])('a body %s that was read is refused, with its path and a way out', async (_, Class) => {
    const response = new Class('gone');
    await response.text();
    expect(() => codec.stringify({ list: [response] }, to)).toThrow(
      expect.objectContaining({
        code: 'PAWL_NOT_SERIALIZABLE',
        message: 'value.list[0] is a Response whose body was read already.',
        remedy: expect.stringContaining('clone()'),
      }),
    );
  });

  test('in an error a message that would have to be read is left out', () => {
    const error = Object.assign(new Error('HTTP 500'), { status: 500, response: new Response('a long page') });
    expect(codec.parse(codec.stringifyThrown(error))).toMatchObject({ message: 'HTTP 500', status: 500 });
    expect(codec.parse(codec.stringifyThrown(error))).not.toHaveProperty('response');
    expect(error.response.bodyUsed).toBe(false);
  });
});

describe('through a workflow', () => {
  const echo = `const echo = step('echo'); workflow('w', async (...values) => { const out = []; for (const v of values) out.push(await echo(v)); return out; });`;

  test('all that a caller passes, which a step gets as the real thing', async () => {
    const seen: unknown[] = [];
    const { worker } = await setup({
      workflows: echo,
      steps: {
        echo: async (value: unknown) => {
          seen.push(value);
          return value;
        },
      },
    });
    const request = new Request('https://a.example/', { method: 'POST', body: BINARY, headers: { 'x-a': 'b' } });
    const run = await startFrom('w', [request, new Response('text', { status: 202 }), new Headers({ c: 'd' })]);
    void worker;
    const [one, two, three] = (await run.returnValue) as [Request, Response, Headers];
    expect([one, two, three].map((each) => each.constructor.name)).toEqual(['Request', 'Response', 'Headers']);
    expect(seen[0]).toBeInstanceOf(Request);
    expect(Buffer.compare(await one.bytes(), BINARY)).toBe(0);
    expect(one.headers.get('x-a')).toBe('b');
    expect([two.status, await two.text(), two.headers.get('content-type')]).toEqual([
      202,
      'text',
      'text/plain;charset=UTF-8',
    ]);
    expect(three.get('c')).toBe('d');
  });

  test('what a step fetched, with its URL', async () => {
    const server = createServer((_request, response) => {
      response.setHeader('content-type', 'application/json');
      response.end('{"price":5}');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/price`;
    const { run } = await setup({
      workflows: `workflow('w', async (url) => { const r = await step('get')(url); return [r.ok, r.status, r.url, r.headers.get('content-type'), await r.json(), r.bodyUsed]; });`,
      steps: { get: (target: string) => fetch(target) },
    });
    expect(await run('w', url)).toEqual([true, 200, url, 'application/json', { price: 5 }, true]);
    await new Promise((resolve) => server.close(resolve));
  });

  test('a request is an argument of a run, body and all, however the run is started', async () => {
    const made = await setup({
      workflows: `workflow('w', async (r) => [r.method, await r.text()]); workflow('d', async (r) => r.text());`,
      registry: {
        workflows: new Map([
          ['d', { [DEFINITION]: { kind: 'workflow', parseInput: async (input: unknown) => input } }],
        ]),
      },
    });
    const request = (): Request => new Request('https://a.example/', { method: 'POST', body: 'whole' });
    expect(await (await made.start('w', request())).returnValue).toEqual(['POST', 'whole']);
    expect(await (await startFrom('w', [request()])).returnValue).toEqual(['POST', 'whole']);
    expect(await (await made.start('d', request())).returnValue).toBe('whole');
    const broken = new ReadableStream({
      pull() {
        throw new TypeError('the line is cut');
      },
    });
    await expect(made.start('w', new Response(broken))).rejects.toMatchObject({ message: 'the line is cut' });
    expect(await made.store.listRuns()).toMatchObject({ runs: { length: 3 } });
  });

  test('a body that fails while it is read fails the attempt, which is made again', async () => {
    let calls = 0;
    const { start, clock } = await setup({
      workflows: `workflow('w', async () => (await step('get')()).text());`,
      steps: {
        get: async () => {
          if (++calls > 1) return new Response('whole');
          return new Response(
            new ReadableStream({
              pull() {
                throw new Error('cut off');
              },
            }),
          );
        },
      },
    });
    const run = await start('w');
    await settle();
    clock.advance(10_000);
    expect(await run.returnValue).toBe('whole');
    expect(calls).toBe(2);
  });

  test('a payload of a hook', async () => {
    const { start } = await setup({
      workflows: `workflow('w', async () => { const r = await createHook({ token: 'h' }); return [r.method, await r.text()]; });`,
    });
    const run = await start('w');
    await settle();
    await resumeHook('h', new Request('https://a.example/', { method: 'POST', body: 'payload' }));
    expect(await run.returnValue).toEqual(['POST', 'payload']);
  });

  test('4 MB, read there and in a step', async () => {
    const large = new Uint8Array(4 << 20).map((_, index) => (index * 31) & 0xff);
    const { run } = await setup({
      workflows: `workflow('w', async () => { const r = await step('get')(); const bytes = await r.bytes(); return [bytes.length, bytes[1000], await step('sum')(new Response(bytes))]; });`,
      steps: {
        get: async () => new Response(large),
        sum: async (response: Response) =>
          createHash('sha256')
            .update(await response.bytes())
            .digest('hex'),
      },
    });
    const sum = createHash('sha256').update(large).digest('hex');
    expect(await run('w')).toEqual([large.length, large[1000], sum]);
  });
});

/** The same program on the host's classes and on the realm's. */
const PROGRAMS: Record<string, string> = {
  'a request': `const r = new Request('https://a.example/x?y', { method: 'post', body: 'text', headers: { B: ' 2 ', a: '1' } }); return [r.method, r.url, [...r.headers], r.bodyUsed, await r.text(), r.bodyUsed, r.redirect, r.signal.aborted];`,
  'a request made of another': `const a = new Request('https://a.example/', { method: 'PUT', body: 'x', headers: { a: '1' } }); const b = new Request(a, { headers: { b: '2' } }); return [a.bodyUsed, b.method, [...b.headers].map(([k]) => k), await b.text()];`,
  'a clone': `const a = new Request('https://a.example/', { method: 'POST', body: 'x' }); const b = a.clone(); return [await a.text(), await b.text(), b.headers.get('content-type')];`,
  'the clone of what was read': `const r = new Response('x'); await r.text(); r.clone();`,
  'a second reading': `const r = new Response('x'); await r.text(); await r.text();`,
  'a body that is not there': `const r = new Response(); return [r.body, await r.text(), await r.text(), r.bodyUsed];`,
  bytes: `const r = new Response(new Uint8Array([1, 2, 255])); return [[...new Uint8Array(await r.arrayBuffer())], r.headers.get('content-type')];`,
  'part of a buffer': `return (await new Response(new Uint8Array([1, 2, 3, 4]).subarray(1, 3)).arrayBuffer()).byteLength;`,
  parameters: `const r = new Response(new URLSearchParams({ a: 'b c' })); return [await r.text(), r.headers.get('content-type')];`,
  'half a pair': `return [...new Uint8Array(await new Response('a\\ud800b').arrayBuffer())];`,
  'a byte order mark': `return (await new Response('\\ufeffa').text()).length;`,
  JSON: `const r = Response.json({ a: [1] }, { status: 201 }); return [r.status, r.headers.get('content-type'), await r.json()];`,
  'JSON that is none': `await new Response('{').json();`,
  'JSON of nothing': `Response.json(undefined);`,
  'a redirection': `const r = Response.redirect('https://a.example/', 301); return [r.status, r.headers.get('location')];`,
  'a redirection of another kind': `Response.redirect('https://a.example/', 200);`,
  'an error': `const r = Response.error(); return [r.status, r.type, r.ok];`,
  'a status out of range': `new Response('', { status: 600 });`,
  'a status without body': `new Response('x', { status: 204 });`,
  'a body of GET': `new Request('https://a.example/', { body: 'x' });`,
  'a URL that is none': `new Request('/a');`,
  'a URL with credentials': `new Request('https://a:b@c.example/');`,
  'an @ in a path': `return new Request('https://c.example/@b').url;`,
  'a method that is none': `new Request('https://a.example/', { method: 'A B' });`,
  'a method that is forbidden': `new Request('https://a.example/', { method: 'trace' });`,
  headers: `const h = new Headers({ B: '2', a: '1' }); h.append('b', '3'); h.set('C', '4'); h.delete('a'); return [[...h], h.get('b'), h.get('x'), h.has('C'), [...h.keys()], [...h.values()], String(h)];`,
  'headers for each': `const seen = []; new Headers([['a', '1']]).forEach((value, name) => seen.push(name + value)); return seen;`,
  cookies: `const h = new Headers(); h.append('set-cookie', 'a=1'); h.append('set-cookie', 'b=2'); return [h.getSetCookie(), h.get('set-cookie'), [...h]];`,
  'a set header that was there twice': `const h = new Headers([['a', '1'], ['b', '2'], ['a', '3']]); h.set('a', '4'); return [...h];`,
  'a header with a line break': `new Headers({ a: 'b\\nc' });`,
  'a header beyond Latin 1': `new Headers({ a: 'ž' });`,
  'a name that is none': `new Headers({ 'a b': 'c' });`,
  'pairs that are none': `new Headers([['a']]);`,
  classes: `class Mine extends Response { get twice() { return this.status * 2; } } const m = new Mine('x'); return [m.twice, m instanceof Response, String(m)];`,
};

describe('the classes of workflow code do as those of the host', () => {
  test.each(Object.keys(PROGRAMS))('%s', async (name) => {
    const code = `try { ${PROGRAMS[name]} } catch (error) { return error.name; }`;
    const AsyncFunction = (async () => {}).constructor as new (code: string) => () => Promise<unknown>;
    const { run } = await setup({ workflows: `workflow('w', async () => { ${code} });` });
    expect(await run('w')).toEqual(await new AsyncFunction(code)());
  });

  test('but for what is I/O', async () => {
    const { run } = await setup({
      workflows: `workflow('w', async () => { const seen = []; const r = new Response('x');
        for (const f of [() => r.body, () => r.blob(), () => r.formData()]) try { await f(); } catch (e) { seen.push(e.code); } return seen; });`,
    });
    expect(await run('w')).toEqual(Array(3).fill('PAWL_NOT_IN_WORKFLOW'));
  });
});

test('headers of the realm are those of the host for any pairs', () => {
  const name = fc.stringMatching(/^[a-cA-C]{1,2}$/);
  const value = fc.stringMatching(/^[ -~\t]{0,5}$/);
  fc.assert(
    fc.property(fc.array(fc.tuple(name, value)), (pairs) => {
      expect([...new RealmHeaders(pairs)]).toEqual([...new Headers(pairs)]);
    }),
  );
});

test('base64 and SHA-256 are those of Node', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.string({ unit: 'grapheme', maxLength: 200 }), (bytes, text) => {
      expect(bytesToBase64(bytes)).toBe(Buffer.from(bytes).toString('base64'));
      expect(base64ToBytes(Buffer.from(bytes).toString('base64'))).toEqual(bytes);
      expect(sha256(text)).toBe(createHash('sha256').update(text).digest('base64url'));
    }),
  );
  expect(bytesToBase64(BINARY)).toBe(Buffer.from(BINARY).toString('base64'));
});
