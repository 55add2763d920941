/**
 * A stream of a run over HTTP: a line of JSON for each chunk, or server-sent events for who asks for those. What was read before a
 * connection broke need not be read again: each chunk has its index, and the last line says that nothing follows.
 */
import { PawlError } from '../errors.ts';
import type { Chunk, StreamPage } from '../store/port.ts';
import { fail } from './http-errors.ts';
import { jsonView } from './json-view.ts';
import type { RunSource } from './run-handle.ts';
import { streamName } from './stream-address.ts';
import { StreamTail } from './stream-reader.ts';

/** How chunks and the end are written. */
interface Form {
  type: string;
  chunk(index: number, chunk: Chunk): string;
  end(index: number): string;
  /** What says that the stream goes on while nothing is written; null where nothing may be said. */
  alive: string | null;
}

/** Proxies take a connection for dead on which nothing has come for a minute or so; ms. */
const ALIVE_EVERY = 15_000;

const LINES: Form = {
  type: 'application/x-ndjson',
  chunk: (index, chunk) => `${JSON.stringify({ index, ...contentOf(chunk) })}\n`,
  end: (index) => `${JSON.stringify({ index, end: true })}\n`,
  alive: null,
};

// `EventSource` sends the newest id when it connects again; it does so too at the end, unless it is told of it.
const EVENTS: Form = {
  type: 'text/event-stream',
  chunk: (index, chunk) => `id: ${index}\ndata: ${JSON.stringify(contentOf(chunk))}\n\n`,
  end: (index) => `event: end\ndata: ${JSON.stringify({ index })}\n\n`,
  // A comment.
  alive: ': goes on\n\n',
};

function contentOf(chunk: Chunk): { value: unknown } | { base64: string } {
  if (typeof chunk === 'string') return { value: jsonView(chunk) };
  return { base64: Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString('base64') };
}

/** @throws PawlError `PAWL_STREAM_NAMESPACE`, `PAWL_STREAM_INDEX` */
export async function streamRun(request: Request, runId: string, { store }: RunSource): Promise<Response> {
  const { searchParams } = new URL(request.url);
  const form = /\btext\/event-stream\b/i.test(request.headers.get('accept') ?? '') ? EVENTS : LINES;
  const name = streamName(searchParams.get('namespace') ?? undefined);
  const from = beginning(searchParams.get('startIndex'), form === EVENTS ? request.headers.get('last-event-id') : null);
  if ((await store.getRun(runId)) === null) {
    return fail(404, 'PAWL_UNKNOWN_RUN', 'There is no run of this id.', 'Check the id, and the store.');
  }
  const body = bodyOf(new StreamTail(store, { runId, name, from }), form, request.signal);
  return new Response(body, {
    headers: { 'content-type': form.type, 'cache-control': 'no-store', 'x-accel-buffering': 'no' },
  });
}

function beginning(startIndex: string | null, lastEvent: string | null): number {
  const text = lastEvent || startIndex;
  if (text === null) return 0;
  const index = /^-?\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isNaN(index)) return text === lastEvent ? index + 1 : index;
  throw new PawlError('PAWL_STREAM_INDEX', 'The index of a stream to begin with must be a whole number.', {
    remedy: 'Send startIndex=N, the number of chunks that you have, or leave it out.',
  });
}

/** A page at a time, when it is asked for. */
function bodyOf(tail: StreamTail, form: Form, signal: AbortSignal): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let over = false;
  const giveUp = (): void => tail.cancel();
  /** A page that was asked for and has not come. */
  let asked: Promise<StreamPage | null> | null = null;
  return new ReadableStream<Uint8Array>(
    {
      start: () => signal.addEventListener('abort', giveUp, { once: true }),
      async pull(controller) {
        if (signal.aborted) tail.cancel();
        asked ??= tail.next();
        const page = form.alive === null ? await asked : await within(ALIVE_EVERY, asked);
        if (over) return;
        if (page === 'late') {
          controller.enqueue(encoder.encode(form.alive as string));
          return;
        }
        asked = null;
        if (page !== null) {
          const text = page.chunks.map((chunk, offset) => form.chunk(page.from + offset, chunk)).join('');
          controller.enqueue(encoder.encode(text));
          return;
        }
        signal.removeEventListener('abort', giveUp);
        if (signal.aborted) {
          controller.error(signal.reason);
          return;
        }
        controller.enqueue(encoder.encode(form.end(tail.position)));
        controller.close();
      },
      cancel() {
        over = true;
        signal.removeEventListener('abort', giveUp);
        tail.cancel();
      },
    },
    { highWaterMark: 0 },
  );
}

/** What is waited for, or that it takes longer than so many ms. */
function within<T>(ms: number, wanted: Promise<T>): Promise<T | 'late'> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve('late'), ms);
    wanted.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
