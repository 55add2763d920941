/**
 * Streams among the arguments of `start()`: they cross to whoever reads them while the run goes on already, in bounded memory, as chunks
 * of streams of the run.
 *
 * Who sends them is known to the store by a lease of its own, and named by the streams. So those who have read to the end of what there
 * is find out whether more will come, or the program has died in the middle.
 */
import { randomUUID } from 'node:crypto';
import { PawlError } from '../errors.ts';
import type { EventStore } from '../store/port.ts';
import type { Codec } from './serialization/codec.ts';
import { FAILURE, givenStreamName, type StreamAddress } from './stream-address.ts';
import { StreamSink } from './stream-writer.ts';

/** How long the program may be out of reach before it is held for dead, ms. On the same machine it is known at once when it has gone. */
const LEASE = 30_000;

type Reader = ReadableStreamDefaultReader<unknown>;

/** Says where a stream is to be kept that is among the arguments of a run. */
export type KeepStream = (stream: ReadableStream, runId: string) => Promise<StreamAddress>;

/**
 * Starts a run, and sends the streams among its arguments.
 *
 * @param start makes the run; resolves to its id when it is durable
 */
export async function startWithStreams(
  source: { store: EventStore; codec: Codec },
  start: (keep: KeepStream) => Promise<string>,
): Promise<string> {
  const given = new GivenStreams(source.store, source.codec);
  try {
    const runId = await start(given.keep);
    // In the background: the run goes on meanwhile.
    void given.send(runId);
    return runId;
  } catch (error) {
    await given.release();
    throw error;
  }
}

class GivenStreams {
  readonly #store: EventStore;
  readonly #codec: Codec;
  readonly #given = new Map<ReadableStream, { address: StreamAddress; reader: Reader }>();
  /** The name by which the store knows this program as their sender, once there are some. */
  #owner = '';
  #registered: Promise<void> | null = null;
  /** Why the rest is sent no more. */
  #over: unknown = null;

  constructor(store: EventStore, codec: Codec) {
    this.#store = store;
    this.#codec = codec;
  }

  /** Takes a stream for a run that is about to start; nothing of it is read yet. */
  readonly keep: KeepStream = async (stream, runId) => {
    if (stream.locked) {
      throw new PawlError('PAWL_NOT_SERIALIZABLE', 'A ReadableStream among the arguments is read by someone.', {
        remedy: 'Pass it unread, or a branch of `stream.tee()`; or what was read.',
      });
    }
    if (this.#owner === '') this.#owner = `client-${process.pid}-${randomUUID()}`;
    const address = { runId, name: givenStreamName(this.#owner, this.#given.size) };
    this.#given.set(stream, { address, reader: stream.getReader() });
    this.#registered ??= this.#store.registerOwner(this.#owner, LEASE);
    await this.#registered;
    return address;
  };

  /** The run did not start, or had been started before: the streams are the caller's again, as they were. */
  async release(): Promise<void> {
    for (const { reader } of this.#given.values()) reader.releaseLock();
    this.#given.clear();
    await this.#leave();
  }

  /** Sends the streams to a run that is durable, unless somebody else has started it, or its schema took none. Never rejects. */
  async send(runId: string): Promise<void> {
    if (this.#given.size === 0) return;
    const renewing = setInterval(() => void this.#renew(), LEASE / 3);
    const unsubscribe = this.#store.subscribe((change) => {
      if (change.kind === 'external' || (change.kind === 'status' && change.runId === runId)) void this.#look(runId);
    });
    try {
      const run = await this.#store.getRun(runId);
      if (run?.input?.includes(this.#owner) !== true) {
        await this.release();
        return;
      }
      if (run.finishedAt !== null) this.#stop(runEnded(runId));
      await Promise.all([...this.#given.values()].map(({ address, reader }) => this.#sendOne(address, reader)));
    } catch (error) {
      this.#stop(error);
    } finally {
      unsubscribe();
      clearInterval(renewing);
      await this.#leave();
    }
  }

  async #sendOne(address: StreamAddress, reader: Reader): Promise<void> {
    const writer = { runId: address.runId, owner: this.#owner, by: this.#owner };
    const sink = new StreamSink(this.#store, this.#codec, address, () => writer);
    try {
      for (;;) {
        const { done, value } = await reader.read();
        // A source that was given up ends, too.
        if (this.#over !== null) return;
        if (done) break;
        const room = sink.write(value);
        if (room !== undefined) await room;
      }
    } catch (error) {
      giveUp(reader, error);
      // What the store does not take is seen by readers when this sender is gone.
      if (sink.stopped !== null) return;
      sink.writeRaw(FAILURE + this.#codec.stringifyThrown(error));
    }
    await sink.end().catch((error: unknown) => giveUp(reader, error));
  }

  async #look(runId: string): Promise<void> {
    const run = await this.#store.getRun(runId).catch(() => null);
    if (run !== null && run.finishedAt !== null) this.#stop(runEnded(runId));
  }

  #stop(why: unknown): void {
    this.#over ??= why;
    for (const { reader } of this.#given.values()) giveUp(reader, why);
  }

  async #renew(): Promise<void> {
    // When that does not come through, the store refuses what is written, and readers hold the sender for lost.
    await this.#store.renewOwner(this.#owner, LEASE).catch(() => {});
  }

  async #leave(): Promise<void> {
    await this.#registered?.then(() => this.#store.removeOwner(this.#owner)).catch(() => {});
  }
}

/** What the stream's source makes of that is its own affair. */
function giveUp(reader: Reader, why: unknown): void {
  reader.cancel(why).catch(() => {});
}

function runEnded(runId: string): PawlError {
  return new PawlError('PAWL_STREAM_CLOSED', 'The run that the stream was passed to has ended.', {
    place: `run ${runId}`,
    remedy: 'Nobody reads the rest.',
  });
}
