import { RULES, ruleMarkdown, rulesMarkdown } from '../rules/index.ts';
import { configJsonSchema } from './json-schema.ts';

/** The files of `docs/` that are made from the sources, by their path there. */
export function generatedDocs(): Map<string, string> {
  return new Map([
    ['rules.md', rulesMarkdown(RULES)],
    ['pawl.config.schema.json', configJsonSchema()],
    ...RULES.map((rule) => [`rules/${rule.name}.md`, ruleMarkdown(rule)] as const),
  ]);
}
