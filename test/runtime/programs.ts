/** Workflows of many shapes, for tests that run each of them in every way. */
import { FatalError, getStepMetadata } from '../../src/index.ts';
import type { VirtualClock } from '../../src/runtime/clock.ts';
import type { Sources } from './support.ts';

const STEPS = `const add = step('add'), fail = step('fail'), flaky = step('flaky'), slow = step('slow');`;

export const shapes: Record<string, { code: string; args?: unknown[] }> = {
  nothing: { code: `workflow('w', async (x) => x);`, args: [1] },
  sequence: {
    code: `workflow('w', async () => { let n = 0; for (let i = 0; i < 5; i++) n = await add(n, i); return n; });`,
  },
  parallel: { code: `workflow('w', async () => Promise.all([add(1, 2), add(3, 4), add(5, 6)]));` },
  nested: {
    code: `workflow('w', async () => {
      const branch = async (n) => { const a = await add(n, 1); const b = await add(a, 1); return [a, b]; };
      return Promise.all([branch(1), branch(10), branch(100)]); });`,
  },
  race: {
    code: `workflow('w', async () => { const first = await Promise.race([slow(1), sleep('10s').then(() => 'slept')]); return [first, await add(1, 1)]; });`,
  },
  errors: {
    code: `workflow('w', async () => {
      const seen = [];
      try { await fail('a'); } catch (e) { seen.push(e.name + e.message); }
      const settled = await Promise.allSettled([fail('b'), add(1, 1)]);
      return [seen, settled.map((s) => s.status)]; });`,
  },
  retries: { code: `workflow('w', async () => [await flaky('x'), await Promise.all([flaky('y'), add(1, 2)])]);` },
  sleeps: {
    code: `workflow('w', async () => { const t = Date.now(); await sleep(1000); await Promise.all([sleep(5000), sleep('2s'), add(1, 1)]); return Date.now() - t; });`,
  },
  randomness: {
    code: `workflow('w', async () => {
      const seen = [Math.random(), crypto.randomUUID()];
      await add(Math.floor(Math.random() * 100), 1);
      seen.push(Math.random(), Date.now(), performance.now(), [...crypto.getRandomValues(new Uint8Array(4))]);
      if (Math.random() < 0.5) await sleep(10); else await add(1, 1);
      return seen; });`,
  },
  floating: { code: `workflow('w', async () => { add(1, 1); slow(2); return add(2, 2); });` },
  thrown: { code: `workflow('w', async () => { await add(1, 1); throw new TypeError('the end'); });` },
  state: {
    code: `let count = 0; const seen = new Map(); workflow('w', async () => { for (const k of 'abc') { seen.set(k, await add(count++, 1)); } return seen; });`,
  },
  generators: {
    code: `async function* numbers() { for (let i = 0; i < 3; i++) yield add(i, i); }
      workflow('w', async () => { const all = []; for await (const n of numbers()) all.push(n); return all; });`,
  },
  children: {
    code: `const twice = workflow('twice', async (n) => add(n, n), 'twice', (...args) => child('twice', args));
      const bad = workflow('bad', async () => fail('child'), 'bad', (...args) => child('bad', args));
      workflow('w', async () => {
        const all = await Promise.allSettled([twice(1), bad(), Promise.race([twice(3), sleep('1h')]), add(1, 1)]);
        return [all.map(({ value, reason }) => value ?? reason.message), await twice(await twice(2))]; });`,
  },
  hooks: {
    code: `workflow('w', async () => {
      const hook = createHook({ token: 'h', metadata: { a: 1 } });
      const first = await hook; const second = await Promise.race([hook, sleep('1h')]);
      hook.dispose(); return [first, second, await add(1, 1)]; });`,
  },
};

export interface Ledger {
  /** Calls of steps: the key of the call and the attempt. */
  calls: { key: string; attempt: number }[];
}

/** The program of a shape, its steps noting their calls. */
export function sourcesOf(code: string, ledger: Ledger, clock: VirtualClock): Sources {
  const note = (): number => {
    const { stepId, attempt } = getStepMetadata();
    ledger.calls.push({ key: stepId, attempt });
    return attempt;
  };
  return {
    workflows: `${STEPS}\n${code}`,
    steps: {
      add: async (a: number, b: number) => {
        note();
        return a + b;
      },
      fail: async (name: string) => {
        note();
        throw new FatalError(`no ${name}`);
      },
      flaky: async (name: string) => {
        if (note() < 3) throw new Error(`not yet ${name}`);
        return `${name} at last`;
      },
      // Longer than the sleep that it runs against.
      slow: (value: number) => {
        note();
        return new Promise((resolve) => clock.setTimer(clock.now() + 60_000, () => resolve(value)));
      },
    },
  };
}
