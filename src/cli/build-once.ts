/** One build of a session, told to a person or a program. */
import type { BuildResult, BuildSession } from '../bundler/index.ts';
import type { Diagnostic } from '../diagnostics/index.ts';
import type { ExitCode } from './command.ts';
import { type FindingsOptions, printFindings } from './findings.ts';
import type { Output } from './output.ts';
import { visibleLine } from './visible.ts';

/**
 * Builds, and shows findings and what was written.
 *
 * @param configFile of the configuration: findings in it are no fault of the sources, and the exit code is 2
 */
export async function buildOnce(
  session: BuildSession,
  shown: Omit<FindingsOptions, 'source'>,
  configFile: string | null,
): Promise<{ code: ExitCode; result: BuildResult }> {
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
  else await reportFindings(result.diagnostics, { ...shown, source: (file) => session.source(file) });
  if (result.output) out.note(summarize(result, performance.now() - started));
  const misconfigured = result.diagnostics.some(({ code, file }) => code === 'PAWL9005' && file === configFile);
  return { code: misconfigured ? 2 : result.ok ? 0 : 1, result };
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
  const { toJsonDiagnostic } = await import('../diagnostics/index.ts');
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
export async function reportFindings(diagnostics: readonly Diagnostic[], options: FindingsOptions): Promise<void> {
  const { format, out } = options;
  const forPeople = format === null ? !out.json : format === 'pretty' || format === 'tsc';
  if (diagnostics.length > 0 || !forPeople) await printFindings(diagnostics, options);
}
