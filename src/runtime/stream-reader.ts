/**
 * Reading streams of runs: page by page, as fast as they are asked for, and waiting at the end for what is written next. Whoever reads
 * slowly holds one page; whoever does not read holds nothing.
 */
import type { Chunk, EventStore, StoreChange, StreamPage } from '../store/port.ts';
import { unknownRun } from './run-end.ts';
import type { Codec } from './serialization/codec.ts';
import { brokenStream, lostStream } from './stream-failures.ts';
import { FAILURE, markStream, senderOf, type StreamAddress } from './stream-address.ts';

/** How often those who wait for the next chunk of a stream that was passed to `start()` ask whether its sender lives, ms. */
const LOOK_EVERY = 2_000;

/** Reads on from an index. */
export class StreamTail {
  readonly #store: EventStore;
  readonly #address: StreamAddress;
  #from: number;
  #cancelled = false;
  #wake: () => void = () => {};

  /** @param address Its `from` may be negative: so many chunks before the present end. */
  constructor(store: EventStore, address: StreamAddress) {
    this.#store = store;
    this.#address = address;
    this.#from = address.from ?? 0;
  }

  /**
   * The next chunks, as soon as there are any; null at the end.
   *
   * @throws PawlError `PAWL_UNKNOWN_RUN`, `PAWL_STREAM_LOST`, `PAWL_STORE_*`
   */
  async next(): Promise<StreamPage | null> {
    const page = await this.#read();
    if (page.chunks.length > 0 || page.ended || this.#cancelled) return this.#take(page);
    return this.#await();
  }

  /** Index of what comes next. */
  get position(): number {
    return this.#from;
  }

  /** Ends the wait, and what would follow. */
  cancel(): void {
    this.#cancelled = true;
    this.#wake();
  }

  async #await(): Promise<StreamPage | null> {
    let isNews = false;
    const unsubscribe = this.#store.subscribe((change) => {
      if (!this.#concerns(change)) return;
      isNews = true;
      this.#wake();
    });
    const sender = senderOf(this.#address.name);
    let looks = sender !== null;
    let isLost = false;
    const timer =
      sender === null
        ? undefined
        : setInterval(() => {
            looks = true;
            this.#wake();
          }, LOOK_EVERY);
    try {
      // What came before the subscription was told to nobody.
      for (;;) {
        isNews = false;
        const page = await this.#read();
        if (page.chunks.length > 0 || page.ended || this.#cancelled) return this.#take(page);
        // What it sent before it died has been read by now.
        if (isLost) throw lostStream(this.#address);
        if (looks && sender !== null) {
          looks = false;
          isLost = !(await this.#store.isAlive(sender));
          continue;
        }
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
          if (isNews || this.#cancelled) resolve();
        });
      }
    } finally {
      clearInterval(timer);
      unsubscribe();
    }
  }

  #concerns(change: StoreChange): boolean {
    if (change.kind === 'external') return true;
    const { runId, name } = this.#address;
    if (change.runId !== runId) return false;
    return change.kind === 'status' || (change.kind === 'chunks' && change.stream === name);
  }

  async #read(): Promise<StreamPage> {
    const { runId, name } = this.#address;
    const page = await this.#store.readChunks(runId, name, { from: this.#from });
    if (page === null) throw unknownRun(runId, this.#store.url);
    // Negative it was counted from the end as it stood then.
    this.#from = page.from;
    return page;
  }

  #take(page: StreamPage): StreamPage | null {
    if (this.#cancelled || page.chunks.length === 0) return null;
    this.#from += page.chunks.length;
    return page;
  }
}

/** What a reader needs. */
export interface StreamSource {
  store: EventStore;
  codec: Codec;
}

/**
 * A stream of a run as a `ReadableStream`. It ends when the stream is closed or its run has ended.
 *
 * @param signal Ends it with an error.
 */
export function readableOf<R = unknown>(
  source: () => StreamSource | Promise<StreamSource>,
  address: StreamAddress,
  signal?: () => AbortSignal,
): ReadableStream<R> {
  let tail: StreamTail | undefined;
  let codec: Codec | undefined;
  let chunks: readonly Chunk[] = [];
  let next = 0;
  let cancelled = false;
  const stream = new ReadableStream<R>(
    {
      async pull(controller) {
        if (tail === undefined) {
          const { store, codec: found } = await source();
          codec = found;
          tail = new StreamTail(store, address);
          if (cancelled) return;
          const aborting = signal?.();
          aborting?.addEventListener('abort', () => {
            tail?.cancel();
            controller.error(aborting.reason);
          });
          aborting?.throwIfAborted();
        }
        if (next >= chunks.length) {
          const page = await tail.next();
          if (cancelled || signal?.().aborted) return;
          if (page === null) {
            controller.close();
            return;
          }
          chunks = page.chunks;
          next = 0;
        }
        const chunk = chunks[next++] as Chunk;
        if (typeof chunk === 'string' && chunk.startsWith(FAILURE))
          throw brokenStream(address, codec?.parse(chunk.slice(FAILURE.length)));
        controller.enqueue((typeof chunk === 'string' ? codec?.parse(chunk) : chunk) as R);
      },
      cancel() {
        cancelled = true;
        tail?.cancel();
      },
    },
    { highWaterMark: 0 },
  );
  return markStream(stream, address);
}
