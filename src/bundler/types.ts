import type { CheckerConfig, ConfigSource, TypeBackend } from '../checker/index.ts';
import type { Diagnostic } from '../diagnostics/types.ts';
import type { Manifest } from '../manifest/index.ts';
import type { CompatSdk } from '../sdk-names.ts';

/**
 * Glossary of the bundler.
 *
 * - **entry**: a file that the configuration's `entries` name.
 * - **module**: a file that registers a step, a workflow, a definition or a class; entries, and what workflows reach beyond them.
 * - **helper**: any other file of the user's that a bundle takes in.
 * - **chunk**: what rolldown makes of a bundle's modules.
 * - **build**: one pass from files to manifest; a **session** keeps what it learned for the next.
 */

/** The part of `pawl.config` that a build reads. */
export interface BuildConfig extends CheckerConfig {
  /** Folder of the output, relative to the root or absolute. Default `.pawl`. */
  outDir?: string;
  /** SDKs whose programs are built: their import names lead to pawl. Default none. */
  compat?: readonly CompatSdk[];
}

export interface BuildOptions {
  /** Folder of the project; ids, files and globs are relative to it. */
  root: string;
  config?: BuildConfig;
  /** Where `config` was read from, so that findings about it have a place. */
  configSource?: ConfigSource;
  /** Whether to write the output folder. Default true. */
  write?: boolean;
  /**
   * How the step bundle names packages: as the source does, so that Node finds them from the output folder (default), or by
   * absolute file URL, for output that stands elsewhere. The second makes output that belongs to one machine.
   */
  externals?: 'specifier' | 'url';
  /** Folders of packages (`…/node_modules`) to look into as well, for projects that stand where none is above them. */
  packages?: readonly string[];
  /**
   * Who is asked for types: `createTypes({ root })` of `pawl/checker`. The session does not dispose of it. Default null: a build
   * says what syntax shows, and the rules that need types are left to `pawl check` and the editor.
   */
  types?: TypeBackend | null;
}

/** Texts of the output folder. */
export interface BuildOutput {
  manifest: Manifest;
  /** By name relative to `outDir`, in the order of writing: the manifest comes last. */
  files: { name: string; text: string }[];
}

export interface BuildStats {
  /** Entry files. */
  entries: number;
  /** Files whose text was read since the session began. */
  read: number;
  /** Which bundles were made in this build; the others are those of the build before. */
  bundled: { workflows: boolean; steps: boolean; schemas: boolean };
  /** Names of the files that were written because they changed. */
  written: string[];
  /** Milliseconds by pass. */
  timings: Record<string, number>;
}

export interface BuildResult {
  /** Whether there is no error; warnings may be there. */
  ok: boolean;
  /** Sorted by file, place and code. */
  diagnostics: Diagnostic[];
  /** Null when there are errors: then nothing is written, and the output of the build before stays. */
  output: BuildOutput | null;
  /** Absolute path. */
  outDir: string;
  stats: BuildStats;
}

/** A project that is built again and again. */
export interface BuildSession {
  /**
   * Builds the project as it is now.
   *
   * @throws PawlError What keeps a build from being tried or written: `PAWL_ROOT_NOT_FOUND`, `PAWL_FILE_UNREADABLE`, `PAWL_OUT_DIR`,
   *   `PAWL_WRITE_FAILED`.
   *   Findings about the program are `diagnostics`.
   */
  build(): Promise<BuildResult>;
  /** Says that imports may lead elsewhere now: a file came or went, a `package.json` or `tsconfig.json` changed. */
  invalidate(): void;
  /** Text of a file as the last build saw it, for code frames; null when it did not see the file. */
  source(file: string): string | null;
  /** Files that the output depends on, absolute. */
  watchedFiles(): string[];
  close(): void;
}
