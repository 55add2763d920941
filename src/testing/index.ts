/**
 * `pawl/testing`: runs workflows in tests, in this process, with virtual time and a store in memory.
 *
 * @example
 * import { createTestRuntime } from 'pawl/testing';
 *
 * const runtime = await createTestRuntime({ root: process.cwd() });
 * const run = await runtime.start('fulfil', [{ id: 'A-1', amount: 250 }]);
 * await runtime.waitForSleep(run);
 * await runtime.advance('1h');
 * expect(await run.returnValue).toBe('paid');
 * await runtime.close();
 */
export type { Diagnostic } from '../diagnostics/index.ts';
export type { Run } from '../runtime/index.ts';
export { TestBuildError } from './project.ts';
export {
  createTestRuntime,
  type PendingHook,
  type PendingSleep,
  type TestRuntime,
  type TestRuntimeOptions,
} from './runtime.ts';
