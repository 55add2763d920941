/** The agent loop for workflow code: the build bundles it with workflows that have agents. Not for people. */
export { durableAgentClass, workflowAgent } from '../agents/loop/durable-agent.ts';
export { promptLlmWith } from '../agents/loop/prompt-llm.ts';
export { withoutAbandoned } from '../agents/loop/abandoned.ts';
export { approvalSchema } from '../agents/loop/calls.ts';
