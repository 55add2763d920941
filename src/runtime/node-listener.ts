/** A fetch-style handler as a listener of `node:http`. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Handler } from './handler.ts';
import { fail } from './http-errors.ts';

/**
 * Makes a listener of a handler, for `node:http`, `node:https` and what is built on them.
 *
 * @example
 * createServer(toNodeListener(createHandler({ store }))).listen(3000);
 */
export function toNodeListener(handler: Handler): (incoming: IncomingMessage, outgoing: ServerResponse) => void {
  return (incoming, outgoing) => {
    const gone = new AbortController();
    outgoing.once('close', () => gone.abort());
    answer(handler, incoming, gone.signal).then(
      (response) => send(response, outgoing),
      // A handler always resolves; one of somebody else may not, or its response may be no good.
      () => outgoing.destroy(),
    );
  };
}

async function answer(handler: Handler, incoming: IncomingMessage, signal: AbortSignal): Promise<Response> {
  let request: Request;
  try {
    request = requestOf(incoming, signal);
  } catch {
    return fail(400, 'PAWL_HTTP_REQUEST', 'The request cannot be understood.', 'Check its URL, method and headers.');
  }
  return await handler(request);
}

function requestOf(incoming: IncomingMessage, signal: AbortSignal): Request {
  const { method = 'GET', url = '/', rawHeaders, socket } = incoming;
  const scheme = 'encrypted' in socket ? 'https' : 'http';
  const base = `${scheme}://${incoming.headers.host ?? 'localhost'}`;
  const headers = new Headers();
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string;
    if (!name.startsWith(':')) headers.append(name, rawHeaders[index + 1] as string);
  }
  const bodiless = method === 'GET' || method === 'HEAD';
  const init: RequestInit & { duplex: 'half' } = { method, headers, signal, duplex: 'half' };
  if (!bodiless) init.body = bodyOf(incoming);
  return new Request(new URL(url.startsWith('/') ? base + url : url, base), init);
}

/** The body as it comes in, no faster than it is read. Once given up, the rest is let go by, so that the answer gets through. */
function bodyOf(incoming: IncomingMessage): ReadableStream<Uint8Array> {
  let over = false;
  return new ReadableStream<Uint8Array>({
    start(controller) {
      incoming.pause();
      incoming.on('data', (chunk: Uint8Array) => {
        if (over) return;
        controller.enqueue(new Uint8Array(chunk));
        if ((controller.desiredSize ?? 0) <= 0) incoming.pause();
      });
      incoming.once('end', () => {
        if (!over) controller.close();
        over = true;
      });
      const fail = (error?: unknown): void => {
        if (!over) controller.error(error ?? new Error('The connection was closed'));
        over = true;
      };
      incoming.once('error', fail);
      incoming.once('close', () => fail());
    },
    pull() {
      incoming.resume();
    },
    cancel() {
      over = true;
      incoming.resume();
    },
  });
}

async function send(response: Response, outgoing: ServerResponse): Promise<void> {
  try {
    outgoing.statusCode = response.status;
    if (response.statusText !== '') outgoing.statusMessage = response.statusText;
    for (const [name, value] of response.headers) outgoing.appendHeader(name, value);
    if (response.body === null) {
      outgoing.end();
      return;
    }
    // A body that keeps one waiting begins with its headers.
    setImmediate(() => {
      if (!outgoing.headersSent && !outgoing.destroyed) outgoing.flushHeaders();
    });
    for await (const chunk of response.body) {
      if (outgoing.destroyed) return;
      if (!outgoing.write(chunk)) await drained(outgoing);
    }
    outgoing.end();
  } catch {
    // The body failed half-way, or a header is none that may be sent: there is nobody to tell.
    outgoing.destroy();
  }
}

function drained(outgoing: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    outgoing.once('drain', resolve);
    outgoing.once('close', resolve);
  });
}
