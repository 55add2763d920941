/**
 * `Request` and `Response` in workflow code: data, with the methods that the Fetch standard gives them. Their bodies are at hand, so
 * that reading one asks nothing of the host. What is I/O (`fetch`, streams) is not here.
 */
import {
  type AnswerAddress,
  type BodyData,
  HTTP_IDS,
  type HeadersData,
  type Platform,
  type RequestData,
  type ResponseData,
} from '../serialization/http.ts';
import { base64ToBytes, bytesToBase64 } from './base64.ts';
import { TextDecoder, TextEncoder } from './encoding.ts';
import { AbortController, AbortSignal } from './events.ts';
import { Headers } from './headers.ts';
import { notHere } from './not-here.ts';
import { readStream, writeStream } from './streams.ts';
import { URL, URLSearchParams } from './url.ts';

const READ_IT = 'Read the body with text(), json() or arrayBuffer(), or do it in a step.';

/** What crosses, and what clones take: the body also after it was read. */
let bodyOf: (message: Message) => BodyData;
let setBody: (message: Message, body: BodyData) => void;
/** Moves a body: its old message counts as read. */
let takeBody: (message: Message) => BodyData;

/** What both have: headers and a body, which is read once. */
class Message {
  readonly #headers: Headers;
  #body: BodyData = null;
  #used = false;

  constructor(headers: unknown) {
    this.#headers = new Headers(headers);
  }

  get headers(): Headers {
    return this.#headers;
  }

  get bodyUsed(): boolean {
    return this.#used;
  }

  get body(): null {
    if (this.#body === null) return null;
    throw notHere('A stream of a body', READ_IT);
  }

  async text(): Promise<string> {
    const body = this.#take();
    if (typeof body === 'string') return body.startsWith('\ufeff') ? body.slice(1) : body;
    return body === null ? '' : new TextDecoder().decode(base64ToBytes(body.base64));
  }

  async json(): Promise<unknown> {
    return JSON.parse(await this.text());
  }

  async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    const body = this.#take();
    if (body === null) return new Uint8Array(0);
    return typeof body === 'string'
      ? (new TextEncoder().encode(body) as Uint8Array<ArrayBuffer>)
      : base64ToBytes(body.base64);
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return (await this.bytes()).buffer;
  }

  async blob(): Promise<never> {
    throw notHere('blob()', READ_IT);
  }

  async formData(): Promise<never> {
    throw notHere('formData()', 'Hand the request to a step and read the form there.');
  }

  #take(): BodyData {
    if (this.#used) throw new TypeError('Body is unusable: Body has already been read');
    if (this.#body !== null) this.#used = true;
    return this.#body;
  }

  static {
    bodyOf = (message) => message.#body;
    setBody = (message, body) => {
      message.#body = body;
    };
    takeBody = (message) => message.#take();
  }
}

/** A body that a program passes, and the type that it has unless the program says so. */
function readInit(init: unknown): { body: BodyData; type: string | null } {
  if (init === undefined || init === null) return { body: null, type: null };
  if (init instanceof URLSearchParams)
    return { body: init.toString(), type: 'application/x-www-form-urlencoded;charset=UTF-8' };
  if (init instanceof ArrayBuffer) return { body: { base64: bytesToBase64(new Uint8Array(init)) }, type: null };
  if (ArrayBuffer.isView(init)) {
    const bytes = new Uint8Array(init.buffer, init.byteOffset, init.byteLength);
    return { body: { base64: bytesToBase64(bytes) }, type: null };
  }
  const text = String(init).replace(
    /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g,
    '\ufffd',
  );
  return { body: text, type: 'text/plain;charset=UTF-8' };
}

function fill(message: Message, init: unknown): void {
  const { body, type } = readInit(init);
  setBody(message, body);
  if (type !== null && !message.headers.has('content-type')) message.headers.set('content-type', type);
}

interface RequestInit {
  method?: unknown;
  headers?: unknown;
  body?: unknown;
  redirect?: unknown;
  signal?: unknown;
}

const STANDARD_METHODS = new Set(['DELETE', 'GET', 'HEAD', 'OPTIONS', 'POST', 'PUT']);

function methodOf(value: unknown): string {
  const method = String(value);
  const upper = method.toUpperCase();
  if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(method)) throw new TypeError(`'${method}' is not a valid HTTP method.`);
  if (upper === 'CONNECT' || upper === 'TRACE' || upper === 'TRACK')
    throw new TypeError(`'${method}' HTTP method is unsupported.`);
  return STANDARD_METHODS.has(upper) ? upper : method;
}

const REDIRECTS = new Set(['follow', 'error', 'manual']);

let answerOf: (request: Request) => AnswerAddress | undefined;
/** It is a webhook's, which a step answers. */
let setAnswer: (request: Request, address: AnswerAddress) => void;

export class Request extends Message {
  readonly #url: string;
  readonly #method: string;
  readonly #redirect: RequestRedirect;
  readonly #signal: AbortSignal;
  #answer: AnswerAddress | undefined;

  constructor(input: unknown, init: RequestInit = {}) {
    const from = input instanceof Request ? input : undefined;
    super(init.headers ?? from?.headers);
    this.#url = from === undefined ? absolute(input) : from.url;
    this.#method = init.method === undefined ? (from?.method ?? 'GET') : methodOf(init.method);
    const redirect = init.redirect ?? from?.redirect ?? 'follow';
    if (!REDIRECTS.has(redirect as string)) throw new TypeError(`'${String(redirect)}' is not a valid redirect.`);
    this.#redirect = redirect as RequestRedirect;
    const signal = init.signal ?? from?.signal ?? new AbortController().signal;
    if (!(signal instanceof AbortSignal)) throw new TypeError('The signal of a Request must be an AbortSignal');
    this.#signal = signal;
    const bodiless = this.#method === 'GET' || this.#method === 'HEAD';
    const own = init.body !== undefined && init.body !== null;
    if (bodiless && (own || (from !== undefined && bodyOf(from) !== null)))
      throw new TypeError('Request with GET/HEAD method cannot have body.');
    if (own) fill(this, init.body);
    else if (from !== undefined) setBody(this, takeBody(from));
  }

  get url(): string {
    return this.#url;
  }

  get method(): string {
    return this.#method;
  }

  get redirect(): RequestRedirect {
    return this.#redirect;
  }

  get signal(): AbortSignal {
    return this.#signal;
  }

  clone(): Request {
    refuseUsed(this);
    const { url, method, headers, redirect, signal } = this;
    const copy = new Request(url, { method, headers, redirect, signal });
    setBody(copy, bodyOf(this));
    return copy;
  }

  get [Symbol.toStringTag](): string {
    return 'Request';
  }

  static {
    answerOf = (request) => request.#answer;
    setAnswer = (request, address) => {
      request.#answer = address;
      const value = (): never => {
        throw notHere('respondWith()', 'Hand the request to a step, which answers it.');
      };
      Object.defineProperty(request, 'respondWith', { value, writable: true, configurable: true });
    };
  }
}

function absolute(input: unknown): string {
  const url = URL.parse(input) as { href: string; username: string; password: string } | null;
  if (url === null) throw new TypeError(`Failed to parse URL from ${String(input)}`);
  if (url.username !== '' || url.password !== '')
    throw new TypeError(`Request cannot be constructed from a URL that includes credentials: ${url.href}`);
  return url.href;
}

function refuseUsed(message: Message): void {
  if (message.bodyUsed) throw new TypeError('clone: Body has already been consumed.');
}

interface ResponseInit {
  status?: unknown;
  statusText?: unknown;
  headers?: unknown;
}

const NULL_BODY = new Set([101, 204, 205, 304]);
const REDIRECT_STATUS = new Set([301, 302, 303, 307, 308]);

let toData: (response: Response) => ResponseData;
let fromData: (data: ResponseData) => Response;

export class Response extends Message {
  #status = 200;
  readonly #statusText: string;
  #url = '';
  #redirected = false;

  constructor(body?: unknown, init: ResponseInit = {}) {
    super(init.headers);
    const { status = 200, statusText = '' } = init;
    const number = Number(status);
    if (!Number.isInteger(number) || number < 200 || number > 599)
      throw new RangeError('init["status"] must be in the range of 200 to 599, inclusive.');
    this.#status = number;
    this.#statusText = String(statusText);
    if (body === undefined || body === null) return;
    if (NULL_BODY.has(number)) throw new TypeError(`Response with status ${number} cannot have a body`);
    fill(this, body);
  }

  static json(data: unknown, init: ResponseInit = {}): Response {
    const text = JSON.stringify(data);
    if (text === undefined) throw new TypeError('The data is not JSON serializable');
    const response = new Response(text, init);
    if (!new Headers(init.headers).has('content-type')) response.headers.set('content-type', 'application/json');
    return response;
  }

  static redirect(url: unknown, status: unknown = 302): Response {
    if (!REDIRECT_STATUS.has(Number(status))) throw new RangeError(`Invalid status code ${String(status)}`);
    return new Response(null, { status, headers: { location: absolute(url) } });
  }

  static error(): Response {
    const response = new Response();
    response.#status = 0;
    return response;
  }

  get status(): number {
    return this.#status;
  }

  get statusText(): string {
    return this.#statusText;
  }

  get ok(): boolean {
    return this.#status >= 200 && this.#status < 300;
  }

  get url(): string {
    return this.#url;
  }

  get redirected(): boolean {
    return this.#redirected;
  }

  get type(): string {
    return this.#status === 0 ? 'error' : 'default';
  }

  clone(): Response {
    refuseUsed(this);
    return fromData(toData(this));
  }

  get [Symbol.toStringTag](): string {
    return 'Response';
  }

  static {
    toData = (response) => {
      const { status, statusText, headers, url, redirected } = response;
      const data: ResponseData = { status, statusText, headers: [...headers], body: bodyOf(response) };
      if (url !== '') data.url = url;
      if (redirected) data.redirected = true;
      return data;
    };
    fromData = ({ status, statusText, headers, body, url = '', redirected = false }) => {
      if (status === 0) return Response.error();
      const response = new Response(null, { status, statusText, headers });
      setBody(response, body);
      response.#url = url;
      response.#redirected = redirected;
      return response;
    };
  }
}

/** How the three cross, and streams. */
export const realmPlatform: Platform = {
  write(value) {
    if (value instanceof Request) return { id: HTTP_IDS.request, data: requestData(value) };
    if (value instanceof Response) return { id: HTTP_IDS.response, data: toData(value) };
    return value instanceof Headers ? { id: HTTP_IDS.headers, data: [...value] } : writeStream(value);
  },
  read(id, data) {
    switch (id) {
      case HTTP_IDS.headers:
        return new Headers(data as HeadersData);
      case HTTP_IDS.request:
        return readRequest(data as RequestData);
      case HTTP_IDS.response:
        return fromData(data as ResponseData);
      default:
        return readStream(id, data);
    }
  },
};

function requestData(request: Request): RequestData {
  const { method, url, headers, redirect } = request;
  const data: RequestData = { method, url, headers: [...headers], body: bodyOf(request) };
  if (redirect !== 'follow') data.redirect = redirect;
  const answer = answerOf(request);
  if (answer !== undefined) data.answer = answer;
  return data;
}

function readRequest({ method, url, headers, body, redirect, answer }: RequestData): Request {
  const request = new Request(url, { method, headers, redirect });
  setBody(request, body);
  if (answer !== undefined) setAnswer(request, answer);
  return request;
}
