/**
 * The virtual globals: what workflow code sees in place of the host's. They are shared by all runs and answer for the
 * current one; only `globalThis` is a run's own.
 */
import { VIRTUAL_GLOBALS } from '../../manifest/bundle-format.ts';
import { structuredClone } from './clone.ts';
import { makeConsole } from './console.ts';
import { makeDate } from './date.ts';
import { DOMException } from './dom-exception.ts';
import { atob, btoa, TextDecoder, TextEncoder } from './encoding.ts';
import { AbortController, AbortSignal, Event, EventTarget } from './events.ts';
import { Headers } from './headers.ts';
import { Request, Response } from './http.ts';
import { repairLocales } from './intl.ts';
import { notHere } from './not-here.ts';
import { fraction, uuid } from './random.ts';
import { currentRun } from './run.ts';
import { ReadableStream, WritableStream } from './streams.ts';
import { URL, URLSearchParams } from './url.ts';

type AnyGlobals = Record<string, unknown>;

const IN_A_STEP = "Do it in a step: move it into an async function that begins with 'use step'.";
const SLEEP = 'Use `await sleep(duration)`, which survives restarts, or do it in a step.';
const NO_STREAMS = 'Do it in a step, and return plain data from there.';

/** Names that throw when they are used, and what to do instead. */
const REFUSED: Record<string, string> = {
  setTimeout: SLEEP,
  setInterval: SLEEP,
  setImmediate: 'Await something that is durable, or call the function.',
  fetch: IN_A_STEP,
  XMLHttpRequest: IN_A_STEP,
  WebSocket: IN_A_STEP,
  EventSource: IN_A_STEP,
  BroadcastChannel: IN_A_STEP,
  MessageChannel: IN_A_STEP,
  FormData: NO_STREAMS,
  Blob: NO_STREAMS,
  File: NO_STREAMS,
  TransformStream: NO_STREAMS,
};

/** Makes the virtual globals and puts them in place of the realm's. */
export function installGlobals(): void {
  repairLocales();
  installDisposal();
  const made: AnyGlobals = {
    Date: makeDate(),
    Math: makeMath(),
    Intl,
    console: makeConsole(),
    crypto: makeCrypto(),
    performance: makePerformance(),
    queueMicrotask,
    structuredClone,
    TextEncoder,
    TextDecoder,
    atob,
    btoa,
    URL,
    URLSearchParams,
    Headers,
    Request,
    Response,
    ReadableStream,
    WritableStream,
    Event,
    EventTarget,
    AbortController,
    AbortSignal,
    DOMException,
    // Clearing what cannot have been set is harmless, and common in `finally`.
    clearTimeout: nothing,
    clearInterval: nothing,
    clearImmediate: nothing,
  };
  for (const [name, remedy] of Object.entries(REFUSED)) made[name] = refused(name, remedy);
  for (const name of Object.getOwnPropertyNames(globalThis)) {
    if (!LANGUAGE.has(name)) Reflect.deleteProperty(globalThis, name);
  }
  for (const [name, value] of Object.entries(made)) {
    Object.defineProperty(globalThis, name, { value, writable: true, enumerable: false, configurable: true });
  }
}

/** What stays of the realm's own globals: the language without shared memory, weak references and code generation. */
const LANGUAGE = new Set(
  (
    'undefined NaN Infinity globalThis Object Function Array Number parseFloat parseInt Boolean String Symbol Promise RegExp Error ' +
    'AggregateError EvalError RangeError ReferenceError SyntaxError TypeError URIError JSON Map Set WeakMap WeakSet BigInt ' +
    'ArrayBuffer DataView Int8Array Uint8Array Uint8ClampedArray Int16Array Uint16Array Int32Array Uint32Array Float16Array Float32Array ' +
    'Float64Array BigInt64Array BigUint64Array Reflect Proxy Iterator SuppressedError DisposableStack AsyncDisposableStack ' +
    'decodeURI decodeURIComponent encodeURI encodeURIComponent escape unescape isFinite isNaN eval Math Intl Temporal'
  ).split(' '),
);

/** Node has these symbols in its main context only; what compilers emit for `using` takes the same registered ones where there are none. */
function installDisposal(): void {
  for (const name of ['dispose', 'asyncDispose'])
    if (!Object.hasOwn(Symbol, name)) Object.defineProperty(Symbol, name, { value: Symbol.for(`Symbol.${name}`) });
}

function nothing(): void {}

function queueMicrotask(callback: () => void): void {
  if (typeof callback !== 'function') throw new TypeError('The callback must be a function');
  void Promise.resolve().then(() => callback());
}

function refused(name: string, remedy: string): unknown {
  const stub = function (): never {
    throw notHere(name, remedy);
  };
  Object.defineProperty(stub, 'name', { value: name });
  return stub;
}

function makeMath(): unknown {
  Object.defineProperty(Math, 'random', {
    value: () => fraction(currentRun().random),
    writable: true,
    configurable: true,
  });
  return Math;
}

function makeCrypto(): unknown {
  return {
    randomUUID: () => uuid(currentRun().ids),
    getRandomValues<T extends ArrayBufferView>(view: T): T {
      const { ids } = currentRun();
      const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
      for (let index = 0; index < bytes.length; index++) bytes[index] = ids.next() & 0xff;
      return view;
    },
    get subtle(): never {
      throw notHere('crypto.subtle', IN_A_STEP);
    },
  };
}

/** Time since the run began, by the clock of its events. */
function makePerformance(): unknown {
  return {
    now: () => currentRun().now - currentRun().startedAt,
    get timeOrigin() {
      return currentRun().startedAt;
    },
    mark: nothing,
    measure: nothing,
  };
}

let template: object | undefined;

/** A run's `globalThis`: it may be written to, what it inherits may not. */
function ownGlobal(): object {
  template ??= makeTemplate();
  return Object.create(template) as object;
}

/** Accessors, so that `globalThis.Array = …` makes an own property of the run's object, as an ordinary assignment would. */
function makeTemplate(): object {
  const names = new Set([...Object.getOwnPropertyNames(globalThis), ...VIRTUAL_GLOBALS]);
  const result = {};
  for (const name of names) {
    if (SELVES.has(name) || name === 'eval') continue;
    const value = (globalThis as unknown as AnyGlobals)[name];
    if (value === undefined && name !== 'undefined') continue;
    Object.defineProperty(result, name, {
      get: () => value,
      set(this: object, next: unknown) {
        Object.defineProperty(this, name, { value: next, writable: true, enumerable: true, configurable: true });
      },
      enumerable: false,
      configurable: false,
    });
  }
  for (const name of SELVES) {
    if (name === 'globalThis' || name === 'self') {
      Object.defineProperty(result, name, {
        get(this: object) {
          return this;
        },
        enumerable: false,
      });
    }
  }
  return Object.freeze(result);
}

const SELVES = new Set(['globalThis', 'self', 'window', 'global']);

let shared: AnyGlobals | undefined;

/** Values of `VIRTUAL_GLOBALS` for one run. */
export function globalsOfRun(): AnyGlobals {
  if (shared === undefined) {
    shared = {};
    for (const name of VIRTUAL_GLOBALS) {
      if (!SELVES.has(name)) shared[name] = (globalThis as unknown as AnyGlobals)[name];
    }
  }
  const own = ownGlobal();
  return Object.assign(Object.create(shared) as AnyGlobals, { globalThis: own, self: own });
}
