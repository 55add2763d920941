import type { SourceMap } from 'magic-string';
import type { Diagnostic } from '../diagnostics/types.ts';
import { type Analysis, analyzeModule } from './analyze/analyze.ts';
import type { ModuleFacts, Target } from './facts.ts';
import { mayHaveDirectives } from './prefilter.ts';
import { transformHelper } from './transform/helper.ts';
import { transformTo } from './transform/target.ts';
import type { Mode } from './transform/transform.ts';

/**
 * Glossary of the compiler.
 *
 * - **analysis**: the inside view of a module: nodes, scopes, references. It stays in the compiler.
 * - **facts**: what others may know of it, plain data.
 * - **target**: which output a transform makes: `workflow`, `step` or `client`.
 * - **place**: where a function stands; it gives the function's name and so its id.
 */

export interface CompileOptions {
  /** Path of the module: absolute, or relative to the root. */
  filename: string;
  /** The folder that ids and positions are relative to; without it `filename` is taken as it is. */
  root?: string;
  /** Which outputs to make; all three when left out. */
  targets?: readonly Target[];
  /** `name@version` when the module belongs to a package: its ids begin with it. */
  packageName?: string;
  /** Whether outputs come with source maps; true when left out. Without, a file is done in five sixths of the time. */
  maps?: boolean;
  /** Also make `outputs.schemas`, the module reduced to the schemas of its definitions. */
  schemas?: boolean;
  /** Also read how calls stand in the code: `facts.calls`, which rules of the checker ask for. */
  calls?: boolean;
  /**
   * Offsets in code of the top level that has to stay in the workflow target, because it changes what workflows read in other
   * modules. One module alone does not tell.
   */
  keep?: readonly number[];
}

export interface CompileOutput {
  code: string;
  /** A version 3 source map back to the source; null when the code is the source itself, or with `maps: false`. */
  map: SourceMap | null;
}

export interface CompileResult {
  diagnostics: Diagnostic[];
  /** Null when the module has neither directive nor definition nor serializable class. */
  facts: ModuleFacts | null;
  /** One entry for each target asked for; none when the module does not parse. */
  outputs: Partial<Record<Mode, CompileOutput>>;
}

const TARGETS: readonly Target[] = ['workflow', 'step', 'client'];

/**
 * Compiles one module: one parse, one analysis, all targets. Pure: it reads no disk and no clock, returns *all* findings
 * and never throws on user code, not even on code that does not parse.
 *
 * @param source - text of the module
 * @param options - its name, the root, the targets
 * @returns diagnostics, facts and the outputs with their source maps
 * @example
 * const { outputs } = compile(`export async function charge(order) { 'use step'; return pay(order) }`, {
 *   filename: 'src/orders.ts',
 *   targets: ['workflow'],
 * });
 * outputs.workflow.code; // charge is a call into the event log now
 */
export function compile(source: string, options: CompileOptions): CompileResult {
  const targets: readonly Mode[] = options.schemas
    ? [...(options.targets ?? TARGETS), 'schemas']
    : (options.targets ?? TARGETS);
  if (!mayHaveDirectives(source)) return { diagnostics: [], facts: null, outputs: unchanged(source, targets) };
  const analysis = analyzeModule(source, {
    file: relativeTo(options.root, options.filename),
    packageName: options.packageName ?? null,
    calls: options.calls,
  });
  const { diagnostics } = analysis.model;
  if (analysis.broken) return { diagnostics, facts: analysis.facts, outputs: {} };
  if (isEmpty(analysis))
    return { diagnostics, facts: diagnostics.length > 0 ? analysis.facts : null, outputs: unchanged(source, targets) };
  const outputs: CompileResult['outputs'] = {};
  for (const target of targets) outputs[target] = transformTo(analysis, target, options.keep, options.maps);
  return { diagnostics, facts: analysis.facts, outputs };
}

export interface AnalyzeResult {
  facts: ModuleFacts;
  diagnostics: Diagnostic[];
}

/**
 * Parses and analyzes any module, also one that pawl has nothing to do with: whole-program rules follow calls into it.
 *
 * @param source - text of the module
 * @param options - its name and the root
 * @example
 * analyze(`import fs from 'node:fs'; export const read = () => fs.readFileSync('x')`, { filename: 'src/io.ts' }).facts.units;
 */
export function analyze(
  source: string,
  options: Pick<CompileOptions, 'filename' | 'root' | 'packageName' | 'calls'>,
): AnalyzeResult {
  const analysis = analyzeModule(source, {
    file: relativeTo(options.root, options.filename),
    packageName: options.packageName ?? null,
    calls: options.calls,
  });
  return { facts: analysis.facts, diagnostics: analysis.model.diagnostics };
}

/**
 * Prepares a module without directives for the workflow bundle: what it makes when it is loaded (`export const client = new
 * Sdk()`) is marked as free of side effects, so that a bundler drops it where only steps need it.
 *
 * @param source - text of the module
 * @param options - its name, the root, and what has to stay; with that all else that it changes when it is loaded leaves
 * @returns code and map; code that does not parse comes back as it is
 * @example
 * compileHelper('export const db = new Db(); export const twice = (n) => n * 2', { filename: 'src/helpers.ts' }).code;
 */
export function compileHelper(
  source: string,
  options: Pick<CompileOptions, 'filename' | 'root' | 'keep'>,
): CompileOutput {
  return transformHelper(source, relativeTo(options.root, options.filename), options.keep);
}

function unchanged(source: string, targets: readonly Mode[]): CompileResult['outputs'] {
  const outputs: CompileResult['outputs'] = {};
  for (const target of targets) outputs[target] = { code: source, map: null };
  return outputs;
}

function isEmpty({ functions, definitions, classes }: Analysis): boolean {
  return (
    functions.length === 0 &&
    classes.length === 0 &&
    definitions.every((definition) => !definition.options || definition.fact.kind === 'credential')
  );
}

/** Works on text alone, so that the result is the same on every system. */
function relativeTo(root: string | undefined, filename: string): string {
  const file = filename.replaceAll('\\', '/').replace(/^\.\//, '');
  if (root === undefined) return file;
  const base = root.replaceAll('\\', '/').replace(/\/+$/, '');
  return file.startsWith(`${base}/`) ? file.slice(base.length + 1) : file;
}
