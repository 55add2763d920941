export {
  analyze,
  type AnalyzeResult,
  compile,
  compileHelper,
  type CompileOptions,
  type CompileOutput,
  type CompileResult,
} from './compile.ts';
export type {
  CaptureFact,
  ClassFact,
  DefinitionFact,
  DirectiveKind,
  ExportFact,
  FunctionFact,
  ImportFact,
  ModuleFacts,
  StepOptions,
  SuppressionFact,
  Target,
  Unit,
  Use,
} from './facts.ts';
export { readSpecifiers, type Specifier } from './parse/specifiers.ts';
export { mayHaveDirectives } from './prefilter.ts';
