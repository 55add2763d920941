import { statSync } from 'node:fs';
import { join } from 'node:path';
import { entryMatcher } from '../checker/discover.ts';
import {
  type CheckerConfig,
  checkProgram,
  createMemoryResolve,
  createSession,
  createTypes,
  type Diagnostic,
  type Session,
  type TypeBackend,
} from '../checker/index.ts';
import { analyze, type ModuleFacts } from '../compiler/index.ts';
import { CONFIG_FILES, ConfigError, type LoadedConfig, loadConfig } from '../config/index.ts';
import { toRelative, withSlashes } from '../checker/disk-resolve.ts';
import { PawlError } from '../errors.ts';
import { realPathOf } from './roots.ts';
import { Subjects } from './subjects.ts';
import { warmUp } from './warm-up.ts';

/** Gives what is asked for the types of a project, by its root. */
export type TypesOf = (root: string) => TypeBackend | null;

export interface ProjectOptions {
  /** Absolute path of an existing folder. */
  root: string;
  /** No project at all: a folder in which single files are open. Nothing but these is looked at. */
  loose?: boolean;
  /** Who is asked for types. Default: the TypeScript that the project has installed. */
  types?: TypesOf;
  /** Keep facts for the next process. Default: true. */
  cache?: boolean;
}

/** `facts`: all that is known without types, which is found fast; `types`: everything. */
export type Depth = 'facts' | 'types';

/** What a check found. */
export interface CheckedProject {
  /** By file, relative to the root; files without a finding are not in it. */
  diagnostics: ReadonlyMap<string, readonly Diagnostic[]>;
  subjects: Subjects;
}

/** One root in an editor: its configuration, a session of the checker, and the texts that are open. */
export class EditorProject {
  /** As the editor knows it, which may be through links. */
  readonly root: string;
  readonly isLoose: boolean;
  readonly #realRoot: string;
  readonly #texts = new Map<string, string>();
  #loaded: { stamp: string; config: LoadedConfig | null; problems: readonly Diagnostic[] } | null = null;
  #loading: Promise<void> | null = null;
  #session: Session | null = null;
  readonly #types: TypeBackend | null;
  readonly #cache: boolean;
  #checked: CheckedProject | null = null;
  #depth: Depth = 'facts';
  #isEntry: ((file: string) => boolean) | null = null;

  constructor({ root, loose = false, types, cache = true }: ProjectOptions) {
    this.root = root;
    this.isLoose = loose;
    this.#realRoot = withSlashes(realPathOf(root));
    this.#types = types ? types(this.#realRoot) : createTypes({ root: this.#realRoot });
    this.#cache = cache && !loose;
    if (loose || configStamp(root) === NO_CONFIG) this.#adopt({ stamp: NO_CONFIG, config: null, problems: [] });
  }

  /** Whether its configuration is known, so that `check` may be called. */
  get isReady(): boolean {
    return this.#loaded !== null;
  }

  /**
   * Reads the configuration if it was not read yet, or has changed since.
   *
   * @returns when it is known; one that cannot be used is a finding of `check`, and the last good one counts
   */
  async load(): Promise<void> {
    while (!this.isLoose && this.#loaded?.stamp !== configStamp(this.root)) {
      this.#loading ??= this.#load().finally(() => {
        this.#loading = null;
      });
      await this.#loading;
    }
  }

  /** The path by which findings name a file. */
  relative(path: string): string {
    return toRelative(this.#realRoot, realPathOf(path));
  }

  /** The path of a file that a finding names. */
  absolute(file: string): string {
    return join(this.root, file);
  }

  /** Whether steps and workflows of a file are looked for. False before the configuration is known. */
  isEntry(path: string): boolean {
    if (this.isLoose) return true;
    this.#isEntry ??= this.#loaded && entryMatcher(this.#loaded.config?.config.entries ?? null, this.root);
    return this.#isEntry?.(this.relative(path)) ?? false;
  }

  /** Lays a text over a file, or takes it away with null. */
  update(path: string, text: string | null): void {
    const file = this.relative(path);
    if (text === null ? !this.#texts.delete(file) : this.#texts.get(file) === text) return;
    if (text !== null) this.#texts.set(file, text);
    this.#session?.update(file, text);
    this.#checked = null;
  }

  /** Says that files on disk may have changed. */
  touch(): void {
    this.#checked = null;
  }

  /**
   * Checks, unless nothing has changed since.
   *
   * @param depth - what is needed at least
   * @throws PawlError for a root or a directory that cannot be read
   */
  check(depth: Depth = 'facts'): CheckedProject {
    if (!this.#checked || (depth === 'types' && this.#depth === 'facts')) {
      this.#checked = this.#check(depth);
      this.#depth = depth;
    }
    return this.#checked;
  }

  /** Prepares the first check, in pieces. */
  warmUp(): Iterable<void> {
    return this.isLoose ? [] : warmUp(this.#realRoot, this.#loaded?.config?.config.entries ?? null, this.#open());
  }

  /** What can be said of an open file without looking at any other: the first that a person sees of a large project. */
  glance(path: string): Diagnostic[] {
    const file = this.relative(path);
    const { facts, diagnostics } = analyze(this.#texts.get(file) ?? '', { filename: file });
    const placeOf = ({ code, span }: Diagnostic): string => `${code} ${span.start}`;
    const own = new Set(diagnostics.map(placeOf));
    const modules = new Map([[file, facts]]);
    const found = checkProgram(
      modules,
      createMemoryResolve((each) => modules.has(each)),
      {
        config: this.#loaded?.config?.config as CheckerConfig | undefined,
        moduleDiagnostics: () => diagnostics,
      },
    );
    // What whole-program rules say of a program of one file is not to be relied on.
    return found.diagnostics.filter((each) => own.has(placeOf(each)));
  }

  /** What people should know of the types, in sentences: that there are none, and why. */
  get notices(): readonly string[] {
    return this.#types?.notices ?? [];
  }

  /** The text that the last check saw, without a byte order mark. */
  text(file: string): string | null {
    return this.#session?.source(file) ?? null;
  }

  facts(file: string): ModuleFacts | null {
    return this.#session?.facts(file) ?? null;
  }

  dispose(): void {
    this.#forget();
    this.#types?.dispose();
  }

  #forget(): void {
    this.#session?.dispose();
    this.#session = null;
    this.#checked = null;
  }

  #check(depth: Depth): CheckedProject {
    const session = this.#open();
    const result = session.checkSync({ types: depth === 'types' });
    const diagnostics = new Map<string, Diagnostic[]>();
    for (const diagnostic of [...(this.#loaded?.problems ?? []), ...result.diagnostics]) {
      // Whether a comment is needed, types may have a say in.
      if (depth === 'facts' && diagnostic.rule === 'unused-suppression') continue;
      const list = diagnostics.get(diagnostic.file);
      if (list) list.push(diagnostic);
      else diagnostics.set(diagnostic.file, [diagnostic]);
    }
    return { diagnostics, subjects: new Subjects(result.program, this) };
  }

  #open(): Session {
    if (this.#session) return this.#session;
    const { config, source } = this.#loaded?.config ?? { config: undefined, source: null };
    const session = createSession({
      root: this.#realRoot,
      config: this.isLoose ? { entries: [] } : (config as CheckerConfig | undefined),
      configSource: source ?? undefined,
      outDir: config?.outDir,
      overlays: this.isLoose ? 'all' : 'match',
      types: this.#types,
      cache: this.#cache,
    });
    for (const [file, text] of this.#texts) session.update(file, text);
    this.#session = session;
    return session;
  }

  async #load(): Promise<void> {
    const stamp = configStamp(this.root);
    const last = this.#loaded?.config ?? null;
    try {
      this.#adopt({ stamp, config: await inTime(loadConfig(this.root), this.root), problems: [] });
    } catch (error) {
      const isFinding = error instanceof ConfigError;
      // It is not tried again before it changes.
      this.#adopt({ stamp, config: last, problems: isFinding ? error.diagnostics : [] });
      if (!isFinding) throw error;
    }
  }

  #adopt(loaded: { stamp: string; config: LoadedConfig | null; problems: readonly Diagnostic[] }): void {
    this.#loaded = loaded;
    this.#isEntry = null;
    this.#forget();
  }
}

/** Longer than any configuration should take, ms. */
const PATIENCE = 10_000;

/** A configuration may wait for something that never comes; the editor may not. */
async function inTime<T>(loading: Promise<T>, root: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const message = `The configuration was not there after ${PATIENCE / 1000} seconds; the last one holds.`;
      const remedy = 'See to it that `pawl.config` does not wait for something that never comes.';
      reject(new PawlError('PAWL_CONFIG_TIMEOUT', message, { place: root, remedy }));
    }, PATIENCE);
  });
  try {
    return await Promise.race([loading, late]);
  } finally {
    clearTimeout(timer);
  }
}

const NO_CONFIG = '';

/** Changes when the configuration does. */
function configStamp(root: string): string {
  for (const name of CONFIG_FILES) {
    const stats = statSync(join(root, name), { throwIfNoEntry: false });
    if (stats) return `${name} ${stats.mtimeMs} ${stats.ctimeMs} ${stats.size}`;
  }
  return NO_CONFIG;
}
