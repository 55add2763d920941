/** `pawl/internal/keystroke`: in place of `@keystrokehq/keystroke/workflow` in programs that were written for Keystroke. Not for people. */
export { promptLlm } from '../agents/agent-entry.ts';
export * from '../agents/index.ts';
