import type { BuildResult, BuildSession } from '../../bundler/index.ts';
import type { Diagnostic } from '../../diagnostics/index.ts';
import { defineCommand, type ExitCode, JSON_OPTION } from '../command.ts';
import { FORMAT_OPTION, type FindingsOptions, printFindings, readFormat } from '../findings.ts';
import type { Output } from '../output.ts';
import { visible, visibleLine } from '../visible.ts';

/** `pawl build`: from sources to the output folder. */
export const buildCommand = defineCommand({
  name: 'build',
  positionals: '',
  description: 'Check, compile and bundle; write the manifest and the bundles',
  details:
    'Writes manifest.json, workflows.js, steps.js and their source maps to `outDir` (default .pawl). With errors nothing is written, and the output of the build before stays.',
  options: {
    watch: { type: 'boolean', description: 'Build again whenever a file changes' },
    types: { type: 'boolean', description: 'Ask TypeScript too, as `pawl check` does' },
    ...FORMAT_OPTION,
    ...JSON_OPTION,
  },
  examples: [
    { line: 'pawl build', does: 'build the project in the working directory' },
    { line: 'pawl build --watch', does: 'build, and again after each change' },
    { line: 'pawl build --types', does: 'find all that `pawl check` finds' },
    { line: 'pawl build --json', does: 'what was built and found, for programs' },
  ],
  async run({ options, root, out }) {
    const format = await readFormat(options.format);
    const { ConfigError, loadConfig } = await import('../../config/index.ts');
    const { createBuildSession } = await import('../../bundler/index.ts');
    const loaded = await loadConfig(root).catch((error: unknown) => {
      if (error instanceof ConfigError) return error;
      throw error;
    });
    if (loaded instanceof Error) {
      await report(loaded.diagnostics, { format, root, out, source: () => null });
      return 2;
    }
    const { config, source } = loaded;
    const types = options.types ? (await import('../../checker/index.ts')).createTypes({ root }) : null;
    const session = createBuildSession({ root, config, configSource: source ?? undefined, types });
    const told = new Set<string>();
    const once = async (): Promise<ExitCode> => {
      const code = await buildOnce(session, { format, root, out }, source?.file ?? null);
      for (const notice of types?.notices ?? []) if (!told.has(notice)) out.note(visible(notice));
      for (const notice of types?.notices ?? []) told.add(notice);
      return code;
    };
    try {
      if (!options.watch) return await once();
      const { watchFiles } = await import('../watch.ts');
      return await watchFiles({ root, ignored: [config.outDir], run: once, out });
    } finally {
      session.close();
      types?.dispose();
    }
  },
});

async function buildOnce(
  session: BuildSession,
  shown: Omit<FindingsOptions, 'source'>,
  configFile: string | null,
): Promise<ExitCode> {
  const { out } = shown;
  const started = performance.now();
  if (out.showsProgress) out.stderr.write('building …');
  let result: BuildResult;
  try {
    result = await session.build();
  } finally {
    if (out.showsProgress) out.stderr.write('\r\x1b[K');
  }
  if (out.json) await printResult(result, out);
  else await report(result.diagnostics, { ...shown, source: (file) => session.source(file) });
  if (result.output) out.note(summarize(result, performance.now() - started));
  if (result.diagnostics.some(({ code, file }) => code === 'PAWL9005' && file === configFile)) return 2;
  return result.ok ? 0 : 1;
}

function summarize({ output, outDir, stats }: BuildResult, milliseconds: number): string {
  const { workflows = {}, steps = {} } = output?.manifest ?? {};
  const counts = `${count(workflows, 'workflow')} and ${count(steps, 'step')}`;
  const changed = stats.written.length === 0 ? 'nothing changed in' : 'wrote';
  return `built ${counts} in ${Math.round(milliseconds)} ms, ${changed} ${visibleLine(outDir)}`;
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

/** A build without findings says so by what it wrote; formats for programs say it themselves. */
async function report(diagnostics: readonly Diagnostic[], options: FindingsOptions): Promise<void> {
  const { format, out } = options;
  const forPeople = format === null ? !out.json : format === 'pretty' || format === 'tsc';
  if (diagnostics.length > 0 || !forPeople) await printFindings(diagnostics, options);
}
