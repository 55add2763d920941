/** Streams: steps write them, others read them while they grow, workflow code passes them on. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { getWritable } from '../../src/index.ts';
import { getRun } from '../../src/runtime/client.ts';
import { all, gate, names, write } from './streaming.ts';
import { closeAll, settle, setup } from './support.ts';

afterEach(closeAll);

describe('writing and reading', () => {
  test('values and bytes of several steps arrive in order, and end with the run', async () => {
    const { start } = await setup({
      workflows: `workflow('w', async () => { await step('write')([1, { a: new Date(5) }]); await step('write')([undefined, 'x']); await step('bytes')(); });`,
      steps: { write, bytes: () => write([new Uint8Array([1, 2]), Buffer.from('é')]) },
    });
    const run = await start('w');
    expect(await all(run.readable)).toEqual([
      1,
      { a: new Date(5) },
      undefined,
      'x',
      new Uint8Array([1, 2]),
      new TextEncoder().encode('é'),
    ]);
    // Each reader begins anew, also when all is over.
    expect(await all(run.getReadable({ startIndex: 3 }))).toHaveLength(3);
    expect(await all(run.getReadable({ startIndex: -1 }))).toEqual([new TextEncoder().encode('é')]);
    expect(await all(run.getReadable({ startIndex: 99 }))).toEqual([]);
    expect(await all(run.getReadable({ namespace: 'none' }))).toEqual([]);
  });

  test('what is written is read while the step still runs; a close ends it when the step has succeeded', async () => {
    const [first, second, third] = [gate(), gate(), gate()];
    const { start } = await setup({
      workflows: `workflow('w', async () => { await step('write')(); await createHook({ token: 't' }); });`,
      steps: {
        write: async () => {
          const writer = getWritable().getWriter();
          for (const [index, { opened }] of [first, second].entries()) {
            await opened;
            await writer.write(index);
          }
          await writer.close();
          await third.opened;
        },
      },
    });
    const run = await start('w');
    const reader = run.readable.getReader();
    const next = reader.read();
    first.open();
    expect(await next).toEqual({ done: false, value: 0 });
    second.open();
    expect(await reader.read()).toEqual({ done: false, value: 1 });
    const end = vi.fn<(result: unknown) => void>();
    const ended = reader.read().then(end);
    await settle();
    expect(end).not.toHaveBeenCalled();
    third.open();
    await ended;
    expect(end).toHaveBeenCalledWith({ done: true, value: undefined });
    expect(await run.status).toBe('running');
  });

  test('namespaces are streams of their own', async () => {
    const { start, store } = await setup({
      workflows: `workflow('w', async () => { await Promise.all([step('write')([1], 'a'), step('write')([2], 'b', true), step('write')([3])]); });`,
      steps: { write },
    });
    const run = await start('w');
    await run.returnValue;
    expect(await all(run.getReadable({ namespace: 'a' }))).toEqual([1]);
    expect(await all(run.getReadable({ namespace: 'b' }))).toEqual([2]);
    expect(await all(run.readable)).toEqual([3]);
    expect(await names(store, run.runId)).toEqual(['w', 'w:a', 'w:b']);
  });

  test('a reader that comes back with the number of chunks that it has misses none and sees none twice', async () => {
    const { open, opened } = gate();
    const { start } = await setup({
      workflows: `workflow('w', async () => { await step('write')([0, 1, 2]); await step('wait')(); await step('write')([3, 4]); });`,
      steps: { write, wait: () => opened },
    });
    const run = await start('w');
    const seen: unknown[] = [];
    for await (const chunk of run.readable) {
      seen.push(chunk);
      if (seen.length === 2) break;
    }
    open();
    await run.returnValue;
    seen.push(...(await all(run.getReadable({ startIndex: seen.length }))));
    expect(seen).toEqual([0, 1, 2, 3, 4]);
  });

  test('all that was handed over is durable before the result is, also what was not awaited', async () => {
    const { start, store } = await setup({
      workflows: `workflow('w', async () => step('write')());`,
      steps: {
        write: () => {
          const writer = getWritable().getWriter();
          for (let index = 0; index < 1000; index++) void writer.write(index);
          return 'done';
        },
      },
    });
    const run = await start('w');
    expect(await run.returnValue).toBe('done');
    expect(await store.readChunks(run.runId, 'w', { limit: 2000 })).toMatchObject({ count: 1000 });
  });

  test('several writers of one step write to one stream', async () => {
    const { start } = await setup({
      workflows: `workflow('w', async () => step('write')());`,
      steps: {
        write: async () => {
          const [a, b] = [getWritable().getWriter(), getWritable().getWriter()];
          await a.write(1);
          await b.write(2);
          await a.close();
          await expect(b.write(3)).rejects.toMatchObject({ code: 'PAWL_STREAM_CLOSED' });
        },
      },
    });
    const run = await start('w');
    await run.returnValue;
    expect(await all(run.readable)).toEqual([1, 2]);
  });

  test.each<[string, (writer: WritableStreamDefaultWriter) => Promise<unknown>]>([
    ['after it was closed', (writer) => writer.close()],
    ['while it closes', async (writer) => void writer.close()],
    ['after it was given up', (writer) => writer.abort(new Error('no'))],
    ['while it is given up', async (writer) => void writer.abort(new Error('no'))],
    ['after something that cannot cross', (writer) => writer.write(() => 1).catch(() => {})],
  ])('who writes %s is refused, and holds nothing up', async (_, end) => {
    const { start } = await setup({
      workflows: `workflow('w', async () => step('write')());`,
      steps: {
        write: async () => {
          const writer = getWritable().getWriter();
          writer.closed.catch(() => {});
          await writer.write('first');
          await end(writer);
          const refusals: unknown[] = [];
          for (let index = 0; index < 3; index++) {
            try {
              await writer.write('late');
            } catch (error) {
              // Node 20 throws where it should reject.
              refusals.push(error);
            }
          }
          return refusals.length;
        },
      },
    });
    const run = await start('w');
    expect(await run.returnValue).toBe(3);
    expect(await all(run.readable)).toEqual(['first']);
  });

  test('what cannot cross is refused, by name', async () => {
    const { start } = await setup({
      workflows: `workflow('w', async () => step('write')());`,
      steps: { write: () => write([{ a: [() => 1] }]) },
    });
    const run = await start('w');
    await expect(run.returnValue).rejects.toMatchObject({
      cause: { code: 'PAWL_NOT_SERIALIZABLE', message: expect.stringContaining('chunk.a[0]') },
    });
  });

  test('a stream that another step has closed takes no more, and trying again does not help', async () => {
    let attempts = 0;
    const { start } = await setup({
      workflows: `workflow('w', async () => { await step('write')([1], undefined, true); await step('again')(); });`,
      steps: {
        write,
        again: async () => {
          attempts++;
          await write([2]);
        },
      },
    });
    const run = await start('w');
    await expect(run.returnValue).rejects.toMatchObject({ cause: { code: 'PAWL_STREAM_CLOSED' } });
    expect(attempts).toBe(1);
    expect(await all(run.readable)).toEqual([1]);
  });

  test.each([[''], [5], ['a\0b'], ['\ud800']])('%j is no namespace', async (namespace) => {
    const { run } = await setup({
      workflows: `workflow('w', async () => step('write')());`,
      steps: { write: () => void getWritable({ namespace: namespace as string }) },
    });
    await expect(run('w')).rejects.toMatchObject({ cause: { code: 'PAWL_STREAM_NAMESPACE' } });
    expect(() => getRun('r').getReadable({ namespace: namespace as string })).toThrow('namespace');
  });

  test('a run that is not there, and an index that is none, are told', async () => {
    await setup({ workflows: `workflow('w', async () => 1);` });
    await expect(all(getRun('nobody').readable)).rejects.toMatchObject({ code: 'PAWL_UNKNOWN_RUN' });
    expect(() => getRun('r').getReadable({ startIndex: 1.5 })).toThrow('whole number');
  });

  test('a reader that gives up while it waits lets go of the store', async () => {
    const { start, store } = await setup({
      workflows: `workflow('w', async () => { await createHook({ token: 't' }); });`,
    });
    let listening = 0;
    const subscribe = store.subscribe.bind(store);
    store.subscribe = (listener) => {
      listening++;
      const stop = subscribe(listener);
      return () => {
        listening--;
        stop();
      };
    };
    const run = await start('w');
    const reader = run.readable.getReader();
    const read = reader.read();
    await settle();
    expect(listening).toBe(1);
    await reader.cancel();
    expect(await read).toEqual({ done: true, value: undefined });
    await settle();
    expect(listening).toBe(0);
  });
});

describe('handles in workflow code', () => {
  test('a handle is passed to steps, to other workflows, and back', async () => {
    const { start } = await setup({
      workflows: `
        workflow('child', async (writable, own) => { await step('to')(writable, ['of the child']); await step('to')(getWritable(), ['own']); return writable; });
        workflow('w', async () => {
          const writable = getWritable({ namespace: 'n' });
          await step('to')(writable, [1]);
          const back = await child('child', [writable]);
          await step('to')(await step('echo')(back), [2]);
          return { kept: back instanceof WritableStream, locked: back.locked, text: String(back) };
        });`,
      steps: {
        to: async (writable: WritableStream, chunks: unknown[]) => {
          const writer = writable.getWriter();
          for (const chunk of chunks) await writer.write(chunk);
        },
        echo: (value: unknown) => value,
      },
    });
    const run = await start('w');
    expect(await run.returnValue).toEqual({ kept: true, locked: false, text: '[object WritableStream]' });
    expect(await all(run.getReadable({ namespace: 'n' }))).toEqual([1, 'of the child', 2]);
    expect(await all(run.readable)).toEqual([]);
  });

  test('a caller who gets one cannot write, but pass it on', async () => {
    const { start } = await setup({
      workflows: `workflow('out', async () => getWritable()); workflow('in', async (writable) => step('to')(writable).catch((error) => error.code));`,
      steps: {
        to: async (writable: WritableStream) => writable.getWriter().write('too late'),
      },
    });
    const writable = await (await start<WritableStream>('out')).returnValue;
    expect(writable).toBeInstanceOf(WritableStream);
    await expect(writable.getWriter().write(1)).rejects.toMatchObject({ code: 'PAWL_ONLY_IN_STEP' });
    // Its run has ended, and the stream with it.
    expect(await (await start('in', writable)).returnValue).toBe('PAWL_STREAM_CLOSED');
  });

  test.each([
    ['getWritable().getWriter()', 'getWriter'],
    ['await getWritable().close()', 'Closing a stream'],
    ['(await step("read")()).getReader()', 'getReader'],
    ['for await (const chunk of await step("read")()) chunk', 'Reading a stream'],
    ['(await step("read")()).pipeThrough({})', 'pipeThrough'],
    ['new ReadableStream({})', 'new ReadableStream()'],
    ['new WritableStream()', 'new WritableStream()'],
    ['new (getWritable().constructor)({ runId: "x", name: "w" })', 'new WritableStream()'],
  ])('%s says that it belongs in a step', async (code, what) => {
    const { run } = await setup({
      workflows: `workflow('w', async () => { ${code}; });`,
      steps: { read: () => new Response('x').body },
    });
    await expect(run('w')).rejects.toMatchObject({
      cause: {
        code: 'PAWL_NOT_IN_WORKFLOW',
        message: expect.stringContaining(what),
        remedy: expect.stringMatching(/step/),
      },
    });
  });
});

describe('flow', () => {
  test('who writes faster than the store takes waits, and no more is on its way than the room holds', async () => {
    const { open, opened } = gate();
    let written = 0;
    const { start, store } = await setup({
      workflows: `workflow('w', async () => step('write')());`,
      steps: {
        write: async () => {
          const writer = getWritable<Uint8Array>().getWriter();
          for (let index = 0; index < 64; index++) {
            await writer.ready;
            await writer.write(new Uint8Array(1 << 18));
            written++;
          }
          return writer.desiredSize;
        },
      },
    });
    const appendChunks = store.appendChunks.bind(store);
    store.appendChunks = async (request) => {
      await opened;
      return appendChunks(request);
    };
    const run = await start('w');
    await settle(100);
    // 1 MiB: the write that fills it waits.
    expect(written).toBe(3);
    open();
    expect(await run.returnValue).toBe(1 << 18);
    expect(written).toBe(64);
  });

  test('100 MiB pass from one step to another, and only a little of it is anywhere at a time', async () => {
    const SIZE = 100 << 20;
    const PIECE = 1 << 16;
    let produced = 0;
    let handed = 0;
    let most = 0;
    const { start, store } = await setup({
      workflows: `workflow('w', async () => step('count')(await step('make')()));`,
      steps: {
        make: () =>
          new ReadableStream({
            pull(controller) {
              if (produced === SIZE) {
                controller.close();
                return;
              }
              controller.enqueue(new Uint8Array(PIECE).fill((produced / PIECE) & 0xff));
              produced += PIECE;
            },
          }),
        count: async (stream: ReadableStream<Uint8Array>) => {
          let [bytes, sum] = [0, 0];
          for await (const chunk of stream) {
            bytes += chunk.byteLength;
            sum += chunk[0] as number;
          }
          return [bytes, sum];
        },
      },
    });
    const appendChunks = store.appendChunks.bind(store);
    store.appendChunks = async (request) => {
      const result = await appendChunks(request);
      for (const chunk of request.chunks) handed += chunk.length;
      return result;
    };
    const readChunks = store.readChunks.bind(store);
    store.readChunks = async (...args) => {
      const page = await readChunks(...args);
      most = Math.max(most, page?.chunks.reduce((size, { length }) => size + length, 0) ?? 0);
      return page;
    };
    let ahead = 0;
    const watching = setInterval(() => {
      ahead = Math.max(ahead, produced - handed);
    }, 1);
    const run = await start('w');
    const sum = Array.from({ length: SIZE / PIECE }, (_, index) => index & 0xff).reduce((a, b) => a + b, 0);
    expect(await run.returnValue).toEqual([SIZE, sum]);
    clearInterval(watching);
    // What is made and not yet kept, and what a reader holds: about a MiB each.
    expect(ahead).toBeLessThanOrEqual(3 << 20);
    expect(most).toBeLessThanOrEqual(2 << 20);
  });

  test('a value of many megabytes is cut into pieces that pass one after the other', async () => {
    const large = Buffer.alloc(9_000_001, 'abc');
    const { start, store } = await setup({
      workflows: `workflow('w', async () => step('write')());`,
      steps: { write: () => write([large]) },
    });
    const run = await start('w');
    await run.returnValue;
    const chunks = (await all(run.readable)) as Uint8Array[];
    expect(large.equals(Buffer.concat(chunks))).toBe(true);
    expect(Math.max(...chunks.map(({ length }) => length))).toBe(1 << 18);
    expect((await store.listStreams(run.runId))[0]).toMatchObject({ size: large.length });
  });
});
