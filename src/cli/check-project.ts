import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { CheckResult, Session, SessionStats, TypeBackend } from '../checker/index.ts';
import type { ConfigError, LoadedConfig } from '../config/index.ts';
import type { Diagnostic, SourceLookup } from '../diagnostics/index.ts';

/** A project that is open for checking, or a configuration that does not let it be. */
export type OpenProject =
  | { checker: ProjectChecker; config: LoadedConfig['config']; configFile: string | null; source: SourceLookup }
  | { checker: null; problem: Pick<ConfigError, 'diagnostics'>; source: SourceLookup };

export type Checked = Pick<CheckResult<SessionStats>, 'diagnostics' | 'stats'>;

/** What stands before a session: as long as nothing has changed since the last process, the checker need not even be loaded. */
export interface ProjectChecker {
  check(): Promise<Checked>;
  /** The text that the last check saw. */
  source(file: string): string | null;
}

export interface ProjectOptions {
  /** Absolute. */
  root: string;
  /** Files and directories to report on; null for all. */
  files: readonly string[] | null;
  /** Whether TypeScript is asked, where it is installed. */
  types: boolean;
}

/** Configuration and checker of a project: opened at the first question, and again when the configuration changed. */
export class CheckProject {
  readonly #options: ProjectOptions;
  #open: OpenProject | null = null;
  #session: Session | null = null;
  #stamp = '';
  #types: TypeBackend | null = null;
  readonly #told = new Set<string>();

  constructor(options: ProjectOptions) {
    this.#options = options;
  }

  async open(): Promise<OpenProject> {
    const { CONFIG_FILES } = await import('../config/files.ts');
    const stamp = CONFIG_FILES.map((name) => stampOf(resolve(this.#options.root, name))).join();
    if (this.#open && stamp === this.#stamp) return this.#open;
    this.#close();
    this.#open = await this.#load();
    this.#stamp = stamp;
    return this.#open;
  }

  /** What people have to know of the types, each sentence once: why there are none. */
  news(): string[] {
    const news = (this.#types?.notices ?? []).filter((notice) => !this.#told.has(notice));
    for (const notice of news) this.#told.add(notice);
    return news;
  }

  dispose(): void {
    this.#close();
    this.#types?.dispose();
  }

  #close(): void {
    this.#session?.dispose();
    this.#session = null;
    this.#open = null;
  }

  async #load(): Promise<OpenProject> {
    const { root } = this.#options;
    const { configFile, defaultConfig } = await import('../config/files.ts');
    if (configFile(root) === undefined) return this.#checkerFor(defaultConfig());
    const { ConfigError, loadConfig } = await import('../config/index.ts');
    try {
      return this.#checkerFor(await loadConfig(root));
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      const text = await textOf(resolve(root, error.diagnostics[0]?.file ?? ''));
      return { checker: null, problem: { diagnostics: await withRules(error, text ?? '') }, source: () => text };
    }
  }

  #checkerFor(loaded: LoadedConfig): OpenProject {
    const { root, files, types } = this.#options;
    const { config, source: configSource } = loaded;
    let mayRecall = files === null && !types;
    let recalled = false;
    const checker: ProjectChecker = {
      check: async () => {
        const known = mayRecall ? await recallOf(root, loaded) : null;
        mayRecall = false;
        recalled = known !== null;
        if (known) return known;
        this.#session ??= await this.#createSession(loaded);
        return this.#session.check();
      },
      source: (file) => (recalled ? readText(resolve(root, file)) : (this.#session?.source(file) ?? null)),
    };
    const source: SourceLookup = (file) =>
      checker.source(file) ?? (file === configSource?.file ? configSource.text : null);
    return { checker, config, configFile: configSource?.file ?? null, source };
  }

  async #createSession({ config, source }: LoadedConfig): Promise<Session> {
    const { root, files, types } = this.#options;
    const { createSession, createTypes } = await import('../checker/index.ts');
    if (types) this.#types ??= createTypes({ root });
    return createSession({
      root,
      config,
      configSource: source ?? undefined,
      files: files ?? undefined,
      outDir: config.outDir,
      types: this.#types,
      remember: true,
    });
  }
}

/** What is wrong with a configuration, and with the rules in it, which only the checker knows. */
async function withRules({ diagnostics, config }: ConfigError, text: string): Promise<Diagnostic[]> {
  const file = diagnostics[0]?.file ?? '';
  if (typeof config !== 'object' || config === null || Array.isArray(config)) return [...diagnostics];
  const { checkConfig } = await import('../checker/index.ts');
  const { sortDiagnostics } = await import('../diagnostics/index.ts');
  const places = new Set(diagnostics.map(({ span }) => span.start));
  const ofRules = checkConfig(config, { file, text }).diagnostics.filter(({ span }) => !places.has(span.start));
  return sortDiagnostics([...diagnostics, ...ofRules]);
}

/** What the last process said, if that still holds. */
async function recallOf(root: string, { config, source }: LoadedConfig): Promise<Checked | null> {
  const { recall } = await import('../checker/recall.ts');
  return recall({ root, config, configSource: source, outDir: config.outDir });
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').replace(/^\uFEFF/, '');
  } catch {
    return null;
  }
}

function stampOf(path: string): string {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats ? `${stats.mtimeMs} ${stats.size}` : '';
}

/** The text of a configuration that could not be used, for the code frame. */
async function textOf(path: string): Promise<string | null> {
  const { readFile } = await import('node:fs/promises');
  return readFile(path, 'utf8').catch(() => null);
}
