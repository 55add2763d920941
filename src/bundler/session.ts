import { statSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { performance } from 'node:perf_hooks';
import { brokenFile } from '../checker/broken-file.ts';
import { concernedEntries } from '../checker/concerned.ts';
import { type CheckedConfig, checkConfig } from '../checker/config.ts';
import { discoverEntries } from '../checker/discover.ts';
import { createDiskResolver, type DiskResolver, realPath, toRelative, withSlashes } from '../checker/disk-resolve.ts';
import { ImportCheck } from '../checker/imports.ts';
import { type ProgramMemory, withSeverities } from '../checker/check-program.ts';
import { checkProgram } from '../checker/index.ts';
import { PackageCache } from '../checker/package-cache.ts';
import { Packages } from '../checker/packages.ts';
import { Suppressions } from '../checker/suppressions.ts';
import { typeSources } from '../checker/types/sources.ts';
import type { ModuleFacts } from '../compiler/index.ts';
import { sortDiagnostics } from '../diagnostics/order.ts';
import type { Diagnostic } from '../diagnostics/types.ts';
import { PawlError } from '../errors.ts';
import { STEPS_FILE, WORKFLOWS_FILE } from '../manifest/index.ts';
import { agentSteps, callsAgents, registersAgents } from './agents.ts';
import { callsFetch, FETCH_STEP, fetchStep, registersFetch } from './fetch-step.ts';
import { assemble, BundleMap, outputPath } from './assemble.ts';
import { CachedBundle } from './cached-bundle.ts';
import {
  type DiagnoseContext,
  diagnoseAssets,
  diagnoseLogs,
  diagnoseSyntax,
  diagnoseWorkflowBundle,
} from './diagnose.ts';
import { cyclesOf } from './cycles.ts';
import { diagnoseThrow } from './dead-end.ts';
import { BuildFiles, type BundleTarget } from './files.ts';
import { checkOutputFolder, OutputFolder } from './output-folder.ts';
import { belongsToWorkflows, type BuildProgram, callsIntoPackages, describeProgram, joinProgram } from './program.ts';
import type { BundleOutput } from './rolldown.ts';
import { bundleSchemas, evaluateSchemas, type SchemaResult } from './schemas.ts';
import { bundleSteps } from './step-bundle.ts';
import { diagnoseTakenSlugs } from './taken-slugs.ts';
import type { BuildOptions, BuildOutput, BuildResult, BuildSession, BuildStats } from './types.ts';
import { verifyIds } from './verify.ts';
import { bundleWithEffects, type WantedEffects } from './wanted-effects.ts';
import { bundleWorkflows, type LoadModule } from './workflow-bundle.ts';

/**
 * Opens a build of a project that is kept for the next one: a file that did not change is neither read nor compiled again, and a
 * bundle is made again only when what goes into it changed.
 *
 * @param options - root, configuration, whether to write
 * @throws PawlError `PAWL_ROOT_NOT_FOUND` when the root is no directory
 * @example
 * const session = createBuildSession({ root: process.cwd() });
 * const { ok, diagnostics } = await session.build();
 */
export function createBuildSession(options: BuildOptions): BuildSession {
  return new Session(options);
}

/**
 * Builds a project once.
 *
 * @param options - root, configuration, whether to write
 * @returns diagnostics, and the output unless there are errors
 * @throws PawlError As `createBuildSession` and its `build`.
 * @example
 * const { ok, output } = await build({ root: process.cwd() });
 * if (ok) console.log(Object.keys(output.manifest.workflows));
 */
export async function build(options: BuildOptions): Promise<BuildResult> {
  const session = createBuildSession(options);
  try {
    return await session.build();
  } finally {
    session.close();
  }
}

/** A build looks at what is on disk. */
const NO_OVERLAYS: ReadonlyMap<string, string> = new Map();

class Session implements BuildSession {
  readonly #options: BuildOptions;
  readonly #root: string;
  readonly #outDir: string;
  readonly #config: CheckedConfig;
  readonly #bundles = {
    workflow: new CachedBundle(),
    step: new CachedBundle(),
    schemas: new CachedBundle(),
    packages: new CachedBundle(),
  };
  #files: BuildFiles;
  #imports: ImportCheck;
  #resolver: DiskResolver;
  readonly #packageCache: PackageCache | null;
  #packages: Packages;
  /** The joined program lives on from build to build, as long as the same modules take part and resolutions hold. */
  readonly #memory: ProgramMemory = {
    program: null,
    adopt: (file, facts) => this.#files.adopt(file, facts),
  };
  #concerned = '';
  readonly #folder: OutputFolder;
  #maps: Record<BundleTarget, BundleMap>;
  #last: { key: unknown[]; diagnostics: Diagnostic[]; output: BuildOutput | null } | null = null;
  #schemas: { output: BundleOutput; result: SchemaResult } | null = null;
  #ofPackages: { output: BundleOutput; result: SchemaResult } | null = null;
  #joined: Record<'first' | 'second' | 'all', SchemaResult['schemas']> | null = null;
  #known = '';
  readonly #resolutions: Parameters<typeof bundleSteps>[0]['resolutions'] = new Map();
  #epoch = 0;
  #watched: string[] = [];

  constructor(options: BuildOptions) {
    this.#options = options;
    this.#root = withSlashes(realPath(resolve(options.root)));
    if (!statSync(this.#root, { throwIfNoEntry: false })?.isDirectory()) {
      throw new PawlError('PAWL_ROOT_NOT_FOUND', 'The root of the project is no directory.', {
        place: resolve(options.root),
        remedy: 'Name a folder that exists.',
      });
    }
    this.#outDir = outputPath(this.#root, options.config?.outDir);
    this.#config = checkConfig(options.config ?? {}, options.configSource);
    this.#files = new BuildFiles(this.#root, this.#outDir);
    this.#imports = new ImportCheck(this.#root, this.#files);
    this.#resolver = createDiskResolver(this.#root, options.packages);
    const installed = `${this.#root}/node_modules`;
    const isInstalled = statSync(installed, { throwIfNoEntry: false })?.isDirectory() === true;
    this.#packageCache = isInstalled ? new PackageCache(installed) : null;
    this.#packages = new Packages(this.#root, this.#packageCache);
    this.#folder = new OutputFolder(this.#outDir);
    this.#maps = {
      workflow: new BundleMap(this.#outDir, this.#files, 'workflow', WORKFLOWS_FILE),
      step: new BundleMap(this.#outDir, this.#files, 'step', STEPS_FILE),
      schemas: new BundleMap(this.#outDir, this.#files, 'schemas', ''),
    };
  }

  async build(): Promise<BuildResult> {
    const stats: BuildStats = {
      entries: 0,
      read: 0,
      bundled: { workflows: false, steps: false, schemas: false },
      written: [],
      timings: {},
    };
    const timer = startTimer(stats.timings);
    this.#files.newRound();
    const entries = this.#discover();
    timer('discover');
    const diagnostics = this.#check(entries);
    timer('check');
    stats.entries = entries.length;
    stats.read = this.#files.stats.read;
    if (hasErrors(diagnostics)) return this.#result(diagnostics, null, stats);

    const program = this.#join(entries);
    timer('join');
    const made = await this.#bundle(program, stats);
    timer('bundle');
    diagnostics.push(...made.diagnostics);
    if (!made.outputs || hasErrors(diagnostics)) return this.#result(diagnostics, null, stats);

    const { output, diagnostics: mismatches } = this.#assemble(program, made.outputs, made.schemas);
    diagnostics.push(...mismatches);
    timer('assemble');
    if (output && this.#options.write !== false) stats.written = this.#folder.write(output.files);
    timer('write');
    return this.#result(diagnostics, output, stats);
  }

  /** Verifies and puts together what was made; what went in the time before gives what came out then. */
  #assemble(
    program: BuildProgram,
    { workflow, step }: Outputs,
    schemas: SchemaResult['schemas'],
  ): { output: BuildOutput | null; diagnostics: Diagnostic[] } {
    const maps = { workflow: this.#maps.workflow.compose(workflow), step: this.#maps.step.compose(step) };
    const modules = [...program.modules, ...this.#installed()];
    const key = [workflow, step, maps.workflow, maps.step, schemas, ...modules];
    const last = this.#last;
    if (last && last.key.length === key.length && last.key.every((part, index) => part === key[index])) return last;
    const described = describeProgram(modules, this.#calls(program), this.#files, schemas);
    if (registersAgents(step.code)) Object.assign(described.steps, agentSteps());
    if (registersFetch(step.code)) described.steps[FETCH_STEP] = fetchStep();
    const written = (file: string): string | undefined => this.#files.code(file, 'workflow')?.code;
    const diagnostics = verifyIds(described, { workflows: workflow.code, steps: step.code }, written);
    const cycles = cyclesOf(step, this.#files);
    const output = hasErrors(diagnostics)
      ? null
      : assemble(described, { code: workflow.code, map: maps.workflow }, { code: step.code, map: maps.step, cycles });
    this.#last = { key, diagnostics, output };
    return this.#last;
  }

  #calls({ calls, modules }: BuildProgram): BuildProgram['calls'] {
    if (this.#files.installed.length === 0) return calls;
    const { resolve, locate } = this.#resolver;
    const entries = modules.map(({ file }) => file);
    return callsIntoPackages(this.#files, entries, resolve, locate, this.#options.config?.compat);
  }

  invalidate(): void {
    this.#epoch++;
    this.#resolutions.clear();
    this.#resolver.clear();
    this.#memory.program = null;
    this.#packages = new Packages(this.#root, this.#packageCache);
  }

  source(file: string): string | null {
    const relative = toRelative(this.#root, realPath(resolve(this.#root, file)));
    return this.#files.known(relative)?.text ?? null;
  }

  watchedFiles(): string[] {
    return this.#watched;
  }

  close(): void {
    this.#packageCache?.save();
    this.#files = new BuildFiles(this.#root, this.#outDir);
    this.#imports = new ImportCheck(this.#root, this.#files);
    this.#resolver.clear();
    this.#memory.program = null;
    this.#schemas = null;
    this.#ofPackages = null;
  }

  /** Looks for entries anew in each build; imports resolve anew when the set of them changed. */
  #discover(): string[] {
    // A glob may well name the output folder; what a build wrote is no source of the next.
    const output = `${toRelative(this.#root, this.#outDir)}/`;
    const found = discoverEntries(this.#root, this.#config.entries);
    checkOutputFolder(this.#root, this.#outDir, found);
    const entries = found.filter((file) => !file.startsWith(output));
    if (entries.length === 0) throw this.#nothing(`No file matches \`entries\`.`);
    const known = [...entries, ...RESOLUTION_FILES.map((file) => this.#stamp(file))].join('\n');
    if (known !== this.#known) this.invalidate();
    this.#known = known;
    return entries;
  }

  #stamp(file: string): string {
    const stats = statSync(join(this.#root, file), { throwIfNoEntry: false });
    return stats ? `${stats.mtimeMs} ${stats.size}` : '';
  }

  #check(entries: readonly string[]): Diagnostic[] {
    const concerned = concernedEntries(entries, this.#files);
    const known = concerned.join('\n');
    if (known !== this.#concerned) this.#memory.program = null;
    this.#concerned = known;
    const { diagnostics } = checkProgram(
      { keys: () => concerned, get: (file) => this.#files.facts(file) },
      this.#resolver.resolve,
      {
        config: this.#config,
        memory: this.#memory,
        packages: this.#packages,
        source: (file) => this.#files.get(file)?.text ?? null,
        types: (found) => this.#options.types?.open(typeSources(this.#root, found, NO_OVERLAYS, this.#epoch)) ?? null,
        moduleDiagnostics: (modules) => this.#moduleDiagnostics(modules),
      },
    );
    return diagnostics;
  }

  #moduleDiagnostics(modules: readonly ModuleFacts[]): Diagnostic[] {
    const found = this.#imports.find(modules, this.#resolver.resolve, this.#epoch);
    // What is not there now may be there the next time.
    if (found.length > 0) this.#known = '';
    found.push(...[...this.#files.seen()].flatMap(({ diagnostics }) => diagnostics));
    for (const problem of this.#resolver.problems) {
      found.push(brokenFile(this.#root, problem));
    }
    return found;
  }

  #join(entries: readonly string[]): BuildProgram {
    const concerned = entries.filter((file) => this.#files.compiled(file) !== null);
    const program = joinProgram(this.#files, concerned, this.#resolver.resolve, this.#options.config?.compat);
    if (program.modules.length === 0) {
      throw this.#nothing(`None of the ${entries.length} files in \`entries\` has a step, a workflow or a definition.`);
    }
    return program;
  }

  #nothing(message: string): PawlError {
    const globs = this.#config.entries?.join(', ');
    return new PawlError('PAWL_NOTHING_TO_BUILD', message, {
      place: globs ? `${this.#root} (${globs})` : this.#root,
      remedy:
        "Write a function with 'use workflow' or 'use step', or set `entries` in pawl.config.ts to where they are.",
    });
  }

  /** Makes the three bundles side by side, as far as something that goes into them changed. */
  async #bundle(program: BuildProgram, stats: BuildStats): Promise<Bundled> {
    const forWorkflows = this.#paths(program.modules.filter(belongsToWorkflows));
    const withSchemas = program.modules.filter(hasSchemas);
    const { packages = [], config: { compat = [] } = {} } = this.#options;
    const base = { root: this.#root, outDir: this.#outDir, packages, compat };
    const files = this.#files;
    const workflows = ({ modules, packages }: WantedEffects): Promise<Made> => {
      files.keep = modules;
      const entries = [...new Set([...this.#paths([...modules.keys()].map((file) => ({ file }))), ...forWorkflows])];
      const bare = packages.map(({ file, specifier }) => ({
        specifier,
        importer: this.#paths([{ file }])[0] as string,
      }));
      const key = this.#key([...entries, ...bare.map(({ specifier, importer }) => `${specifier} ${importer}`)]);
      return this.#bundles.workflow.get(key, this.#loader('workflow'), (load) =>
        bundleWorkflows({ ...base, entries, bare, load, installed: (path) => files.addInstalled(path) }),
      );
    };
    const problems = ({ result }: Made): Diagnostic[] => {
      if (!result.ok) return diagnoseLogs(result.errors, { files, target: 'workflow' });
      const locate = (line: number, column: number) => this.#maps.workflow.locate(result.output, line, column);
      return diagnoseWorkflowBundle(result.output, { files, locate }).filter(({ severity }) => severity === 'error');
    };
    const steps = (hasAgents: boolean, fetches: boolean): Promise<Made> => {
      const agents = hasAgents ? { providers: this.#providers() } : null;
      const entries = this.#paths([...program.modules, ...this.#installed()]);
      const installed = new Set(this.#paths(this.#installed()));
      return this.#bundles.step.get(
        this.#key([...entries, JSON.stringify([agents, fetches])]),
        this.#loader('step'),
        (load) =>
          bundleSteps({
            ...base,
            entries,
            load,
            externals: this.#options.externals ?? 'specifier',
            installed: (path) => installed.has(path),
            resolutions: this.#resolutions,
            agents,
            fetches,
          }),
      );
    };
    const known = files.installed.length;
    const [{ made: workflow, warnings }, firstStep, schemas] = await Promise.all([
      bundleWithEffects(program.effects, workflows, problems),
      steps(program.agents, program.fetches),
      withSchemas.length === 0
        ? null
        : this.#bundles.schemas.get(this.#key(this.#paths(withSchemas)), this.#loader('schemas'), (load) =>
            bundleSchemas({ ...base, entries: this.#paths(withSchemas), load, installed: () => false }),
          ),
    ]);
    // Modules of packages turn up while workflows are bundled; the step bundle has to have them too.
    if (files.installed.length !== known) this.#resolutions.clear();
    const workflowCode = workflow.result.ok ? workflow.result.output.code : '';
    const hasAgents = program.agents || callsAgents(workflowCode);
    const fetches = callsFetch(workflowCode);
    const isComplete = files.installed.length === known && hasAgents === program.agents && fetches === program.fetches;
    const step = isComplete ? firstStep : await steps(hasAgents, fetches);
    const ofPackages = await this.#schemasOfPackages(base);
    stats.bundled = { workflows: workflow.fresh, steps: step.fresh, schemas: schemas?.fresh ?? false };
    const diagnostics: Diagnostic[] = this.#judge(warnings);
    diagnostics.push(...this.#judge(diagnoseTakenSlugs(program.modules, this.#installed())));
    for (const [target, made] of [
      ['step', step],
      ['workflow', workflow],
      ['schemas', schemas],
    ] as const) {
      if (!made) continue;
      if (made.result.ok) diagnostics.push(...diagnoseAssets(made.result.output, this.#files));
      const logs = made.result.ok ? made.result.output.logs.filter(isError) : made.result.errors;
      diagnostics.push(...diagnoseLogs(logs, { files: this.#files, target }));
    }
    if (!workflow.result.ok || !step.result.ok || (schemas && !schemas.result.ok)) {
      return { diagnostics: sortDiagnostics(diagnostics), outputs: null, schemas: new Map() };
    }
    const outputs = { workflow: workflow.result.output, step: step.result.output };
    const context = (target: 'workflow' | 'step'): DiagnoseContext => ({
      files: this.#files,
      locate: (line, column) => this.#maps[target].locate(outputs[target], line, column),
    });
    diagnostics.push(...diagnoseWorkflowBundle(outputs.workflow, { ...context('workflow'), judged: true }));
    diagnostics.push(...diagnoseSyntax(outputs.step, 'step', context('step')));
    const dead = diagnoseThrow(outputs.step.code, context('step'));
    if (dead) diagnostics.push(dead);
    const evaluated = this.#evaluate(schemas?.result.ok ? schemas.result.output : null, withSchemas);
    diagnostics.push(...this.#judge(evaluated.diagnostics));
    this.#watched = [...new Set([...outputs.workflow.files, ...outputs.step.files])];
    return {
      diagnostics: sortDiagnostics(diagnostics),
      outputs,
      schemas: this.#joinSchemas(ofPackages, evaluated.schemas),
    };
  }

  /** By themselves, so that a package which cannot be evaluated takes nothing else with it; what is wrong there the user cannot mend. */
  async #schemasOfPackages(
    base: Pick<Parameters<typeof bundleSchemas>[0], 'root' | 'outDir' | 'packages' | 'compat'>,
  ): Promise<SchemaResult['schemas']> {
    const modules = this.#installed().filter(hasSchemas);
    if (modules.length === 0) return NO_SCHEMAS.schemas;
    const entries = this.#paths(modules);
    const { result } = await this.#bundles.packages.get(this.#key(entries), this.#loader('schemas'), (load) =>
      bundleSchemas({ ...base, entries, load, installed: (path) => entries.includes(path) }),
    );
    if (!result.ok) return NO_SCHEMAS.schemas;
    if (this.#ofPackages?.output !== result.output) {
      const evaluated = evaluateSchemas(result.output.code, modules, () => null);
      this.#ofPackages = { output: result.output, result: evaluated };
    }
    return this.#ofPackages.result.schemas;
  }

  /** The second ones count where both speak of a slug. The very map of the time before when nothing changed. */
  #joinSchemas(first: SchemaResult['schemas'], second: SchemaResult['schemas']): SchemaResult['schemas'] {
    if (first.size === 0) return second;
    if (this.#joined?.first !== first || this.#joined.second !== second)
      this.#joined = { first, second, all: new Map([...first, ...second]) };
    return this.#joined.all;
  }

  #evaluate(output: BundleOutput | null, modules: readonly ModuleFacts[]): SchemaResult {
    if (!output) return NO_SCHEMAS;
    if (this.#schemas?.output === output) return this.#schemas.result;
    const map = this.#maps.schemas;
    const result = evaluateSchemas(output.code, modules, (line, column) => map.locate(output, line, column));
    this.#schemas = { output, result };
    return result;
  }

  /** Findings about schemas as comments and the configuration would have them. */
  #judge(found: readonly Diagnostic[]): Diagnostic[] {
    const suppressions = new Suppressions();
    for (const file of new Set(found.map((each) => each.file))) {
      const facts = this.#files.facts(file);
      if (facts) suppressions.add(facts);
    }
    return withSeverities(suppressions.apply(found), this.#config);
  }

  /** The configuration, if it seems to name providers of models: the step bundle takes them from there. */
  #providers(): string | null {
    const { configSource } = this.#options;
    const isCode = configSource && !configSource.file.endsWith('.json') && /\bproviders\b/.test(configSource.text);
    return isCode ? join(this.#root, configSource.file) : null;
  }

  /** Facts of the modules of installed packages that take part. */
  #installed(): ModuleFacts[] {
    return this.#files.installed.flatMap((file) => this.#files.facts(file) ?? []);
  }

  #loader(target: BundleTarget): LoadModule {
    return (path) => this.#files.code(this.#files.relative(path), target)?.code ?? null;
  }

  #paths(modules: readonly Pick<ModuleFacts, 'file'>[]): string[] {
    return modules.map(({ file }) => (isAbsolute(file) ? file : join(this.#root, file)));
  }

  #key(paths: readonly string[]): string {
    return `${this.#epoch}\n${paths.join('\n')}`;
  }

  #result(diagnostics: readonly Diagnostic[], output: BuildOutput | null, stats: BuildStats): BuildResult {
    return { ok: output !== null, diagnostics: sortDiagnostics(diagnostics), output, outDir: this.#outDir, stats };
  }
}

/** What decides where imports lead, besides the files that they name. */
const RESOLUTION_FILES = ['package.json', 'tsconfig.json'];

const NO_SCHEMAS: SchemaResult = { schemas: new Map(), diagnostics: [] };

interface Outputs {
  workflow: BundleOutput;
  step: BundleOutput;
}

type Made = Awaited<ReturnType<CachedBundle['get']>>;

interface Bundled {
  diagnostics: Diagnostic[];
  outputs: Outputs | null;
  schemas: SchemaResult['schemas'];
}

/** Warnings of rolldown that mean a program that does not run. */
function isError(log: { code?: string; id?: string }): boolean {
  return log.code === 'UNRESOLVED_IMPORT' && !/[\\/]node_modules[\\/]/.test(log.id ?? '');
}

function hasSchemas({ definitions }: ModuleFacts): boolean {
  return definitions.some(({ kind, slug }) => slug !== null && (kind === 'action' || kind === 'workflow'));
}

function hasErrors(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some(({ severity }) => severity === 'error');
}

function startTimer(timings: Record<string, number>): (pass: string) => void {
  let before = performance.now();
  return (pass) => {
    const now = performance.now();
    timings[pass] = now - before;
    before = now;
  };
}
