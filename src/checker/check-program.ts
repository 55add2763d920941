import type { ModuleFacts } from '../compiler/index.ts';
import { createDiagnostic } from '../diagnostics/create.ts';
import { findRule } from '../diagnostics/lookup.ts';
import { sortDiagnostics } from '../diagnostics/order.ts';
import type { Diagnostic } from '../diagnostics/types.ts';
import { type Program, RULES, type Types } from '../rules/index.ts';
import { type CheckedConfig, type CheckerConfig, checkConfig } from './config.ts';
import type { PackageSource } from './package-query.ts';
import { type ModuleSource, ProgramGraph } from './program.ts';
import type { Resolve } from './resolution.ts';
import { SdkNames } from './sdk-names.ts';
import { RuleSettings } from './settings.ts';
import { Suppressions } from './suppressions.ts';

/** What may be kept from one check to the next. */
export interface ProgramMemory {
  program: ProgramGraph | null;
  /** See `ProgramGraph.refresh`. */
  adopt(file: string, facts: ModuleFacts): void;
}

export interface CheckProgramOptions {
  /** What is known of installed packages; without it, they are not looked into. */
  packages?: PackageSource;
  /** The program of the last check with the same modules and the same resolution; its successor is put there. */
  memory?: ProgramMemory;
  config?: CheckerConfig | CheckedConfig;
  /** The text of a module. Without it, some findings come without a fix. */
  source?: (file: string) => string | null;
  /** Opens the types of a program; without it, rules look at syntax alone. */
  types?: (program: Program) => Types | null;
  /**
   * Findings of single modules, asked when the rules have run.
   *
   * @param looked - all that something led to, besides the program's own modules
   */
  moduleDiagnostics?: (modules: readonly ModuleFacts[], looked: ReadonlySet<ModuleFacts>) => Iterable<Diagnostic>;
}

export interface ProgramStats {
  /** Modules with facts. */
  modules: number;
  units: number;
  steps: number;
  workflows: number;
  /** Uses that were asked about and lead to nothing known. */
  unresolved: number;
}

export interface CheckResult<Stats = ProgramStats> {
  /** Sorted by file, place and code. */
  diagnostics: Diagnostic[];
  /** The facts that were checked, joined: for those that ask more than the rules do. */
  program: Program;
  stats: Stats;
}

/**
 * Runs the whole-program rules over facts, applies suppressions and configured severities. Pure: it reads no disk.
 *
 * @param modules - facts by file; a `Map`, or a source that loads what is asked for
 * @param resolve - what an import specifier leads to
 * @returns all findings, and what was looked at
 * @example
 * const { facts } = analyze(text, { filename: 'src/a.ts' });
 * const modules = new Map([['src/a.ts', facts]]);
 * checkProgram(modules, createMemoryResolve((file) => modules.has(file))).diagnostics;
 */
export function checkProgram(modules: ModuleSource, resolve: Resolve, options: CheckProgramOptions = {}): CheckResult {
  const config = checkedConfig(options.config ?? {});
  const suppressions = new Suppressions();
  const program = programOf(modules, resolve, suppressions, options);

  const types = options.types?.(program) ?? null;
  const names = new SdkNames(program.modules);
  let found: Diagnostic[] = [...config.diagnostics];
  for (const rule of RULES) {
    if (!rule.check || config.rules.isOff(rule.name)) continue;
    rule.check({
      program,
      types,
      options: { integrations: config.integrations },
      source: options.source ?? (() => null),
      optionsIn: (file) => config.rules.optionsOf(rule.name, file),
      report: (finding) => found.push(createDiagnostic(rule.name, names.in(finding))),
    });
  }
  const ofModules = [...(options.moduleDiagnostics?.(program.modules, program.touched) ?? [])];
  found = [...withoutRepeats(found, ofModules), ...ofModules];
  const kept = suppressions.apply(found);
  kept.push(...suppressions.findings(config.rules));
  return { diagnostics: sortDiagnostics(withSeverities(kept, config)), program, stats: program.stats() };
}

/** What the compiler has said of a place, a rule of the same name need not say again with types. */
function withoutRepeats(found: Diagnostic[], known: readonly Diagnostic[]): Diagnostic[] {
  const keyOf = ({ code, file, span }: Diagnostic): string => `${code} ${span.start} ${file}`;
  const keys = new Set(known.map(keyOf));
  return found.filter((diagnostic) => !keys.has(keyOf(diagnostic)));
}

function programOf(
  modules: ModuleSource,
  resolve: Resolve,
  suppressions: Suppressions,
  { memory, packages }: CheckProgramOptions,
): ProgramGraph {
  if (memory?.program?.refresh(suppressions, (file, facts) => memory.adopt(file, facts))) return memory.program;
  // What a refresh that was given up has noted is of no concern to the new program: it notes everything again.
  const program = new ProgramGraph(modules, resolve, suppressions, packages);
  if (memory) memory.program = program;
  return program;
}

function checkedConfig(config: CheckerConfig | CheckedConfig): CheckedConfig {
  return config.rules instanceof RuleSettings ? (config as CheckedConfig) : checkConfig(config as CheckerConfig);
}

/** Gives findings the severities of the configuration; those of rules that are off are gone. */
export function withSeverities(diagnostics: Diagnostic[], { rules }: CheckedConfig): Diagnostic[] {
  return diagnostics.flatMap((diagnostic) => {
    const { code, file, severity: own } = diagnostic;
    const rule = findRule(code);
    const severity = rule ? rules.severityOf(rule.name, file, own) : own;
    if (severity === 'off') return [];
    return [severity === own ? diagnostic : { ...diagnostic, severity }];
  });
}
