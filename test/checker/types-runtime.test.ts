import { EventEmitter } from 'node:events';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { createCodec } from '../../src/runtime/serialization/codec.ts';
import { sharedTypes } from '../support/checker.ts';
import { ROOT } from '../support/dist.ts';
import { temporaryProject } from '../support/project.ts';
import { typedFindings } from '../support/types.ts';

/** The rule and the runtime agree: what types refuse, serialization refuses, and what they let through crosses. */

class Order {
  readonly id = 'x';
  total() {
    return 1;
  }
}
class OutOfStock extends Error {
  sku = 'x';
}
class Orders extends Array<string> {}

const codec = createCodec({
  step: () => undefined,
  workflow: () => undefined,
  class: () => undefined,
});

function crosses(value: unknown): boolean {
  try {
    codec.stringify([value], { root: 'args', what: 'the arguments of a step' });
    return true;
  } catch {
    return false;
  }
}

const DECLARATIONS = `import type { EventEmitter } from 'node:events';
import type { Readable } from 'node:stream';
declare class Order {
  readonly id: string;
  total(): number;
}
declare class OutOfStock extends Error {
  sku: string;
}
declare class Orders extends Array<string> {}
`;

/** Values by their type. */
const VALUES: Record<string, unknown> = {
  string: 'text',
  bigint: 1n,
  undefined: undefined,
  Date: new Date(0),
  RegExp: /x/g,
  Error: new TypeError('x'),
  OutOfStock: new OutOfStock('x'),
  DOMException: new DOMException('x', 'AbortError'),
  Orders: Orders.from(['x']),
  'Map<string, Set<number>>': new Map([['x', new Set([1])]]),
  URL: new URL('https://example.com'),
  URLSearchParams: new URLSearchParams('a=1'),
  ArrayBuffer: new ArrayBuffer(2),
  Uint8Array: new Uint8Array(2),
  Buffer: Buffer.from('x'),
  BigInt64Array: new BigInt64Array(1),
  DataView: new DataView(new ArrayBuffer(2)),
  Number: Object(1),
  '{ deep: { list: readonly [string, number?] } }': { deep: { list: ['x'] } },
  '() => void': () => {},
  'new () => Order': Order,
  Order: new Order(),
  '{ order: Order }': { order: new Order() },
  '{ save(): void }': { save() {} },
  symbol: Symbol('x'),
  'Promise<string>': Promise.resolve('x'),
  'WeakMap<object, string>': new WeakMap(),
  'WeakSet<object>': new WeakSet(),
  'WeakRef<object>': new WeakRef({}),
  AbortSignal: new AbortController().signal,
  AbortController: new AbortController(),
  FormData: new FormData(),
  Blob: new Blob(['x']),
  TextEncoder: new TextEncoder(),
  EventTarget: new EventTarget(),
  'Generator<string>': (function* () {
    yield 'x';
  })(),
  'IterableIterator<string>': ['x'].values(),
  'AsyncGenerator<string>': (async function* () {
    yield 'x';
  })(),
  'Intl.NumberFormat': new Intl.NumberFormat('en'),
  EventEmitter: new EventEmitter(),
  Readable: Readable.from(['x']),
  'NodeJS.Timeout': timeout(),
};

function timeout(): NodeJS.Timeout {
  const handle = setTimeout(() => {}, 0);
  clearTimeout(handle);
  return handle;
}

test('types refuse what serialization refuses, and nothing else', { timeout: 60_000 }, async () => {
  const types = Object.keys(VALUES);
  const text = `${DECLARATIONS}${types
    .map((type, index) => `export async function f${index}(value: ${type}) {\n  'use step';\n}\n`)
    .join('')}`;
  const root = temporaryProject({
    'src/a.ts': text,
    'tsconfig.json': JSON.stringify({ compilerOptions: { target: 'es2022', module: 'preserve', types: ['node'] } }),
  });
  symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'), 'dir');
  const refused = new Set(
    (await typedFindings(root, sharedTypes)).map((line) => Number(/step `f(\d+)`/.exec(line)?.[1])),
  );
  const byTypes = Object.fromEntries(types.map((type, index) => [type, !refused.has(index)]));
  const byRuntime = Object.fromEntries(Object.entries(VALUES).map(([type, value]) => [type, crosses(value)]));
  expect(byTypes).toEqual(byRuntime);
});
