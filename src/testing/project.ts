import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, isAbsolute, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildConfig, type BuildOptions, type BuildOutput, build } from '../bundler/index.ts';
import { loadConfig } from '../config/index.ts';
import { type Diagnostic, formatTsc } from '../diagnostics/index.ts';
import { PawlError } from '../errors.ts';

/** A build with errors: they are `diagnostics`. */
export class TestBuildError extends PawlError {
  override readonly name = 'TestBuildError';
  readonly diagnostics: readonly Diagnostic[];

  constructor(diagnostics: readonly Diagnostic[]) {
    const errors = diagnostics.filter(({ severity }) => severity === 'error');
    super('PAWL_BUILD_FAILED', `The program does not build:\n${formatTsc(errors).trimEnd()}`, {
      place: errors[0] && `${errors[0].file}:${errors[0].span.line}:${errors[0].span.column}`,
      remedy: 'Repair what it says; `pawl check` shows the same.',
      details: diagnostics,
    });
    this.diagnostics = diagnostics;
  }
}

/** A program that was built for a test. */
export interface TestProject {
  /** Folder of the manifest and the bundles. */
  outDir: string;
  manifest: BuildOutput['manifest'];
  /** Warnings and information. */
  diagnostics: Diagnostic[];
  remove(): void;
}

export type ProjectOptions =
  | { root: string; sources?: undefined; config?: BuildConfig }
  | { sources: Readonly<Record<string, string>>; root?: undefined; config?: BuildConfig };

/** In a program of texts every file is looked at. */
const EVERYWHERE = ['**/*.{ts,tsx,js,jsx,mts,cts,mjs,cjs}'];

/**
 * Builds a project, or a program of texts, into a folder of its own that goes with `remove`.
 *
 * @throws TestBuildError when the build has errors
 */
export async function buildForTest(options: ProjectOptions): Promise<TestProject> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'pawl-test-')));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    if (options.sources) writeSources(folder, options.sources);
    const root = options.root ?? folder;
    const outDir = join(folder, '.pawl');
    const { output, diagnostics } = await build({
      root,
      ...(await configOf(options, outDir)),
      externals: 'url',
      packages: packageFolders(),
    });
    if (!output) throw new TestBuildError(diagnostics);
    return { outDir, manifest: output.manifest, diagnostics, remove };
  } catch (error) {
    remove();
    throw error;
  }
}

async function configOf(
  { root, sources, config }: ProjectOptions,
  outDir: string,
): Promise<Pick<BuildOptions, 'config' | 'configSource'>> {
  if (config) return { config: { ...(sources && { entries: EVERYWHERE }), ...config, outDir } };
  const isWritten = sources && Object.keys(sources).some((file) => /^pawl\.config\.\w+$/.test(file));
  if (sources && !isWritten) return { config: { entries: EVERYWHERE, outDir } };
  const { config: loaded, source } = await loadConfig(root ?? dirname(outDir));
  return { config: { ...loaded, outDir }, configSource: source ?? undefined };
}

function writeSources(folder: string, sources: Readonly<Record<string, string>>): void {
  for (const [file, text] of Object.entries(sources)) {
    const path = join(folder, file);
    if (isAbsolute(file) || relative(folder, path).startsWith('..')) {
      throw new PawlError('PAWL_TEST_SOURCE', `The source \`${file}\` is outside of the program.`, {
        remedy: 'Name sources by relative paths, such as `src/main.ts`.',
      });
    }
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
}

/** Where the packages of the test are: above the working directory, and above pawl itself. */
function packageFolders(): string[] {
  const found = new Set<string>();
  for (const start of [process.cwd(), dirname(fileURLToPath(import.meta.url))]) {
    for (let folder = start; ; folder = dirname(folder)) {
      const packages = join(folder, 'node_modules');
      if (existsSync(packages)) found.add(packages);
      if (dirname(folder) === folder) break;
    }
  }
  return [...found];
}
