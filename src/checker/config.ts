import { CODES, type RuleName } from '../diagnostics/codes.ts';
import { createDiagnostic } from '../diagnostics/create.ts';
import { findRule, suggestRule } from '../diagnostics/lookup.ts';
import { nearest } from '../diagnostics/nearest.ts';
import { Positions } from '../diagnostics/positions.ts';
import type { Diagnostic, Severity, Span } from '../diagnostics/types.ts';
import { DEFAULT_INTEGRATIONS } from '../rules/integrations.ts';

/** `warn` is `warning`, as ESLint writes it. */
export type RuleSetting = 'off' | 'info' | 'warn' | 'warning' | 'error';

/** The part of `pawl.config` that the checker reads. All optional. */
export interface CheckerConfig {
  /** Globs of the files in which steps and workflows are looked for, relative to the root. */
  entries?: readonly string[];
  /** Severity by rule name or code. */
  rules?: Readonly<Record<string, RuleSetting>>;
  /** Globs of import specifiers that give an integration's actions. */
  integrations?: readonly string[];
}

/** Where the configuration was read from, for the places of findings about it. */
export interface ConfigSource {
  /** Path relative to the root. */
  file: string;
  text: string;
}

export interface CheckedConfig {
  entries: readonly string[] | null;
  /** What differs from the table of codes. */
  severities: ReadonlyMap<RuleName, Severity | 'off'>;
  integrations: readonly string[];
  diagnostics: Diagnostic[];
}

const SETTINGS: Record<RuleSetting, Severity | 'off'> = {
  off: 'off',
  info: 'info',
  warn: 'warning',
  warning: 'warning',
  error: 'error',
};

/** Reads a configuration that may hold anything: what is wrong becomes findings, what is right takes effect. */
export function checkConfig(config: CheckerConfig, source?: ConfigSource): CheckedConfig {
  const severities = new Map<RuleName, Severity | 'off'>();
  const diagnostics: Diagnostic[] = [];
  const problem = (key: string, message: string, remedy?: string): void => {
    const file = source?.file ?? 'pawl.config.ts';
    diagnostics.push(
      createDiagnostic('configuration-error', { file, span: placeOf(key, source?.text ?? ''), message, remedy }),
    );
  };
  const rules: unknown = config.rules ?? {};
  if (typeof rules !== 'object' || rules === null || Array.isArray(rules)) {
    problem('rules', '`rules` must be an object of severities by rule name.');
  } else {
    for (const [key, setting] of Object.entries(rules)) checkRule(key, setting, severities, problem);
  }
  return {
    entries: stringList(config.entries, 'entries', problem),
    integrations: stringList(config.integrations, 'integrations', problem) ?? DEFAULT_INTEGRATIONS,
    severities,
    diagnostics,
  };
}

type Problem = (key: string, message: string, remedy?: string) => void;

function checkRule(key: string, setting: unknown, severities: Map<RuleName, Severity | 'off'>, problem: Problem): void {
  const rule = findRule(key);
  if (!rule) {
    const suggestion = suggestRule(key);
    problem(key, `There is no rule \`${key}\`.`, suggestion === null ? undefined : `Did you mean \`${suggestion}\`?`);
    return;
  }
  if (typeof setting !== 'string' || !Object.hasOwn(SETTINGS, setting)) {
    const suggestion = nearest(String(setting), Object.keys(SETTINGS));
    const remedy = suggestion === null ? 'Use off, info, warning or error.' : `Did you mean '${suggestion}'?`;
    problem(key, `\`${key}\` is set to ${JSON.stringify(setting) ?? 'undefined'}, which is no severity.`, remedy);
    return;
  }
  const severity = SETTINGS[setting as RuleSetting];
  if (!CODES[rule.name].suppressible && severity !== 'error') {
    const message = `The rule \`${rule.name}\` cannot be turned off or lowered: what it finds cannot be compiled.`;
    problem(key, message, 'Leave it out of `rules`.');
    return;
  }
  severities.set(rule.name, severity);
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
