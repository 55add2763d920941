/** Streams on the host: what crosses is where they are kept. */
import { addressOf, type StreamAddress, STREAM_IDS } from '../stream-address.ts';

/** Opens what arrives. */
export interface StreamAccess {
  readable(address: StreamAddress): ReadableStream;
  writable(address: StreamAddress): WritableStream;
}

/**
 * Writes a stream; undefined when it is none, or kept nowhere.
 *
 * @param loose Takes note of streams to read that are kept nowhere yet.
 * @param given Where some of these are to be kept.
 */
export function writeStream(
  value: object,
  loose: ReadableStream[] | null,
  given: ReadonlyMap<object, StreamAddress> | null,
): { id: string; data: unknown } | undefined {
  const tag = Object.prototype.toString.call(value);
  const isReadable = tag === '[object ReadableStream]';
  if (!isReadable && tag !== '[object WritableStream]') return undefined;
  const id = isReadable ? STREAM_IDS.readable : STREAM_IDS.writable;
  const address = addressOf(value) ?? given?.get(value);
  if (address !== undefined) return { id, data: { ...address } };
  if (!isReadable || loose === null) return undefined;
  loose.push(value as ReadableStream);
  return { id, data: null };
}

export function readStream(id: string, data: unknown, access: StreamAccess | undefined): unknown {
  if (access === undefined) return undefined;
  if (id === STREAM_IDS.readable) return access.readable(data as StreamAddress);
  return id === STREAM_IDS.writable ? access.writable(data as StreamAddress) : undefined;
}
