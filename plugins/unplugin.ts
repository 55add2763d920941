/**
 * The factory of the bundler plugins.
 *
 * The app's own code is compiled for the `client` target: a workflow is a reference for `start`. With each build `pawl/build` writes the
 * output folder, and what it finds is shown as the bundler's own errors and warnings.
 *
 * An adapter is one file: it says how its bundler tells the root, when it builds, and how errors are shown.
 */
import { relative, resolve } from 'node:path';
import { compile, mayHaveDirectives } from 'pawl/compiler';
import { type BuildSession, createBuildSession, type ReportedFinding, reportBuild } from 'pawl/build';
import { loadConfig, type PawlConfig } from 'pawl/config';
import { createUnplugin, type UnpluginInstance, type UnpluginOptions } from 'unplugin';

export interface PawlPluginOptions {
  /** Folder of the project; the bundler's own root unless given. */
  root?: string;
  /** Configuration in place of `pawl.config`. */
  config?: PawlConfig;
}

/** What an adapter needs. */
export interface PawlBuild {
  /** Told by the bundler before the first build; the `root` of the options wins. */
  setRoot(root: string): void;
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
        handler(code, id) {
          if (!mayHaveDirectives(code)) return null;
          const filename = id.replace(/\?.*$/, '');
          const { facts, outputs } = compile(code, { filename, root: pawl.root, targets: ['client'] });
          return facts && outputs.client ? { code: outputs.client.code, map: outputs.client.map } : null;
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
    this.#outDir = result?.outDir ?? this.#outDir;
    return findings;
  }

  isOutput(file: string): boolean {
    return this.#outDir !== null && !relative(this.#outDir, resolve(this.root, file)).startsWith('..');
  }

  watchedFiles(): string[] {
    return this.#session?.watchedFiles() ?? [];
  }

  async #open(): Promise<BuildSession> {
    const { root } = this;
    if (this.#options.config) return createBuildSession({ root, config: this.#options.config });
    const { config, source } = await loadConfig(root);
    return createBuildSession({ root, config, configSource: source ?? undefined });
  }
}
