import { AsyncLocalStorage } from 'node:async_hooks';
import { afterEach, describe, expect, test } from 'vitest';
import { closeAll, type Setup, settle, setup } from './support.ts';

afterEach(closeAll);

/** In the bundle: what tells an object of the host from one of the realm, and what takes advantage of one. */
const TOOLS = `
  const foreign = (value) => {
    if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false;
    let root = value;
    for (let next = root; next !== null; next = Object.getPrototypeOf(root = next));
    return root !== Object.prototype && Object.prototype.hasOwnProperty.call(root, 'hasOwnProperty');
  };
  const take = (value) => {
    if (value === null || value === undefined) return 'nothing';
    try { if (value.constructor.constructor('return process')().pid) return 'ESCAPED'; } catch {}
    try { if (Object.getPrototypeOf(value).constructor.constructor('return process')().pid) return 'ESCAPED'; } catch {}
    return foreign(value) ? 'FOREIGN' : 'kept in';
  };
  /** All that can be reached from some values, through properties, symbols, accessors and prototypes. */
  const explore = (roots) => {
    const seen = new Set(); const stack = roots.map((root, i) => [String(i), root]); const found = [];
    while (stack.length > 0) {
      const [path, value] = stack.pop();
      if ((typeof value !== 'object' && typeof value !== 'function') || value === null || seen.has(value)) continue;
      seen.add(value);
      if (foreign(value)) { found.push(path); continue; }
      stack.push([path + '.__proto__', Object.getPrototypeOf(value)]);
      for (const key of Reflect.ownKeys(value)) {
        const d = Reflect.getOwnPropertyDescriptor(value, key); const p = path + '.' + String(key);
        stack.push([p, d.value], [p + '.get', d.get], [p + '.set', d.set]);
        if (d.get) { try { stack.push([p + '()', value[key]]); } catch (e) { stack.push([p + '!', e]); } }
      }
    }
    return { found, count: seen.size };
  };
`;

async function attack(body: string): Promise<unknown> {
  const { run } = await arena(body);
  return run('attack');
}

/** The last line that the attack prints. */
async function attackAndPrint(body: string): Promise<string | undefined> {
  const { run, events } = await arena(body);
  await run('attack').catch(() => {});
  return events.flatMap((event) => (event.type === 'console' ? [event.text] : [])).at(-1);
}

function arena(body: string): Promise<Setup> {
  const sources = {
    workflows: `${TOOLS}
      const answer = step('answer'); const fail = step('fail');
      workflow('attack', async () => { ${body} });`,
    steps: {
      answer: async () => ({ list: [1, new Map([[1, new Date(0)]])], error: new TypeError('x') }),
      fail: Object.assign(
        async () => {
          throw Object.assign(new Error('host error', { cause: new RangeError('deep') }), { detail: { a: 1 } });
        },
        { maxRetries: 0 },
      ),
    },
  };
  // How long an attack takes is no part of what it finds.
  return setup(sources, { activationTimeout: 60_000 });
}

describe('constructors', () => {
  const constructions = {
    'Function of a function': `return take(() => {});`,
    eval: `try { return String((0, eval)('1 + 1')); } catch (e) { return take(e); }`,
    'direct eval': `try { return eval('this') && 'ESCAPED'; } catch (e) { return take(e); }`,
    'new Function': `try { new Function('return 1')(); return 'ESCAPED'; } catch (e) { return take(e); }`,
    AsyncFunction: `try { await (async () => {}).constructor('return 1')(); return 'ESCAPED'; } catch (e) { return take(e); }`,
    GeneratorFunction: `try { (function* () {}).constructor('yield 1')().next(); return 'ESCAPED'; } catch (e) { return take(e); }`,
    'Reflect.construct': `try { Reflect.construct(Function, ['return this']); return 'ESCAPED'; } catch (e) { return take(e); }`,
    'bound Function': `try { Function.bind(null, 'return this')()(); return 'ESCAPED'; } catch (e) { return take(e); }`,
    'this of a function': `return take(function () { return this; }()) === 'nothing' ? 'kept in' : 'ESCAPED';`,
    'this of a sloppy-looking callback': `return take([1].map(function () { return this; })[0]) === 'nothing' ? 'kept in' : 'ESCAPED';`,
    caller: `try { return take((function f() { return f.caller; })()); } catch (e) { return take(e); }`,
    'arguments.callee': `try { return take((function () { return arguments.callee; })()); } catch (e) { return take(e); }`,
    WebAssembly: `return typeof WebAssembly === 'undefined' ? 'kept in' : 'ESCAPED';`,
    'globals of the realm': `return take(globalThis) === 'kept in' && typeof globalThis.process === 'undefined' ? 'kept in' : 'ESCAPED';`,
    'constructor as a global name': `return typeof constructor === 'undefined' ? 'kept in' : take(constructor);`,
    'a request': `const r = new Request('https://a.example/', { method: 'POST', body: 'x' }); return [r, r.headers, r.signal, await r.clone().arrayBuffer(), r.text(), Object.getPrototypeOf(r)].every((x) => take(x) === 'kept in') ? 'kept in' : 'ESCAPED';`,
    'what a request refuses': `try { new Request('x:y:z:'); new Request('/'); return 'ESCAPED'; } catch (e) { return take(e); }`,
    'a response': `const r = Response.json({}); return [r, r.headers, await r.json(), Response.error(), r.constructor].every((x) => take(x) === 'kept in') ? 'kept in' : 'ESCAPED';`,
    'a webhook': `const w = createWebhook({ respondWith: new Response('x') }); return [w, w.constructor, w[Symbol.asyncIterator]()].every((x) => take(x) === 'kept in') ? 'kept in' : 'ESCAPED';`,
    timers: `try { setTimeout(() => {}, 0); return 'ESCAPED'; } catch (e) { return take(e); }`,
  };
  test.each(Object.entries(constructions))('%s', async (_name, body) => {
    expect(await attack(body)).toBe('kept in');
  });
});

describe('errors', () => {
  test('of the host do not come over when the stack is nearly full', async () => {
    // What is half done when the stack ends may be rejected and handled by no one: then the run fails. Only what was found counts.
    const printed = await attackAndPrint(`
      const bad = []; const look = (h) => { if (take(h) !== 'kept in') bad.push(take(h)); };
      const at = (depth, work) => { if (depth > 0) return at(depth - 1, work); try { work(); } catch (h) { look(h); } };
      let max = 0; const probe = () => { max++; probe(); }; try { probe(); } catch (e) { look(e); }
      const work = [
        () => void new Error('y').stack,
        () => { const o = {}; Error.captureStackTrace(o); void o.stack; },
        () => { try { null.x; } catch (e) { void e.stack; } },
        () => void new URL('https://a.example/'),
        () => { const u = new URL('https://a.example/'); u.host = 'b'; },
        () => { Promise.reject(1).catch(() => {}); },
        () => void structuredClone({ a: 1 }),
        () => void console.log(new Error('x')),
        () => void crypto.randomUUID(),
        () => { (async () => { await null; })(); },
        () => answer(),
        () => { JSON.stringify({ toJSON() { return new Error('z').stack; } }); },
        () => void new Date().toLocaleString(),
      ];
      for (const each of work) {
        for (let depth = Math.floor(max * 0.2); depth < max * 1.1; depth += 97) { try { at(depth, each); } catch (h) { look(h); } }
        // Right at the edge, where single calls matter.
        let low = 0, high = Math.ceil(max * 1.1);
        while (low < high - 1) { const mid = (low + high) >> 1; let ok = true; try { at(mid, () => {}); } catch { ok = false; } if (ok) low = mid; else high = mid; }
        for (let depth = low - 250; depth < low + 5; depth++) { try { at(depth, each); } catch (h) { look(h); } }
      }
      console.log(JSON.stringify({ bad, deep: max > 1000 }));`);
    expect(printed).toBe('{"bad":[],"deep":true}');
  });

  test('of the engine, of steps and of the API belong to the realm', async () => {
    const result = await attack(`
      const errors = [];
      const collect = async (work) => { try { await work(); } catch (e) { errors.push(e); } };
      await collect(() => null.x);
      await collect(() => undefinedName);
      await collect(() => new URL('nonsense'));
      await collect(() => fail());
      await collect(() => answer(() => {}));
      await collect(() => answer(Symbol('x')));
      await collect(() => answer(new WeakMap()));
      await collect(() => fetch('x'));
      await collect(() => atob('%'));
      await collect(() => structuredClone(() => {}));
      await collect(() => new TextDecoder('utf-16'));
      await collect(() => { const f = () => f(); f(); });
      await collect(() => new Intl.DateTimeFormat('en', { timeZone: 'Nowhere/No' }));
      await collect(() => 'x'.repeat(2 ** 31));
      await collect(() => new Array(-1));
      await collect(() => [].reduce((a) => a));
      await collect(() => JSON.parse('{'));
      await collect(() => crypto.subtle);
      await collect(() => Promise.any([Promise.reject(1)]));
      return { ...explore(errors), errors: errors.length };`);
    expect(result).toMatchObject({ found: [], errors: 19 });
  });

  test('prepareStackTrace sees no frames', async () => {
    const result = await attack(`
      let called = 0;
      try { Error.prepareStackTrace = (error, frames) => { called++; return frames; }; } catch {}
      const stack = new Error('x').stack;
      return [called, typeof stack, typeof Error.prepareStackTrace];`);
    expect(result).toEqual([0, 'string', 'undefined']);
  });

  test('a stack is text with frames of the bundle', async () => {
    expect(await attack(`return new Error('x').stack;`)).toMatch(/^Error: x\n.*pawl-workflows-/);
  });
});

describe('objects', () => {
  test('nothing that can be reached is of the host', async () => {
    const result = await attack(`
      const hook = createHook({ token: 't' });
      const promise = answer();
      const value = await promise;
      const error = await fail().catch((e) => e);
      const iterator = (async function* () {})();
      return explore([
        globalThis, value, error, promise, sleep(1), hook, iterator, __pawl, getWorkflowMetadata(), console, crypto, Intl, Math, Date,
        Object, Function, Array, Promise, Error, Proxy, Reflect, JSON, Symbol, URL, new URL('https://a.example/?b=c').searchParams,
        new AbortController().signal, structuredClone(value), new TextEncoder(), new Intl.DateTimeFormat(), Promise.resolve(),
        (async () => {})(), async () => {}, function* () {}, /x/, new Map(), new Set(), new Error('x'), [].values(), ''.matchAll(/x/g),
      ]);`);
    expect(result).toMatchObject({ found: [] });
    expect((result as { count: number }).count).toBeGreaterThan(1500);
  });

  test('promises carry nothing of the async context of whoever started the run', async () => {
    const storage = new AsyncLocalStorage<object>();
    const result = await storage.run({ secret: 'of the host' }, () =>
      attack(`
        const promises = [Promise.resolve(), answer(), (async () => {})(), new Promise(() => {})];
        await null; promises.push(Promise.resolve(), (async () => { await null; })());
        await answer(); promises.push(Promise.resolve());
        return explore(promises);`),
    );
    expect(result).toMatchObject({ found: [] });
  });

  test('nor of a context in which the worker was made', async () => {
    const storage = new AsyncLocalStorage<object>();
    const result = await storage.run({ secret: 'of the host' }, async () => {
      const { run } = await setup({
        workflows: `${TOOLS} workflow('w', async () => { await sleep(1); return explore([Promise.resolve(), sleep(0)]); });`,
      }).then(async (made) => {
        const pending = made.run('w');
        await settle();
        made.clock.advance(10);
        return { run: pending };
      });
      return run;
    });
    expect(result).toMatchObject({ found: [] });
  });

  test('thenables and getters run as workflow code, never as the host', async () => {
    const result = await attack(`
      const log = [];
      const trap = new Proxy({}, { get(t, k, r) { log.push(foreign(t) ? 'FOREIGN' : 'kept in'); return undefined; }, ownKeys() { return ['a']; },
        getOwnPropertyDescriptor() { return { value: 1, enumerable: true, configurable: true }; } });
      try { await answer(trap); } catch (e) { log.push(take(e)); }
      const value = await { then(resolve) { log.push(take(resolve)); resolve(1); } };
      return [value, log.filter((each) => each !== 'kept in')];`);
    expect(result).toEqual([1, []]);
  });

  test('intrinsics cannot be changed for other runs', async () => {
    const { run } = await setup({
      workflows: `
        workflow('spoil', async () => {
          const tried = [];
          const attempt = (name, work) => { try { work(); tried.push(name); } catch (e) { if (!(e instanceof TypeError)) tried.push(name + e); } };
          attempt('push', () => { Array.prototype.push = () => 'spoilt'; });
          attempt('then', () => { Promise.prototype.then = () => 'spoilt'; });
          attempt('define', () => { Object.defineProperty(Object.prototype, 'spoilt', { value: 1 }); });
          attempt('add', () => { Array.prototype.spoilt = 1; });
          attempt('now', () => { Date.now = () => 1; });
          attempt('random', () => { Math.random = () => 1; });
          attempt('proto', () => { Object.setPrototypeOf(Array.prototype, null); });
          attempt('toString', () => { Object.prototype.toString = () => 'spoilt'; });
          attempt('api', () => { __pawl.api.sleep = 1; });
          attempt('compiled', () => { __pawl.compiled.call = 1; });
          attempt('global', () => { Array = 1; });
          attempt('hook', () => { Object.getPrototypeOf(createHook()).next = 1; });
          attempt('error', () => { FatalError.prototype.fatal = false; });
          attempt('console', () => { console.log = 1; });
          globalThis.spoilt = 'mine';
          /(a)/.exec('a');
          return tried;
        });
        workflow('look', async () => [[].push(1), String({}), typeof globalThis.spoilt, ({}).spoilt, RegExp.$1, RegExp.lastMatch, typeof Date.now()]);`,
    });
    expect(await run('spoil')).toEqual([]);
    expect(await run('look')).toEqual([1, '[object Object]', 'undefined', undefined, undefined, undefined, 'number']);
  });
});

describe('bundles', () => {
  test.each([
    ["import('node:fs').then((m) => m.constructor)", true],
    ["import /* why */ ('fs')", true],
    ['const s = "import(\'x\')"; // import(x)\n', false],
    ['const o = { import(x) { return x; } }; o.import(1)', false],
    ['`${1} import(x)`', false],
    ['/import(x)/.test("")', false],
  ])('%s: refused %s', async (code, refused) => {
    const started = setup({ workflows: `workflow('w', async () => { ${code} });` }).then(({ run }) => run('w'));
    if (refused) await expect(started).rejects.toMatchObject({ message: expect.stringContaining('import()') });
    else await expect(started).resolves.toBeUndefined();
  });
});
