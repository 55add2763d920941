/**
 * The streams that one attempt of a step writes.
 *
 * What it writes is read at once, whatever becomes of the attempt: a step that is made again writes again, behind what is there. That it
 * closed a stream counts when it has succeeded; else the next attempt would find the door shut. And since the result is recorded after that,
 * a crash in between has the step made again with a closed stream: what it writes then is there already, and is let go.
 *
 * A `ReadableStream` that the step returns goes to a stream of the attempt's own, whole, before the result is recorded.
 */
import { PawlError } from '../errors.ts';
import type { EventStore } from '../store/port.ts';
import { ERROR_BRAND } from './errors.ts';
import type { Codec } from './serialization/codec.ts';
import { markStream, type StreamAddress } from './stream-address.ts';
import { ROOM, StreamSink, type Writer } from './stream-writer.ts';

/** On whose behalf an attempt writes. */
export interface WritingAttempt {
  runId: string;
  cid: number;
  attempt: number;
  writer(): Writer;
}

export class StepStreams {
  readonly #store: EventStore;
  readonly #codec: Codec;
  readonly #attempt: WritingAttempt;
  readonly #sinks = new Map<string, { sink: StreamSink; controllers: WritableStreamDefaultController[] }>();
  readonly #draining = new Set<ReadableStreamDefaultReader<unknown>>();
  readonly #queues: { length: number }[] = [];
  #dequeued: () => void = () => {};
  #kept = 0;
  #stopped: { error: unknown } | null = null;

  constructor(store: EventStore, codec: Codec, attempt: WritingAttempt) {
    this.#store = store;
    this.#codec = codec;
    this.#attempt = attempt;
  }

  readonly #writer = (): Writer => this.#attempt.writer();

  /** A new stream to write to; all of one address write to the same place. */
  writable(address: StreamAddress): WritableStream {
    const key = `${address.runId} ${address.name}`;
    const known = this.#sinks.get(key);
    const controllers = known?.controllers ?? [];
    const failed = (error: unknown): void => {
      for (const controller of controllers) controller.error(error);
      this.#dequeued();
    };
    const sink = known?.sink ?? new StreamSink(this.#store, this.#codec, address, this.#writer, failed);
    if (known === undefined) this.#sinks.set(key, { sink, controllers });
    // Chunks that wait in the stream's own queue: each is measured when it is written.
    const queue = { length: 0, isOver: false };
    this.#queues.push(queue);
    const over = (): void => {
      queue.length = 0;
      // What is refused from here on is measured all the same.
      queue.isOver = true;
      this.#dequeued();
    };
    const stream = new WritableStream(
      {
        start: (controller) => {
          if (this.#stopped === null) controllers.push(controller);
          else controller.error(this.#stopped.error);
        },
        write: async (value) => {
          try {
            await sink.write(value);
            if (!queue.isOver) queue.length--;
            this.#dequeued();
          } catch (error) {
            over();
            throw error;
          }
        },
        close: () => {
          over();
          return sink.close();
        },
        abort: over,
      },
      {
        highWaterMark: ROOM / 4,
        size: (value) => {
          if (!queue.isOver) queue.length++;
          return roughSize(value);
        },
      },
    );
    return markStream(stream, address);
  }

  /** Reads a stream that the step returns to its end, into a stream of the run. */
  async keep(stream: ReadableStream): Promise<void> {
    const { runId, cid, attempt } = this.#attempt;
    if (stream.locked) {
      const message = 'The step returns a ReadableStream that someone reads.';
      const remedy = 'Return it unread, or a branch of `stream.tee()`; or what was read.';
      const error = new PawlError('PAWL_NOT_SERIALIZABLE', message, { remedy });
      throw Object.defineProperty(error, ERROR_BRAND, { value: 'fatal' });
    }
    const address = { runId, name: `s:${cid}.${attempt}.${this.#kept++}` };
    const sink = new StreamSink(this.#store, this.#codec, address, this.#writer);
    const reader = stream.getReader();
    this.#draining.add(reader);
    try {
      for (;;) {
        this.#check();
        const { done, value } = await reader.read();
        if (done) break;
        const room = sink.write(value);
        if (room !== undefined) await room;
      }
      // Giving it up ends it, too.
      this.#check();
      await sink.end();
    } catch (error) {
      giveUp(reader, error);
      throw error;
    } finally {
      this.#draining.delete(reader);
    }
    markStream(stream, address);
  }

  /**
   * The step has returned, or failed: makes durable what it wrote, and carries out what it closed.
   *
   * @returns null when there is nothing to wait for
   * @throws why something that it wrote was not kept
   */
  finish(succeeded: boolean): Promise<void> | null {
    return this.#sinks.size === 0 ? null : this.#finish(succeeded);
  }

  async #finish(succeeded: boolean): Promise<void> {
    const sinks = [...this.#sinks.values()].map(({ sink }) => sink);
    // What was written or closed without being awaited reaches us in later turns.
    await nextTurn();
    while (this.#stopped === null && sinks.every((sink) => sink.stopped === null) && this.#queued > 0) {
      await new Promise<void>((resolve) => {
        this.#dequeued = resolve;
      });
    }
    await nextTurn();
    await Promise.all(sinks.map((sink) => sink.flush()));
    if (succeeded) await Promise.all(sinks.map((sink) => (sink.closed ? sink.end() : undefined)));
  }

  #check(): void {
    if (this.#stopped !== null) throw this.#stopped.error;
  }

  get #queued(): number {
    return this.#queues.reduce((sum, { length }) => sum + length, 0);
  }

  /** The attempt is over: nothing more is accepted. */
  stop(error: unknown): void {
    if (this.#stopped !== null) return;
    this.#stopped = { error };
    this.#dequeued();
    for (const { sink, controllers } of this.#sinks.values()) {
      sink.stop(error);
      for (const controller of controllers) controller.error(error);
    }
    for (const reader of this.#draining) giveUp(reader, error);
  }
}

/** What the stream's source makes of that is its own affair. */
function giveUp(reader: ReadableStreamDefaultReader<unknown>, why: unknown): void {
  reader.cancel(why).catch(() => {});
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Enough to tell much from little. */
function roughSize(value: unknown): number {
  if (value instanceof Uint8Array) return value.byteLength;
  return typeof value === 'string' ? value.length + 1 : 256;
}

/** Why nothing is accepted after a step has returned. */
export function attemptOver(): PawlError {
  return new PawlError('PAWL_STREAM_STEP_OVER', 'The step that writes to the stream has ended.', {
    remedy: 'Await what writes before the step returns: `await readable.pipeTo(writable)`.',
  });
}
