import picomatch from 'picomatch';
import { CODES, type RuleName } from '../diagnostics/codes.ts';
import { createDiagnostic } from '../diagnostics/create.ts';
import { findRule, suggestRule } from '../diagnostics/lookup.ts';
import { nearest } from '../diagnostics/nearest.ts';
import { Positions } from '../diagnostics/positions.ts';
import type { Diagnostic, Span } from '../diagnostics/types.ts';
import { RULES } from '../rules/index.ts';
import { DEFAULT_INTEGRATIONS } from '../rules/integrations.ts';
import { type Level, RuleSettings, type SettingsLayer } from './settings.ts';

/** `warn` is `warning`, as ESLint writes it. */
export type RuleSetting = 'off' | 'info' | 'warn' | 'warning' | 'error';

/** A severity, or one with the rule's own options. */
export type RuleEntry = RuleSetting | readonly [severity: RuleSetting, options?: Readonly<Record<string, unknown>>];

/** Other settings for some files; the last one that matches a file and names a rule counts. */
export interface RuleOverride {
  /** Globs of files, relative to the root. */
  files: string | readonly string[];
  rules: Readonly<Record<string, RuleEntry>>;
}

/** The part of `pawl.config` that the checker reads. All optional. */
export interface CheckerConfig {
  /** Globs of the files in which steps and workflows are looked for, relative to the root. */
  entries?: readonly string[];
  /** Severity by rule name or code. */
  rules?: Readonly<Record<string, RuleEntry>>;
  /** Other settings of rules for some files. */
  overrides?: readonly RuleOverride[];
  /** Globs of import specifiers that give an integration's actions. */
  integrations?: readonly string[];
  /** Rules that are off unless they are set, to be run all the same where nothing is set: linters have settings of their own. */
  asked?: readonly RuleName[];
}

/** Where the configuration was read from, for the places of findings about it. */
export interface ConfigSource {
  /** Path relative to the root. */
  file: string;
  text: string;
}

export interface CheckedConfig {
  entries: readonly string[] | null;
  /** What differs from the table of codes, and the options of rules. */
  rules: RuleSettings;
  integrations: readonly string[];
  diagnostics: Diagnostic[];
}

const SETTINGS: Record<RuleSetting, Level> = {
  off: 'off',
  info: 'info',
  warn: 'warning',
  warning: 'warning',
  error: 'error',
};

/** Reads a configuration that may hold anything: what is wrong becomes findings, what is right takes effect. */
export function checkConfig(config: CheckerConfig, source?: ConfigSource): CheckedConfig {
  const diagnostics: Diagnostic[] = [];
  const problem = (key: string, message: string, remedy?: string): void => {
    const file = source?.file ?? 'pawl.config.ts';
    diagnostics.push(
      createDiagnostic('configuration-error', { file, span: placeOf(key, source?.text ?? ''), message, remedy }),
    );
  };
  const layers = [checkRules(config.rules ?? {}, null, 'rules', problem)];
  const overrides: unknown = config.overrides ?? [];
  if (Array.isArray(overrides)) layers.push(...overrides.flatMap((each) => checkOverride(each, problem) ?? []));
  else problem('overrides', '`overrides` must be an array of `{ files, rules }`.');
  return {
    entries: stringList(config.entries, 'entries', problem),
    integrations: stringList(config.integrations, 'integrations', problem) ?? DEFAULT_INTEGRATIONS,
    rules: new RuleSettings(layers, config.asked),
    diagnostics,
  };
}

type Problem = (key: string, message: string, remedy?: string) => void;

function checkOverride(override: unknown, problem: Problem): SettingsLayer | null {
  const { files, rules = {} } = (override ?? {}) as { files?: unknown; rules?: unknown };
  const globs = stringList(typeof files === 'string' ? [files] : files, 'files', problem);
  if (globs === null) {
    if (files === undefined) problem('overrides', 'An override says by `files` which files it is for.');
    return null;
  }
  const names = globs.map((glob) => glob.replace(/^\.\//, ''));
  const not = names.filter((glob) => glob.startsWith('!')).map((glob) => glob.slice(1));
  const matches = picomatch(
    names.filter((glob) => !glob.startsWith('!')),
    { ignore: not, dot: true },
  );
  return checkRules(rules, (file) => matches(file), 'overrides', problem);
}

function checkRules(rules: unknown, matches: SettingsLayer['matches'], place: string, problem: Problem): SettingsLayer {
  const layer = { matches, levels: new Map<RuleName, Level>(), options: new Map<RuleName, unknown>() };
  if (typeof rules !== 'object' || rules === null || Array.isArray(rules)) {
    problem(place, '`rules` must be an object of severities by rule name.');
    return layer;
  }
  for (const [key, setting] of Object.entries(rules)) checkRule(key, setting, layer, problem);
  return layer;
}

function checkRule(
  key: string,
  entry: unknown,
  { levels, options }: { levels: Map<RuleName, Level>; options: Map<RuleName, unknown> },
  problem: Problem,
): void {
  const rule = findRule(key);
  if (!rule) {
    const suggestion = suggestRule(key);
    problem(key, `There is no rule \`${key}\`.`, suggestion === null ? undefined : `Did you mean \`${suggestion}\`?`);
    return;
  }
  const [setting, own] = Array.isArray(entry) && entry.length <= 2 ? (entry as unknown[]) : [entry, undefined];
  if (typeof setting !== 'string' || !Object.hasOwn(SETTINGS, setting)) {
    const suggestion = nearest(String(setting), Object.keys(SETTINGS));
    const remedy = suggestion === null ? 'Use off, info, warning or error.' : `Did you mean '${suggestion}'?`;
    problem(key, `\`${key}\` is set to ${JSON.stringify(setting) ?? 'undefined'}, which is no severity.`, remedy);
    return;
  }
  const level = SETTINGS[setting as RuleSetting];
  if (!CODES[rule.name].suppressible && level !== 'error') {
    const message = `The rule \`${rule.name}\` cannot be turned off or lowered: what it finds cannot be compiled.`;
    problem(key, message, 'Leave it out of `rules`.');
    return;
  }
  levels.set(rule.name, level);
  if (own !== undefined) checkOptions(rule.name, key, own, options, problem);
}

function checkOptions(
  rule: RuleName,
  key: string,
  value: unknown,
  options: Map<RuleName, unknown>,
  problem: Problem,
): void {
  const schema = RULES.find(({ name }) => name === rule)?.options;
  if (!schema) {
    problem(key, `The rule \`${rule}\` has no options.`, `Write \`'${rule}': 'error'\`.`);
    return;
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) {
    options.set(rule, parsed.data);
    return;
  }
  const known = Object.keys((schema.parse({}) ?? {}) as object);
  for (const issue of parsed.error.issues) {
    if (issue.code === 'unrecognized_keys' && issue.path.length === 0) {
      for (const unknown of issue.keys) {
        const meant = nearest(unknown, known);
        const remedy = meant ? `Did you mean \`${meant}\`?` : `Its options are ${known.join(', ')}.`;
        problem(unknown, `The rule \`${rule}\` has no option \`${unknown}\`.`, remedy);
      }
    } else {
      const path = issue.path.map(String).join('.');
      const what = path === '' ? 'The options' : `The option \`${path}\``;
      problem(String(issue.path[0] ?? key), `${what} of the rule \`${rule}\` has a wrong value: ${issue.message}.`);
    }
  }
}

function stringList(value: unknown, key: string, problem: Problem): readonly string[] | null {
  if (value === undefined) return null;
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value;
  problem(key, `\`${key}\` must be an array of strings.`);
  return null;
}

/** The key in the text of the configuration, else its start. */
function placeOf(key: string, text: string): Span {
  const pattern = new RegExp(`(?<![\\w-])${key.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}(?![\\w-])`);
  const at = key === '' ? -1 : text.search(pattern);
  return new Positions(text).span(Math.max(0, at), at < 0 ? 0 : at + key.length);
}
