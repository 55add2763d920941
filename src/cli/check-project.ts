import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Session, TypeBackend } from '../checker/index.ts';
import type { ConfigError, LoadedConfig } from '../config/index.ts';
import type { SourceLookup } from '../diagnostics/index.ts';

/** A project that is open for checking, or a configuration that does not let it be. */
export type OpenProject =
  | { session: Session; config: LoadedConfig['config']; configFile: string | null; source: SourceLookup }
  | { session: null; problem: ConfigError; source: SourceLookup };

export interface ProjectOptions {
  /** Absolute. */
  root: string;
  /** Files and directories to report on; null for all. */
  files: readonly string[] | null;
  /** Whether TypeScript is asked, where it is installed. */
  types: boolean;
}

/** Configuration and session of a project: opened at the first question, and again when the configuration changed. */
export class CheckProject {
  readonly #options: ProjectOptions;
  #open: OpenProject | null = null;
  #stamp = '';
  #types: TypeBackend | null = null;
  readonly #told = new Set<string>();

  constructor(options: ProjectOptions) {
    this.#options = options;
  }

  /** @throws PawlError what `createSession` throws */
  async open(): Promise<OpenProject> {
    const { CONFIG_FILES } = await import('../config/index.ts');
    const stamp = CONFIG_FILES.map((name) => stampOf(resolve(this.#options.root, name))).join();
    if (this.#open && stamp === this.#stamp) return this.#open;
    this.#open?.session?.dispose();
    this.#open = null;
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
    this.#open?.session?.dispose();
    this.#open = null;
    this.#types?.dispose();
  }

  async #load(): Promise<OpenProject> {
    const { root, files, types } = this.#options;
    const { ConfigError, loadConfig } = await import('../config/index.ts');
    const { createSession, createTypes } = await import('../checker/index.ts');
    try {
      const { config, source: configSource } = await loadConfig(root);
      if (types) this.#types ??= createTypes({ root });
      const session = createSession({
        root,
        config,
        configSource: configSource ?? undefined,
        files: files ?? undefined,
        outDir: config.outDir,
        types: this.#types,
      });
      const source: SourceLookup = (file) =>
        session.source(file) ?? (file === configSource?.file ? configSource.text : null);
      return { session, config, configFile: configSource?.file ?? null, source };
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      const text = await textOf(resolve(root, error.diagnostics[0]?.file ?? ''));
      return { session: null, problem: error, source: () => text };
    }
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
