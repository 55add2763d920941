import { z } from 'zod';
import { CODES } from '../diagnostics/codes.ts';
import { docsUrl, RULES } from '../rules/index.ts';

/** How loud a rule is in a linter: linters know no notes. */
export type LintLevel = 'off' | 'warn' | 'error';

/** A rule as linters list it. */
export interface LintRule {
  /** The rule's name, also its id: `io-in-workflow`. */
  name: string;
  code: string;
  /** One line without a full stop. */
  description: string;
  url: string;
  isFixable: boolean;
  /** JSON schema of the rule's options; null where there are none. */
  options: object | null;
  /** `recommended`: what is wrong or probably is. `strict`: every rule, those that `pawl check` leaves off too. */
  levels: Record<'recommended' | 'strict', LintLevel>;
}

/** The catalogue, in the order of codes. */
export const LINT_RULES: readonly LintRule[] = RULES.map(({ name, description, fixable, options }): LintRule => {
  const { code, severity, optIn } = CODES[name];
  const level = severity === 'error' ? 'error' : 'warn';
  return {
    name,
    code,
    description,
    url: docsUrl(name),
    isFixable: fixable === true,
    options: options ? optionsSchema(options) : null,
    levels: { recommended: optIn || severity === 'info' ? 'off' : level, strict: level },
  };
});

/** In the dialect that ESLint reads. */
function optionsSchema(options: z.ZodType): object {
  const { $schema: _, ...schema } = z.toJSONSchema(options, { target: 'draft-4', io: 'input' });
  return schema;
}
