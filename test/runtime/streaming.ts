/** What the tests of streams share. */
import { getWritable } from '../../src/index.ts';
import type { EventStore } from '../../src/store/port.ts';

/** A promise, and what resolves it. */
export function gate(): { open: () => void; opened: Promise<void> } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

export async function all<T>(stream: ReadableStream<T>): Promise<T[]> {
  const chunks: T[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}

/** Writes to a stream of the run that the step belongs to. */
export async function write(chunks: unknown[], namespace?: string, close = false): Promise<void> {
  const writer = getWritable(namespace === undefined ? {} : { namespace }).getWriter();
  for (const chunk of chunks) await writer.write(chunk);
  if (close) await writer.close();
  else writer.releaseLock();
}

export const names = async (store: EventStore, runId: string): Promise<string[]> =>
  (await store.listStreams(runId)).map(({ name }) => name);
