/**
 * What linters ask of the checker: the catalogue as they list it, and the findings of one rule in one file, at once. The plugin for
 * ESLint is a thin layer over it.
 *
 * @example
 * import { LINT_RULES, LintProjects } from 'pawl/linter';
 * const projects = new LintProjects();
 * for (const { name } of LINT_RULES) projects.find({ path: '/app/src/orders.ts', text, cwd: '/app', rule: name });
 */
export { LINT_RULES, type LintLevel, type LintRule } from './catalogue.ts';
export type { LintFinding } from './project.ts';
export { LintProjects, type LintQuestion } from './projects.ts';
export type { Span, TextEdit } from '../diagnostics/types.ts';
export { VERSION } from '../version.ts';
