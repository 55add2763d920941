import type { Use } from '../compiler/facts.ts';
import type { PackageHop, Reference } from './program.ts';

/** What counts as I/O, as data: one table for globals, one for Node's modules. */

/** An end of a chain: what does I/O, or what the sandbox does not have. */
export interface IoEnd {
  /** `fetch`, `node:fs.readFile`. */
  name: string;
  /** Second half of the message: why it cannot be in workflow code. */
  because: string;
  remedy: string;
  /** It does no I/O; the sandbox just lacks it. */
  absent?: true;
  /** It is a module as a whole: `import('node:fs')`. */
  whole?: true;
  /** The way there within an installed package, behind the use that calls it. */
  inside?: readonly PackageHop[];
}

const REPEATED = 'workflow code is replayed, so this I/O would happen again and could give another answer';
const ABSENT = 'the sandbox in which workflows run has none of the modules of Node';
const MOVE = "Move it into a step, an async function that starts with 'use step', and call that.";

/** Globals that do I/O when they are called or passed on. */
const CALLED = new Set([
  'fetch',
  'navigator.sendBeacon',
  'importScripts',
  'process.getBuiltinModule',
  'process.binding',
  'process.dlopen',
]);

/** Globals that do I/O when they are constructed; mentioning them (`instanceof`, `WebSocket.OPEN`) is harmless. */
const CONSTRUCTED = new Set([
  'XMLHttpRequest',
  'WebSocket',
  'EventSource',
  'WebTransport',
  'BroadcastChannel',
  'Worker',
  'SharedWorker',
]);

/** Objects all of whose methods do I/O. */
const HOSTS = new Set(['Deno', 'Bun']);
const STREAMS = new Set(['process.stdout', 'process.stderr', 'process.stdin']);

/** Node's modules that do I/O. The others are absent from the sandbox all the same, but the reason to give is another. */
const IO_MODULES = new Set([
  'child_process',
  'cluster',
  'dgram',
  'dns',
  'fs',
  'http',
  'http2',
  'https',
  'inspector',
  'net',
  'readline',
  'repl',
  'sqlite',
  'tls',
  'tty',
  'wasi',
  'worker_threads',
]);

const REMEDIES: Record<string, string> = {
  timers: "Use `sleep` from 'pawl'.",
  'timers/promises': "Use `sleep` from 'pawl'.",
  crypto: 'Use the global `crypto.randomUUID()`, which a workflow gets repeatably, or move it into a step.',
  url: 'Use the global `URL`, or move it into a step.',
  process: 'Pass what you need as input, or read it in a step.',
};

/** What a use does, if it does I/O. */
export function ioEnd(use: Use, reference: Reference): IoEnd | null {
  if (reference.kind === 'global') return globalEnd(use, reference.path);
  if (reference.kind !== 'builtin') return null;
  const { name, path } = reference;
  const pieces = path.filter((piece) => piece !== 'default');
  const absent = !IO_MODULES.has(name.replace(/\/.*$/, ''));
  // No module has members of these names: it is the promise of one that does.
  const isPromise = /^(?:then|catch|finally)$/.test(pieces[0] ?? '');
  const end: IoEnd = {
    name: isPromise ? `import('node:${name}')` : [`node:${name}`, ...pieces].join('.'),
    because: absent ? ABSENT : REPEATED,
    remedy: REMEDIES[name] ?? MOVE,
  };
  if (absent) end.absent = true;
  if (pieces.length === 0 && use.kind === 'module') end.whole = true;
  return end;
}

function globalEnd(use: Use, path: readonly string[]): IoEnd | null {
  const own = /^(?:call|apply|bind)$/.test(path.at(-1) ?? '') ? path.slice(0, -1) : path;
  const name = own.join('.');
  if (use.access === 'write') return null;
  if (name === 'fetch') return globalNamed(own, "Move it into a step, or use `fetch` from 'pawl', which is a step.");
  if (CALLED.has(name)) return globalNamed(own);
  if (CONSTRUCTED.has(name) && use.access === 'new') return globalNamed(own);
  if (own.length > 1 && HOSTS.has(own[0] as string) && use.access === 'call') return globalNamed(own);
  if (STREAMS.has(own.slice(0, 2).join('.'))) return globalNamed(own);
  return null;
}

function globalNamed(pieces: readonly string[], remedy = MOVE): IoEnd {
  return { name: pieces.join('.'), because: REPEATED, remedy };
}
