import type { z } from 'zod';
import type { RuleName } from '../diagnostics/codes.ts';
import type { DiagnosticInput } from '../diagnostics/create.ts';
import type { Program } from './program.ts';
import type { Types } from './types.ts';

/**
 * Glossary of rules.
 *
 * - **rule**: one object literal in a file of its own; file name = rule name = fixture folder. Code, severity and whether it can
 *   be suppressed stand in `diagnostics/codes.ts`.
 * - **compiler rule**: found while one module is analysed, because compilation depends on it; its literal has no `check`.
 * - **program rule**: found over all modules; its literal has a `check`.
 * - **session rule**: found by the checker itself, about configuration, suppressions and imports.
 * - **bundler rule**: found by `pawl build` alone, which follows every import to its end; `pawl check` is silent about it.
 * - **compat rule**: found by `pawl check --compat`, which compares with a deployed manifest. In its examples the deployed program
 *   stands under `deployed/`.
 *
 * Program rules run after every edit, over thousands of units: what workflows reach they take from `reachedCode`, the facts of a unit
 * from `factsOf`, chains from `chainsFrom`, and what a list of uses or sites tells by itself they remember (`wantedOf`). Nothing else is
 * kept from check to check: facts are objects that get new content when their module is edited.
 */

/** One module as text, or several by their path. */
export type Example = string | Record<string, string>;

/** Documentation of a rule, in Markdown. The four parts are what every reader asks. */
export interface Explanation {
  /** Which mistake it catches. */
  mistake: string;
  /** Why that is a mistake. */
  why: string;
  /** What stays allowed. */
  allowed: string;
  /** What it does not see. */
  unseen: string;
}

export interface Rule<Options = unknown> {
  name: RuleName;
  /** Who finds it. */
  by: 'compiler' | 'program' | 'compiler and program' | 'session' | 'bundler' | 'compat';
  /** One line without a full stop: what it catches. */
  description: string;
  explanation: Explanation;
  /** Code that is reported. The test suite runs it through the checker, or for bundler rules through a build. */
  bad: Example;
  /** The same, repaired: nothing is reported. */
  good: Example;
  /** Whether it needs TypeScript, or sees more where there is one. */
  types?: 'needed' | 'used';
  /** Whether a fix comes with the finding. */
  fixable?: true;
  /**
   * Options of its own: `'rule': ['error', { … }]`. A strict object in which every option has a default and a description; types,
   * documentation and the JSON schemas of the configuration are made from it.
   */
  options?: z.ZodType<Options>;
  check?(context: RuleContext<Options>): void;
}

export interface RuleContext<Options = unknown> {
  program: Program;
  /** Null where there is no TypeScript, or nobody wants to wait for it. */
  types: Types | null;
  options: RuleOptions;
  /** The rule's own options as they hold in a file; undefined for a rule without a schema of options. */
  optionsIn(file: string): Options;
  /** The text of a module; null where it is not at hand. For what a finding offers: what is found, facts tell. */
  source(file: string): string | null;
  /** Reports a finding of this rule. */
  report(finding: DiagnosticInput): void;
}

/** What the configuration tells rules. */
export interface RuleOptions {
  /** Globs of import specifiers that give an integration's actions. */
  integrations: readonly string[];
}

/** Types a rule literal and keeps its name as written. */
export function defineRule<const Name extends RuleName, Options = unknown>(
  rule: Rule<Options> & { name: Name },
): Rule & { name: Name } {
  return rule as Rule & { name: Name };
}
