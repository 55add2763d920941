/**
 * What editors ask about a program: findings while it is typed, what to do about them, what a step is and what a workflow reaches.
 * The language server and the plugin for tsserver are thin layers over it.
 *
 * @example
 * import { EditorProjects } from 'pawl/editor';
 * const projects = new EditorProjects();
 * projects.update('/app/src/orders.ts', text);
 * const project = await projects.owner('/app/src/orders.ts');
 * const { diagnostics, subjects } = project.check();
 */
export { VERSION } from '../version.ts';
export { RULE_CODES } from './describe.ts';
export { fullMessage } from '../diagnostics/create.ts';
export type { Diagnostic, Fix, RelatedPlace, Severity, Span, TextEdit } from '../diagnostics/types.ts';
export { type Action, actionsFor, fixAllAction } from './actions.ts';
export { ContinuousCheck, type ContinuousCheckHost, type Findings } from './continuous.ts';
export type { Link } from './describe.ts';
export { describeError } from './errors.ts';
export { type HoverQuestion, type HoverText, hoverAt } from './hover.ts';
export {
  definitionsAt,
  type Lens,
  lensesOf,
  type NamedPlace,
  type Place,
  referencesAt,
  searchSubjects,
} from './navigate.ts';
export { type CheckedProject, type Depth, EditorProject, type ProjectOptions, type TypesOf } from './project.ts';
export { EditorProjects, type ProjectsOptions } from './projects.ts';
export { isPawlProject, realPathOf } from './roots.ts';
export type { Reached, Subject, Subjects, Target } from './subjects.ts';
export { EditorText, type TextPosition, type TextRange } from './text.ts';
export { typesOfPrograms } from './types.ts';
