import { afterEach, describe, expect, test } from 'vitest';
import { closeAll, settle, setup } from './support.ts';

afterEach(closeAll);

describe('a run', () => {
  test('calls steps in sequence and returns', async () => {
    const { run, store } = await setup({
      workflows: `
        const add = step('add');
        workflow('sum', async (a, b) => { const c = await add(a, b); return add(c, 100); });`,
      steps: { add: async (a: number, b: number) => a + b },
    });
    expect(await run('sum', 1, 2)).toBe(103);
    const [record] = (await store.listRuns()).runs;
    expect(record?.status).toBe('completed');
    expect((await store.readEvents(record?.id ?? '')).map((event) => event.type)).toEqual([
      'run_created',
      'step_scheduled',
      'step_completed',
      'step_scheduled',
      'step_completed',
      'run_completed',
    ]);
  });

  test('sleeps', async () => {
    const { start, clock } = await setup({
      workflows: `workflow('nap', async () => { const before = Date.now(); await sleep('90 days'); return Date.now() - before; });`,
    });
    const nap = await start('nap');
    await settle();
    expect(await nap.status).toBe('running');
    clock.advance(90 * 86_400_000);
    expect(await nap.returnValue).toBe(90 * 86_400_000);
  });
});
