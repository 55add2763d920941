import { actionCallsAction } from './action-calls-action.ts';
import { actionImportsIntegration } from './action-imports-integration.ts';
import { argumentMutationLost } from './argument-mutation-lost.ts';
import { closureUnserializable } from './closure-unserializable.ts';
import { closureWrite } from './closure-write.ts';
import { configurationError } from './configuration-error.ts';
import { anyAtBoundary } from './any-at-boundary.ts';
import type { Rule } from './define-rule.ts';
import { credentialMisplaced } from './credential-misplaced.ts';
import { definitionNotStatic } from './definition-not-static.ts';
import { directiveMisplaced } from './directive-misplaced.ts';
import { directiveMisspelled } from './directive-misspelled.ts';
import { directiveNotAsync } from './directive-not-async.ts';
import { directiveNotTransformable } from './directive-not-transformable.ts';
import { duplicateDirective } from './duplicate-directive.ts';
import { duplicateId } from './duplicate-id.ts';
import { durableApiOutside } from './durable-api-outside.ts';
import { dynamicImport } from './dynamic-import.ts';
import { environmentRead } from './environment-read.ts';
import { externalDirective } from './external-directive.ts';
import { floatingStep } from './floating-step.ts';
import { foreignPromise } from './foreign-promise.ts';
import { globalMutation } from './global-mutation.ts';
import { hookTokenConstant } from './hook-token-constant.ts';
import { hostOrder } from './host-order.ts';
import { ioInWorkflow } from './io-in-workflow.ts';
import { largeLiteralPayload } from './large-literal-payload.ts';
import { loadEffectLost } from './load-effect-lost.ts';
import { missingIdempotencyKey } from './missing-idempotency-key.ts';
import { missingSchema } from './missing-schema.ts';
import { moduleDirectiveExport } from './module-directive-export.ts';
import { nondeterministicCall } from './nondeterministic-call.ts';
import { oneDefinitionPerFile } from './one-definition-per-file.ts';
import { opaqueControlFlow } from './opaque-control-flow.ts';
import { optionalInOutputSchema } from './optional-in-output-schema.ts';
import { raceDropsHook } from './race-drops-hook.ts';
import { serializationIncomplete } from './serialization-incomplete.ts';
import { slugFormat } from './slug-format.ts';
import { stepApiInWorkflow } from './step-api-in-workflow.ts';
import { stepCallsStep } from './step-calls-step.ts';
import { stepOptionNotStatic } from './step-option-not-static.ts';
import { stepThisArguments } from './step-this-arguments.ts';
import { suppressionWithoutReason } from './suppression-without-reason.ts';
import { swallowedCancellation } from './swallowed-cancellation.ts';
import { syntaxError } from './syntax-error.ts';
import { timerInWorkflow } from './timer-in-workflow.ts';
import { toolContract } from './tool-contract.ts';
import { toolLevel } from './tool-level.ts';
import { topLevelSideEffect } from './top-level-side-effect.ts';
import { unawaitedPrompt } from './unawaited-prompt.ts';
import { unboundedLoop } from './unbounded-loop.ts';
import { unknownSuppressionCode } from './unknown-suppression-code.ts';
import { unresolvedReference } from './unresolved-reference.ts';
import { unserializableBoundary } from './unserializable-boundary.ts';
import { unstableId } from './unstable-id.ts';
import { idRemoved } from './id-removed.ts';
import { schemaBreak } from './schema-break.ts';
import { stepSequenceChanged } from './step-sequence-changed.ts';
import { classRemoved } from './class-removed.ts';
import { unusedSuppression } from './unused-suppression.ts';
import { unresolvedImport } from './unresolved-import.ts';
import { unbundlableModule } from './unbundlable-module.ts';
import { schemaNotStatic } from './schema-not-static.ts';
import { schemaWithoutJsonForm } from './schema-without-json-form.ts';
import { idMismatch } from './id-mismatch.ts';
import { workflowApiInStep } from './workflow-api-in-step.ts';
import { workflowCalledDirectly } from './workflow-called-directly.ts';
import { workflowInAction } from './workflow-in-action.ts';
import { writerLockLeak } from './writer-lock-leak.ts';

/** The catalogue, in the order of codes. */
export const RULES: readonly Rule[] = [
  directiveNotTransformable,
  directiveNotAsync,
  directiveMisspelled,
  directiveMisplaced,
  stepThisArguments,
  moduleDirectiveExport,
  duplicateDirective,
  stepOptionNotStatic,
  unserializableBoundary,
  closureUnserializable,
  closureWrite,
  argumentMutationLost,
  serializationIncomplete,
  anyAtBoundary,
  largeLiteralPayload,
  floatingStep,
  ioInWorkflow,
  nondeterministicCall,
  timerInWorkflow,
  globalMutation,
  environmentRead,
  foreignPromise,
  raceDropsHook,
  hostOrder,
  unboundedLoop,
  dynamicImport,
  topLevelSideEffect,
  loadEffectLost,
  workflowApiInStep,
  stepApiInWorkflow,
  durableApiOutside,
  workflowCalledDirectly,
  hookTokenConstant,
  writerLockLeak,
  missingIdempotencyKey,
  swallowedCancellation,
  actionCallsAction,
  actionImportsIntegration,
  stepCallsStep,
  workflowInAction,
  opaqueControlFlow,
  duplicateId,
  oneDefinitionPerFile,
  definitionNotStatic,
  slugFormat,
  unresolvedReference,
  missingSchema,
  unstableId,
  externalDirective,
  toolContract,
  credentialMisplaced,
  toolLevel,
  optionalInOutputSchema,
  unawaitedPrompt,
  idRemoved,
  schemaBreak,
  stepSequenceChanged,
  classRemoved,
  unusedSuppression,
  suppressionWithoutReason,
  unknownSuppressionCode,
  syntaxError,
  configurationError,
  unresolvedImport,
  unbundlableModule,
  schemaNotStatic,
  schemaWithoutJsonForm,
  idMismatch,
];

export type { Example, Explanation, Rule, RuleContext, RuleOptions } from './define-rule.ts';
export { docsUrl, exampleFiles, optionsExample, optionsOf, ruleHelp, ruleMarkdown, rulesMarkdown } from './markdown.ts';
export type { Chain, ChainQuery, Hop, Place, Program, Reference } from './program.ts';
export type { Refusal, Types, ValueType } from './types.ts';
