/** PostgreSQL is stopped as a crash stops it, and started again, while a worker works: everything goes on by itself. */
import { expect, test } from 'vitest';
import { getStepMetadata } from '../../src/index.ts';
import { createWorker } from '../../src/runtime/worker.ts';
import { openStore } from '../../src/store/open.ts';
import { startPostgres } from '../support/postgres.ts';
import { program } from './support.ts';

const RUNS = 12;
const STEPS = 6;

test('a restart of the server loses nothing, and no finished step is made again', { timeout: 120_000 }, async () => {
  const server = await startPostgres();
  const store = await openStore(server.url);
  const calls: string[] = [];
  const ended = new Set<string>();
  let reached: () => void = () => {};
  const sources = {
    workflows: `const add = step('add');
      workflow('w', async (n) => { let sum = 0; for (let i = 0; i < ${STEPS}; i++) sum = await add(sum, n); return sum; });`,
    steps: {
      add: async (a: number, b: number) => {
        calls.push(getStepMetadata().stepId);
        if (calls.length % 20 === 0) reached();
        // Long enough that the server goes away in the middle of some.
        await new Promise((resolve) => setTimeout(resolve, 5));
        return a + b;
      },
    },
  };
  const failures: unknown[] = [];
  const worker = await createWorker({
    program: program(sources),
    store,
    onEvent: (event) => {
      if (event.type === 'store-failed') failures.push(event.error);
      if (event.type === 'step-completed') {
        // Told once it is durable.
        expect(ended.has(`${event.runId}-${event.cid}`)).toBe(false);
        ended.add(`${event.runId}-${event.cid}`);
      }
      if (event.type === 'step-started') expect(ended.has(`${event.runId}-${event.cid}`)).toBe(false);
    },
  });
  const ids = await Promise.all(
    Array.from({ length: RUNS }, (_, n) => worker.startRun({ workflowId: 'w', args: [n], runId: `r${n}` })),
  );
  const ends = Promise.all(ids.map((id) => worker.whenEnded(id)));
  for (let restarts = 0; restarts < 2; restarts++) {
    await new Promise<void>((resolve) => {
      reached = resolve;
    });
    await server.restart();
  }
  expect(await ends).toEqual(ids.map((_, n) => ({ status: 'completed', data: `1[${STEPS * n}]` })));
  for (const id of ids) {
    const log = await store.readEvents(id);
    const results = log.filter(({ type }) => type === 'step_completed').map(({ cid }) => cid);
    expect(results.toSorted()).toEqual(Array.from({ length: STEPS }, (_, n) => n + 1));
  }
  // The worker has noticed.
  expect(failures.length).toBeGreaterThan(0);
  for (const error of failures) expect(error).toMatchObject({ code: 'PAWL_STORE_CONNECTION' });
  await worker.close();
  await store.close();
  await server.stop();
});
