/**
 * Errors as plain data and back. An error must always get across, whatever hangs on it: a field that cannot be serialized
 * (a socket, a request) is left out rather than hiding the error behind another one.
 */
import { brandOf, CancelledError, type ErrorBrand, FatalError, RetryableError } from '../errors.ts';

export interface ErrorData {
  name: string;
  message: string;
  stack?: string;
  brand?: ErrorBrand;
  /** A DOMException: its name is data, its class says nothing. */
  dom?: true;
  cause?: unknown;
  /** Of an AggregateError. */
  errors?: unknown[];
  /** Own enumerable fields. */
  fields?: Record<string, unknown>;
}

/** Written as members of their own, or not at all. */
const KNOWN_FIELDS = new Set(['name', 'message', 'stack', 'cause', 'errors', '__proto__', 'domain', 'domainEmitter']);

const BUILTIN: Record<string, ErrorConstructor> = {
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
};

/** Errors of every realm, DOMExceptions included. */
export function isError(value: unknown): value is Error {
  if (typeof value !== 'object' || value === null) return false;
  try {
    return value instanceof Error || Object.prototype.toString.call(value) === '[object Error]';
  } catch {
    // A proxy that lets nobody look.
    return false;
  }
}

/**
 * @param fits Whether a value can be serialized.
 */
export function errorToData(error: Error, fits: (value: unknown) => boolean): ErrorData {
  const data: ErrorData = {
    name: text(error, 'name') ?? 'Error',
    message: text(error, 'message') ?? '',
  };
  const stack = text(error, 'stack');
  if (stack !== undefined) data.stack = stack;
  const brand = brandOf(error);
  if (brand !== undefined) data.brand = brand;
  if (Object.prototype.toString.call(error) === '[object DOMException]') data.dom = true;
  if (Object.hasOwn(error, 'cause')) data.cause = fitting(read(error, 'cause'), fits);
  const errors = read(error, 'errors');
  if (Array.isArray(errors)) data.errors = errors.map((each) => fitting(each, fits));

  let fields: Record<string, unknown> | undefined;
  for (const key of Object.keys(error)) {
    if (KNOWN_FIELDS.has(key)) continue;
    const value = read(error, key);
    if (value === undefined || !fits(value)) continue;
    fields ??= {};
    fields[key] = value;
  }
  if (fields) data.fields = fields;
  return data;
}

export function errorFromData(data: ErrorData, mapStack: ((stack: string) => string) | undefined): Error {
  const error = create(data);
  hide(error, 'message', data.message);
  if (error.name !== data.name) hide(error, 'name', data.name);
  if (data.stack !== undefined) hide(error, 'stack', mapStack ? mapStack(data.stack) : data.stack);
  // The stack of this very call says nothing of where the error was made.
  else hide(error, 'stack', data.message === '' ? data.name : `${data.name}: ${data.message}`);
  if ('cause' in data) hide(error, 'cause', data.cause);
  for (const [key, value] of Object.entries(data.fields ?? {})) {
    Object.defineProperty(error, key, { value, writable: true, enumerable: true, configurable: true });
  }
  return error;
}

function create({ name, message, brand, dom, errors }: ErrorData): Error {
  if (brand === 'fatal') return new FatalError(message);
  if (brand === 'retryable') return new RetryableError(message);
  if (brand === 'cancelled') return new CancelledError(message);
  if (errors !== undefined) return new AggregateError(errors, message);
  if (dom && typeof DOMException === 'function') return new DOMException(message, name);
  return new (Object.hasOwn(BUILTIN, name) ? (BUILTIN[name] as ErrorConstructor) : Error)(message);
}

function hide(error: Error, key: string, value: unknown): void {
  // A DOMException has these as getters of its own class; they hold the right values already.
  if (key !== 'stack' && Object.prototype.toString.call(error) === '[object DOMException]') return;
  Object.defineProperty(error, key, { value, writable: true, enumerable: false, configurable: true });
}

/** A cause or a part may be anything; what cannot cross is described. */
function fitting(value: unknown, fits: (value: unknown) => boolean): unknown {
  if (isError(value) || fits(value)) return value;
  try {
    return String(value);
  } catch {
    return 'a value that cannot be shown';
  }
}

function read(error: Error, key: string): unknown {
  try {
    return (error as unknown as Record<string, unknown>)[key];
  } catch {
    return undefined;
  }
}

function text(error: Error, key: string): string | undefined {
  const value = read(error, key);
  return typeof value === 'string' ? value : undefined;
}
