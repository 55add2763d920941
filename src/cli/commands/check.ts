import { resolve } from 'node:path';
import type { CheckResult, Session, SessionStats } from '../../checker/index.ts';
import type { Diagnostic, Format } from '../../diagnostics/index.ts';
import { PawlError } from '../../errors.ts';
import { defineCommand, type ExitCode, JSON_OPTION } from '../command.ts';
import type { Output } from '../output.ts';

/** `pawl check`: the rules, and nothing else. */
export const checkCommand = defineCommand({
  name: 'check',
  positionals: '[files...]',
  description: 'Check the rules',
  details:
    'Looks at the whole program and reports on the files and directories that are named, or on all. Paths are relative to the root.',
  options: {
    format: {
      type: 'string',
      value: 'FORMAT',
      description: 'pretty, tsc or json (default: pretty on a terminal, else tsc)',
    },
    'max-warnings': { type: 'string', value: 'N', description: 'Fail when there are more warnings than this' },
    fix: { type: 'boolean', description: 'Apply the fixes that findings come with' },
    watch: { type: 'boolean', description: 'Check again whenever a file changes' },
    ...JSON_OPTION,
  },
  examples: [
    { line: 'pawl check', does: 'check the whole project' },
    { line: 'pawl check src/orders --max-warnings 0', does: 'report on a directory, warnings count' },
    { line: 'pawl check --fix', does: 'repair what can be repaired' },
    { line: 'pawl check --format json', does: 'findings as an array for programs' },
  ],
  async run({ args, options, root, out }) {
    const format = await readFormat(options.format, options.json === true, out);
    const maxWarnings = readCount(options['max-warnings']);
    const { ConfigError, loadConfig } = await import('../../config/index.ts');
    const { createSession, fixAll } = await import('../../checker/index.ts');
    const loaded = await loadConfig(root).catch((error: unknown) => {
      if (error instanceof ConfigError) return error;
      throw error;
    });
    if (loaded instanceof Error) {
      const text = await configText(root, loaded.diagnostics[0]?.file ?? '');
      await print(loaded.diagnostics, format, out, () => text);
      return 2;
    }
    const { config, source } = loaded;
    const session = createSession({
      root,
      config: config as Parameters<typeof createSession>[0]['config'],
      configSource: source ?? undefined,
      files: args.length > 0 ? args : undefined,
      outDir: config.outDir,
    });
    const once = async (): Promise<ExitCode> => {
      const result = options.fix ? await fixed() : await session.check();
      await print(result.diagnostics, format, out, (file) => session.source(file));
      return verdict(result, source?.file ?? null, maxWarnings, out);
    };
    const fixed = async (): Promise<CheckResult<SessionStats>> => {
      const { result, fixes, files } = await fixAll(session, (file) => resolve(root, file));
      if (fixes > 0) out.note(`fixed ${fixes} finding${fixes === 1 ? '' : 's'} in ${files.join(', ')}`);
      return result;
    };
    if (!options.watch) return await once();
    const { watchFiles } = await import('../watch.ts');
    return await watchFiles({ root, ignored: [config.outDir], run: once, out });
  },
});

async function readFormat(name: string | undefined, json: boolean, out: Output): Promise<Format> {
  const { FORMATS, isFormat, nearest } = await import('../../diagnostics/index.ts');
  const format = name ?? (json ? 'json' : out.isTTY ? 'pretty' : 'tsc');
  if (isFormat(format)) return format;
  const meant = nearest(format, FORMATS);
  throw new PawlError('PAWL_USAGE', `There is no format \`${format}\`.`, {
    remedy: meant ? `Did you mean \`--format ${meant}\`?` : `The formats are ${FORMATS.join(', ')}.`,
  });
}

function readCount(value: string | undefined): number {
  if (value === undefined) return Number.POSITIVE_INFINITY;
  if (/^\d+$/.test(value)) return Number(value);
  throw new PawlError('PAWL_USAGE', `\`--max-warnings ${value}\` is no number.`, {
    remedy: 'Write a whole number, such as 0.',
  });
}

async function print(
  diagnostics: readonly Diagnostic[],
  format: Format,
  out: Output,
  source: Session['source'],
): Promise<void> {
  const { formatDiagnostics } = await import('../../diagnostics/index.ts');
  out.write(formatDiagnostics(diagnostics, format, { source, color: out.colors.isColorSupported }));
}

/** 2 when the configuration cannot be trusted or nothing was checked, 1 when there are errors or too many warnings. */
function verdict(
  { diagnostics, stats }: CheckResult<SessionStats>,
  configFile: string | null,
  maxWarnings: number,
  out: Output,
): ExitCode {
  if (diagnostics.some(({ code, file }) => code === 'PAWL9005' && file === configFile)) return 2;
  if (stats.entries === 0) {
    throw new PawlError('PAWL_NO_ENTRIES', 'There is no source file to check.', {
      remedy: 'Run it in the root of a project, name files, or set `entries` in pawl.config.ts.',
    });
  }
  if (diagnostics.some(({ severity }) => severity === 'error')) return 1;
  const warnings = diagnostics.filter(({ severity }) => severity === 'warning').length;
  if (warnings <= maxWarnings) return 0;
  out.note(`${warnings} warning${warnings === 1 ? '' : 's'}, more than the ${maxWarnings} that --max-warnings allows`);
  return 1;
}

/** The text of a configuration that could not be used, for the code frame. */
async function configText(root: string, file: string): Promise<string | null> {
  const { readFile } = await import('node:fs/promises');
  return readFile(resolve(root, file), 'utf8').catch(() => null);
}
