/** `pawl/runtime`: workers, stores, and what tests and tools need of them. */
export { openStore } from '../store/index.ts';
export type { EventStore, RunFilter, RunRecord, RunStatus } from '../store/port.ts';
export type { RunEvent } from '../store/events.ts';
export {
  getHookByToken,
  getRun,
  listRuns,
  resumeHook,
  resumeHookIn,
  resumeWebhook,
  start,
  type StartOptions,
} from './client.ts';
export { type Clock, createVirtualClock, systemClock, type VirtualClock } from './clock.ts';
export type { CredentialResolver, CredentialSources } from './credential-sources.ts';
export { type KeepStream, startWithStreams } from './given-streams.ts';
export { createHandler, type Handler, type HandlerOptions, type HandlerSource } from './handler.ts';
export { formatHistory, type History, historyOf, parseHistories } from './history.ts';
export { deserializeData, type ErrorSummary, summarizeError } from './inspect.ts';
export { toNodeListener } from './node-listener.ts';
export { readMetadata } from './payload-schema.ts';
export { type Program, programOf, type StepRegistry } from './program.ts';
export type { WorkerCrashPoint, WorkerEvent, WorkerListener } from './progress.ts';
export { replayHistory } from './replay.ts';
export { RunCancelledError, type RunEnd, RunFailedError, RunParkedError } from './run-end.ts';
export { Run } from './run-handle.ts';
export type { WorkflowCode } from './sandbox.ts';
export { labelOf, type StreamLabel } from './stream-address.ts';
export { isAnswerToken, webhookPath } from './webhook-token.ts';
export { createWorker, type Worker } from './worker.ts';
export { wakeSleeps, type Woken } from './wake.ts';
export { type Upgrade, type UpgradeCode, upgradeRun } from './upgrade.ts';
export { exitCaller, type UncaughtListener, watchUncaught } from './uncaught.ts';
export type { WorkerOptions } from './worker-options.ts';
