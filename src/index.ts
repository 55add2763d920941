/**
 * `pawl`: what workflows and steps import.
 */
export {
  type Action,
  type ActionContext,
  type ActionOptions,
  type ActionSettings,
  type Agent,
  type AgentOptions,
  type Credential,
  defineAction,
  defineAgent,
  defineCredential,
  defineWorkflow,
  type Workflow,
  type WorkflowContext,
  type WorkflowOptions,
} from './agents/index.ts';
export type { PawlError } from './errors.ts';
export type { Duration } from './runtime/duration.ts';
export { CancelledError, FatalError, RetryableError, type RetryableErrorOptions } from './runtime/errors.ts';
export type {
  Hook,
  HookDefinition,
  HookOptions,
  RequestWithResponse,
  Webhook,
  WebhookOptions,
} from './runtime/hook-api.ts';
export { deserialize, serialize } from './runtime/serialization/symbols.ts';
export {
  createHook,
  createWebhook,
  defineHook,
  fetch,
  getStepMetadata,
  getWorkflowMetadata,
  getWritable,
  sleep,
} from './runtime/step-api.ts';
export type { WritableOptions } from './runtime/stream-address.ts';
export type { StepMetadata, WorkflowMetadata } from './runtime/step-context.ts';
