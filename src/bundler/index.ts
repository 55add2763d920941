/**
 * `pawl/build`: from a project's sources to its manifest and bundles.
 *
 * @example
 * import { build } from 'pawl/build';
 * const { ok, diagnostics } = await build({ root: process.cwd() });
 */
export type { CheckerConfig, ConfigSource } from '../checker/index.ts';
export type { Diagnostic } from '../diagnostics/types.ts';
export { checkCompat, checkInFlight, type InFlight } from './compat.ts';
export { type ReportedFinding, reportBuild } from './report.ts';
export { type AppModule, type AppModuleOptions, compileAppModule } from './sdk-imports.ts';
export { build, createBuildSession } from './session.ts';
export type { BuildConfig, BuildOptions, BuildOutput, BuildResult, BuildSession, BuildStats } from './types.ts';
