/**
 * Streams in workflow code: handles, which say where a stream is kept. They are passed on, to steps, to other workflows, to the
 * caller; what is in them is I/O, and steps do that.
 */
import { addressOf, markStream, STREAM_IDS, streamName, type StreamAddress } from '../stream-address.ts';
import { notHere } from './not-here.ts';
import { currentRun } from './run.ts';

const READ_IT = 'Pass the stream to a step, and read it there.';
const WRITE_IT = 'Pass the stream to a step, and write there: getWritable() in a step gives the same one.';
const MAKE_IT = 'Take what getWritable() gives or a step returns; what transforms a stream is done in a step.';

class Handle {
  constructor(address: unknown, id: string) {
    // Only pawl knows addresses.
    if (!isAddress(address)) throw notHere(`new ${id}()`, MAKE_IT);
    markStream(this, { ...address });
  }

  /** Nobody reads or writes it here. */
  get locked(): boolean {
    return false;
  }
}

function isAddress(value: unknown): value is StreamAddress {
  return made.has(value as object);
}

/** Addresses that came through here. */
const made = new WeakSet<object>();

function refused(what: string, remedy: string): () => never {
  return () => {
    throw notHere(what, remedy);
  };
}

/** What `await` and `for await` are to see. */
function rejected(what: string, remedy: string): () => Promise<never> {
  return async () => {
    throw notHere(what, remedy);
  };
}

export class ReadableStream extends Handle {
  constructor(address?: unknown) {
    super(address, STREAM_IDS.readable);
  }

  get [Symbol.toStringTag](): string {
    return STREAM_IDS.readable;
  }
}

export class WritableStream extends Handle {
  constructor(address?: unknown) {
    super(address, STREAM_IDS.writable);
  }

  get [Symbol.toStringTag](): string {
    return STREAM_IDS.writable;
  }
}

const METHODS: [target: object, name: PropertyKey, method: () => unknown][] = [
  [ReadableStream.prototype, 'getReader', refused('Reading a stream (getReader)', READ_IT)],
  [ReadableStream.prototype, 'pipeThrough', refused('Reading a stream (pipeThrough)', READ_IT)],
  [ReadableStream.prototype, 'pipeTo', rejected('Reading a stream (pipeTo)', READ_IT)],
  [
    ReadableStream.prototype,
    'tee',
    refused('Reading a stream (tee)', 'Pass it to several steps: each reads all of it.'),
  ],
  [ReadableStream.prototype, 'cancel', rejected('Ending a stream (cancel)', READ_IT)],
  [ReadableStream.prototype, 'values', refused('Reading a stream', READ_IT)],
  [ReadableStream.prototype, Symbol.asyncIterator, refused('Reading a stream', READ_IT)],
  [WritableStream.prototype, 'getWriter', refused('Writing to a stream (getWriter)', WRITE_IT)],
  [WritableStream.prototype, 'close', rejected('Closing a stream', WRITE_IT)],
  [WritableStream.prototype, 'abort', rejected('Writing to a stream (abort)', WRITE_IT)],
];
for (const [target, name, value] of METHODS)
  Object.defineProperty(target, name, { value, writable: true, configurable: true });

function handle<T>(Kind: new (address: unknown) => T, address: StreamAddress): T {
  made.add(address);
  return new Kind(address);
}

export function getWritable(options: { namespace?: unknown } = {}): WritableStream {
  return handle(WritableStream, { runId: currentRun().id, name: streamName(options.namespace) });
}

/** As what a stream crosses; undefined for anything else. */
export function writeStream(value: object): { id: string; data: unknown } | undefined {
  if (!(value instanceof Handle)) return undefined;
  const id = value instanceof ReadableStream ? STREAM_IDS.readable : STREAM_IDS.writable;
  return { id, data: { ...addressOf(value) } };
}

export function readStream(id: string, data: unknown): unknown {
  if (id === STREAM_IDS.readable) return handle(ReadableStream, data as StreamAddress);
  return id === STREAM_IDS.writable ? handle(WritableStream, data as StreamAddress) : undefined;
}
