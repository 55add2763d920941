import type { SymbolRef, TypeModel, TypeRef } from './model.ts';

/**
 * What types of JavaScript, of browsers and of Node are for serialization: values of the structured clone algorithm, errors
 * and what travels with them over HTTP cross; promises, functions and every other class do not.
 */
export type PlatformVerdict = 'crosses' | 'collection' | 'promise' | 'function' | 'instance';

const CROSSING = new Set([
  ...['Array', 'ReadonlyArray', 'ConcatArray', 'Date', 'RegExp', 'Error', 'DOMException', 'ArrayBuffer', 'DataView'],
  ...['SharedArrayBuffer', 'ArrayBufferView', 'String', 'Number', 'Boolean', 'BigInt', 'Object', 'Buffer'],
  ...['URL', 'URLSearchParams', 'Headers', 'Request', 'Response'],
  ...['ReadableStream', 'WritableStream'],
]);
const TEMPORAL = new Set([
  ...['Instant', 'Duration', 'PlainDate', 'PlainTime', 'PlainDateTime', 'PlainYearMonth', 'PlainMonthDay'],
  'ZonedDateTime',
]);
const TYPED_ARRAY = /^(?:Big)?(?:Int|Uint|Float)\d+(?:Clamped)?Array$/;
const COLLECTIONS = new Set(['Map', 'Set', 'ReadonlyMap', 'ReadonlySet']);
const PROMISES = new Set(['Promise', 'PromiseLike']);
const FUNCTIONS = new Set(['Function', 'CallableFunction', 'NewableFunction']);
/** Interfaces that objects of one process have, though no class of that name is to be seen. */
const BOUND =
  /^(?:Async)?(?:Generator|Iterator|IterableIterator|IteratorObject)$|^(?:Array|Map|Set|String|RegExpString)Iterator$/;

const PLATFORM_FILE =
  /(?:^bundled:|\/node_modules\/(?:@types\/(?:node|web|deno)|undici-types|bun-types|@cloudflare\/workers-types|@typescript\/lib-[^/]+|@edge-runtime\/[^/]+)\/|\/lib\.[\w.]+\.d\.ts$)/;

/** Whether a declaration file describes what the platform gives. */
export function isPlatformFile(file: string): boolean {
  return PLATFORM_FILE.test(file);
}

/** What the platform says of a type, or of what it extends; null where it says nothing. */
export function platformVerdict(model: TypeModel, type: TypeRef): PlatformVerdict | null {
  let found: PlatformVerdict | null = null;
  for (const each of lineage(model, type)) {
    const symbol = model.symbolOf(each);
    const verdict = symbol && verdictOf(model, symbol);
    if (!verdict || verdict === 'instance') found ??= verdict ?? null;
    else return verdict === 'collection' && each !== type ? 'crosses' : verdict;
  }
  return found;
}

function verdictOf(model: TypeModel, symbol: SymbolRef): PlatformVerdict | null {
  const name = String(symbol.escapedName);
  if (name.startsWith('__')) return null;
  if (TEMPORAL.has(name)) {
    const parent = model.parentOf(symbol);
    if (parent && String(parent.escapedName) === 'Temporal') return 'crosses';
  }
  if (!model.declarations(symbol).some(({ file }) => isPlatformFile(file))) return null;
  if (CROSSING.has(name) || TYPED_ARRAY.test(name)) return 'crosses';
  if (COLLECTIONS.has(name)) return 'collection';
  if (PROMISES.has(name)) return 'promise';
  if (FUNCTIONS.has(name)) return 'function';
  if (BOUND.test(name)) return 'instance';
  const { Class = 0, Interface = 0, Variable = 0 } = model.SymbolFlags as Record<string, number>;
  const isClass = (symbol.flags & Class) !== 0;
  // `interface Worker` with `declare var Worker: { new (…): Worker }` beside it.
  const isHostClass =
    (symbol.flags & Interface) !== 0 && (symbol.flags & Variable) !== 0 && hasConstructor(model, symbol);
  return isClass || isHostClass ? 'instance' : null;
}

function hasConstructor(model: TypeModel, symbol: SymbolRef): boolean {
  const holder = model.typeOf(symbol);
  return holder !== undefined && model.property(holder, 'prototype') !== undefined;
}

/** A type and all that it extends, nearest first. */
export function lineage(model: TypeModel, type: TypeRef): TypeRef[] {
  const line = [type];
  for (let at = 0; at < line.length && line.length < 20; at++) {
    for (const base of model.bases(line[at] as TypeRef)) if (!line.includes(base)) line.push(base);
  }
  return line;
}
