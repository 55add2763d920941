import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { crc32 } from 'node:zlib';
import type { ModuleFacts } from '../compiler/index.ts';
import type { Diagnostic } from '../diagnostics/types.ts';
import type { SourceFile } from './files.ts';

/** What the cache keeps of one file. */
export interface CachedFile {
  hash: string;
  stamp: string;
  concerns: boolean;
  facts: ModuleFacts | null;
  diagnostics: readonly Diagnostic[];
  likelyImports: readonly string[] | null;
}

/** Changes with the code that makes facts: a new version of pawl, or a build of it by those who work on it. */
const VERSION = versionOf(fileURLToPath(import.meta.url));

/**
 * Facts of the last process, on disk: in `node_modules/.cache/pawl`, where tools keep what may be thrown away. A file's facts
 * hold while its size and times do. The cache is only ever a hint: one that is damaged, of another version or not writable is
 * as good as none.
 */
export class FactsCache {
  readonly #path: string;
  #files: Map<string, CachedFile> | undefined;
  #saved = '';

  /** @param folder - an existing `node_modules` */
  constructor(folder: string) {
    this.#path = join(folder, '.cache', 'pawl', 'facts.json');
  }

  /** What is known of a file, if it has not changed since. */
  get(file: string, stamp: string): CachedFile | undefined {
    this.#files ??= read(this.#path);
    const cached = this.#files.get(file);
    return cached?.stamp === stamp ? cached : undefined;
  }

  /** @param state - of the files' owner; when it is that of the last time, there is nothing new */
  save(files: Iterable<SourceFile>, state: string): void {
    if (state === '0 0' || state === this.#saved) return;
    this.#saved = state;
    const kept: Record<string, CachedFile> = {};
    for (const source of files) if (isSettled(source)) kept[source.file] = source.toCached();
    write(this.#path, kept);
  }
}

function read(path: string): Map<string, CachedFile> {
  try {
    const text = readFileSync(path, 'utf8');
    const end = text.indexOf('\n');
    const body = text.slice(end + 1);
    if (text.slice(0, end) !== headOf(body)) return new Map();
    return new Map(Object.entries(JSON.parse(body) as Record<string, CachedFile>));
  } catch {
    return new Map();
  }
}

function write(path: string, files: Record<string, CachedFile>): void {
  const body = JSON.stringify(files);
  const temporary = `${path}.${process.pid}`;
  try {
    mkdirSync(join(path, '..'), { recursive: true });
    // Another process may read or write it at this moment.
    writeFileSync(temporary, `${headOf(body)}\n${body}`);
    renameSync(temporary, path);
  } catch {
    try {
      rmSync(temporary, { force: true });
    } catch {
      // Where nothing could be written, nothing is left to remove.
    }
  }
}

function headOf(body: string): string {
  return `pawl facts ${VERSION} ${crc32(body)}`;
}

/** The marks of the clock by which file systems write times, ms: two seconds on some. */
const COARSE = 2_500;
const FINE = 100;

/** A file that was read just after it was written may have been written once more without its times telling. */
function isSettled({ stamp, readAt }: SourceFile): boolean {
  const [modified = Number.NaN, changed = Number.NaN] = stamp.split(' ').map(Number);
  const age = readAt - Math.max(modified, changed);
  return readAt === 0 || age > (modified % 1000 === 0 ? COARSE : FINE);
}

function versionOf(path: string): string {
  try {
    const { mtimeMs, size } = statSync(path);
    return `${mtimeMs}-${size}`;
  } catch {
    return String(Date.now());
  }
}
