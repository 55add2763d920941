import { createHash } from 'node:crypto';
import { isAbsolute, join } from 'node:path';
import { toRelative } from '../checker/disk-resolve.ts';
import { type SourceFile, SourceFiles } from '../checker/files.ts';
import { compareText } from '../diagnostics/order.ts';
import {
  analyze,
  type CompileOptions,
  type CompileResult,
  compile,
  compileHelper,
  type ModuleFacts,
} from '../compiler/index.ts';
import type { Change } from './load-effects.ts';
import type { RawMap } from './maps.ts';
import { keepPlace } from './module-place.ts';
import { packageHome } from './package-home.ts';

/** A module in the form that a bundle wants. */
export interface ModuleCode {
  code: string;
  map: RawMap | null;
}

export type BundleTarget = 'workflow' | 'step' | 'schemas';

/** The files of a build. A text is read when the file changed, and compiled once, for all that follows: facts and outputs. */
export class BuildFiles extends SourceFiles {
  readonly #root: string;
  readonly #outDir: string;
  readonly #compiled = new WeakMap<SourceFile, CompileResult>();
  readonly #steps = new WeakMap<SourceFile, ModuleCode>();
  readonly #installed = new Set<string>();
  readonly #helpers = new WeakMap<SourceFile, ModuleCode>();
  readonly #kept = new WeakMap<SourceFile, { key: string; code: ModuleCode }>();
  /** Modules of the workflow bundle that are wanted for what they change when they are loaded. */
  keep: ReadonlyMap<string, readonly Change[]> = new Map();

  constructor(root: string, outDir: string) {
    super(root);
    this.#root = root;
    this.#outDir = outDir;
  }

  /** Modules of installed packages that register something and that a workflow reaches; sorted, relative to the root. */
  get installed(): readonly string[] {
    return [...this.#installed].filter((file) => this.compiled(file) !== null).sort(compareText);
  }

  /** Notes a module of an installed package that seems to have a directive; returns whether it does. */
  addInstalled(path: string): boolean {
    const file = this.relative(path);
    if (this.compiled(file) === null) return false;
    this.#installed.add(file);
    return true;
  }

  /** The result for a file with directives, definitions or serializable classes; null for any other. */
  compiled(file: string): CompileResult | null {
    const source = this.get(file);
    if (!source) return null;
    let result = this.#compiled.get(source);
    if (!result) {
      result = this.#compile(source);
      this.#compiled.set(source, result);
    }
    return result.facts && hasSomething(result.facts) ? result : null;
  }

  /** Ids in a package begin with its name and version: where it lies is nobody's business. */
  #compile(
    { file, text }: SourceFile,
    options: Partial<CompileOptions> = { schemas: true, calls: true },
  ): CompileResult {
    const home = packageHome(this.#root, file);
    if (!home) return compile(text, { ...options, filename: file });
    const result = compile(text, { ...options, filename: home.path, packageName: home.name });
    if (result.facts) result.facts.file = file;
    for (const diagnostic of result.diagnostics) diagnostic.file = file;
    return result;
  }

  override facts(file: string): ModuleFacts | undefined {
    const source = this.get(file);
    if (!source) return undefined;
    if (source.facts) return source.facts;
    this.compiled(file);
    const result = this.#compiled.get(source);
    const { facts, diagnostics } = result?.facts
      ? { facts: result.facts, diagnostics: result.diagnostics }
      : analyze(source.text, { filename: file, calls: true });
    source.facts = facts;
    source.diagnostics = diagnostics;
    this.stats.parsed++;
    return facts;
  }

  /** A module for a bundle; null when the file does not exist. */
  code(file: string, target: BundleTarget): ModuleCode | null {
    const source = this.get(file);
    if (!source) return null;
    if (target === 'step') return this.#stepCode(source);
    const changes = target === 'workflow' ? this.keep.get(file) : undefined;
    if (changes) return this.#keptCode(source, changes);
    const output = this.compiled(file)?.outputs[target];
    if (output) return output as ModuleCode;
    let helper = this.#helpers.get(source);
    if (!helper) {
      helper = compileHelper(source.text, { filename: file }) as ModuleCode;
      this.#helpers.set(source, helper);
    }
    return helper;
  }

  #keptCode(source: SourceFile, changes: readonly Change[]): ModuleCode {
    const keep = changes.map(({ span }) => span.start);
    const key = keep.join();
    const known = this.#kept.get(source);
    if (known?.key === key) return known.code;
    const { file, text } = source;
    const output = this.compiled(file) ? this.#compile(source, { targets: ['workflow'], keep }).outputs.workflow : null;
    const code = (output ?? compileHelper(text, { filename: file, keep })) as ModuleCode;
    this.#kept.set(source, { key, code });
    return code;
  }

  /** A file as it was last seen, without looking at the disk. */
  known(file: string): SourceFile | null {
    for (const source of this.seen()) if (source.file === file) return source;
    return null;
  }

  #stepCode(source: SourceFile): ModuleCode {
    let code = this.#steps.get(source);
    if (!code) {
      const { file, text } = source;
      const output = (this.compiled(file)?.outputs.step ?? { code: text, map: null }) as ModuleCode;
      const path = isAbsolute(file) ? file : join(this.#root, file);
      code = keepPlace(output, toRelative(this.#outDir, path), file);
      this.#steps.set(source, code);
    }
    return code;
  }

  /** The path relative to the root with `/`, as everywhere in facts. */
  relative(path: string): string {
    return toRelative(this.#root, path);
  }
}

function hasSomething({ functions, definitions, classes }: ModuleFacts): boolean {
  return functions.length > 0 || definitions.length > 0 || classes.length > 0;
}

/** `sha256-…` of a function's text. Line ends are normalized: a checkout on Windows is the same program. */
export function hashSource(text: string): string {
  return `sha256-${createHash('sha256').update(text.replaceAll('\r\n', '\n')).digest('hex')}`;
}
