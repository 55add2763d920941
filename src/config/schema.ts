import { z } from 'zod';
import type { RuleName } from '../diagnostics/codes.ts';

/** How loud a rule is; `warn` is `warning`, as ESLint writes it. */
export type RuleLevel = 'off' | 'info' | 'warn' | 'warning' | 'error';

/** `pawl.config.ts`. Every option may be left out. */
export interface PawlConfig {
  /** Globs of the files that steps and workflows are looked for in, relative to the root. Default: all of `src/` but tests. */
  entries?: string[];
  /** Where `pawl build` writes and `pawl run` reads, relative to the root. Default: `.pawl`. */
  outDir?: string;
  /** URL of the store; a relative path is relative to the root. Default: `sqlite:.pawl/pawl.db`. */
  store?: string;
  /** Severity by rule name or code: `{ 'any-at-boundary': 'error' }`. */
  rules?: { [Rule in RuleName]?: RuleLevel } & { [rule: string]: RuleLevel };
  /** Globs of import specifiers that give an integration's actions. Default: `['@keystrokehq/*\/actions', 'pawl-*\/actions']`. */
  integrations?: string[];
}

/**
 * What a configuration must look like. Names and levels of rules are the checker's to judge, which knows them; it reports them
 * with the same code.
 */
export const configSchema = z.strictObject({
  entries: z.array(z.string().min(1)).min(1).optional(),
  outDir: z.string().min(1).optional(),
  store: z.string().min(1).optional(),
  rules: z.record(z.string(), z.unknown()).optional(),
  integrations: z.array(z.string().min(1)).optional(),
});

export const OPTION_NAMES = Object.keys(configSchema.shape);
