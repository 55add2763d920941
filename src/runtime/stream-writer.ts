/**
 * Writing to one stream: chunks are accepted at once while there is room, and go to the store in batches, one after the other. So a write
 * costs no commit of its own, and nobody piles up more than the room holds.
 */
import { PawlError } from '../errors.ts';
import type { AppendChunksRequest, AppendChunksResult, Chunk, EventStore } from '../store/port.ts';
import { ERROR_BRAND } from './errors.ts';
import { refuseSecretBytes } from './guarded-codec.ts';
import type { Codec } from './serialization/codec.ts';
import { labelOf, type StreamAddress } from './stream-address.ts';

/** What is accepted and not durable, bytes; who writes more waits. */
export const ROOM = 1 << 20;
/** The largest piece of bytes that is kept as one chunk. */
const PIECE = 1 << 18;
/** Chunks that go to the store at once. */
const BATCH = 256;

export type Writer = AppendChunksRequest['writer'];

export class StreamSink {
  readonly address: StreamAddress;
  readonly #store: EventStore;
  readonly #codec: Codec;
  readonly #writer: () => Writer;
  readonly #failed: (error: unknown) => void;
  #chunks: Chunk[] = [];
  #size = 0;
  /** Closed by the step: nothing more is accepted, the store learns of it from `end`. */
  #closed = false;
  #stopped: { error: unknown } | null = null;
  /** The call's own earlier attempt has closed it: all that belongs there is there. */
  #isDone = false;
  #sending = false;
  #waiting: { room: boolean; resolve(): void; reject(error: unknown): void }[] = [];

  /** @param failed Told once, when nothing more can be written. */
  constructor(
    store: EventStore,
    codec: Codec,
    address: StreamAddress,
    writer: () => Writer,
    failed: (error: unknown) => void = () => {},
  ) {
    this.#store = store;
    this.#codec = codec;
    this.address = address;
    this.#writer = writer;
    this.#failed = failed;
  }

  /**
   * Accepts a value.
   *
   * @returns A promise when there is no more room; it resolves when there is.
   * @throws PawlError `PAWL_NOT_SERIALIZABLE`, `PAWL_STREAM_CLOSED`, `PAWL_STREAM_FENCED`; why it was stopped
   */
  write(value: unknown): Promise<void> | undefined {
    if (this.#stopped !== null) throw this.#stopped.error;
    if (this.#closed) throw closedError(this.address);
    if (value instanceof Uint8Array) refuseSecretBytes(value);
    if (value instanceof Uint8Array && value.byteLength > ROOM) return this.#writeLarge(value);
    if (value instanceof Uint8Array) for (const piece of piecesOf(value)) this.#accept(piece);
    else this.#accept(this.#codec.stringify(value, { root: 'chunk', what: 'a chunk of a stream' }));
    return this.#size < ROOM ? undefined : this.#wait(true);
  }

  /** Accepts a chunk as it is kept. */
  writeRaw(chunk: string): void {
    this.#accept(chunk);
  }

  /** More than the room holds goes in by and by. */
  async #writeLarge(bytes: Uint8Array): Promise<void> {
    for (const piece of piecesOf(bytes)) {
      this.#accept(piece);
      if (this.#size >= ROOM) await this.#wait(true);
    }
  }

  #accept(chunk: Chunk): void {
    this.#chunks.push(chunk);
    this.#size += sizeOf(chunk);
    this.#send();
  }

  /** Accepts nothing more; resolves when all is durable. */
  close(): Promise<void> {
    this.#closed = true;
    return this.flush();
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Why nothing more is accepted, if that is so. */
  get stopped(): { error: unknown } | null {
    return this.#stopped;
  }

  /** Whether all that was accepted is durable. */
  get isClean(): boolean {
    return this.#chunks.length === 0 && !this.#sending && this.#stopped === null;
  }

  /** Resolves when all that was accepted is durable; rejects when it cannot become so. */
  flush(): Promise<void> {
    if (this.#stopped !== null) return Promise.reject(this.#stopped.error);
    return this.isClean ? Promise.resolve() : this.#wait(false);
  }

  /** Ends the stream for its readers, behind all that was accepted. */
  async end(): Promise<void> {
    await this.flush();
    if (this.#isDone) return;
    const { runId, name } = this.address;
    const writer = this.#writer();
    const result = await this.#store.appendChunks({ runId, stream: name, writer, chunks: [], close: true });
    // Ended is ended, by whomever.
    if (!result.ok && result.reason !== 'closed') throw refusalOf(result, this.address);
  }

  /**
   * Accepts nothing more. What was accepted is handed in now, without waiting for the answer to what is under way: a store keeps the
   * order, so it stands in front of whatever the next attempt writes.
   */
  stop(error: unknown): void {
    this.#stopped ??= { error };
    while (this.#chunks.length > 0) void this.#handOver(this.#take().chunks);
    this.#settle();
  }

  #wait(room: boolean): Promise<void> {
    return new Promise((resolve, reject) => this.#waiting.push({ room, resolve, reject }));
  }

  #settle(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const waiter of waiting) {
      if (this.#stopped !== null) waiter.reject(this.#stopped.error);
      else if (waiter.room ? this.#size < ROOM : this.isClean) waiter.resolve();
      else this.#waiting.push(waiter);
    }
  }

  #send(): void {
    if (this.#sending || this.#chunks.length === 0) return;
    this.#sending = true;
    const { chunks, size } = this.#take();
    this.#handIn(chunks).then(
      (result) => this.#sent(result, size),
      (error: unknown) => this.#fail(error),
    );
  }

  #handIn(chunks: Chunk[]): Promise<AppendChunksResult> {
    const { runId, name } = this.address;
    return this.#store.appendChunks({ runId, stream: name, writer: this.#writer(), chunks });
  }

  async #handOver(chunks: Chunk[]): Promise<void> {
    try {
      await this.#handIn(chunks);
    } catch {
      // Nobody waits for it any more.
    }
  }

  #take(): { chunks: Chunk[]; size: number } {
    let size = 0;
    let count = 0;
    while (count < this.#chunks.length && count < BATCH && size < ROOM) size += sizeOf(this.#chunks[count++] as Chunk);
    return { chunks: this.#chunks.splice(0, count), size };
  }

  #sent(result: AppendChunksResult, size: number): void {
    this.#sending = false;
    if (!result.ok) {
      if (result.reason !== 'closed' || result.by !== this.#writer().by) {
        this.#fail(refusalOf(result, this.address));
        return;
      }
      this.#isDone = true;
      this.#chunks = [];
      this.#size = size;
    }
    this.#size -= size;
    this.#send();
    this.#settle();
  }

  #fail(error: unknown): void {
    this.#sending = false;
    this.#chunks = [];
    const first = this.#stopped === null;
    this.stop(error);
    if (first) this.#failed(error);
  }
}

function sizeOf(chunk: Chunk): number {
  return typeof chunk === 'string' ? chunk.length : chunk.byteLength;
}

/** Pieces of bounded size, each a copy: who wrote the bytes may use their buffer again. */
function* piecesOf(bytes: Uint8Array): Iterable<Uint8Array> {
  for (let start = 0; start < bytes.byteLength; start += PIECE)
    yield new Uint8Array(bytes.subarray(start, start + PIECE));
}

function nameOf({ name }: StreamAddress): string {
  const { namespace, cid, isArgument } = labelOf(name);
  if (isArgument) return 'The stream that was passed to start()';
  if (cid !== null) return 'The stream that a step returns';
  return namespace === null ? 'The stream of getWritable()' : `The stream '${namespace}'`;
}

function closedError(address: StreamAddress): PawlError {
  return fatal(
    new PawlError('PAWL_STREAM_CLOSED', `${nameOf(address)} is closed.`, {
      place: `run ${address.runId}`,
      remedy:
        'Close it in the step that writes to it last. `pipeTo(writable)` closes it too, unless told { preventClose: true }.',
    }),
  );
}

function refusalOf(result: Extract<AppendChunksResult, { ok: false }>, address: StreamAddress): PawlError {
  const place = `run ${address.runId}`;
  switch (result.reason) {
    case 'closed':
      return closedError(address);
    case 'fenced':
      return new PawlError('PAWL_STREAM_FENCED', 'Another worker has taken over the run of the step that writes.', {
        place,
        remedy: 'Nothing is lost: the step is made again there.',
      });
    case 'finished':
    case 'unknown-run': {
      const why = result.reason === 'finished' ? 'has ended' : 'does not exist';
      const message = `${nameOf(address)} belongs to a run that ${why}.`;
      return fatal(
        new PawlError('PAWL_STREAM_CLOSED', message, {
          place,
          remedy: 'Write to a stream while its run goes on: let it await who writes.',
        }),
      );
    }
  }
}

/** Trying again would not help. */
function fatal(error: PawlError): PawlError {
  return Object.defineProperty(error, ERROR_BRAND, { value: 'fatal' });
}
