/** Streams: steps write them, others read them while they grow, workflow code passes them on. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { FatalError, getStepMetadata, getWritable } from '../../src/index.ts';
import { getRun, start as startFrom } from '../../src/runtime/client.ts';
import type { EventStore } from '../../src/store/port.ts';
import { closeAll, memoryStore, settle, setup } from './support.ts';

afterEach(closeAll);

/** A promise, and what resolves it. */
function gate(): { open: () => void; opened: Promise<void> } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

async function all<T>(stream: ReadableStream<T>): Promise<T[]> {
  const chunks: T[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}

/** Writes to a stream of the run that the step belongs to. */
async function write(chunks: unknown[], namespace?: string, close = false): Promise<void> {
  const writer = getWritable(namespace === undefined ? {} : { namespace }).getWriter();
  for (const chunk of chunks) await writer.write(chunk);
  if (close) await writer.close();
  else writer.releaseLock();
}

const names = async (store: EventStore, runId: string): Promise<string[]> =>
  (await store.listStreams(runId)).map(({ name }) => name);

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

describe('streams that steps return', () => {
  const lines = (...chunks: unknown[]): ReadableStream =>
    new ReadableStream({
      start(controller) {
        for (const chunk of chunks) controller.enqueue(chunk);
        controller.close();
      },
    });
  const read = (stream: ReadableStream): Promise<unknown[]> => all(stream);

  test('they are kept with the run, and read by steps, children and callers, each from the beginning', async () => {
    const { start, store } = await setup({
      workflows: `
        workflow('child', async (stream) => step('read')(stream));
        workflow('w', async () => {
          const { made, bytes } = await step('make')();
          return [await step('read')(made), await child('child', [made]), await step('read')(bytes), made, made instanceof ReadableStream];
        });`,
      steps: {
        make: () => ({ made: lines(1, { two: 2n }), bytes: new Response('body').body }),
        read,
      },
    });
    const run = await start<[unknown, unknown, Uint8Array[], ReadableStream, boolean]>('w');
    const [here, there, bytes, stream, known] = await run.returnValue;
    const expected = [1, { two: 2n }];
    expect([here, there, known]).toEqual([expected, expected, true]);
    expect(Buffer.concat(bytes).toString()).toBe('body');
    expect(await all(stream)).toEqual(expected);
    expect(await names(store, run.runId)).toEqual(['s:1.1.0', 's:1.1.1']);
    // Elsewhere, and passed on to another run.
    const other = await startFrom<never>('child' as never, [(await run.returnValue)[3]] as never);
    expect(await other.returnValue).toEqual(expected);
  });

  test('a step that returns what it got passes it on, and copies nothing', async () => {
    const { run, store } = await setup({
      workflows: `workflow('w', async () => step('read')(await step('pass')(await step('make')())));`,
      steps: { make: () => lines('a'), pass: (stream: unknown) => stream, read },
    });
    expect(await run('w')).toEqual(['a']);
    const { runs } = await store.listRuns();
    expect(await names(store, runs[0]?.id as string)).toEqual(['s:1.1.0']);
  });

  test('one that breaks fails the attempt; the next one has a stream of its own', async () => {
    const { start, clock } = await setup({
      workflows: `workflow('w', async () => step('read')(await step('make')()));`,
      steps: {
        make: () => {
          const { attempt } = getStepMetadata();
          let sent = 0;
          return new ReadableStream({
            pull(controller) {
              if (sent++ < 2) controller.enqueue(`${attempt}.${sent}`);
              else if (attempt === 1) controller.error(new Error('broken'));
              else controller.close();
            },
          });
        },
        read,
      },
    });
    const run = await start('w');
    await settle(60);
    clock.advance(10_000);
    expect(await run.returnValue).toEqual(['2.1', '2.2']);
  });

  test('one that is read already, and one in an argument, are refused', async () => {
    const { run, start } = await setup({
      workflows: `workflow('w', async () => step('make')()); workflow('id', async (x) => x);`,
      steps: {
        make: () => {
          const stream = lines(1);
          stream.getReader();
          return stream;
        },
      },
    });
    await expect(start('id', lines(1))).rejects.toMatchObject({
      code: 'PAWL_NOT_SERIALIZABLE',
      message: 'args[0] is a ReadableStream.',
    });
    await expect(run('w')).rejects.toMatchObject({
      cause: { code: 'PAWL_NOT_SERIALIZABLE', message: expect.stringContaining('someone reads') },
    });
    await expect(start('id', new WritableStream())).rejects.toMatchObject({ remedy: 'Pass what getWritable() gives.' });
  });

  test('a cancelled run gives up the stream that a step returns', async () => {
    const cancelled = vi.fn<(reason: unknown) => void>();
    const { start } = await setup({
      workflows: `workflow('w', async () => step('make')());`,
      steps: {
        make: () =>
          new ReadableStream({
            start: (controller) => controller.enqueue('first'),
            cancel: cancelled,
          }),
      },
    });
    const run = await start('w');
    await settle();
    await run.cancel('enough');
    await expect(run.returnValue).rejects.toThrow('was cancelled');
    await vi.waitFor(() => expect(cancelled).toHaveBeenCalledOnce());
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
