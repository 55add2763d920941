/**
 * `pawl/config`: the configuration of a project.
 *
 * @example
 * // pawl.config.ts
 * import { defineConfig } from 'pawl/config';
 * export default defineConfig({ entries: ['src/**\/*.ts'] });
 */
import type { PawlConfig } from './schema.ts';

export { CONFIG_FILES, type LoadedConfig } from './files.ts';
export { ConfigError, loadConfig } from './load.ts';
export { loadConfigSync } from './load-sync.ts';
export type { CredentialsConfig, PawlConfig, RuleEntries, RuleEntry, RuleLevel, RuleOverride } from './schema.ts';

/**
 * Types a configuration; returns it as it is.
 *
 * @param config see `PawlConfig`
 */
export function defineConfig(config: PawlConfig): PawlConfig {
  return config;
}
