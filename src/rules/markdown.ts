import { z } from 'zod';
import { CODES } from '../diagnostics/codes.ts';
import type { RuleHelp } from '../diagnostics/format/options.ts';
import { VERSION } from '../version.ts';
import type { Example, Rule } from './define-rule.ts';

/** Documentation made out of rule literals: `docs/rules.md`, a page for each rule, and the help that other tools show. */

const GROUPS: Record<string, string> = {
  '1': 'Directives',
  '2': 'Serializability',
  '3': 'Determinism',
  '4': 'Capability',
  '5': 'Composition',
  '6': 'Discovery and manifest',
  '7': 'Agents and tools',
  '8': 'Versioning',
  '9': 'Housekeeping',
};

/** The files of an example, in order. A text alone is one file. */
export function exampleFiles(example: Example): { file: string | null; text: string }[] {
  if (typeof example === 'string') return [{ file: null, text: example }];
  return Object.entries(example).map(([file, text]) => ({ file, text }));
}

/** The group of a rule, by the first digit of its code. */
export function groupOf(rule: Rule): string {
  return GROUPS[CODES[rule.name].code.charAt('PAWL'.length)] ?? '';
}

/** Where a rule's page can be read: in this very version of the package. */
export function docsUrl(name: string): string {
  return `https://unpkg.com/pawl@${VERSION}/docs/rules/${name}.md`;
}

const NOTICE = '<!-- Made by `npm run docs` from src/rules; changes here are lost. -->';

/** The whole of `docs/rules.md`: the index. */
export function rulesMarkdown(rules: readonly Rule[]): string {
  const lines = [
    '# Rules',
    '',
    NOTICE,
    '',
    'Every finding has a code that never changes its meaning. `pawl explain CODE` shows the page of a rule on a terminal.',
    '',
    'A finding is silenced by a comment on its line or the line before, with a reason: `// pawl-ignore PAWL3002 -- why`. Several',
    'codes are separated by commas. For findings with a call chain the comment may stand at any call of the chain.',
    '',
    "Severities are set in `pawl.config`: `rules: { 'unstable-id': 'error' }`, for some files in `overrides`. Rules that say *off* are",
    'silent until they are set.',
  ];
  let group = '';
  for (const rule of rules) {
    if (groupOf(rule) !== group) {
      group = groupOf(rule);
      lines.push('', `## ${group}`, '', '| code | rule | severity | fix | catches |', '|---|---|---|---|---|');
    }
    lines.push(tableRow(rule));
  }
  return `${lines.join('\n')}\n`;
}

function tableRow(rule: Rule): string {
  const { code, severity, optIn } = CODES[rule.name];
  const level = optIn ? `${severity}, off` : severity;
  return `| ${code} | [${rule.name}](rules/${rule.name}.md) | ${level} | ${rule.fixable ? 'yes' : ''} | ${escapeCell(rule.description)} |`;
}

/** A `|` would end the cell, also within code. */
function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|');
}

/** A rule's page, `docs/rules/NAME.md`. */
export function ruleMarkdown(rule: Rule): string {
  return `${[`# ${CODES[rule.name].code} ${rule.name}`, '', NOTICE, '', ruleBody(rule)].join('\n')}\n`;
}

/** What other tools show of a rule. */
export function ruleHelp(rule: Rule): RuleHelp {
  const { name, description } = rule;
  return { name, description, help: ruleBody(rule), url: docsUrl(name) };
}

/** A rule's page without its heading. */
function ruleBody(rule: Rule): string {
  const { severity, suppressible, optIn } = CODES[rule.name];
  const { mistake, why, allowed, unseen } = rule.explanation;
  const notes = [severity, optIn ? 'off unless it is set' : '', rule.fixable ? 'with a fix' : ''];
  if (!suppressible) notes.push('cannot be suppressed');
  if (rule.by === 'bundler') notes.push('found by `pawl build` alone');
  if (rule.by === 'compat') notes.push('found by `pawl check --compat`');
  if (rule.types === 'needed') notes.push('needs TypeScript');
  if (rule.types === 'used') notes.push('sees more with TypeScript');
  return [
    `${rule.description}. *${notes.filter(Boolean).join(', ')}*`,
    '',
    mistake,
    '',
    `**Why.** ${why}`,
    '',
    `**Allowed.** ${allowed}`,
    '',
    `**Not seen.** ${unseen}`,
    '',
    'Reported:',
    '',
    ...fences(rule.bad),
    '',
    'Instead:',
    '',
    ...fences(rule.good),
    ...optionsTable(rule),
  ].join('\n');
}

export interface OptionHelp {
  name: string;
  /** As JSON. */
  default: string;
  description: string;
}

/** The rule's options, as their schema says. */
export function optionsOf({ options }: Rule): OptionHelp[] {
  if (!options) return [];
  const { properties = {} } = z.toJSONSchema(options, { io: 'input' });
  return Object.entries(properties).map(([name, property]) => {
    const { description = '', default: value } = property as { description?: string; default?: unknown };
    return { name, default: JSON.stringify(value), description };
  });
}

/** How options are set: `'rule': ['error', { limit: 5 }]`. */
export function optionsExample(rule: Rule): string {
  const options = optionsOf(rule).map(({ name, default: value }) => `${name}: ${value}`);
  return `'${rule.name}': ['error', { ${options.join(', ')} }]`;
}

function optionsTable(rule: Rule): string[] {
  const options = optionsOf(rule);
  if (options.length === 0) return [];
  return [
    '',
    `Options, in \`pawl.config\` and in ESLint: \`${optionsExample(rule)}\``,
    '',
    '| option | default | |',
    '|---|---|---|',
    ...options.map(
      ({ name, default: value, description }) =>
        `| \`${name}\` | \`${escapeCell(value)}\` | ${escapeCell(description)} |`,
    ),
  ];
}

function fences(example: Example): string[] {
  return exampleFiles(example).flatMap(({ file, text }, index) => [
    ...(index > 0 ? [''] : []),
    `\`\`\`${file?.endsWith('.json') ? 'json' : 'ts'}`,
    ...(file !== null && !file.endsWith('.json') ? [`// ${file}`] : []),
    text.trimEnd(),
    '```',
  ]);
}
