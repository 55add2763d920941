/** Definitions: actions, workflows, agents, credentials. */
export {
  type Action,
  type ActionContext,
  type ActionOptions,
  type ActionSettings,
  defineAction,
} from './define-action.ts';
export { type Agent, type AgentOptions, defineAgent } from './define-agent.ts';
export { type Credential, defineCredential } from './define-credential.ts';
export { defineWorkflow, type Workflow, type WorkflowContext, type WorkflowOptions } from './define-workflow.ts';
