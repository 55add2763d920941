/**
 * How streams are named. The same on the host and in the realm.
 *
 * - `w`: what `getWritable()` writes to. - `w:NAME`: `getWritable({ namespace: 'NAME' })`.
 * - `s:CALL.ATTEMPT.N`: a `ReadableStream` in what an attempt of a step returned. An attempt that did not come to its end leaves
 *   one behind that nobody names.
 * - `a:OWNER N`: a `ReadableStream` among the arguments of `start()`, sent by the program that the store knows by that name.
 */
import { PawlError } from '../errors.ts';
import { ERROR_BRAND } from './errors.ts';

/** Where a stream is kept. */
export interface StreamAddress {
  runId: string;
  name: string;
  /** Of one to read: the index to begin with, 0 if left out. */
  from?: number;
}

/** Own property of streams that pawl made: their address. */
export const STREAM: unique symbol = Symbol.for('pawl.stream');

/** Ids under which streams cross, among those of classes. */
export const STREAM_IDS = { readable: 'ReadableStream', writable: 'WritableStream' } as const;

export interface WritableOptions {
  /** Which of the run's streams; the one without a name if left out. */
  namespace?: string;
}

/** @throws PawlError `PAWL_STREAM_NAMESPACE` */
export function streamName(namespace: unknown): string {
  if (namespace === undefined) return 'w';
  if (typeof namespace === 'string' && namespace !== '' && !/[\0\ud800-\udfff]/u.test(namespace))
    return `w:${namespace}`;
  const error = new PawlError('PAWL_STREAM_NAMESPACE', 'The namespace of a stream must be a text that is not empty.', {
    remedy: "Write getWritable({ namespace: 'progress' }), or leave it out.",
  });
  throw Object.defineProperty(error, ERROR_BRAND, { value: 'fatal' });
}

/** What the last chunk of a stream begins with whose source failed; behind it stands the error. No value begins so. */
export const FAILURE = '!';

export function givenStreamName(owner: string, index: number): string {
  return `a:${owner} ${index}`;
}

/** Who sends a stream that was passed to `start()`; null for any other. */
export function senderOf(name: string): string | null {
  return name.startsWith('a:') ? name.slice(2, name.lastIndexOf(' ')) : null;
}

/** What a stream is, for those who look at a run. */
export interface StreamLabel {
  /** Null: that of `getWritable()` without one, or a step's result. */
  namespace: string | null;
  /** The call of the step whose result it is part of. */
  cid: number | null;
  /** Among the arguments that the run was started with. */
  isArgument: boolean;
}

export function labelOf(name: string): StreamLabel {
  const isArgument = senderOf(name) !== null;
  if (isArgument) return { namespace: null, cid: null, isArgument };
  if (name.startsWith('s:')) return { namespace: null, cid: Number.parseInt(name.slice(2), 10), isArgument };
  return { namespace: name === 'w' ? null : name.slice(2), cid: null, isArgument };
}

export function addressOf(stream: object): StreamAddress | undefined {
  return (stream as { [STREAM]?: StreamAddress })[STREAM];
}

export function markStream<S extends object>(stream: S, address: StreamAddress): S {
  return Object.defineProperty(stream, STREAM, { value: address });
}
