import { afterEach, describe, expect, test, vi } from 'vitest';
import {
  FatalError,
  getStepMetadata,
  getWorkflowMetadata,
  RetryableError,
  type StepMetadata,
} from '../../src/index.ts';
import { closeAll, settle, setup } from './support.ts';

afterEach(async () => {
  await closeAll();
  vi.useRealTimers();
});

/** ms since the epoch */
const NOW = Date.UTC(2026, 0, 1);
const CALL = `const work = step('work'); workflow('w', async (...args) => work(...args));`;

test('a run whose steps end at once leaves the event loop to others', async () => {
  let turns = 0;
  let going = true;
  const turn = (): void => {
    turns++;
    if (going) setImmediate(turn);
  };
  const { start } = await setup({
    workflows: `const work = step('work'); workflow('w', async () => { for (let i = 0; i < 100; i++) await work(i); });`,
    steps: { work: async () => {} },
  });
  const run = await start('w');
  setImmediate(turn);
  await run.returnValue;
  going = false;
  // Chains of steps without a break are short.
  expect(turns).toBeGreaterThan(5);
});

describe('retries', () => {
  test('three by default, with waits that double from one second', async () => {
    let calls = 0;
    const { start, clock, store } = await setup({
      workflows: CALL,
      steps: {
        work: async () => {
          calls++;
          throw new Error(`no ${calls}`);
        },
      },
    });
    const run = await start('w');
    const times: number[] = [];
    for (let failure = 1; failure <= 3; failure++) {
      await settle();
      expect(calls).toBe(failure);
      const next = clock.next() as number;
      times.push(next - clock.now());
      clock.advanceTo(next);
    }
    await settle();
    expect(calls).toBe(4);
    for (const [index, wait] of times.entries()) {
      expect(wait).toBeGreaterThanOrEqual(1000 * 2 ** index);
      expect(wait).toBeLessThanOrEqual(1250 * 2 ** index);
    }
    await expect(run.returnValue).rejects.toMatchObject({ code: 'PAWL_RUN_FAILED', cause: { message: 'no 4' } });
    const log = await store.readEvents(run.runId);
    expect(log.map(({ type, attempt }) => [type, attempt])).toEqual([
      ['run_created', null],
      ['step_scheduled', null],
      ['step_attempt_failed', 1],
      ['step_started', 2],
      ['step_attempt_failed', 2],
      ['step_started', 3],
      ['step_attempt_failed', 3],
      ['step_started', 4],
      ['step_failed', 4],
      ['run_failed', null],
    ]);
  });

  test('waits are the same for the same seed, and differ between steps', async () => {
    const waits: (number | null)[] = [];
    for (let round = 0; round < 2; round++) {
      const { start, clock } = await setup(
        {
          workflows: `const work = step('work'); workflow('w', async () => Promise.allSettled([work(), work()]));`,
          steps: {
            work: async () => {
              throw new Error('no');
            },
          },
        },
        { newSeed: () => 'fixed' },
      );
      await start('w');
      await settle();
      const first = clock.next() as number;
      waits.push(first - clock.now());
      clock.advanceTo(first);
      await settle();
      waits.push((clock.next() as number) - first);
    }
    expect(waits.slice(0, 2)).toEqual(waits.slice(2));
    expect(waits[1]).toBeGreaterThan(0);
  });

  test('as many as `maxRetries` says; none with 0', async () => {
    const calls = { never: 0, twice: 0 };
    const { run, clock, start } = await setup({
      workflows: `
        workflow('never', async () => step('never')());
        workflow('twice', async () => step('twice')());`,
      steps: {
        never: async () => {
          calls.never++;
          throw new Error('no');
        },
        twice: async () => {
          calls.twice++;
          throw new Error('no');
        },
      },
      options: { never: { maxRetries: 0 }, twice: { maxRetries: 2, retryAfter: '10s' } },
    });
    await expect(run('never')).rejects.toThrow('no');
    expect(calls.never).toBe(1);
    const twice = await start('twice');
    await settle();
    expect((clock.next() as number) - clock.now()).toBe(10_000);
    clock.advance(10_000);
    await settle();
    clock.advance(10_000);
    await settle();
    await expect(twice.returnValue).rejects.toThrow('no');
    expect(calls.twice).toBe(3);
  });

  test('end with FatalError, of this or any other copy', async () => {
    let calls = 0;
    const { run } = await setup({
      workflows: `workflow('w', async (name) => { try { await step(name)(); } catch (e) { return [e.name, e.message, FatalError.is(e), e instanceof FatalError]; } });`,
      steps: {
        ours: async () => {
          calls++;
          throw new FatalError('stop');
        },
        theirs: async () => {
          calls++;
          throw Object.assign(new Error('stop'), { name: 'FatalError' });
        },
      },
    });
    expect(await run('w', 'ours')).toEqual(['FatalError', 'stop', true, true]);
    expect(await run('w', 'theirs')).toEqual(['FatalError', 'stop', true, true]);
    expect(calls).toBe(2);
  });

  test.each([
    ['ms', 5000, 5000],
    ['text', '1m', 60_000],
    ['a Date', new Date(NOW + 3_600_000), 3_600_000],
  ])('wait as RetryableError says: %s', async (_kind, retryAfter, expected) => {
    vi.useFakeTimers({ toFake: ['Date'], now: NOW });
    let calls = 0;
    const { start, clock } = await setup({
      workflows: CALL,
      steps: {
        work: async () => {
          if (++calls === 1) throw new RetryableError('later', { retryAfter });
          return 'done';
        },
      },
    });
    const run = await start('w');
    await settle();
    const wait = (clock.next() as number) - clock.now();
    expect(wait).toBe(expected);
    clock.advance(wait);
    expect(await run.returnValue).toBe('done');
  });

  test('a step that throws synchronously, or throws no error, fails like any other', async () => {
    const { run } = await setup({
      workflows: `workflow('w', async (name) => { try { await step(name)(); } catch (e) { return e instanceof Error ? e.message : e; } });`,
      steps: {
        sync: () => {
          throw new Error('at once');
        },
        text: async () => {
          throw 'only text';
        },
        nothing: async () => {
          throw undefined;
        },
        strange: async () => {
          throw () => {};
        },
      },
      options: Object.fromEntries(['sync', 'text', 'nothing', 'strange'].map((id) => [id, { maxRetries: 0 }])),
    });
    expect(await run('w', 'sync')).toBe('at once');
    expect(await run('w', 'text')).toBe('only text');
    expect(await run('w', 'nothing')).toBe(undefined);
    expect(await run('w', 'strange')).toMatch(/A value was thrown: a function/);
  });
});

describe('what lets nobody look at it', () => {
  const trap = `() => { throw new Error('trap'); }`;
  const values: [string, string, RegExp][] = [
    ['a proxy', `new Proxy({}, { get: ${trap} })`, /A value was thrown|trap/],
    [
      'a proxy of which nothing can be read',
      `new Proxy({}, { get: ${trap}, getPrototypeOf: ${trap}, ownKeys: ${trap}, has: ${trap}, getOwnPropertyDescriptor: ${trap} })`,
      /A value was thrown|trap/,
    ],
    [
      'a proxy of an error',
      `new Proxy(new Error('inner'), { get: ${trap}, getPrototypeOf: ${trap} })`,
      /A value was thrown|trap/,
    ],
    ['an error whose name throws', `Object.defineProperty(new Error('named'), 'name', { get: ${trap} })`, /named/],
    ['an error whose message throws', `Object.defineProperty(new Error(), 'message', { get: ${trap} })`, /^$|trap/],
    ['an error whose cause throws', `Object.defineProperty(new Error('caused'), 'cause', { get: ${trap} })`, /caused/],
    [
      'an error whose stack throws',
      `Object.defineProperty(new Error('stacked'), 'stack', { get: ${trap} })`,
      /stacked/,
    ],
    ['an object with a getter', `({ get a() { throw new Error('trap'); } })`, /A value was thrown|trap/],
  ];

  test.each(values)('%s, thrown by a step or a workflow, fails it and nothing else', async (_, code, message) => {
    const make = new Function(`return ${code};`) as () => unknown;
    const { run, events } = await setup({
      workflows: `
        workflow('stepped', async (name) => { try { await step(name)(); } catch (e) { return String(e && e.message); } });
        workflow('thrown', async () => { throw ${code}; });
        workflow('fine', async () => 'fine');`,
      steps: {
        sync: () => {
          throw make();
        },
        later: async () => {
          throw make();
        },
      },
      options: { sync: { maxRetries: 0 }, later: { maxRetries: 0 } },
    });
    expect(await run('stepped', 'sync')).toMatch(message);
    expect(await run('stepped', 'later')).toMatch(message);
    await expect(run('thrown')).rejects.toMatchObject({ code: 'PAWL_RUN_FAILED' });
    expect(await run('fine')).toBe('fine');
    expect(events.filter(({ type }) => type === 'store-failed')).toEqual([]);
  });

  test('returned by a step, fails it', async () => {
    const { run } = await setup({
      workflows: `workflow('w', async () => { try { return await step('work')(); } catch (e) { return e.message; } });`,
      steps: {
        work: () =>
          new Proxy(
            {},
            {
              get() {
                throw new Error('trap');
              },
            },
          ),
      },
      options: { work: { maxRetries: 0 } },
    });
    expect(await run('w')).toMatch(/trap/);
  });
});

describe('stacks', () => {
  test('of an error that has none, or that a step returns, show nothing of pawl', async () => {
    const { run } = await setup({
      workflows: `
        workflow('returned', async () => { const e = await step('returned')(); return [e.message, e.stack]; });
        workflow('bare', async () => { try { await step('bare')(); } catch (e) { return e.stack; } });
        workflow('odd', async () => { try { await step('odd')(); } catch (e) { return e.stack; } });`,
      steps: {
        returned: async () => new TypeError('kept'),
        bare: async () => {
          throw Object.defineProperty(new TypeError('no stack'), 'stack', { value: 7 });
        },
        odd: async () => {
          throw () => {};
        },
      },
      options: { bare: { maxRetries: 0 }, odd: { maxRetries: 0 } },
    });
    const [message, stack] = await run<[string, string]>('returned');
    expect(message).toBe('kept');
    expect(stack).not.toMatch(/src.runtime|node:internal/);
    expect(await run('bare')).toBe('TypeError: no stack');
    expect(await run('odd')).toBe('Error: A value was thrown: a function');
  });
});

describe('a timeout', () => {
  test('aborts the signal, counts as a failed attempt, and what comes later is dropped', async () => {
    const signals: AbortSignal[] = [];
    const finish: ((value: string) => void)[] = [];
    const { start, clock, store } = await setup({
      workflows: CALL,
      steps: {
        work: () => {
          signals.push(getStepMetadata().signal);
          return new Promise<string>((resolve) => finish.push(resolve));
        },
      },
      options: { work: { timeout: '5s', maxRetries: 1 } },
    });
    const run = await start('w');
    await settle();
    expect(signals[0]?.aborted).toBe(false);
    clock.advance(5000);
    expect(signals[0]?.aborted).toBe(true);
    expect(signals[0]?.reason).toMatchObject({ code: 'PAWL_STEP_TIMEOUT' });
    await settle();
    finish[0]?.('too late');
    await settle();
    expect((await store.readEvents(run.runId)).map((event) => event.type)).toEqual([
      'run_created',
      'step_scheduled',
      'step_attempt_failed',
    ]);
    clock.advance(2000);
    await settle();
    finish[1]?.('in time');
    expect(await run.returnValue).toBe('in time');
    expect(clock.next()).toBe(null);
  });

  test('of the last attempt fails the step with a clear error', async () => {
    const { start, clock } = await setup({
      workflows: CALL,
      steps: { work: () => new Promise(() => {}) },
      options: { work: { timeout: 100, maxRetries: 0 } },
    });
    const run = await start('w');
    await settle();
    clock.advance(100);
    await expect(run.returnValue).rejects.toMatchObject({
      cause: { code: 'PAWL_STEP_TIMEOUT', message: 'The step work took longer than its timeout of 100 ms.' },
    });
  });
});

describe('metadata', () => {
  test('tells a step who it is; the key is stable over attempts and unique otherwise', async () => {
    const seen: StepMetadata[] = [];
    const { start, clock } = await setup({
      workflows: `const work = step('work'); workflow('w', async () => { await work(); return work(); });`,
      steps: {
        work: async () => {
          seen.push({ ...getStepMetadata() });
          if (seen.length === 1) throw new Error('once');
          return getWorkflowMetadata();
        },
      },
    });
    const run = await start('w');
    await settle();
    clock.advance(5000);
    const workflow = await run.returnValue;
    expect(seen.map(({ attempt, stepName }) => [stepName, attempt])).toEqual([
      ['work', 1],
      ['work', 2],
      ['work', 1],
    ]);
    expect(seen[0]?.idempotencyKey).toBe(seen[1]?.idempotencyKey);
    expect(seen[0]?.idempotencyKey).not.toBe(seen[2]?.idempotencyKey);
    expect(new Set(seen.map((each) => each.stepId)).size).toBe(2);
    expect(seen[0]?.stepStartedAt).toBeInstanceOf(Date);
    expect(seen[0]?.signal).toBeInstanceOf(AbortSignal);
    expect(workflow).toMatchObject({ workflowRunId: run.runId, workflowName: 'w' });
  });

  test('is not to be had outside of a step', () => {
    expect(() => getStepMetadata()).toThrow(/while a step runs/);
  });
});

describe('how many run at once', () => {
  test.each([
    ['over all', { concurrency: 2 }, {}, 2],
    ['of one step', {}, { work: { concurrency: 3 } }, 3],
  ])('%s', async (_name, options, stepOptions, limit) => {
    let running = 0;
    let most = 0;
    const finish: (() => void)[] = [];
    const { start } = await setup(
      {
        workflows: `const work = step('work'); workflow('w', async () => Promise.all(Array.from({ length: 7 }, (_, i) => work(i))));`,
        steps: {
          work: async (i: number) => {
            most = Math.max(most, ++running);
            await new Promise<void>((resolve) => finish.push(resolve));
            running--;
            return i;
          },
        },
        options: stepOptions,
      },
      options,
    );
    const run = await start('w');
    const value = run.returnValue;
    for (let left = 7; left > 0; ) {
      await settle(5);
      expect(running).toBe(Math.min(left, limit));
      left -= finish.length;
      for (const end of finish.splice(0)) end();
    }
    expect(await value).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(most).toBe(limit);
  });
});

describe('a step that the code does not have', () => {
  test('parks the run, and it goes on when a worker brings the step', async () => {
    const first = await setup({ workflows: `workflow('w', async () => step('gone')(1));` });
    const run = await first.start('w');
    await expect(run.returnValue).rejects.toMatchObject({
      code: 'PAWL_RUN_PARKED',
      reason: { code: 'PAWL_STEP_MISSING', details: { steps: ['gone'] } },
    });
    expect(await run.status).toBe('parked');
    await first.close();

    let attempt = 0;
    const second = await setup(
      {
        workflows: `workflow('w', async () => step('gone')(1));`,
        steps: {
          gone: async (value: number) => {
            attempt = getStepMetadata().attempt;
            return value + 1;
          },
        },
      },
      { store: first.store, clock: first.clock },
    );
    const again = (await import('../../src/runtime/run-handle.ts')).Run;
    expect(await new again(run.runId, () => second.worker).returnValue).toBe(2);
    expect(attempt).toBe(1);
  });
});

describe('values', () => {
  test('that cannot cross are refused with path, step and remedy, and not retried', async () => {
    let calls = 0;
    const { run } = await setup({
      workflows: `
        const work = step('work');
        workflow('args', async () => work({ user: { save() {} } }));
        workflow('result', async () => work());
        workflow('own', async () => ({ list: [Symbol('x')] }));`,
      steps: {
        work: async () => {
          calls++;
          return { deep: [new WeakMap()] };
        },
      },
    });
    await expect(run('args')).rejects.toMatchObject({
      cause: {
        code: 'PAWL_NOT_SERIALIZABLE',
        message: 'args[0].user.save is the function save.',
        place: 'the input of step work',
        remedy: expect.stringContaining('Pass data'),
      },
    });
    expect(calls).toBe(0);
    await expect(run('result')).rejects.toMatchObject({
      cause: { message: 'result.deep[0] is a WeakMap.', place: 'the result of step work' },
    });
    expect(calls).toBe(1);
    await expect(run('own')).rejects.toMatchObject({ cause: { message: 'result.list[0] is the symbol x.' } });
    await expect(run('args', () => {})).rejects.toMatchObject({ message: 'args[0] is a function.' });
  });

  test('captures and `this` go along', async () => {
    const factory = (a: number, b: { c: number }) =>
      async function (this: { d: number }, e: number) {
        return a + b.c + this.d + e;
      };
    const { run } = await setup({
      workflows: `
        workflow('w', async (a) => { const b = { c: 20 }; const inner = step('outer/inner', () => [a, b], true); b.c = 30; return inner.call({ d: 400 }, 5000); });`,
      registry: { steps: new Map([['outer/inner', { factory: factory as never }]]) },
    });
    expect(await run('w', 1)).toBe(1 + 30 + 400 + 5000);
  });

  test('steps and workflows are values too', async () => {
    const { run } = await setup({
      workflows: `
        const twice = step('twice'); const apply = step('apply'); const give = step('give');
        const other = workflow('other', async (x) => x + 1);
        workflow('w', async () => { const doubled = await apply(twice, 21); const back = await give(twice); return [doubled, await back(4), await other(1)]; });`,
      steps: {
        twice: async (x: number) => x * 2,
        apply: async (fn: (x: number) => Promise<number>, x: number) => fn(x),
        give: async (fn: unknown) => fn,
      },
    });
    expect(await run('w')).toEqual([42, 8, 2]);
  });

  test('instances of classes arrive as instances, on both sides, by the symbols of either SDK', async () => {
    class Money {
      readonly cents: number;
      constructor(cents: number) {
        this.cents = cents;
      }
      static [Symbol.for('workflow-serialize')](value: Money) {
        return { cents: value.cents };
      }
      static [Symbol.for('workflow-deserialize')](data: { cents: number }) {
        return new Money(data.cents);
      }
      double() {
        return new Money(this.cents * 2);
      }
    }
    Object.defineProperty(Money, Symbol.for('pawl.class-id'), { value: 'Money' });
    const { run } = await setup({
      workflows: `
        class Money { constructor(cents) { this.cents = cents; }
          static [Symbol.for('pawl-serialize')](v) { return { cents: v.cents }; }
          static [Symbol.for('pawl-deserialize')](d) { return new Money(d.cents); } }
        cls('Money', Money);
        const double = step('double');
        workflow('w', async (m) => { const d = await double(m); return [m instanceof Money, d instanceof Money, d.cents, d]; });`,
      steps: {
        double: async (money: Money) => {
          if (!(money instanceof Money)) throw new FatalError('not an instance');
          return money.double();
        },
      },
      registry: { classes: new Map([['Money', Money]]) },
    });
    const result = await run<[boolean, boolean, number, Money]>('w', new Money(5));
    expect(result.slice(0, 3)).toEqual([true, true, 10]);
    expect(result[3]).toBeInstanceOf(Money);
  });
});
