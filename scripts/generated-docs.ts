import { configJsonSchema } from '../src/config/json-schema.ts';
import { LINT_RULES } from '../src/linter/index.ts';
import { RULES, ruleMarkdown, rulesMarkdown } from '../src/rules/index.ts';

/** The files of `docs/` that are made from the sources, by their path there. */
export function generatedDocs(): Map<string, string> {
  return new Map([
    ['rules.md', rulesMarkdown(RULES)],
    ['pawl.config.schema.json', configJsonSchema()],
    ['oxlint.recommended.json', oxlintConfig('recommended')],
    ['oxlint.strict.json', oxlintConfig('strict')],
    ...RULES.map((rule) => [`rules/${rule.name}.md`, ruleMarkdown(rule)] as const),
  ]);
}

/** A configuration of oxlint to extend. */
function oxlintConfig(preset: 'recommended' | 'strict'): string {
  const rules = LINT_RULES.filter(({ levels }) => levels[preset] !== 'off').map(({ name, levels }) => [
    `pawl/${name}`,
    levels[preset],
  ]);
  return `${JSON.stringify({ jsPlugins: ['pawl/eslint'], rules: Object.fromEntries(rules) }, null, 2)}\n`;
}
