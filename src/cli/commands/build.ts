import type { BuildResult, BuildSession } from '../../bundler/index.ts';
import type { Format } from '../../diagnostics/index.ts';
import { PawlError } from '../../errors.ts';
import { defineCommand, type ExitCode, JSON_OPTION } from '../command.ts';
import type { Output } from '../output.ts';

/** `pawl build`: from sources to the output folder. */
export const buildCommand = defineCommand({
  name: 'build',
  positionals: '',
  description: 'Check, compile and bundle; write the manifest and the bundles',
  details:
    'Writes manifest.json, workflows.js, steps.js and their source maps to `outDir` (default .pawl). With errors nothing is written, and the output of the build before stays.',
  options: {
    watch: { type: 'boolean', description: 'Build again whenever a file changes' },
    format: {
      type: 'string',
      value: 'FORMAT',
      description: 'How findings are shown: pretty, tsc or json (default: pretty on a terminal, else tsc)',
    },
    ...JSON_OPTION,
  },
  examples: [
    { line: 'pawl build', does: 'build the project in the working directory' },
    { line: 'pawl build --watch', does: 'build, and again after each change' },
    { line: 'pawl build --json', does: 'what was built and found, for programs' },
  ],
  async run({ options, root, out }) {
    const format = await readFormat(options.format, out);
    const { ConfigError, loadConfig } = await import('../../config/index.ts');
    const { createBuildSession } = await import('../../bundler/index.ts');
    const loaded = await loadConfig(root).catch((error: unknown) => {
      if (error instanceof ConfigError) return error;
      throw error;
    });
    if (loaded instanceof Error) {
      await printFindings(loaded.diagnostics, format, out, () => null);
      return 2;
    }
    const { config, source } = loaded;
    const session = createBuildSession({
      root,
      config,
      configSource: source ?? undefined,
    });
    const once = (): Promise<ExitCode> => buildOnce(session, format, source?.file ?? null, out);
    if (!options.watch) return await once();
    const { watchFiles } = await import('../watch.ts');
    return await watchFiles({ root, ignored: [config.outDir], run: once, out });
  },
});

async function buildOnce(
  session: BuildSession,
  format: Format | null,
  configFile: string | null,
  out: Output,
): Promise<ExitCode> {
  const started = performance.now();
  if (out.showsProgress) out.stderr.write('building …');
  let result: BuildResult;
  try {
    result = await session.build();
  } finally {
    if (out.showsProgress) out.stderr.write('\r\x1b[K');
  }
  if (out.json) await printResult(result, out);
  else await printFindings(result.diagnostics, format, out, (file) => session.source(file));
  if (result.output) out.note(summarize(result, performance.now() - started));
  if (result.diagnostics.some(({ code, file }) => code === 'PAWL9005' && file === configFile)) return 2;
  return result.ok ? 0 : 1;
}

function summarize({ output, outDir, stats }: BuildResult, milliseconds: number): string {
  const { workflows = {}, steps = {} } = output?.manifest ?? {};
  const counts = `${count(workflows, 'workflow')} and ${count(steps, 'step')}`;
  const changed = stats.written.length === 0 ? 'nothing changed in' : 'wrote';
  return `built ${counts} in ${Math.round(milliseconds)} ms, ${changed} ${outDir}`;
}

function count(record: Record<string, unknown>, word: string): string {
  const { length } = Object.keys(record);
  return `${length} ${word}${length === 1 ? '' : 's'}`;
}

async function printResult({ ok, diagnostics, output, outDir, stats }: BuildResult, out: Output): Promise<void> {
  const { toJsonDiagnostic } = await import('../../diagnostics/index.ts');
  out.printJson({
    ok,
    outDir,
    workflows: Object.keys(output?.manifest.workflows ?? {}),
    steps: Object.keys(output?.manifest.steps ?? {}),
    written: stats.written,
    diagnostics: diagnostics.map((diagnostic) => toJsonDiagnostic(diagnostic)),
  });
}

async function printFindings(
  diagnostics: readonly BuildResult['diagnostics'][number][],
  format: Format | null,
  out: Output,
  source: (file: string) => string | null,
): Promise<void> {
  if (diagnostics.length === 0 && format !== 'json') return;
  const { formatDiagnostics } = await import('../../diagnostics/index.ts');
  const chosen = format ?? (out.isTTY ? 'pretty' : 'tsc');
  out.write(formatDiagnostics(diagnostics, chosen, { source, color: out.colors.isColorSupported }));
}

/** Null when none was named. */
async function readFormat(name: string | undefined, out: Output): Promise<Format | null> {
  const { FORMATS, isFormat, nearest } = await import('../../diagnostics/index.ts');
  if (name === undefined) return out.json ? 'json' : null;
  if (isFormat(name)) return name;
  const meant = nearest(name, FORMATS);
  throw new PawlError('PAWL_USAGE', `There is no format \`${name}\`.`, {
    remedy: meant ? `Did you mean \`--format ${meant}\`?` : `The formats are ${FORMATS.join(', ')}.`,
  });
}
