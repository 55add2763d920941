/** Streams in programs as people write them, built and checked. */
import { afterEach, expect, test } from 'vitest';
import { createTestRuntime, type TestRuntime } from '../../src/testing/index.ts';

let runtime: TestRuntime | undefined;
afterEach(async () => {
  await runtime?.close();
});

const MAIN = `import { getWritable, sleep } from 'pawl';

async function write(lines: string[]) {
  'use step';
  const writer = getWritable<string>().getWriter();
  try {
    for (const line of lines) await writer.write(line);
  } finally {
    writer.releaseLock();
  }
}

async function writeTo(writable: WritableStream<Uint8Array>, text: string) {
  'use step';
  await new Blob([text]).stream().pipeTo(writable);
}

async function letters(text: string) {
  'use step';
  return new ReadableStream<string>({
    start(controller) {
      for (const letter of text) controller.enqueue(letter);
      controller.close();
    },
  });
}

async function join(stream: ReadableStream<string>) {
  'use step';
  let text = '';
  for await (const chunk of stream) text += chunk;
  return text;
}

async function copy(stream: ReadableStream<string>) {
  'use workflow';
  await write(['copying']);
  return join(stream);
}

export async function main() {
  'use workflow';
  await write(['begun']);
  await writeTo(getWritable<Uint8Array>({ namespace: 'file' }), 'content');
  const stream = await letters('abc');
  await sleep('1 day');
  await write(['done']);
  return { joined: await join(stream), copied: await copy(stream), stream };
}
`;

test('a program with streams is clean, and does what it says', async () => {
  runtime = await createTestRuntime({ sources: { 'src/main.ts': MAIN } });
  expect(runtime.diagnostics).toEqual([]);
  const run = await runtime.start<{ joined: string; copied: string; stream: ReadableStream<string> }>('main');
  await runtime.waitForSleep(run);
  // While the run sleeps, what was written is there.
  const reader = run.readable.getReader();
  expect(await reader.read()).toEqual({ done: false, value: 'begun' });
  const file = await new Response(run.getReadable<Uint8Array>({ namespace: 'file' })).text();
  expect(file).toBe('content');
  const { joined, copied, stream } = await runtime.finish(run);
  expect(await reader.read()).toEqual({ done: false, value: 'done' });
  expect(await reader.read()).toEqual({ done: true, value: undefined });
  expect([joined, copied]).toEqual(['abc', 'abc']);
  const letters: string[] = [];
  for await (const letter of stream) letters.push(letter);
  expect(letters).toEqual(['a', 'b', 'c']);
});
