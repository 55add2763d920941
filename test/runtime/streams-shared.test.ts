/** Streams between processes: who reads has a store object of its own, as another process would. */
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { getWritable } from '../../src/index.ts';
import { createHandler } from '../../src/runtime/handler.ts';
import { clientCodec } from '../../src/runtime/client-codec.ts';
import { readableOf } from '../../src/runtime/stream-reader.ts';
import { openStore } from '../../src/store/index.ts';
import type { EventStore } from '../../src/store/port.ts';
import { postgresUrl } from '../store/support/postgres.ts';
import { temporaryDirectory } from '../store/support/temporary.ts';
import { closeAll, setup } from './support.ts';

const stores: EventStore[] = [];
afterEach(async () => {
  await closeAll();
  for (const store of stores.splice(0)) await store.close();
});

async function open(url: string): Promise<EventStore> {
  const store = await openStore(url);
  stores.push(store);
  return store;
}

test.each([
  ['SQLite', () => `sqlite:${join(temporaryDirectory(), 'pawl.db')}`],
  ['PostgreSQL', postgresUrl],
])('a reader elsewhere sees a stream grow, and end: %s', async (_, place) => {
  const url = place();
  const [here, elsewhere] = [await open(url), await open(url)];
  const gates = [0, 1].map(() => {
    let pass = (): void => {};
    const passed = new Promise<void>((resolve) => {
      pass = resolve;
    });
    return { pass, passed };
  });
  const { start } = await setup(
    {
      workflows: `workflow('w', async () => step('write')());`,
      steps: {
        write: async () => {
          const writer = getWritable().getWriter();
          for (const { passed } of gates) {
            await writer.write({ at: new Date(1), bytes: new Uint8Array([1]) });
            await writer.write(new Uint8Array([0, 255]));
            await passed;
          }
        },
      },
    },
    { store: here },
  );
  const run = await start('w');
  const source = { store: elsewhere, codec: clientCodec(elsewhere) };
  const reader = readableOf(() => source, { runId: run.runId, name: 'w' }).getReader();
  const pair = async (): Promise<unknown[]> => [(await reader.read()).value, (await reader.read()).value];
  const expected = [{ at: new Date(1), bytes: new Uint8Array([1]) }, new Uint8Array([0, 255])];
  expect(await pair()).toEqual(expected);
  gates[0]?.pass();
  expect(await pair()).toEqual(expected);
  const end = reader.read();
  gates[1]?.pass();
  expect(await end).toEqual({ done: true, value: undefined });

  const handler = createHandler({ store: elsewhere }, { token: 't' });
  const streams = `https://a.example/.well-known/pawl/v1/streams/${run.runId}?startIndex=3`;
  const response = await handler(new Request(streams, { headers: { authorization: 'Bearer t' } }));
  expect(await response.text()).toBe('{"index":3,"base64":"AP8="}\n{"index":4,"end":true}\n');
});
