/** What becomes of what an attempt of a step writes to streams when it fails, is cut short, or is made again. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { FatalError, getStepMetadata, getWritable } from '../../src/index.ts';
import { getRun } from '../../src/runtime/client.ts';
import type { EventStore } from '../../src/store/port.ts';
import { all, gate, write } from './streaming.ts';
import { closeAll, memoryStore, settle, setup } from './support.ts';

afterEach(closeAll);

describe('attempts', () => {
  test('what a failed attempt wrote stays; its close does not count, and the next one writes behind it', async () => {
    const { start, clock } = await setup({
      workflows: `workflow('w', async () => step('write')());`,
      steps: {
        write: async () => {
          const { attempt } = getStepMetadata();
          const writer = getWritable().getWriter();
          try {
            await writer.write(`attempt ${attempt}`);
            if (attempt === 1) throw new Error('once');
          } finally {
            await writer.close();
          }
        },
      },
    });
    const run = await start('w');
    await settle(60);
    clock.advance(10_000);
    await run.returnValue;
    expect(await all(run.readable)).toEqual(['attempt 1', 'attempt 2']);
  });

  test('a crash before the result is recorded: the step is made again, and its closed stream is as it was', async () => {
    let calls = 0;
    const steps = {
      write: async () => {
        calls++;
        await write(['a', 'b'], undefined, true);
        return calls;
      },
    };
    const workflows = `workflow('w', async () => step('write')());`;
    const first = await setup(
      { workflows, steps },
      {
        crashPoint: (point) => {
          if (point === 'step-returned') throw new Error('crash');
        },
      },
    );
    const run = await first.start('w');
    await vi.waitFor(() => expect(first.worker.closed).toBe(true));
    const { store } = first;
    await store.removeOwner(first.worker.owner);
    const second = await setup({ workflows, steps }, { store, clock: first.clock });
    await vi.waitFor(async () => {
      first.clock.advance(1_000);
      expect(await getRun(run.runId).status).toBe('completed');
    });
    expect(calls).toBe(2);
    expect(await all(getRun(run.runId).readable)).toEqual(['a', 'b']);
    await second.close();
  });

  test('an attempt that ran out of time writes no more', async () => {
    const { open, opened } = gate();
    const late: unknown[] = [];
    const { start, clock } = await setup({
      workflows: `workflow('w', async () => step('write')());`,
      steps: {
        write: Object.assign(
          async () => {
            const { attempt } = getStepMetadata();
            const writer = getWritable().getWriter();
            await writer.write(`attempt ${attempt}`);
            if (attempt > 1) return;
            await opened;
            await writer.write('late').catch((error: unknown) => late.push(error));
            await write(['late too']).catch((error: unknown) => late.push(error));
          },
          { timeout: 1_000 },
        ),
      },
    });
    const run = await start('w');
    await settle(60);
    clock.advance(1_000);
    await settle(60);
    open();
    await settle(60);
    clock.advance(60_000);
    await run.returnValue;
    expect(await all(run.readable)).toEqual(['attempt 1', 'attempt 2']);
    expect(late).toEqual([
      expect.objectContaining({ code: 'PAWL_STEP_TIMEOUT' }),
      expect.objectContaining({ code: 'PAWL_STEP_TIMEOUT' }),
    ]);
  });

  test('what an attempt wrote that exceeded its timeout stands in front of what the next one writes', async () => {
    const { open, opened } = gate();
    const memory = await memoryStore();
    const appendChunks: EventStore['appendChunks'] = async (request) => {
      const result = await memory.appendChunks(request);
      // The answer takes its time; so what comes next gathers.
      if (request.chunks[0] === '1["first"]') await opened;
      return result;
    };
    const store = new Proxy(memory, {
      get(target, key) {
        const value: unknown = key === 'appendChunks' ? appendChunks : Reflect.get(target, key, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    const { start, clock } = await setup(
      {
        workflows: `workflow('w', async () => step('write')());`,
        steps: {
          write: Object.assign(
            async () => {
              if (getStepMetadata().attempt > 1) return write(['third']);
              await write(['first', 'second']);
              await new Promise(() => {});
            },
            { timeout: 1_000 },
          ),
        },
      },
      { store },
    );
    const run = await start('w');
    await settle();
    clock.advance(1_000);
    await settle();
    clock.advance(60_000);
    await settle();
    open();
    await run.returnValue;
    await settle();
    expect(await all(run.readable)).toEqual(['first', 'second', 'third']);
  });

  test('a worker that lost its run writes nothing any more', async () => {
    const { open, opened } = gate();
    const failures: unknown[] = [];
    const { start, store, worker } = await setup({
      workflows: `workflow('w', async () => step('write')());`,
      steps: {
        write: async () => {
          const writer = getWritable().getWriter();
          await writer.write('before');
          await opened;
          await writer.write('zombie').catch((error: unknown) => failures.push(error));
          await writer.close().catch((error: unknown) => failures.push(error));
        },
      },
    });
    const run = await start('w');
    await vi.waitFor(async () => expect((await store.readChunks(run.runId, 'w'))?.count).toBe(1));
    await store.removeOwner(worker.owner);
    await store.registerOwner('other', 60_000);
    await store.claimRun(run.runId, { owner: 'other', now: 0 });
    open();
    await vi.waitFor(() => expect(failures).toHaveLength(1));
    expect(failures).toEqual([expect.objectContaining({ code: 'PAWL_STREAM_FENCED' })]);
    expect(await store.readChunks(run.runId, 'w')).toMatchObject({ chunks: ['1["before"]'], ended: false });
  });

  test('a store that fails while chunks are on their way fails the attempt, which is made again', async () => {
    const { start, store, clock } = await setup({
      workflows: `workflow('w', async () => step('write')());`,
      steps: { write: () => write([getStepMetadata().attempt]) },
    });
    const appendChunks = store.appendChunks.bind(store);
    let calls = 0;
    store.appendChunks = (request) => (calls++ === 0 ? Promise.reject(new Error('disk')) : appendChunks(request));
    const run = await start('w');
    await settle(60);
    clock.advance(10_000);
    await run.returnValue;
    expect(await all(run.readable)).toEqual([2]);
  });
});

test('a fatal error after writing leaves what was written', async () => {
  const { start } = await setup({
    workflows: `workflow('w', async () => step('write')());`,
    steps: {
      write: async () => {
        await write(['kept'], undefined, true);
        throw new FatalError('no');
      },
    },
  });
  const run = await start('w');
  await expect(run.returnValue).rejects.toThrow('no');
  expect(await all(run.readable)).toEqual(['kept']);
});
