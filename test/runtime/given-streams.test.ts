/** Streams among the arguments of `start()`: sent while the run goes on, read wherever it does, and an error that names a sender who died. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { getRun, start } from '../../src/runtime/client.ts';
import { createVirtualClock } from '../../src/runtime/clock.ts';
import { openStore } from '../../src/store/index.ts';
import type { EventStore } from '../../src/store/port.ts';
import { postgresUrl } from '../store/support/postgres.ts';
import { temporaryDirectory } from '../store/support/temporary.ts';
import { ROOT } from '../support/dist.ts';
import { all, gate } from './streaming.ts';
import { closeAll, patched, type Setup, settle, setup } from './support.ts';

afterEach(closeAll);

const places: [string, () => string][] = [
  ['SQLite', () => `sqlite:${join(temporaryDirectory(), 'pawl.db')}`],
  ['PostgreSQL', postgresUrl],
];

async function open(url: string): Promise<EventStore> {
  const store = await openStore(url);
  onTestFinished(() => store.close());
  return store;
}

/** What the test gives to it, and what becomes of it. */
function source(): { stream: ReadableStream; give: ReadableStreamDefaultController; cancelled: Promise<unknown> } {
  let give: ReadableStreamDefaultController | undefined;
  let cancel = (_: unknown): void => {};
  const cancelled = new Promise<unknown>((resolve) => {
    cancel = resolve;
  });
  const stream = new ReadableStream({
    start: (controller) => {
      give = controller;
    },
    cancel,
  });
  return { stream, give: give as unknown as ReadableStreamDefaultController, cancelled };
}

const WORKFLOWS = `workflow('w', async (given) => { const a = await step('read')(given); return [a, await step('read')(given), given]; });
  workflow('one', async ({ given }) => step('read')(given));
  workflow('none', async () => 'done');`;

/** Two workers that share nothing but the store: the first one only starts runs, the second one does the work. */
async function two(
  place: string,
  read: (stream: ReadableStream) => Promise<unknown> = all,
  own: (store: EventStore) => Partial<EventStore> = () => ({}),
): Promise<{ here: Setup; there: Setup }> {
  const [near, far] = [await open(place), await open(place)];
  const there = await setup({ workflows: WORKFLOWS, steps: { read } }, { store: far });
  const sources = { workflows: WORKFLOWS, steps: { read } };
  const here = await setup(sources, { store: patched(near, own(near)), claim: false, maxRuns: 0 });
  return { here, there };
}

const failed = (code: string, message: RegExp) => ({
  cause: { code, message: expect.stringMatching(message) },
});

describe.each(places)('in %s', (_, place) => {
  test('everybody who gets the stream reads all of it, while it is sent', async () => {
    const seen: unknown[] = [];
    const first = gate();
    const { there } = await two(place(), async (stream) => {
      for await (const chunk of stream) {
        seen.push(chunk);
        first.open();
      }
      return seen.length;
    });
    const { stream, give } = source();
    const run = await start('w', [stream]);
    give.enqueue({ at: new Date(1) });
    await first.opened;
    expect(seen).toEqual([{ at: new Date(1) }]);
    give.enqueue(new Uint8Array([0, 255]));
    give.close();
    const [once, twice, handle] = (await run.returnValue) as [number, number, ReadableStream];
    expect([once, twice]).toEqual([2, 4]);
    const chunks = [{ at: new Date(1) }, new Uint8Array([0, 255])];
    expect(seen).toEqual([...chunks, ...chunks]);
    expect(await all(handle)).toEqual(chunks);
    expect(await there.store.listStreams(run.runId)).toMatchObject([{ chunks: 2, closed: true }]);
  });

  test('a sender who is gone is named to those who have read what came', async () => {
    let tries = 0;
    const first = gate();
    const { there } = await two(place(), async (stream) => {
      tries++;
      for await (const _chunk of stream) first.open();
    });
    const { stream, give, cancelled } = source();
    const run = await start('one', [{ given: stream }]);
    give.enqueue('first');
    await first.opened;
    const sender = /client-[\w-]+/.exec((await run.record()).input ?? '')?.[0] as string;
    expect(await there.store.isAlive(sender)).toBe(true);
    // As when its lease is over.
    await there.store.removeOwner(sender);
    await expect(run.returnValue).rejects.toMatchObject(failed('PAWL_STREAM_LOST', /passed a ReadableStream to start/));
    // It would be the same again.
    expect(tries).toBe(1);
    await cancelled;
  });
});

test('a source that fails is an error to who reads, with its cause, and is not read again', async () => {
  const { here } = await two(places[0]?.[1]() as string);
  const { stream, give } = source();
  const run = await start('one', [{ given: stream }]);
  give.enqueue(1);
  await settle();
  give.error(new RangeError('no such file'));
  await expect(run.returnValue).rejects.toMatchObject({
    cause: { code: 'PAWL_STREAM_BROKEN', cause: { name: 'RangeError', message: 'no such file' } },
  });
  expect(await here.store.readEvents(run.runId)).toMatchObject(
    ['run_created', 'step_scheduled', 'step_failed', 'run_failed'].map((type) => ({ type })),
  );
});

test('what cannot cross breaks the stream off, and its source is told', async () => {
  await two(places[0]?.[1]() as string);
  const { stream, give, cancelled } = source();
  const run = await start('one', [{ given: stream }]);
  give.enqueue(() => {});
  await expect(run.returnValue).rejects.toMatchObject(failed('PAWL_STREAM_BROKEN', /function/));
  expect(await cancelled).toMatchObject({ code: 'PAWL_NOT_SERIALIZABLE' });
});

test('no more is read than the room holds while the store takes it', async () => {
  const SIZE = 1 << 18;
  const CHUNKS = 128;
  let made = 0;
  let stored = 0;
  let most = 0;
  const own = (store: EventStore): Partial<EventStore> => ({
    appendChunks: async (request) => {
      const result = await store.appendChunks(request);
      stored += request.chunks.length;
      return result;
    },
  });
  const read = async (stream: ReadableStream<Uint8Array>): Promise<number> => {
    let size = 0;
    for await (const chunk of stream) size += chunk.byteLength;
    return size;
  };
  await two(places[0]?.[1]() as string, read, own);
  const stream = new ReadableStream({
    pull(controller) {
      controller.enqueue(new Uint8Array(SIZE).fill(++made));
      most = Math.max(most, made - stored);
      if (made === CHUNKS) controller.close();
    },
  });
  const run = await start('one', [{ given: stream }]);
  expect(await run.returnValue).toBe(SIZE * CHUNKS);
  // What the room holds, what is on its way, and what the stream itself has ready.
  expect(most).toBeLessThanOrEqual(10);
});

test('a run that ends gives up the stream, and the sender is forgotten', async () => {
  const { here } = await two(places[0]?.[1]() as string);
  const { stream, cancelled } = source();
  const run = await start('none', [stream]);
  expect(await run.returnValue).toBe('done');
  expect(await cancelled).toMatchObject({ code: 'PAWL_STREAM_CLOSED', message: expect.stringMatching(/has ended/) });
  const sender = /client-[\w-]+/.exec((await run.record()).input ?? '')?.[0] as string;
  await expect.poll(() => here.store.isAlive(sender)).toBe(false);
});

describe('a stream is not touched', () => {
  test('when the run does not start', async () => {
    await two(places[0]?.[1]() as string);
    const { stream, give } = source();
    await expect(start('one', [{ given: stream, not: () => {} }])).rejects.toMatchObject({
      code: 'PAWL_NOT_SERIALIZABLE',
    });
    await expect(start('missing', [stream])).rejects.toMatchObject({ code: 'PAWL_UNKNOWN_WORKFLOW' });
    expect(stream.locked).toBe(false);
    const run = await start('one', [{ given: stream }]);
    give.enqueue(1);
    give.close();
    expect(await run.returnValue).toEqual([1]);
  });

  test('when the run was started before', async () => {
    await two(places[0]?.[1]() as string);
    const [first, second] = [source(), source()];
    await start('one', [{ given: first.stream }], { runId: 'once' });
    await start('one', [{ given: second.stream }], { runId: 'once' });
    first.give.enqueue('first');
    first.give.close();
    expect(await getRun('once').returnValue).toEqual(['first']);
    second.give.enqueue('second');
    second.give.close();
    expect(await all(second.stream)).toEqual(['second']);
  });

  test('that somebody reads already: it is refused', async () => {
    await two(places[0]?.[1]() as string);
    const { stream } = source();
    stream.getReader();
    await expect(start('one', [{ given: stream }])).rejects.toMatchObject({
      code: 'PAWL_NOT_SERIALIZABLE',
      message: expect.stringMatching(/read by someone/),
    });
  });
});

test('a program that is killed in the middle leaves an error that says so', async () => {
  const place = places[0]?.[1]() as string;
  const first = gate();
  const { store, worker } = await setup(
    {
      workflows: WORKFLOWS,
      steps: {
        read: async (stream: ReadableStream) => {
          for await (const _chunk of stream) first.open();
        },
      },
    },
    // The client goes by the clock of the machine.
    { store: await open(place), clock: createVirtualClock(Date.now() + 60_000) },
  );
  const client = pathToFileURL(join(ROOT, 'dist/client.js')).href;
  const program = `import { start } from ${JSON.stringify(client)};
    const given = new ReadableStream({ start: (controller) => controller.enqueue('first') });
    await start('one', [{ given }], { runId: 'r' });`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    env: { ...process.env, PAWL_STORE: place },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  await first.opened;
  child.kill('SIGKILL');
  const end = await worker.whenEnded('r');
  expect(end).toMatchObject({ status: 'failed', data: expect.stringContaining('PAWL_STREAM_LOST') });
  expect(await store.listStreams('r')).toMatchObject([{ chunks: 1, closed: false }]);
});
