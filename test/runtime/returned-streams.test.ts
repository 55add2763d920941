/** Streams that steps return: kept with their run, whole, before the result is. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { getStepMetadata } from '../../src/index.ts';
import { start as startFrom } from '../../src/runtime/client.ts';
import { all, names } from './streaming.ts';
import { closeAll, settle, setup } from './support.ts';

afterEach(closeAll);

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

  test('one that is read already, and one that nobody sends, are refused', async () => {
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
