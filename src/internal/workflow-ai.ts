/** `pawl/internal/workflow-ai`: in place of `@workflow/ai/agent` in programs that were written for the Workflow SDK. Not for people. */
export { Output } from 'ai';
export * from '../agents/agent-entry.ts';
