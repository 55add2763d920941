import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { PawlConfig } from './schema.ts';

/** What is known of a configuration without loading what reads it: most projects have none. */

/** File names of a configuration, first found first taken. */
export const CONFIG_FILES = ['ts', 'mts', 'js', 'mjs', 'cjs', 'json'].map((ending) => `pawl.config.${ending}`);

/** A configuration with its defaults filled in, and where it came from. */
export interface LoadedConfig {
  config: PawlConfig & Required<Pick<PawlConfig, 'outDir' | 'store'>>;
  /** The file, relative to the root, and its text; null when there is none. */
  source: { file: string; text: string } | null;
}

/** @param root absolute folder of the project */
export function configFile(root: string): string | undefined {
  return CONFIG_FILES.find((name) => existsSync(join(root, name)));
}

export function withDefaults(config: PawlConfig): LoadedConfig['config'] {
  return { ...config, outDir: config.outDir ?? '.pawl', store: config.store ?? 'sqlite:.pawl/pawl.db' };
}

/** The configuration of a project that has no file for it. */
export function defaultConfig(): LoadedConfig {
  return { config: withDefaults({}), source: null };
}
