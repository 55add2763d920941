import { rolldown } from 'rolldown';
import { afterEach, describe, expect, test } from 'vitest';
import { closeAll, setup } from './support.ts';

afterEach(closeAll);

async function evaluate(body: string, top = ''): Promise<unknown> {
  const { run } = await setup({ workflows: `${top}\nworkflow('w', async () => { ${body} });` });
  return run('w');
}

describe('assignments over frozen prototypes', () => {
  const cases: Record<string, [body: string, expected: unknown]> = {
    'the name of an error': [
      `class E extends Error { constructor(m) { super(m); this.name = 'E'; } } const e = new E('m'); return [e.name, String(e), new Error('x').name];`,
      ['E', 'E: m', 'Error'],
    ],
    'the message of an error': [
      `const e = new TypeError('a'); e.message = 'b'; class F extends Error {} const f = new F(); f.message = 'c'; return [e.message, f.message];`,
      ['b', 'c'],
    ],
    'an error as of old': [
      `function Old(m) { this.message = m; this.name = 'Old'; } Old.prototype = Object.create(Error.prototype); Old.prototype.constructor = Old; Old.prototype.name = 'OldProto'; Old.prototype.toString = function () { return 'old ' + this.message; };
       const o = new Old('x'); return [o.name, String(o), o instanceof Error, o.constructor === Old];`,
      ['Old', 'old x', true, true],
    ],
    'toString and valueOf of an object': [
      `const o = {}; o.toString = () => 's'; o.valueOf = () => 4; o.hasOwnProperty = 1; o.constructor = 2; return [String(o), o + 1, o.constructor];`,
      ['s', 5, 2],
    ],
    'a prototype by assignment': [
      `function A() {} A.prototype.toString = () => 'A'; A.prototype.valueOf = () => 7; A.prototype.toJSON = () => 'json'; return [String(new A()), +new A(), JSON.stringify(new A())];`,
      ['A', 7, '"json"'],
    ],
    'inheritance of Array as of old': [
      `function L() {} L.prototype = Object.create(Array.prototype); L.prototype.constructor = L; L.prototype.push = function (x) { this[0] = x; }; L.prototype.concat = 1; const l = new L(); l.push(5); return [l[0], l.concat, l.constructor === L];`,
      [5, 1, true],
    ],
    'push of an array': [
      `const a = []; const seen = []; a.push = (x) => seen.push(x); a.push(1); return [a.length, seen];`,
      [0, [1]],
    ],
    'methods of a map': [
      `const m = new Map(); m.set = m.delete = m.clear = () => { throw new Error('frozen'); }; const s = new Set(); s.add = 1; try { m.set(1, 2); } catch (e) { return [e.message, s.add]; }`,
      ['frozen', 1],
    ],
    functions: [
      `const f = () => 1; f.toString = () => 'f'; f.call = 2; f.bind = 3; f.constructor = 4; f.apply = 5; return [String(f), f.call, f.bind, f.constructor, f.apply];`,
      ['f', 2, 3, 4, 5],
    ],
    promises: [
      `class P extends Promise {} P.prototype.constructor = P; const p = Promise.resolve(1); p.constructor = P; return [await p, P.resolve(2) instanceof P];`,
      [1, true],
    ],
    'dates and expressions': [
      `const d = new Date(0); d.toString = () => 'd'; d.getTime = () => 5; const r = /x/; r.toString = () => 'r'; return [String(d), d.getTime(), String(r)];`,
      ['d', 5, 'r'],
    ],
    'typed arrays and iterators': [
      `const t = new Uint8Array(2); t.fill = 1; t.set = 2; const i = [][Symbol.iterator](); i.toString = () => 'i'; const g = (function* () {})(); g.next = () => ({ done: true, value: 3 }); return [t.fill, t.set, [...i].length, String(i), g.next().value];`,
      [1, 2, 0, 'i', 3],
    ],
    'a tag': [
      `class M extends Map {} M.prototype[Symbol.toStringTag] = 'M'; class Q { } Q.prototype[Symbol.toStringTag] = 'Q'; return [String(new M()), String(new Q())];`,
      ['[object M]', '[object Q]'],
    ],
    'classes of pawl': [
      `class Stop extends FatalError { constructor(m) { super(m); this.name = 'Stop'; } } const s = new Stop('m'); s.fatal2 = 1; return [s.name, FatalError.is(s), String(s)];`,
      ['Stop', true, 'Stop: m'],
    ],
    'virtual globals': [
      `class U extends URL { get x() { return 1; } } const u = new U('https://a.example/'); u.toString = () => 'u'; class C extends AbortController {} const c = new C(); c.abort(); return [String(u), u.x, u.host, c.signal.aborted];`,
      ['u', 1, 'a.example', true],
    ],
    'Error.stackTraceLimit and captureStackTrace': [
      `Error.stackTraceLimit = 0; const none = new Error('x').stack; Error.stackTraceLimit = 10; const o = {}; Error.captureStackTrace(o); return [none, typeof o.stack];`,
      ['Error: x', 'string'],
    ],
  };
  test.each(Object.entries(cases))('%s', async (_name, [body, expected]) => {
    expect(await evaluate(body)).toEqual(expected);
  });

  test('one run’s limit of stacks is not the next one’s', async () => {
    const { run } = await setup({
      workflows: `workflow('set', async () => { Error.stackTraceLimit = 0; }); workflow('get', async () => Error.stackTraceLimit);`,
    });
    await run('set');
    expect(await run('get')).toBe(40);
  });

  test('the prototypes themselves stay as they are', async () => {
    expect(await evaluate(`try { Error.prototype.name = 'x'; } catch (e) { return e.message; }`)).toMatch(/read only/);
    expect(await evaluate(`Object.prototype.x ??= 1;`).catch((error: Error) => (error.cause as Error).message)).toMatch(
      /not extensible/,
    );
  });
});

describe('a bundle that changes intrinsics', () => {
  const TOP = `
    if (!Array.prototype.last) Object.defineProperty(Array.prototype, 'last', { value() { return this[this.length - 1]; } });
    String.prototype.shout = function () { return this.toUpperCase() + '!'; };`;

  test('gets a realm of its own, and replays in one', async () => {
    const { start, store, clock, worker, close } = await setup({
      workflows: `${TOP} workflow('w', async () => { await sleep(10); return [[1, 2].last(), 'a'.shout(), await step('id')(3)]; });`,
      steps: { id: async (x: number) => x },
    });
    const run = await start('w');
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    await close();
    const again = await setup(worker.program, { store, clock });
    clock.advance(10);
    const { Run } = await import('../../src/runtime/run-handle.ts');
    expect(await new Run(run.runId, () => again.worker).returnValue).toEqual([2, 'A!', 3]);
  });

  test('does not change them for other bundles, nor for other runs', async () => {
    const { run } = await setup({
      workflows: `${TOP} workflow('w', async () => { const before = Array.prototype.extra; Array.prototype.extra = 1; return [before, [1].last()]; });`,
    });
    expect([await run('w'), await run('w')]).toEqual([
      [undefined, 1],
      [undefined, 1],
    ]);
    const other = await setup({ workflows: `workflow('w', async () => [typeof [].last, typeof ''.shout]);` });
    expect(await other.run('w')).toEqual(['undefined', 'undefined']);
  });
});

describe('real packages', () => {
  async function bundled(source: string): Promise<string> {
    const build = await rolldown({
      input: 'entry',
      platform: 'neutral',
      resolve: { mainFields: ['module', 'main'] },
      logLevel: 'silent',
      plugins: [
        {
          name: 'entry',
          resolveId: (id) => (id === 'entry' ? id : null),
          load: (id) => (id === 'entry' ? source : null),
        },
      ],
    });
    const { output } = await build.generate({ format: 'iife', name: 'lib', codeSplitting: false });
    await build.close();
    return output[0].code;
  }

  test('zod', async () => {
    const code = await bundled(`export { z } from 'zod';`);
    expect(
      await evaluate(
        `const schema = z.object({ id: z.string().min(2), tags: z.array(z.enum(['a', 'b'])).default([]), at: z.coerce.date(), n: z.number().int().transform((x) => x * 2) });
         const good = schema.parse({ id: 'ab', at: 0, n: 4 }); const bad = schema.safeParse({ id: 'a', at: 'no', n: 1.5 });
         let thrown; try { schema.parse({}); } catch (e) { thrown = [e.name, e instanceof Error, e instanceof z.ZodError]; }
         return [good, bad.error.issues.map((i) => i.path.join('.')), thrown, z.toJSONSchema(z.object({ a: z.string() })).type];`,
        `${code}\nconst { z } = lib;`,
      ),
    ).toEqual([{ id: 'ab', tags: [], at: new Date(0), n: 8 }, ['id', 'at', 'n'], ['ZodError', true, true], 'object']);
  });

  test('devalue, magic-string, ulid', async () => {
    const code = await bundled(
      `export { stringify, parse, uneval } from 'devalue'; export { default as MagicString } from 'magic-string'; export { ulid } from 'ulid'; export { parse as ms } from '@lukeed/ms';`,
    );
    expect(
      await evaluate(
        `const value = { a: [new Map([[1, new Set([2n])]]), new Date(0)] }; value.self = value;
         const copy = parse(stringify(value)); const s = new MagicString('abc'); s.overwrite(1, 2, 'X').prepend('>');
         let refused; try { stringify({ f() {} }); } catch (e) { refused = [e.name, e.path, e instanceof Error]; }
         return [copy.self === copy, copy.a[0].get(1).has(2n), s.toString(), s.generateMap({ hires: true }).mappings.length > 0, ulid(0).length, ulid(0) !== ulid(0), ms('2m'), refused];`,
        `${code}\nconst { stringify, parse, MagicString, ulid, ms } = lib;`,
      ),
    ).toEqual([true, true, '>aXc', true, 26, true, 120_000, ['DevalueError', '.f', true]]);
  });
});
