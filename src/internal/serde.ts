/** `pawl/internal/serde`: in place of `@workflow/serde` in programs that were written for the Workflow SDK. Not for people. */

export const WORKFLOW_SERIALIZE: unique symbol = Symbol.for('workflow-serialize') as never;
export const WORKFLOW_DESERIALIZE: unique symbol = Symbol.for('workflow-deserialize') as never;
