import { actionCallsAction } from './action-calls-action.ts';
import { closureUnserializable } from './closure-unserializable.ts';
import { closureWrite } from './closure-write.ts';
import { configurationError } from './configuration-error.ts';
import { anyAtBoundary } from './any-at-boundary.ts';
import type { Rule } from './define-rule.ts';
import { definitionNotStatic } from './definition-not-static.ts';
import { directiveMisplaced } from './directive-misplaced.ts';
import { directiveMisspelled } from './directive-misspelled.ts';
import { directiveNotAsync } from './directive-not-async.ts';
import { directiveNotTransformable } from './directive-not-transformable.ts';
import { duplicateDirective } from './duplicate-directive.ts';
import { duplicateId } from './duplicate-id.ts';
import { ioInWorkflow } from './io-in-workflow.ts';
import { loadEffectLost } from './load-effect-lost.ts';
import { missingSchema } from './missing-schema.ts';
import { moduleDirectiveExport } from './module-directive-export.ts';
import { oneDefinitionPerFile } from './one-definition-per-file.ts';
import { serializationIncomplete } from './serialization-incomplete.ts';
import { stepOptionNotStatic } from './step-option-not-static.ts';
import { stepThisArguments } from './step-this-arguments.ts';
import { suppressionWithoutReason } from './suppression-without-reason.ts';
import { syntaxError } from './syntax-error.ts';
import { unknownSuppressionCode } from './unknown-suppression-code.ts';
import { unserializableBoundary } from './unserializable-boundary.ts';
import { unstableId } from './unstable-id.ts';
import { unusedSuppression } from './unused-suppression.ts';
import { unresolvedImport } from './unresolved-import.ts';
import { unbundlableModule } from './unbundlable-module.ts';
import { schemaNotStatic } from './schema-not-static.ts';
import { schemaWithoutJsonForm } from './schema-without-json-form.ts';
import { idMismatch } from './id-mismatch.ts';

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
  serializationIncomplete,
  anyAtBoundary,
  ioInWorkflow,
  loadEffectLost,
  actionCallsAction,
  duplicateId,
  oneDefinitionPerFile,
  definitionNotStatic,
  missingSchema,
  unstableId,
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
