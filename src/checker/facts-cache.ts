import { join } from 'node:path';
import type { ModuleFacts } from '../compiler/index.ts';
import type { Diagnostic } from '../diagnostics/types.ts';
import { readCache, writeCache } from './cache-file.ts';
import type { SourceFile } from './files.ts';
import { isSettled } from './stamps.ts';

/** What the cache keeps of one file. */
export interface CachedFile {
  hash: string;
  stamp: string;
  concerns: boolean;
  facts: ModuleFacts | null;
  diagnostics: readonly Diagnostic[];
  likelyImports: readonly string[] | null;
}

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
    this.#files ??= readCache<CachedFile>(this.#path);
    const cached = this.#files.get(file);
    return cached?.stamp === stamp ? cached : undefined;
  }

  /** @param state - of the files' owner; when it is that of the last time, there is nothing new */
  save(files: Iterable<SourceFile>, state: string): void {
    if (state === '0 0' || state === this.#saved) return;
    this.#saved = state;
    const kept: Record<string, CachedFile> = {};
    for (const source of files) if (isSettled(source.stamp, source.readAt)) kept[source.file] = source.toCached();
    writeCache(this.#path, kept);
  }
}
