/** `Headers`, `Request`, `Response` and streams on the host. Bodies are streams here: to be written, they are read first. */
import { PawlError } from '../../errors.ts';
import type { Codec, Destination } from './codec.ts';
import {
  type AnswerAddress,
  type BodyData,
  HTTP_IDS,
  type HeadersData,
  type Platform,
  type RequestData,
  type ResponseData,
} from './http.ts';
import { MAX_LENGTH } from './limits.ts';
import type { StreamAddress } from '../stream-address.ts';
import { readStream, type StreamAccess, writeStream } from './stream-host.ts';

type Message = Request | Response;

/** Bodies that are known: of what arrived here, and of what was read to be written. */
const bodies = new WeakMap<Message, BodyData>();
const answers = new WeakMap<Request, AnswerAddress>();

/** A body has to be read before the value can be written. */
class UnreadBody extends PawlError {
  constructor() {
    super('PAWL_NOT_SERIALIZABLE', 'The body of a Request or Response has not been read yet.', {
      remedy: 'Read it and pass on what it holds: `await response.text()`.',
    });
  }
}

/** While values are looked through: what was met. */
let met: Message[] | null = null;
/** The same of streams, where they can be kept. */
let metStreams: ReadableStream[] | null = null;
/** Where streams are to be kept. */
let givenStreams: ReadonlyMap<object, StreamAddress> | null = null;

/**
 * As `codec.stringify`, also for values with bodies that are still to be read; at once for all others.
 *
 * @param keep Reads a stream to its end and gives it an address, or says where it is to be kept; without it, streams that have no address
 *   are refused.
 */
export function stringifyWithBodies(
  codec: Codec,
  value: unknown,
  destination: Destination,
  keep?: (stream: ReadableStream) => Promise<void | StreamAddress>,
): string | Promise<string> {
  const unread: Message[] = [];
  const loose: ReadableStream[] = [];
  met = unread;
  if (keep !== undefined) metStreams = loose;
  try {
    const data = codec.stringify(value, destination);
    if (unread.length === 0 && loose.length === 0) return data;
  } finally {
    met = null;
    metStreams = null;
  }
  const given = new Map<object, StreamAddress>();
  const kept = [...new Set(loose)].map(async (stream) => {
    const address = await keep?.(stream);
    if (address) given.set(stream, address);
  });
  return Promise.all([...[...new Set(unread)].map((message) => readBody(message)), ...kept]).then(() => {
    givenStreams = given;
    try {
      return codec.stringify(value, destination);
    } finally {
      givenStreams = null;
    }
  });
}

/**
 * Reads a body, so that its message can be written.
 *
 * @param limit bytes; by default what a value may have
 * @throws PawlError `PAWL_BODY_TOO_LARGE`, `PAWL_BODY_READ`; what the stream throws
 */
export async function readBody(message: Message, limit = MAX_LENGTH): Promise<BodyData> {
  const known = bodies.get(message);
  if (known !== undefined) return known;
  if (message.bodyUsed || message.body?.locked) {
    throw new PawlError('PAWL_BODY_READ', 'The body of the request was read already.', {
      remedy: 'Pass the request on before anything reads it, or a clone made before.',
    });
  }
  const data = message.body === null ? null : bodyData(await collect(message.body, limit));
  bodies.set(message, data);
  return data;
}

async function collect(stream: ReadableStream<Uint8Array>, limit: number): Promise<Uint8Array> {
  const reader = stream.getReader();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return Buffer.concat(chunks, size);
    size += value.byteLength;
    if (size > limit) {
      reader.cancel().catch(() => {});
      throw bodyTooLarge(limit);
    }
    chunks.push(value);
  }
}

export function bodyTooLarge(limit: number): PawlError {
  return new PawlError('PAWL_BODY_TOO_LARGE', `The body has more than ${limit} bytes.`, {
    remedy: 'Keep what is large elsewhere (a file, an object store), and send where it is.',
  });
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Characters that texts do not have, and that JSON would write as six. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
// oxlint-disable-next-line no-control-regex
const BINARY = /[\u0000-\u0008\u000b\u000e-\u001f]/;

function bodyData(bytes: Uint8Array): BodyData {
  try {
    const text = utf8.decode(bytes);
    if (!BINARY.test(text)) return text;
  } catch {
    // Not UTF-8.
  }
  return { base64: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64') };
}

/** Bytes, so that no content type is made up for them. */
function bytesOf(body: BodyData): Uint8Array<ArrayBuffer> | null {
  if (body === null) return null;
  return typeof body === 'string'
    ? new TextEncoder().encode(body)
    : Uint8Array.from(Buffer.from(body.base64, 'base64'));
}

/**
 * @param answer Sends what a step answers; without it, a request that is answered by hand says where that is done.
 * @param streams Opens streams; without it, none arrive.
 */
export function hostPlatform(answer?: Answer, streams?: StreamAccess): Platform {
  return {
    write(value) {
      switch (Object.prototype.toString.call(value)) {
        case '[object Headers]':
          return { id: HTTP_IDS.headers, data: headersData(value as Headers) };
        case '[object Request]':
          return writeRequest(value as Request);
        case '[object Response]':
          return writeResponse(value as Response);
        default:
          return writeStream(value, metStreams, givenStreams);
      }
    },
    read(id, data) {
      switch (id) {
        case HTTP_IDS.headers:
          return new Headers(data as HeadersData);
        case HTTP_IDS.request:
          return readRequest(data as RequestData, answer);
        case HTTP_IDS.response:
          return readResponse(data as ResponseData);
        default:
          return readStream(id, data, streams);
      }
    },
  };
}

/** Undefined: its body is gone. */
function bodyOf(message: Message): BodyData | undefined {
  const known = bodies.get(message);
  if (known !== undefined) return known;
  if (message.bodyUsed || message.body?.locked) return undefined;
  if (message.body === null) return null;
  if (met === null) throw new UnreadBody();
  met.push(message);
  return null;
}

function headersData(headers: Headers): HeadersData {
  return [...headers];
}

function writeRequest(request: Request): { id: string; data: RequestData } | undefined {
  const body = bodyOf(request);
  if (body === undefined) return undefined;
  const { method, url, headers, redirect } = request;
  const data: RequestData = { method, url, headers: headersData(headers), body };
  if (redirect !== 'follow') data.redirect = redirect;
  const answer = answers.get(request);
  if (answer !== undefined) data.answer = answer;
  return { id: HTTP_IDS.request, data };
}

function writeResponse(response: Response): { id: string; data: ResponseData } | undefined {
  const body = bodyOf(response);
  if (body === undefined) return undefined;
  const { status, statusText, headers, url, redirected } = response;
  const data: ResponseData = { status, statusText, headers: headersData(headers), body };
  if (url !== '') data.url = url;
  if (redirected) data.redirected = true;
  return { id: HTTP_IDS.response, data };
}

type Answer = (address: AnswerAddress, response: Response) => Promise<void>;

export function readRequest({ method, url, headers, body, redirect, answer }: RequestData, send?: Answer): Request {
  const bytes = method === 'GET' || method === 'HEAD' ? null : bytesOf(body);
  const request = new Request(url, { method, headers, body: bytes, redirect });
  bodies.set(request, body);
  if (answer !== undefined) {
    answers.set(request, answer);
    let answered = false;
    define(request, 'respondWith', async (response: Response) => {
      if (answered) throw alreadyAnswered();
      answered = true;
      try {
        await respondWith(answer, response, send);
      } catch (error) {
        answered = false;
        throw error;
      }
    });
  }
  return request;
}

function alreadyAnswered(): PawlError {
  return new PawlError('PAWL_WEBHOOK_ANSWERED', 'The request has been answered already.', {
    remedy: 'Call respondWith() once for each request.',
  });
}

async function respondWith(address: AnswerAddress, response: Response, send: Answer | undefined): Promise<void> {
  if (Object.prototype.toString.call(response) !== '[object Response]' || response.status === 0) {
    throw new PawlError(
      'PAWL_WEBHOOK_RESPONSE',
      'respondWith() was given something that is no Response, or an error.',
      {
        remedy: 'Write `await request.respondWith(new Response("…"))`, or `Response.json({ … })`.',
      },
    );
  }
  if (send === undefined) {
    throw new PawlError('PAWL_ONLY_IN_STEP', 'respondWith() works in steps only.', {
      remedy: 'Hand the request to a step, which answers it.',
    });
  }
  await send(address, response);
}

function readResponse({ status, statusText, headers, body, url, redirected }: ResponseData): Response {
  if (status === 0) return Response.error();
  const response = new Response(bytesOf(body), { status, statusText, headers });
  bodies.set(response, body);
  if (url !== undefined) define(response, 'url', url);
  if (redirected) define(response, 'redirected', true);
  return response;
}

function define(target: object, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, writable: true, configurable: true });
}
