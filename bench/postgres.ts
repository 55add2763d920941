import pg from 'pg';
import { start } from 'pawl/client';
import { createWorker, openStore } from 'pawl/runtime';
import { startPostgres } from '../test/support/postgres.ts';
import { makeProject } from './run.ts';
import { median, type Row } from './report.ts';

const STEPS = 100;
const ROUNDS = 15;

/** A step on PostgreSQL against one INSERT, each a commit that survives loss of power, over the same kind of connection. */
export async function benchPostgres(): Promise<Row[]> {
  const { manifest, remove } = await makeProject();
  const server = await startPostgres({ durable: true });
  try {
    const store = await openStore(server.url);
    const worker = await createWorker({ manifest, store });
    const client = new pg.Client(server.url);
    await client.connect();
    await client.query('CREATE TABLE floor (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, data text)');
    const insert = { name: 'floor', text: 'INSERT INTO floor (data) VALUES ($1)', values: ['x'.repeat(100)] };
    await (await start('src/main.ts#sequential', [1_000])).returnValue;
    const commits: number[] = [];
    const steps: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      let begun = performance.now();
      for (let i = 0; i < STEPS; i++) await client.query(insert);
      commits.push((performance.now() - begun) / STEPS);
      begun = performance.now();
      await (await start('src/main.ts#sequential', [STEPS])).returnValue;
      steps.push((performance.now() - begun) / STEPS);
    }
    await client.end();
    await worker.close();
    await store.close();
    const ratios = steps.map((step, i) => step / (commits[i] as number)).slice(2);
    return [
      { what: 'one INSERT (synchronous_commit=on)', unit: 'ms', value: median(commits.slice(2)) },
      { what: 'a sequential no-op step', unit: 'ms', value: median(steps.slice(2)) },
      { what: '  against the INSERT', unit: '×', value: median(ratios), goal: 1.5 },
    ];
  } finally {
    await server.stop();
    remove();
  }
}
