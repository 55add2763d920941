import { CODES } from '../diagnostics/codes.ts';
import type { Example, Rule } from './define-rule.ts';

/** Documentation made out of rule literals: `docs/rules.md` and what `pawl explain` shows. */

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

/** The whole of `docs/rules.md`. */
export function rulesMarkdown(rules: readonly Rule[]): string {
  const lines = [
    '# Rules',
    '',
    '<!-- Made by `npm run docs` from src/rules; changes here are lost. -->',
    '',
    'Every finding has a code that never changes its meaning. `pawl explain CODE` shows the same text on a terminal.',
    '',
    'A finding is silenced by a comment on its line or the line before, with a reason: `// pawl-ignore PAWL3002 -- why`. Several',
    'codes are separated by commas. For findings with a call chain the comment may stand at any call of the chain.',
    '',
    '| code | rule | severity | fix | catches |',
    '|---|---|---|---|---|',
    ...rules.map(tableRow),
    '',
  ];
  let group = '';
  for (const rule of rules) {
    if (groupOf(rule) !== group) {
      group = groupOf(rule);
      lines.push(`## ${group}`, '');
    }
    lines.push(...ruleMarkdown(rule), '');
  }
  return `${lines.join('\n').trimEnd()}\n`;
}

function tableRow(rule: Rule): string {
  const { code, severity } = CODES[rule.name];
  const anchor = `${code.toLowerCase()}-${rule.name}`;
  return `| ${code} | [${rule.name}](#${anchor}) | ${severity} | ${rule.fixable ? 'yes' : ''} | ${escapeCell(rule.description)} |`;
}

/** A `|` would end the cell, also within code. */
function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|');
}

function ruleMarkdown(rule: Rule): string[] {
  const { code, severity, suppressible } = CODES[rule.name];
  const { mistake, why, allowed, unseen } = rule.explanation;
  return [
    `### ${code} ${rule.name}`,
    '',
    `${rule.description}. *${severity}${rule.fixable ? ', with a fix' : ''}${suppressible ? '' : ', cannot be suppressed'}*`,
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
