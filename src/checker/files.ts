import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { analyze, type ModuleFacts, mayHaveDirectives } from '../compiler/index.ts';
import type { Diagnostic } from '../diagnostics/types.ts';
import { importsDurable } from '../sdks.ts';
import type { CachedFile, FactsCache } from './facts-cache.ts';
import { misnamedSuppressions } from './misnamed-suppressions.ts';
import { absolute, isSettled, stampOf, unreadable } from './stamps.ts';

/** What a session keeps of one file. */
export class SourceFile {
  /** Path relative to the root, with `/`. */
  readonly file: string;
  readonly hash: string;
  stamp: string;
  /** Before the text was read, ms since the epoch; 0 when the cache answers for it. */
  readAt: number;
  /** Undefined until somebody asks: most files are never parsed. */
  facts: ModuleFacts | undefined;
  diagnostics: readonly Diagnostic[] = [];
  /** What may be specifiers of imports, found without parsing; undefined until somebody asks. */
  likelyImports: readonly string[] | undefined;
  #text: string | null;
  #concerns: boolean | undefined;
  readonly #read: () => string;

  /** @param text - null when it is known by its hash alone, from the cache; then `read` gets it when somebody asks */
  constructor(file: string, hash: string, stamp: string, readAt: number, text: string | null, read: () => string) {
    this.file = file;
    this.hash = hash;
    this.stamp = stamp;
    this.readAt = readAt;
    this.#text = text;
    this.#read = read;
  }

  /** Without a byte order mark. */
  get text(): string {
    this.#text ??= this.#read();
    return this.#text;
  }

  /** Whether it has something for the checker by itself. */
  get concerns(): boolean {
    this.#concerns ??= concernsChecker(this.text);
    return this.#concerns;
  }

  toCached(): CachedFile {
    const { hash, stamp, concerns, facts = null, diagnostics, likelyImports = null } = this;
    return { hash, stamp, concerns, facts, diagnostics, likelyImports };
  }

  fill(cached: CachedFile): void {
    this.#concerns = cached.concerns;
    this.facts = cached.facts ?? undefined;
    this.diagnostics = cached.diagnostics;
    this.likelyImports = cached.likelyImports ?? undefined;
  }
}

/** The stamp of a text that lies over the disk. */
const OVERLAY = 'overlay';

export interface FileStats {
  /** Files whose text was read since the session began. */
  read: number;
  /** Files that were parsed since the session began. */
  parsed: number;
  /** Files whose facts came from the cache on disk. */
  cached: number;
}

/**
 * The files of a session. A file is read when its size or times changed, and parsed when its text did. Unsaved texts
 * of an editor lie over the disk.
 */
export class SourceFiles {
  readonly stats: FileStats = { read: 0, parsed: 0, cached: 0 };
  readonly #root: string;
  readonly #cache: FactsCache | null;
  readonly #files = new Map<string, SourceFile>();
  readonly #overlay = new Map<string, string>();
  /** Files that were looked at in this round; null for those that do not exist. */
  #round = new Map<string, SourceFile | null>();

  constructor(root: string, cache: FactsCache | null = null) {
    this.#root = root;
    this.#cache = cache;
  }

  /** Begins a round: every file is looked at once more. */
  newRound(): void {
    this.#round = new Map();
  }

  /** Lays a text over the disk, or with null takes it away. */
  setOverlay(file: string, text: string | null): void {
    if (text === null) this.#overlay.delete(file);
    else this.#overlay.set(file, text);
  }

  hasOverlay(file: string): boolean {
    return this.#overlay.has(file);
  }

  get overlays(): ReadonlyMap<string, string> {
    return this.#overlay;
  }

  /** Whether a file was looked at in this round. */
  saw(file: string): boolean {
    return this.#round.has(file);
  }

  /** Files that were looked at in this round, and their stamps; null for those that do not exist. */
  *looked(): Iterable<[file: string, stamp: string | null]> {
    for (const [file, source] of this.#round) yield [file, source?.stamp ?? null];
  }

  /** Whether the stamps of all these can be relied on. */
  areSettled(): boolean {
    for (const source of this.#round.values()) if (source && !isSettled(source.stamp, source.readAt)) return false;
    return true;
  }

  /** Files that were looked at in this round and exist. */
  *seen(): Iterable<SourceFile> {
    for (const file of this.#round.values()) if (file) yield file;
  }

  /** Facts that live on in place of newer ones of the same content. */
  adopt(file: string, facts: ModuleFacts): void {
    const source = this.get(file);
    if (source) source.facts = facts;
  }

  /** Keeps what is known for the next process, if there is anything new. */
  save(): void {
    if (this.#cache === null) return;
    const { read, parsed } = this.stats;
    const onDisk = [...this.#files.values()].filter(({ stamp }) => stamp !== OVERLAY);
    this.#cache.save(onDisk, `${read} ${parsed}`);
  }

  /** The file as it is now; null when there is none. */
  get(file: string): SourceFile | null {
    const looked = this.#round.get(file);
    if (looked !== undefined) return looked;
    const found = this.#refresh(file);
    this.#round.set(file, found);
    if (found) this.#files.set(file, found);
    else this.#files.delete(file);
    return found;
  }

  /** Facts of a file, parsed if they are not known yet. */
  facts(file: string): ModuleFacts | undefined {
    const source = this.get(file);
    if (!source) return undefined;
    if (!source.facts) {
      const { facts, diagnostics } = analyze(source.text, { filename: file, calls: true });
      source.facts = facts;
      source.diagnostics = [...diagnostics, ...misnamedSuppressions(file, source.text)];
      this.stats.parsed++;
    }
    return source.facts;
  }

  #refresh(file: string): SourceFile | null {
    const known = this.#files.get(file);
    const overlay = this.#overlay.get(file);
    const now = Date.now();
    if (overlay !== undefined) return this.#take(file, overlay, OVERLAY, now, known);
    const path = absolute(this.#root, file);
    const stamp = stampOf(path);
    if (stamp === null) return null;
    if (known && known.stamp === stamp) return known;
    const cached = known ? undefined : this.#cache?.get(file, stamp);
    if (cached) return this.#restore(file, cached, () => withoutMark(readText(path)));
    return this.#take(file, readText(path), stamp, now, known);
  }

  #restore(file: string, cached: CachedFile, read: () => string): SourceFile {
    const source = new SourceFile(file, cached.hash, cached.stamp, 0, null, read);
    source.fill(cached);
    if (source.facts) this.stats.cached++;
    return source;
  }

  #take(file: string, raw: string, stamp: string, readAt: number, known: SourceFile | undefined): SourceFile {
    const text = withoutMark(raw);
    this.stats.read++;
    const hash = createHash('sha256').update(text).digest('hex');
    if (known?.hash === hash) {
      known.stamp = stamp;
      known.readAt = readAt;
      return known;
    }
    return new SourceFile(file, hash, stamp, readAt, text, () => text);
  }
}

function withoutMark(text: string): string {
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}

/** Whether a file has something for the checker by itself; others are parsed when code reaches them. */
export function concernsChecker(text: string): boolean {
  return mayHaveDirectives(text) || text.includes('pawl-ignore') || importsDurable(text);
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw unreadable(path, error);
  }
}
