/**
 * The factory of the bundler plugins.
 *
 * The app's own code is compiled for the `client` target: a workflow is a reference for `start`. With each build `pawl/build` writes the
 * output folder, and what it finds is shown as the bundler's own errors and warnings.
 *
 * An adapter is one file: it says how its bundler tells the root, when it builds, and how errors are shown.
 */
import { relative, resolve } from 'node:path';
import { type BuildSession, compileAppModule, createBuildSession, type ReportedFinding, reportBuild } from 'pawl/build';
import type { TypeBackend } from 'pawl/checker';
import { type LoadedConfig, loadConfig, type PawlConfig } from 'pawl/config';
import { createUnplugin, type UnpluginInstance, type UnpluginOptions } from 'unplugin';

export interface PawlPluginOptions {
  /** Folder of the project; the bundler's own root unless given. */
  root?: string;
  /** Configuration in place of `pawl.config`. */
  config?: PawlConfig;
  /**
   * Whether TypeScript is asked too, so that the build finds all that `pawl check` finds. It takes as long as `tsc --noEmit`.
   * Default: false.
   */
  types?: boolean;
}

/** What an adapter needs. */
export interface PawlBuild {
  /** Told by the bundler before the first build; the `root` of the options wins. */
  setRoot(root: string): void;
  /** SDKs whose import names lead to pawl. */
  compat(): Promise<NonNullable<PawlConfig['compat']>>;
  /** Builds and gives everything that was found, errors first. */
  run(): Promise<ReportedFinding[]>;
  /** Files that the output depends on, absolute; known after the first run. */
  watchedFiles(): string[];
  /** Whether a file is in the output folder, where a worker's store changes all the time. */
  isOutput(file: string): boolean;
}

/**
 * @param adapt - the hooks of one bundler, by unplugin's name of it
 * @returns unplugin's instance, whose member of that name is the plugin
 */
export function definePlugin(
  adapt: (pawl: PawlBuild) => Partial<UnpluginOptions>,
): UnpluginInstance<PawlPluginOptions | undefined, false> {
  return createUnplugin<PawlPluginOptions | undefined, false>((options = {}) => {
    const pawl = new PluginBuild(options);
    return {
      name: 'pawl',
      enforce: 'pre',
      transform: {
        filter: { id: { include: /\.[cm]?[jt]sx?(?:\?|$)/, exclude: /[\\/]node_modules[\\/]/ } },
        async handler(code, id) {
          const filename = id.replace(/\?.*$/, '');
          const made = compileAppModule(code, { filename, root: pawl.root, compat: await pawl.compat() });
          return made && { code: made.code, map: made.map as null };
        },
      },
      ...adapt(pawl),
    };
  });
}

class PluginBuild implements PawlBuild {
  readonly #options: PawlPluginOptions;
  #root: string | null = null;
  #session: BuildSession | null = null;
  #outDir: string | null = null;
  #loaded: Promise<LoadedConfig> | null = null;
  #types: TypeBackend | null = null;

  constructor(options: PawlPluginOptions) {
    this.#options = options;
  }

  get root(): string {
    return this.#options.root ?? this.#root ?? process.cwd();
  }

  setRoot(root: string): void {
    this.#root = root;
  }

  async run(): Promise<ReportedFinding[]> {
    this.#session ??= await this.#open();
    const { result, findings } = await reportBuild(this.#session, this.root);
    // TypeScript 7 is a process of its own, which would keep a bundler from its end.
    this.#types?.dispose();
    this.#outDir = result?.outDir ?? this.#outDir;
    return findings;
  }

  async compat(): Promise<NonNullable<PawlConfig['compat']>> {
    // A configuration that cannot be read is told by the build.
    const config = this.#options.config ?? (await this.#load().catch(() => null))?.config;
    return config?.compat ?? [];
  }

  isOutput(file: string): boolean {
    return this.#outDir !== null && !relative(this.#outDir, resolve(this.root, file)).startsWith('..');
  }

  watchedFiles(): string[] {
    return this.#session?.watchedFiles() ?? [];
  }

  #load(): Promise<LoadedConfig> {
    const loaded = this.#loaded ?? loadConfig(this.root);
    this.#loaded = loaded;
    // Mended, it shall be read again.
    loaded.catch(() => {
      this.#loaded = null;
    });
    return loaded;
  }

  async #open(): Promise<BuildSession> {
    const { root } = this;
    if (this.#options.types) this.#types = (await import('pawl/checker')).createTypes({ root });
    const types = this.#types;
    if (this.#options.config) return createBuildSession({ root, config: this.#options.config, types });
    const { config, source } = await this.#load();
    return createBuildSession({ root, config, configSource: source ?? undefined, types });
  }
}
