import { z } from 'zod';
import type { RuleName } from '../diagnostics/codes.ts';
import { COMPAT_SDKS, type CompatSdk } from '../sdk-names.ts';

/** How loud a rule is; `warn` is `warning`, as ESLint writes it. */
export type RuleLevel = 'off' | 'info' | 'warn' | 'warning' | 'error';

/** A severity, or one with the rule's own options: `['error', { … }]`; docs/rules/NAME.md has them. */
export type RuleEntry = RuleLevel | [level: RuleLevel, options?: Record<string, unknown>];

/** Settings by rule name or code. */
export type RuleEntries = { [Rule in RuleName]?: RuleEntry } & { [rule: string]: RuleEntry };

/** Other settings of rules for some files. The last override that matches a file and names a rule counts. */
export interface RuleOverride {
  /** Globs of files, relative to the root; with `!` in front they take files out again. */
  files: string | string[];
  rules: RuleEntries;
}

/** Sources of credentials, for `pawl run`, `pawl worker` and `pawl dev`; `createWorker` takes the same. */
export interface CredentialsConfig {
  /** Files of variables, relative to the root; the first that has a variable counts. Default `['.env.local', '.env']`. */
  files?: string[];
  /**
   * Asked for every credential, before the environment and the files: a vault, say. Fields that it leaves out are looked for there.
   *
   * @example
   * resolve: async ({ key, fields }) => vault.read(`pawl/${key}`)
   */
  resolve?: (wanted: {
    key: string;
    fields: readonly string[];
  }) =>
    | Partial<Record<string, string>>
    | null
    | undefined
    | Promise<Partial<Record<string, string>> | null | undefined>;
}

/** `pawl.config.ts`. Every option may be left out. */
export interface PawlConfig {
  /** For `pawl.config.json`: where editors find the JSON schema, `./node_modules/pawl/docs/pawl.config.schema.json`. */
  $schema?: string;
  /** Globs of the files that steps and workflows are looked for in, relative to the root. Default: all of `src/` but tests. */
  entries?: string[];
  /** Where `pawl build` writes and `pawl run` reads, relative to the root. Default: `.pawl`. */
  outDir?: string;
  /** URL of the store; a relative path is relative to the root. Default: `sqlite:.pawl/pawl.db`. */
  store?: string;
  /**
   * Programs that were written for these SDKs build unchanged: their import names lead to pawl. `workflow` is the Workflow SDK (`workflow`,
   * `workflow/api`, `@workflow/serde`), `keystroke` is Keystroke (`@keystrokehq/keystroke/…`). Default: none.
   */
  compat?: CompatSdk[];
  /** Where values of credentials come from, besides their definitions and the environment. */
  credentials?: CredentialsConfig;
  /** Severity by rule name or code: `{ 'any-at-boundary': 'error' }`. */
  rules?: RuleEntries;
  /** Other settings for some files: `[{ files: ['src/legacy/**'], rules: { 'io-in-workflow': 'warn' } }]`. */
  overrides?: RuleOverride[];
  /** Globs of import specifiers that give an integration's actions. Default: `['@keystrokehq/*\/actions', 'pawl-*\/actions']`. */
  integrations?: string[];
  /**
   * Who gives the models that agents name: `openai/gpt-5` is `gpt-5` of `providers.openai`. A provider of the AI SDK, or a function from a
   * model's id to a model. Steps take them from this very file, so it has to be code, and what it imports goes with them.
   */
  providers?: Record<string, ModelProvider>;
}

/** As in the AI SDK. */
export type ModelProvider = { languageModel(id: string): unknown } | ((id: string) => unknown);

/**
 * What a configuration must look like. Names and levels of rules are the checker's to judge, which knows them; it reports them
 * with the same code.
 */
export const configSchema = z.strictObject({
  $schema: z.string().optional(),
  entries: z.array(z.string().min(1)).min(1).optional(),
  outDir: z.string().min(1).optional(),
  store: z.string().min(1).optional(),
  compat: z.array(z.enum(COMPAT_SDKS)).optional(),
  credentials: z
    .strictObject({
      files: z.array(z.string().min(1)).optional(),
      resolve: z
        .custom<CredentialsConfig['resolve']>((value) => typeof value === 'function', 'expected a function')
        .optional(),
    })
    .optional(),
  rules: z.record(z.string(), z.unknown()).optional(),
  overrides: z
    .array(
      z.strictObject({
        files: z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]),
        rules: z.record(z.string(), z.unknown()),
      }),
    )
    .optional(),
  integrations: z.array(z.string().min(1)).optional(),
  providers: z
    .record(
      z.string(),
      z.custom<ModelProvider>(
        isProvider,
        'expected a provider of the AI SDK, or a function that makes a model of its id',
      ),
    )
    .optional(),
});

function isProvider(value: unknown): boolean {
  if (typeof value === 'function') return true;
  return typeof (value as { languageModel?: unknown } | null)?.languageModel === 'function';
}

export const OPTION_NAMES = Object.keys(configSchema.shape).filter((name) => !name.startsWith('$'));
