import { afterEach, describe, expect, test } from 'vitest';
import { LAST_MOMENTS } from '../../src/runtime/gate.ts';
import { getStepMetadata } from '../../src/index.ts';
import { closeAll, settle, setup } from './support.ts';

afterEach(closeAll);

/** Steps that end when the test says so. */
function controlled() {
  const calls = new Map<string, { resolve(value: unknown): void; reject(error: unknown): void; signal: AbortSignal }>();
  const work = (name: string): Promise<unknown> =>
    new Promise((resolve, reject) => calls.set(name, { resolve, reject, signal: getStepMetadata().signal }));
  return { calls, steps: { work }, options: { work: { maxRetries: 0 } } };
}

const WORK = `const work = step('work');`;

describe('combinators', () => {
  test('Promise.all keeps places, whatever the order of results', async () => {
    const { calls, steps } = controlled();
    const { start } = await setup({
      workflows: `${WORK} workflow('w', async () => Promise.all([work('a'), work('b'), work('c')]));`,
      steps,
    });
    const run = await start('w');
    await settle();
    for (const name of ['c', 'a', 'b']) calls.get(name)?.resolve(name.toUpperCase());
    expect(await run.returnValue).toEqual(['A', 'B', 'C']);
  });

  test('Promise.race takes the first in the log; the rest is dropped and its signals abort', async () => {
    const { calls, steps } = controlled();
    const { start, store } = await setup({
      workflows: `${WORK} workflow('w', async () => Promise.race([work('a'), work('b')]));`,
      steps,
    });
    const run = await start('w');
    await settle();
    calls.get('b')?.resolve('b first');
    expect(await run.returnValue).toBe('b first');
    expect(calls.get('a')?.signal.aborted).toBe(true);
    calls.get('a')?.resolve('late');
    await settle();
    expect((await store.readEvents(run.runId)).map((event) => event.type)).toEqual([
      'run_created',
      'step_scheduled',
      'step_scheduled',
      'step_completed',
      'run_completed',
    ]);
  });

  test('Promise.any and allSettled', async () => {
    const { calls, steps, options } = controlled();
    const { start } = await setup({
      workflows: `${WORK}
        workflow('any', async () => Promise.any([work('a'), work('b')]));
        workflow('all', async () => (await Promise.allSettled([work('a'), work('b')])).map((r) => r.status + (r.value ?? r.reason.message)));`,
      steps,
      options,
    });
    for (const [id, expected] of [
      ['any', 'B'],
      ['all', ['rejectedno', 'fulfilledB']],
    ] as const) {
      const run = await start(id);
      await settle();
      calls.get('a')?.reject(new Error('no'));
      await settle();
      calls.get('b')?.resolve('B');
      expect(await run.returnValue).toEqual(expected);
    }
  });

  test('a step against a sleep', async () => {
    const { calls, steps } = controlled();
    const { start, clock } = await setup({
      workflows: `${WORK} workflow('w', async () => Promise.race([work('a'), sleep('1m').then(() => 'timed out')]));`,
      steps,
    });
    const slow = await start('w');
    await settle();
    clock.advance(60_000);
    expect(await slow.returnValue).toBe('timed out');
    const fast = await start('w');
    await settle();
    calls.get('a')?.resolve('done');
    expect(await fast.returnValue).toBe('done');
    // The slow one goes on for ever.
    clock.advance(LAST_MOMENTS);
    expect(clock.next()).toBe(null);
  });

  test('500 parallel steps', async () => {
    const { run, store } = await setup({
      workflows: `const inc = step('inc'); workflow('w', async (n) => (await Promise.all(Array.from({ length: n }, (_, i) => inc(i)))).reduce((a, b) => a + b));`,
      steps: { inc: async (i: number) => i + 1 },
    });
    expect(await run('w', 500)).toBe((500 * 501) / 2);
    expect((await store.listRuns()).runs[0]?.status).toBe('completed');
  });
});

describe('sleep', () => {
  test('by number, text and Date; longer than a timer of Node can wait', async () => {
    const { start, clock } = await setup({
      workflows: `workflow('w', async (d) => { const t = Date.now(); await sleep(d); return Date.now() - t; });`,
    });
    const cases: [() => unknown, number][] = [
      [() => 1500, 1500],
      [() => '2 hours', 7_200_000],
      [() => new Date(clock.now() + 86_400_000 * 400), 86_400_000 * 400],
    ];
    for (const [duration, expected] of cases) {
      const run = await start('w', duration());
      await settle();
      clock.advance(expected - 1);
      await settle();
      expect(await run.status).toBe('running');
      clock.advance(1);
      expect(await run.returnValue).toBe(expected);
    }
  });

  test.each(['soon', '', Number.NaN, -1, Infinity, null, {}, new Date(Number.NaN)])('refuses %s', async (duration) => {
    const { run } = await setup({ workflows: `workflow('w', async (d) => sleep(d));` });
    await expect(run('w', duration)).rejects.toMatchObject({ cause: { code: 'PAWL_DURATION' } });
  });

  test('a Date in the past is over at once', async () => {
    const { run, clock } = await setup({
      workflows: `workflow('w', async () => { await sleep(new Date(0)); return 'on'; });`,
    });
    const value = run('w');
    await settle();
    clock.advance(0);
    expect(await value).toBe('on');
  });
});

describe('cancellation', () => {
  test('aborts running steps, and ends the run when the error escapes', async () => {
    const { calls, steps } = controlled();
    const { start, store } = await setup({ workflows: `${WORK} workflow('w', async () => work('a'));`, steps });
    const run = await start('w');
    await settle();
    expect(await run.cancel('changed my mind')).toBe(true);
    await expect(run.returnValue).rejects.toMatchObject({
      code: 'PAWL_RUN_CANCELLED',
      cause: { message: 'changed my mind' },
    });
    expect(await run.status).toBe('cancelled');
    expect(calls.get('a')?.signal.aborted).toBe(true);
    expect((await store.readEvents(run.runId)).map((event) => event.type)).toEqual([
      'run_created',
      'step_scheduled',
      'cancel_requested',
      'run_cancelled',
    ]);
    expect(await run.cancel()).toBe(false);
  });

  test('can be compensated with further steps', async () => {
    const done: string[] = [];
    const { start } = await setup({
      workflows: `
        const ship = step('ship'); const refund = step('refund');
        workflow('escapes', async () => { try { await ship(); } catch (e) { await refund(); throw e; } });
        workflow('stays', async () => { try { await sleep('1d'); } catch (e) { await refund(); return CancelledError.is(e) && e instanceof CancelledError; } });`,
      steps: { ship: () => new Promise(() => {}), refund: async () => void done.push('refund') },
    });
    const escapes = await start('escapes');
    await settle();
    await escapes.cancel();
    await expect(escapes.returnValue).rejects.toMatchObject({ code: 'PAWL_RUN_CANCELLED' });
    const stays = await start('stays');
    await settle();
    await stays.cancel();
    expect(await stays.returnValue).toBe(true);
    expect(done).toEqual(['refund', 'refund']);
  });

  test('another error makes the run fail', async () => {
    const { start } = await setup({
      workflows: `workflow('w', async () => { try { await sleep('1d'); } catch { throw new Error('cannot undo'); } });`,
    });
    const run = await start('w');
    await settle();
    await run.cancel();
    await expect(run.returnValue).rejects.toMatchObject({ code: 'PAWL_RUN_FAILED', cause: { message: 'cannot undo' } });
  });

  test('rejects all that is pending, hooks too, and drops late results', async () => {
    const { calls, steps } = controlled();
    const { start } = await setup({
      workflows: `${WORK} workflow('w', async () => {
        const hook = createHook({ token: 'h' });
        return (await Promise.allSettled([work('a'), sleep(1000), hook])).map((r) => r.reason?.name); });`,
      steps,
    });
    const run = await start('w');
    await settle();
    await run.cancel();
    calls.get('a')?.resolve('late');
    expect(await run.returnValue).toEqual(['CancelledError', 'CancelledError', 'CancelledError']);
  });
});

describe('what nobody handles', () => {
  test('fails the run when the function returns', async () => {
    const { run, start, clock } = await setup({
      workflows: `
        const fail = step('fail');
        workflow('floating', async () => { void (async () => { await fail(); })(); await sleep(1000); return 'fine'; });
        workflow('atOnce', async () => { void Promise.reject(new Error('at once')); return 'fine'; });
        workflow('direct', async () => { fail(); await sleep(1000); return 'fine'; });`,
      steps: {
        fail: async () => {
          throw new Error('lost');
        },
      },
      options: { fail: { maxRetries: 0 } },
    });
    for (const id of ['floating', 'direct']) {
      const pending = await start(id);
      await settle();
      clock.advance(1000);
      await expect(pending.returnValue).rejects.toMatchObject({
        cause: { code: 'PAWL_UNHANDLED_REJECTION', cause: { message: 'lost' } },
      });
    }
    await expect(run('atOnce')).rejects.toMatchObject({
      cause: { code: 'PAWL_UNHANDLED_REJECTION', cause: { message: 'at once' } },
    });
  });

  test('is no matter when somebody handles it later', async () => {
    const { calls, steps, options } = controlled();
    const { start } = await setup({
      workflows: `${WORK} workflow('w', async () => {
        const first = work('a'); const second = work('b');
        await first;
        try { await second; } catch (e) { return 'caught ' + e.message; } });`,
      steps,
      options,
    });
    const run = await start('w');
    await settle();
    calls.get('b')?.reject(new Error('early'));
    await settle();
    calls.get('a')?.resolve(1);
    expect(await run.returnValue).toBe('caught early');
  });

  test('is no matter when the function throws itself', async () => {
    const { run } = await setup({
      workflows: `workflow('w', async () => { void Promise.reject(new Error('other')); throw new Error('mine'); });`,
    });
    await expect(run('w')).rejects.toMatchObject({ cause: { message: 'mine' } });
  });
});

describe('code that does not go on', () => {
  test('fails when nothing is pending', async () => {
    const { run } = await setup({
      workflows: `
        workflow('forever', async () => new Promise(() => {}));
        workflow('after', async () => { await step('ok')(); await new Promise(() => {}); });
        workflow('because', async () => { void Promise.reject(new Error('why')); await new Promise(() => {}); });
        workflow('unawaited', async () => { createHook({ token: 'x' }); await new Promise(() => {}); });`,
      steps: { ok: async () => 1 },
    });
    for (const id of ['forever', 'after', 'unawaited']) {
      await expect(run(id)).rejects.toMatchObject({ cause: { code: 'PAWL_WORKFLOW_STUCK' } });
    }
    await expect(run('because')).rejects.toMatchObject({
      cause: { code: 'PAWL_WORKFLOW_STUCK', cause: { message: 'why' } },
    });
  });

  test('an endless loop parks the run, and the others go on', async () => {
    const { run, start } = await setup(
      {
        workflows: `
          workflow('loop', async () => { for (;;); });
          workflow('later', async () => { await step('ok')(); for (;;) await null; });
          workflow('expression', async () => { /^(a+)+$/.test('a'.repeat(60) + 'b'); });
          workflow('finally', async () => { try { for (;;) JSON.stringify({}); } finally { for (;;); } });
          workflow('nap', async () => { await sleep('1h'); return 'woke'; });
          workflow('fine', async () => step('ok')());`,
        steps: { ok: async () => 1 },
      },
      { activationTimeout: 200 },
    );
    const nap = await start('nap');
    for (const id of ['loop', 'later', 'expression', 'finally']) {
      const hung = await start(id);
      const fine = run('fine');
      await expect(hung.returnValue).rejects.toMatchObject({ reason: { code: 'PAWL_WORKFLOW_TIMEOUT' } });
      expect(await fine).toBe(1);
      const events = (await hung.events()).map((event) => event.type);
      expect(events.slice(1)).toEqual(
        id === 'later' ? ['step_scheduled', 'step_completed', 'run_parked'] : ['run_parked'],
      );
    }
    expect(await nap.status).toBe('running');
    await nap.cancel();
    await expect(nap.returnValue).rejects.toMatchObject({ code: 'PAWL_RUN_CANCELLED' });
  });

  test('a bundle that loops while it is loaded parks the run', async () => {
    const { start } = await setup({ workflows: `workflow('w', async () => 1); for (;;);` }, { activationTimeout: 200 });
    const run = await start('w');
    await expect(run.returnValue).rejects.toMatchObject({ reason: { code: 'PAWL_WORKFLOW_TIMEOUT' } });
  });

  test('a bundle that throws while it is loaded fails the run', async () => {
    const { run } = await setup({ workflows: `workflow('w', async () => 1); throw new Error('at the top');` });
    await expect(run('w')).rejects.toMatchObject({ cause: { message: 'at the top' } });
  });

  test('an unknown workflow is refused with what was probably meant', async () => {
    const { run } = await setup({ workflows: `workflow('src/orders.ts#fulfil', async () => 1);` });
    await expect(run('fulfil')).rejects.toMatchObject({
      code: 'PAWL_UNKNOWN_WORKFLOW',
      remedy: 'Did you mean "src/orders.ts#fulfil"?',
    });
    await expect(run('nothing like it')).rejects.toMatchObject({ remedy: 'The manifest lists: src/orders.ts#fulfil.' });
  });
});

test('console lines come once, with level and text', async () => {
  const { run, events } = await setup({
    workflows: `workflow('w', async () => { console.log('a %s', 1, { b: [2n] }); await step('ok')(); console.error('after'); });`,
    steps: { ok: async () => 1 },
  });
  await run('w');
  expect(events.flatMap((event) => (event.type === 'console' ? [[event.level, event.text]] : []))).toEqual([
    ['log', 'a 1 { b: [2n] }'],
    ['error', 'after'],
  ]);
});

test('a workflow called in a workflow runs as a part of it', async () => {
  const { run, store } = await setup({
    workflows: `
      const add = step('add');
      const inner = workflow('inner', async (x) => add(x, 1));
      workflow('outer', async (x) => (await inner(x)) * 10);`,
    steps: { add: async (a: number, b: number) => a + b },
  });
  expect(await run('outer', 1)).toBe(20);
  expect((await store.listRuns()).runs).toHaveLength(1);
});
