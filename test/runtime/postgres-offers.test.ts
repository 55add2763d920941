/** What is on offer in PostgreSQL while somebody else is about to take it. */
import pg from 'pg';
import { expect, test } from 'vitest';
import { createWorker } from '../../src/runtime/worker.ts';
import { openStore } from '../../src/store/open.ts';
import type { EventStore } from '../../src/store/port.ts';
import { postgresUrl } from '../store/support/postgres.ts';
import { patched, program } from './support.ts';

test('an owner makes a step itself of which another worker let go before it had taken it', async () => {
  const url = postgresUrl();
  const store = await openStore(url);
  const other = new pg.Client(process.env.PAWL_TEST_POSTGRES);
  await other.connect();
  await store.registerOwner('other', 60_000, { takes: true });
  let knows = (): void => {};
  const known = new Promise<void>((resolve) => {
    knows = resolve;
  });
  let tries = 0;
  const own: Partial<EventStore> = {
    countTakers: (owner) => store.countTakers(owner).finally(() => setImmediate(knows)),
    takeBackOffers: async (...args) => {
      tries++;
      if (tries > 1) return store.takeBackOffers(...args);
      // As `takeOffers` of a worker that is cut short in the middle of its transaction.
      await other.query(`BEGIN; SELECT 1 FROM "${new URL(url).searchParams.get('schema')}".offers FOR UPDATE`);
      const taken = await store.takeBackOffers(...args);
      await other.query('ROLLBACK');
      return taken;
    },
  };
  const workflows = `const s = step('s'); workflow('both', async () => Promise.all([s('a'), s('b')]));`;
  const made = program({ workflows, steps: { s: async (value: unknown) => value } });
  const worker = await createWorker({ program: made, store: patched(store, own) });
  try {
    await known;
    const end = await worker.whenEnded(await worker.startRun({ workflowId: 'both', args: [] }));
    expect(end).toMatchObject({ status: 'completed' });
    expect(tries).toBe(2);
  } finally {
    await worker.close({ timeout: 0 });
    await other.end();
    await store.close();
  }
});
