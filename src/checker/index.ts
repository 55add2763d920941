/**
 * The checker: rules over whole programs.
 *
 * @example
 * import { createSession } from 'pawl/checker';
 * const session = createSession({ root: process.cwd() });
 * const { diagnostics } = await session.check();
 */
export type { Chain, ChainQuery, Place, Program, Reference } from '../rules/program.ts';
export type { Diagnostic, Fix, RelatedPlace, Severity, Span, TextEdit } from '../diagnostics/types.ts';
export { type CheckProgramOptions, type CheckResult, checkProgram, type ProgramStats } from './check-program.ts';
export {
  checkConfig,
  type CheckedConfig,
  type CheckerConfig,
  type ConfigSource,
  type RuleEntry,
  type RuleOverride,
  type RuleSetting,
} from './config.ts';
export { DEFAULT_ENTRIES, discoverDirectory, discoverEntries } from './discover.ts';
export { type FixOutcome, fixAll } from './fix.ts';
export type { ModuleSource } from './program.ts';
export { createMemoryResolve, type Resolution, type Resolve } from './resolution.ts';
export type { TypeBackend, TypeSources } from './types/backend.ts';
export { createTypes, type TypesOptions } from './types/lazy.ts';
export { type CheckOptions, createSession, type Session, type SessionOptions, type SessionStats } from './session.ts';
