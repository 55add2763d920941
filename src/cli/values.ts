/**
 * Values from the event log, for people and as JSON. The classes and steps of the program are not loaded: their instances and
 * references are shown by their ids.
 */
import { inspect } from 'node:util';
import { type CodecSide, createCodec } from '../runtime/serialization/codec.ts';
import { type Colors, isPawlError } from './output.ts';
import { visible, visibleColored } from './visible.ts';

/** Stands for what only the program itself could make. */
class Shown {
  readonly label: string;
  readonly data: unknown;
  constructor(label: string, data?: unknown) {
    this.label = label;
    this.data = data;
  }
  [inspect.custom](depth: number, options: object, show: typeof inspect): string {
    if (this.data === undefined) return `[${this.label}]`;
    return `[${this.label}] ${show(this.data, { ...options, depth })}`;
  }
}

const side: CodecSide = {
  step: ({ id }) => new Shown(`step ${id}`),
  workflow: (id) => new Shown(`workflow ${id}`),
  // A class as a value: only functions and classes may stand for one, so the name is all that is left.
  class: () => undefined,
  unknownInstance: (id, data) => new Shown(id.slice(id.indexOf('#') + 1), data),
};

const codec = createCodec(side);

/** A value of the log. One that cannot be read shows why. */
export function readValue(data: string | null): unknown {
  if (data === null) return undefined;
  try {
    return codec.parse(data);
  } catch (error) {
    return new Shown(`unreadable: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** A value in colours, over several lines when it is large. */
export function showValue(value: unknown, c: Colors, columns = 100): string {
  const shown = inspect(value, {
    colors: c.isColorSupported,
    depth: 8,
    breakLength: Math.min(columns, 120),
    maxArrayLength: 200,
  });
  return c.isColorSupported ? visibleColored(shown) : visible(shown);
}

/**
 * As `JSON.stringify` would have it, but with errors, dates, maps, sets, big integers and bytes, and safe with cycles. Without recursion:
 * values of the log may nest deeper than the stack is for code that works on them.
 */
export function toJsonValue(value: unknown): unknown {
  const top: Record<string, unknown> = {};
  const walk: Walk = { around: new Set(), open: [] };
  put(top, 'value', value, walk);
  for (let next = walk.open.pop(); next !== undefined; next = walk.open.pop()) next();
  return top.value;
}

interface Walk {
  /** The objects that the present value stands in. */
  around: Set<object>;
  /** What is still to be done, last first. */
  open: (() => void)[];
}

/** Gives a value its place now, for the order, and its form later. */
function put(target: object, key: string | number, value: unknown, walk: Walk): void {
  set(target, key, null);
  walk.open.push(() => set(target, key, jsonOf(value, walk)));
}

function set(target: object, key: string | number, value: unknown): void {
  if (key !== '__proto__') (target as Record<string | number, unknown>)[key] = value;
  else Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
}

function jsonOf(value: unknown, walk: Walk): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (value === undefined || typeof value === 'function' || typeof value === 'symbol') return null;
  if (typeof value !== 'object' || value === null) return value;
  if (walk.around.has(value)) return '[circular]';
  walk.around.add(value);
  // Below its parts: done when they are.
  walk.open.push(() => walk.around.delete(value));
  const list = (items: Iterable<unknown>): unknown[] => {
    const target: unknown[] = [];
    for (const item of items) put(target, target.length, item, walk);
    return target;
  };
  const record = (entries: Iterable<[string, unknown]>): object => {
    const target = {};
    for (const [key, each] of entries) put(target, key, each, walk);
    return target;
  };
  if (value instanceof Shown)
    return value.data === undefined ? `[${value.label}]` : record([[value.label, value.data]]);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (value instanceof Error) return record(partsOfError(value));
  if (value instanceof Map || value instanceof Set) return list(value);
  if (value instanceof RegExp || value instanceof URL) return String(value);
  if (ArrayBuffer.isView(value))
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64');
  if (value instanceof ArrayBuffer) return Buffer.from(value).toString('base64');
  if (Array.isArray(value)) return list(value);
  return record(Object.entries(value).filter(([, each]) => each !== undefined));
}

function partsOfError(error: Error): [string, unknown][] {
  const { name, message, stack, cause } = error;
  return [
    ['name', name],
    ['message', message],
    ...(stack ? ([['stack', stack]] satisfies [string, unknown][]) : []),
    ...(cause === undefined ? [] : ([['cause', cause]] satisfies [string, unknown][])),
    ...Object.entries(error),
  ];
}

/** `RangeError: no such article` of what a program threw. */
export function titleOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return visible(inspect(thrown, { depth: 2, breakLength: Number.POSITIVE_INFINITY }));
  return visible(thrown.message ? `${thrown.name}: ${thrown.message}` : thrown.name);
}

/** The first frame of an error's stack that is in the user's own files: `src/shop/carrier.ts:14:11`. */
export function placeOf(thrown: unknown): string | null {
  const stack = thrown instanceof Error ? (thrown.stack ?? '') : '';
  for (const line of stack.split('\n').slice(1)) {
    const [, place] = /^\s+at (?:.*? \()?((?!node:)[^()\s][^()]*:\d+:\d+)\)?$/.exec(line) ?? [];
    if (place && !/[\\/]node_modules[\\/]/.test(place)) return place.replace(/^file:\/\//, '');
  }
  return null;
}

function pawlTitle(thrown: unknown, c: Colors): string | null {
  return isPawlError(thrown) ? `${c.red('error')} ${c.bold(thrown.code)}: ${visible(thrown.message)}` : null;
}

/** What a program threw, over several lines: title, place and remedy where pawl itself threw it, the user's frames, causes. */
export function showThrown(thrown: unknown, c: Colors): string {
  const lines = [pawlTitle(thrown, c) ?? c.red(titleOf(thrown))];
  if (thrown instanceof Error) {
    const { place, remedy } = thrown as { place?: unknown; remedy?: unknown };
    if (isPawlError(thrown)) {
      if (typeof place === 'string') lines.push(`  ${c.dim('at')} ${visible(place)}`);
      if (typeof remedy === 'string') lines.push(`  ${c.cyan(visible(remedy))}`);
    }
    const frames = (thrown.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
    lines.push(...frames.map((line) => c.dim(`  ${visible(line.trim())}`)));
    if (thrown.cause !== undefined) lines.push(`caused by ${showThrown(thrown.cause, c)}`);
    if (thrown instanceof AggregateError) for (const each of thrown.errors) lines.push(`- ${showThrown(each, c)}`);
  }
  return lines.join('\n');
}
