import { type Stats, statSync } from 'node:fs';
import { isAbsolute, resolve as resolvePath } from 'node:path';
import type { ModuleFacts } from '../compiler/index.ts';
import type { Diagnostic } from '../diagnostics/types.ts';
import { PawlError } from '../errors.ts';
import { brokenFile } from './broken-file.ts';
import { type CheckResult, checkProgram, type ProgramMemory, type ProgramStats } from './check-program.ts';
import { concernedEntries } from './concerned.ts';
import { type CheckedConfig, type CheckerConfig, type ConfigSource, checkConfig } from './config.ts';
import { discoverDirectory, EntryDiscovery, entryMatcher } from './discover.ts';
import { createDiskResolver, type DiskResolver, realPath, toRelative, withSlashes } from './disk-resolve.ts';
import { FactsCache } from './facts-cache.ts';
import { type FileStats, SourceFiles } from './files.ts';
import { ImportCheck } from './imports.ts';
import { PackageCache } from './package-cache.ts';
import { Packages } from './packages.ts';
import { type RecallKey, remember } from './recall.ts';
import { createMemoryResolve, isKnownPackage, type Resolution, type Resolve, SOURCE_FILE } from './resolution.ts';
import { absolute, unreadable } from './stamps.ts';
import type { TypeBackend } from './types/backend.ts';
import { mayNeedTypes, typeSources } from './types/sources.ts';

export interface SessionOptions {
  /** Folder that globs and reported files are relative to. */
  root: string;
  config?: CheckerConfig;
  /** Where `config` was read from, so that findings about it have a place. */
  configSource?: ConfigSource;
  /**
   * Report only on these files and directories (absolute, or relative to the root). The whole program is looked at all the
   * same, so what is reported of a file does not depend on which others were named.
   */
  files?: readonly string[];
  /** Folder of the build's output, absolute or relative to the root; what is in it is no source, whatever the globs say. */
  outDir?: string;
  /**
   * Which files that a text was laid over are entries though no glob found them on disk: `all`, or those that the globs would
   * `match` if they were saved. An editor takes the second: a test that is open defines steps that are none of the program's.
   * Default: `all`.
   */
  overlays?: 'all' | 'match';
  /**
   * Who is asked for types: `createTypes({ root })`, or one that several sessions share. The session does not dispose of it.
   * Without it, rules look at syntax alone.
   */
  types?: TypeBackend | null;
  /** Keep facts for the next process in `node_modules/.cache/pawl`, where there is a `node_modules`. Default: true. */
  cache?: boolean;
  /** Keep what the first check says for `recall` in the next process, beside the facts. Default: false. */
  remember?: boolean;
}

export interface SessionStats extends ProgramStats, FileStats {
  /** Entry files. */
  entries: number;
}

export interface CheckOptions {
  /** Whether to ask for types this time, where the session has them. An editor shows what is known without them first. Default: true. */
  types?: boolean;
}

/** What a checker keeps between checks. */
export interface Session {
  /** Checks the program as it is now. A file that did not change is not read or parsed again. */
  check(options?: CheckOptions): Promise<CheckResult<SessionStats>>;
  /** The same at once, for callers that cannot wait: language services and linters. */
  checkSync(options?: CheckOptions): CheckResult<SessionStats>;
  /**
   * Lays a text over a file, as an editor does with unsaved changes.
   *
   * @param file - absolute, or relative to the root; it need not exist on disk
   * @param text - its text, or null to go back to the disk
   */
  update(file: string, text: string | null): void;
  /** The text that the last check saw, without a byte order mark; null for a file that it did not see. */
  source(file: string): string | null;
  /** Whether the last check, or a question since, looked at a file: whether `source` gives what was checked, and not what is on disk now. */
  saw(file: string): boolean;
  /** What is known of a file, as the last check saw it; it is parsed if the check had no need to. Null where there is none. */
  facts(file: string): ModuleFacts | null;
  /** Forgets everything. */
  dispose(): void;
}

/**
 * Opens a session of the checker: it discovers the entries, reads what concerns pawl, follows calls into other modules, and
 * keeps what it learned.
 *
 * @param options - root, configuration, and the files to report on
 * @throws PawlError `PAWL_ROOT_NOT_FOUND`; its `check` throws `PAWL_FILE_NOT_FOUND` for a file that was named and does not exist, `PAWL_FILE_UNREADABLE`
 * @example
 * const session = createSession({ root: process.cwd() });
 * const { diagnostics } = await session.check();
 */
export function createSession(options: SessionOptions): Session {
  return new CheckerSession(options);
}

class CheckerSession implements Session {
  readonly #root: string;
  readonly #config: CheckedConfig;
  readonly #named: readonly string[] | null;
  readonly #overlays: 'all' | 'match';
  #files: SourceFiles;
  #packages: Packages;
  #packageCache: PackageCache | null = null;
  #imports: ImportCheck;
  #resolver: DiskResolver | null = null;
  readonly #output: string | null;
  readonly #discovery: EntryDiscovery;
  readonly #useCache: boolean;
  readonly #types: TypeBackend | null;
  /** Counts how often files came or went. */
  #generation = 0;
  /** Counts how often resolutions were forgotten. */
  #resolutions = 0;
  #entries = '';
  readonly #memory: ProgramMemory = {
    program: null,
    adopt: (file, facts) => this.#files.adopt(file, facts),
  };
  #known = '';
  #concerned = '';
  #saved = false;
  /** Under which key the first check is kept for the next process. */
  readonly #key: RecallKey | null;
  /** Something is wrong with imports or with what resolves them, of which not every cause is known. */
  #isDoubtful = false;
  /** Texts of files that are not on disk: imports may lead to them. */
  #unsaved: ReadonlySet<string> = new Set();

  constructor(options: SessionOptions) {
    const { root, config = {}, configSource, files, outDir, overlays = 'all', cache = true, types = null } = options;
    this.#root = withSlashes(realPath(resolvePath(root)));
    if (!statOf(this.#root)?.isDirectory()) {
      throw new PawlError('PAWL_ROOT_NOT_FOUND', 'The root of the project is no directory.', {
        place: resolvePath(root),
        remedy: 'Name a folder that exists.',
      });
    }
    this.#config = checkConfig(config, configSource);
    this.#named = files ?? null;
    this.#overlays = overlays;
    this.#output = outDir === undefined ? null : this.#relative(resolvePath(this.#root, outDir));
    this.#discovery = new EntryDiscovery(this.#root, this.#config.entries);
    this.#useCache = cache;
    this.#types = types;
    const isPlain = options.remember === true && files === undefined && types === null;
    this.#key = isPlain
      ? { root: this.#root, config, configSource: configSource ?? null, outDir: outDir ?? null }
      : null;
    this.#files = this.#openFiles();
    this.#packages = this.#openPackages();
    this.#imports = new ImportCheck(this.#root, this.#files);
  }

  /** Where the caches of tools are, if there is such a place. */
  #cacheFolder(): string | null {
    const packages = `${this.#root}/node_modules`;
    return this.#useCache && statOf(packages)?.isDirectory() ? packages : null;
  }

  #openFiles(): SourceFiles {
    const folder = this.#cacheFolder();
    return new SourceFiles(this.#root, folder === null ? null : new FactsCache(folder));
  }

  #openPackages(): Packages {
    const folder = this.#cacheFolder();
    this.#packageCache = folder === null ? null : new PackageCache(folder);
    return new Packages(this.#root, this.#packageCache);
  }

  #save(): void {
    this.#files.save();
    this.#packageCache?.save();
  }

  #remember(diagnostics: Diagnostic[], stats: SessionStats): void {
    const folder = this.#cacheFolder();
    const directories = this.#discovery.stamps;
    if (this.#key === null || folder === null || directories === null) return;
    if (this.#isDoubtful || this.#files.overlays.size > 0 || !this.#files.areSettled()) return;
    remember(folder, this.#key, {
      diagnostics,
      stats,
      directories: [...directories],
      files: [...this.#files.looked()],
      lookups: [...(this.#resolver?.known() ?? [])],
      packages: this.#packages.asked,
    });
  }

  async check(options?: CheckOptions): Promise<CheckResult<SessionStats>> {
    return this.checkSync(options);
  }

  checkSync({ types = true }: CheckOptions = {}): CheckResult<SessionStats> {
    this.#files.newRound();
    this.#findUnsaved();
    const { entries, reported } = this.#discover();
    this.#forgetResolutions(entries);
    const concerned = concernedEntries(entries, this.#files, (file) => reported?.has(file) === true).filter(
      (file) => this.#files.get(file) !== null,
    );
    const known = concerned.join('\n');
    if (known !== this.#concerned) this.#memory.program = null;
    this.#concerned = known;
    const resolve = this.#resolve();
    const result = checkProgram({ keys: () => concerned, get: (file) => this.#files.facts(file) }, resolve, {
      config: this.#config,
      types: (program) =>
        types && this.#types && mayNeedTypes(program, reported)
          ? this.#types.open(typeSources(this.#root, program, this.#files.overlays, this.#generation))
          : null,
      memory: this.#memory,
      packages: this.#packages,
      source: (file) => this.#files.get(file)?.text ?? null,
      moduleDiagnostics: (modules, looked) => this.#moduleDiagnostics(modules, looked, resolve),
    });
    // Once is enough for the next process; while edits come in, it would only cost time.
    if (!this.#saved) {
      this.#save();
      this.#remember(result.diagnostics, { ...result.stats, ...this.#files.stats, entries: entries.length });
    }
    this.#saved = true;
    const diagnostics = reported
      ? result.diagnostics.filter(({ file, code }) => reported.has(file) || code === 'PAWL9005')
      : result.diagnostics;
    return {
      diagnostics,
      program: result.program,
      stats: { ...result.stats, ...this.#files.stats, entries: entries.length },
    };
  }

  update(file: string, text: string | null): void {
    this.#files.setOverlay(this.#relative(file), text);
  }

  saw(file: string): boolean {
    return this.#files.saw(this.#relative(file));
  }

  source(file: string): string | null {
    return this.#files.get(this.#seen(file))?.text ?? null;
  }

  facts(file: string): ModuleFacts | null {
    return this.#files.facts(this.#seen(file)) ?? null;
  }

  dispose(): void {
    this.#save();
    this.#packages = this.#openPackages();
    this.#saved = false;
    this.#unsaved = new Set();
    this.#memory.program = null;
    this.#files = this.#openFiles();
    this.#imports = new ImportCheck(this.#root, this.#files);
    this.#resolver = null;
    this.#known = '';
  }

  #relative(file: string): string {
    return toRelative(this.#root, realPath(resolvePath(this.#root, file.replaceAll('\\', '/'))));
  }

  /** The same, of a file that the check has mostly named itself: asking the disk for each finding would take long. */
  #seen(file: string): string {
    return this.#files.saw(file) ? file : this.#relative(file);
  }

  #findUnsaved(): void {
    const paths = [...this.#files.overlays.keys()];
    const unsaved = new Set(paths.filter((path) => !statOf(absolute(this.#root, path))?.isFile()));
    if (unsaved.size === this.#unsaved.size && [...unsaved].every((path) => this.#unsaved.has(path))) return;
    this.#unsaved = unsaved;
    // What was unsaved is on disk now, or the other way round: there it is found by aliases too.
    this.#known = '';
  }

  /** The entries, and the files to report on (null for all). */
  #discover(): { entries: string[]; reported: Set<string> | null } {
    const found = this.#discovery.find();
    const output = this.#output;
    // An output folder that is the root or around it is for the build to refuse; here the sources count.
    const entries = new Set(output ? found.filter((file) => !file.startsWith(`${output}/`)) : found);
    const isEntry = this.#overlays === 'all' ? () => true : entryMatcher(this.#config.entries, this.#root);
    for (const file of this.#files.overlays.keys()) if (isEntry(file)) entries.add(file);
    if (!this.#named) return { entries: [...entries], reported: null };
    const reported = new Set<string>();
    for (const name of this.#named) {
      for (const file of this.#expand(name)) {
        reported.add(file);
        entries.add(file);
      }
    }
    return { entries: [...entries], reported };
  }

  #expand(name: string): string[] {
    const file = this.#relative(name);
    if (this.#files.hasOverlay(file)) return [file];
    const path = isAbsolute(name) ? name : `${this.#root}/${file}`;
    const stats = statOf(path);
    if (!stats) {
      throw new PawlError('PAWL_FILE_NOT_FOUND', `There is no file or directory \`${name}\`.`, {
        place: path,
        remedy: 'Name files or directories that exist; globs are for the shell, or for `entries` in the configuration.',
      });
    }
    if (stats.isDirectory()) return discoverDirectory(this.#root, file);
    // A pipe would be waited for, and a device never ends.
    if (!stats.isFile()) throw unreadable(path, new Error('it is no regular file'));
    return SOURCE_FILE.test(file) ? [file] : [];
  }

  /**
   * Resolutions hold until files come or go: a new entry may be nearer than the file that was found, and what lies beyond the entries is
   * looked for anew.
   */
  #forgetResolutions(entries: string[]): void {
    const known = entries.join('\n');
    if (this.#entries !== known) this.#generation++;
    this.#entries = known;
    if (this.#known === known && !this.#resolver?.isOutdated((file) => this.#files.get(file) !== null)) return;
    this.#resolver?.clear();
    this.#resolutions++;
    this.#memory.program = null;
    this.#known = known;
  }

  #resolve(): Resolve {
    const memory = createMemoryResolve((file) => this.#unsaved.has(file));
    return (specifier, importer): Resolution => {
      if (this.#unsaved.size > 0 && specifier.startsWith('.')) {
        const found = memory(specifier, importer);
        if (found.kind === 'file') return found;
      }
      if (isKnownPackage(specifier)) return { kind: 'external' };
      this.#resolver ??= createDiskResolver(this.#root);
      return this.#resolver.resolve(specifier, importer);
    };
  }

  #moduleDiagnostics(
    modules: readonly ModuleFacts[],
    looked: ReadonlySet<ModuleFacts>,
    resolve: Resolve,
  ): Diagnostic[] {
    const found = this.#imports.find(modules, resolve, this.#unsaved.size === 0 ? this.#resolutions : null);
    this.#resolver ??= createDiskResolver(this.#root);
    const { problems } = this.#resolver;
    this.#isDoubtful = found.length > 0 || problems.length > 0;
    // What is not there now, or damaged, may be there the next time.
    if (this.#isDoubtful) this.#known = '';
    for (const { file } of looked) found.push(...(this.#files.get(file)?.diagnostics ?? []));
    found.push(...problems.map((problem) => brokenFile(this.#root, problem)));
    return found;
  }
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw unreadable(path, error);
  }
}
