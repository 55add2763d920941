/**
 * Stacks that show the user's sources: frames in bundles are mapped, frames of pawl and of Node's machinery are dropped.
 * A map is read and decoded when the first error of its bundle needs it, and never again.
 */
import { dirname, posix, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { originalPositionFor, TraceMap } from '@jridgewell/trace-mapping';
import { REALM_FILENAME } from './sandbox.ts';

/** A place in a user's file: lines and columns from 1. */
export interface SourcePlace {
  file: string;
  line: number;
  column: number;
}

type MapText = () => string | null;

/** Maps by the name under which their bundle appears in stacks. */
const maps = new Map<string, { text: MapText; map: TraceMap | null | undefined; folder: string | null }>();

/**
 * Says where the map of a bundle is.
 *
 * @param folder Where the bundle stands, if it is a file: the map's sources are relative to it.
 */
export function registerSourceMap(filename: string, text: MapText, folder: string | null = null): void {
  if (!maps.has(filename)) maps.set(filename, { text, map: undefined, folder });
}

function mapOf(filename: string): TraceMap | null | undefined {
  // Whoever maps stacks before us, as test runners do, may leave a frame that nobody wrote with the bundle's path.
  const entry = maps.get(filename) ?? maps.get(`file://${filename}`);
  if (entry === undefined) return undefined;
  if (entry.map === undefined) {
    try {
      const text = entry.text();
      entry.map = text === null ? null : new TraceMap(text);
    } catch {
      // A map that cannot be read leaves the bundle's own positions, which are better than nothing.
      entry.map = null;
    }
  }
  return entry.map;
}

interface Frame {
  fn: string;
  file: string;
  line: number;
  column: number;
}

/** `at name (file:1:2)` or `at file:1:2`. A path may hold parentheses itself, so it ends where the position begins. */
const FRAME = /^\s+at (?:(async )?(.*?) \((.+):(\d+):(\d+)\)|(async )?(.+):(\d+):(\d+))$/;

function parseFrame(text: string): Frame | null {
  const match = FRAME.exec(text);
  if (!match) return null;
  const file = match[3] ?? match[7] ?? '';
  // `eval (eval at name (file:1:2), <anonymous>:1:2)` has no place in a file.
  if (file.startsWith('eval at ')) return null;
  const async = match[1] ?? match[6] ?? '';
  return {
    fn: async + (match[2] ?? ''),
    file,
    line: Number(match[4] ?? match[8]),
    column: Number(match[5] ?? match[9]),
  };
}

/** This package's own directory, as a path and as a URL: frames in it are ours. */
const OWN_URL = new URL('.', import.meta.url).href.replace(/(?:src\/runtime|dist)\/$/, '');
const OWN_PATH = dirname(fileURLToPath(new URL('x', OWN_URL)));
const OWN_PLACES = ['src/', 'dist/'].flatMap((part) => [OWN_URL + part, `${OWN_PATH}${sep}${part.slice(0, -1)}${sep}`]);

function isMachinery(file: string): boolean {
  if (file.startsWith('node:') || file === REALM_FILENAME || file === 'pawl-drain.js') return true;
  return OWN_PLACES.some((place) => file.startsWith(place));
}

/** Sources of pawl that are inlined in a bundle, and helpers that bundlers add. */
function isOwnSource(source: string): boolean {
  return (
    /(?:^|\/)node_modules\/pawl\/(?:dist|src)\//.test(source) ||
    source.startsWith('\0') ||
    source.includes('rolldown:runtime')
  );
}

/** `../src/orders.ts`, as seen from the bundle, is `src/orders.ts` for the user. */
function sourceName(source: string): string {
  return posix.normalize(source.replaceAll('\\', '/')).replace(/^(?:\.\.\/)+/, '');
}

/** Names of sources by their absolute paths, of the bundles that are files. */
function namesByPath(): Map<string, string> {
  const names = new Map<string, string>();
  for (const [filename, { folder }] of maps) {
    if (folder === null) continue;
    for (const source of mapOf(filename)?.sources ?? []) {
      if (source !== null) names.set(resolve(folder, source), sourceName(source));
    }
  }
  return names;
}

/** With `--enable-source-maps` Node has mapped the frame already, to an absolute path. */
function mappedByNode(frame: Frame): Frame {
  const name = namesByPath().get(pathOf(frame.file));
  return name === undefined ? frame : { ...frame, file: name };
}

function pathOf(file: string): string {
  try {
    return file.startsWith('file://') ? fileURLToPath(file) : file;
  } catch {
    return file;
  }
}

function mapFrame(frame: Frame): Frame | null {
  if (isMachinery(frame.file)) return null;
  const map = mapOf(frame.file);
  if (map === undefined) return mappedByNode(frame);
  if (map === null) return frame;
  const found = originalPositionFor(map, { line: frame.line, column: Math.max(0, frame.column - 1) });
  if (found.source === null) return null;
  if (isOwnSource(found.source) || isMachinery(found.source)) return null;
  return { fn: frame.fn, file: sourceName(found.source), line: found.line, column: found.column + 1 };
}

/**
 * Rewrites the frames of a stack.
 *
 * @param stack As V8 writes it: a message of any number of lines, then frames.
 */
export function mapStack(stack: string): string {
  const lines: string[] = [];
  let seen = false;
  for (const line of stack.split('\n')) {
    const frame = /^\s+at /.test(line) ? parseFrame(line) : null;
    if (frame === null) {
      // `at <anonymous>`, `at new Promise (<anonymous>)` say nothing; lines of the message before the frames do.
      if (!seen || !/^\s+at /.test(line)) lines.push(line);
      continue;
    }
    seen = true;
    const mapped = mapFrame(frame);
    if (mapped !== null) lines.push(showFrame(mapped));
  }
  return lines.join('\n');
}

function showFrame({ fn, file, line, column }: Frame): string {
  const name = fn.replace(/^(async )?Object\./, '$1').replace(/__pawl\d*_/g, '');
  return name === '' ? `    at ${file}:${line}:${column}` : `    at ${name} (${file}:${line}:${column})`;
}

/** The place of the topmost frame of a mapped stack. */
export function placeOf(stack: string | undefined): SourcePlace | null {
  for (const line of stack?.split('\n') ?? []) {
    const frame = /^\s+at /.test(line) ? parseFrame(line) : null;
    if (frame !== null) return { file: frame.file, line: frame.line, column: frame.column };
  }
  return null;
}
