import { resolve } from 'node:path';
import type { Diagnostic, Format } from '../../diagnostics/index.ts';
import { PawlError } from '../../errors.ts';
import { type Checked, CheckProject, type ProjectChecker } from '../check-project.ts';
import { defineCommand, type ExitCode, JSON_OPTION } from '../command.ts';
import { FORMAT_OPTION, printFindings, readFormat } from '../findings.ts';
import type { Output } from '../output.ts';
import { visible, visibleLine } from '../visible.ts';

/** `pawl check`: the rules, and nothing else. */
export const checkCommand = defineCommand({
  name: 'check',
  positionals: '[files...]',
  description: 'Check the rules',
  details:
    'Looks at the whole program and reports on the files and directories that are named, or on all. Paths are relative to the root.',
  options: {
    ...FORMAT_OPTION,
    'max-warnings': { type: 'string', value: 'N', description: 'Fail when there are more warnings than this' },
    compat: {
      type: 'string',
      value: 'WHAT',
      description:
        'What would a deploy strand? Compare with a deployed manifest, or look at the runs of a store, by its URL',
    },
    fix: { type: 'boolean', description: 'Apply the fixes that findings come with' },
    watch: { type: 'boolean', description: 'Check again whenever a file changes' },
    'no-types': { type: 'boolean', description: 'Leave out what only TypeScript could tell' },
    stats: { type: 'boolean', description: 'Say on stderr what was looked at, and how long it took' },
    ...JSON_OPTION,
  },
  examples: [
    { line: 'pawl check', does: 'check the whole project' },
    { line: 'pawl check src/orders --max-warnings 0', does: 'report on a directory, warnings count' },
    { line: 'pawl check --fix', does: 'repair what can be repaired' },
    { line: 'pawl check --compat deployed/.pawl', does: 'say before a deploy which runs it could park' },
    { line: 'pawl check --compat sqlite:.pawl/pawl.db', does: 'and which of those that are in flight now it would' },
    { line: 'pawl check --format json', does: 'findings as an array for programs' },
    { line: 'pawl check --format github', does: 'annotate the commit in GitHub Actions' },
  ],
  async run({ args, options, root, out }) {
    const format = await readFormat(options.format);
    const maxWarnings = readCount(options['max-warnings']);
    const project = new CheckProject({ root, files: args.length > 0 ? args : null, types: !options['no-types'] });
    let last: readonly Diagnostic[] = [];
    let read: ProjectChecker['source'] = () => null;
    const once = async (): Promise<ExitCode> => {
      const begun = performance.now();
      const opened = await project.open();
      const { checker: opener, source } = opened;
      const shown = { format, root, out, source };
      if (opener === null) {
        await printFindings(opened.problem.diagnostics, shown);
        return 2;
      }
      const configured = performance.now();
      const { compat } = options;
      const checker = {
        source: (file: string) => opener.source(file),
        check: async () => {
          const found = await opener.check();
          return compat === undefined ? found : await withCompat(found, compat);
        },
      };
      const result = options.fix ? await fixed(checker) : await checker.check();
      const checked = performance.now();
      last = result.diagnostics;
      read = opener.source;
      await printFindings(result.diagnostics, shown);
      for (const notice of project.news()) out.note(visible(notice));
      if (options.stats) {
        const { printStats } = await import('../check-stats.ts');
        const times = {
          configuration: configured - begun,
          check: checked - configured,
          all: performance.now() - begun,
        };
        printStats(result.stats, times, out);
      }
      if (result.diagnostics.length === 0 && (format === null || isForPeople(format))) {
        const { nothingToCheck } = await import('../nothing-to-check.ts');
        for (const notice of await nothingToCheck({ root, named: args, stats: result.stats, source }))
          out.note(visible(notice));
      }
      if (args.length > 0 && result.stats.entries === 0) return 0;
      return verdict(result, opened.configFile, maxWarnings, out);
    };
    const withCompat = async (result: Checked, path: string): Promise<Checked> => {
      // What does not compile cannot be compared.
      if (result.diagnostics.some(({ severity }) => severity === 'error')) return result;
      const { compatFindings } = await import('../compat.ts');
      const { diagnostics, notices } = await compatFindings(root, path);
      for (const notice of notices) out.note(visible(notice));
      return { ...result, diagnostics: [...result.diagnostics, ...diagnostics] };
    };
    const fixed = async (checker: ProjectChecker): Promise<Checked> => {
      const { fixAll } = await import('../../checker/index.ts');
      const { result, fixes, files } = await fixAll(checker, (file) => resolve(root, file));
      if (fixes > 0) out.note(visibleLine(`fixed ${fixes} finding${fixes === 1 ? '' : 's'} in ${files.join(', ')}`));
      return result;
    };
    try {
      if (!options.watch) return await once();
      const { watchFiles } = await import('../watch.ts');
      const { wantedPackages } = await import('../wanted-packages.ts');
      const opened = await project.open();
      const ignored = opened.checker ? [opened.config.outDir] : [];
      return await watchFiles({
        root,
        ignored,
        run: once,
        wanted: () => wantedPackages(root, last),
        source: (path) => read(path),
        out,
      });
    } finally {
      project.dispose();
    }
  },
});

function isForPeople(format: Format): boolean {
  return format === 'pretty' || format === 'tsc';
}

function readCount(value: string | undefined): number {
  if (value === undefined) return Number.POSITIVE_INFINITY;
  if (/^\d+$/.test(value)) return Number(value);
  throw new PawlError('PAWL_USAGE', `\`--max-warnings ${value}\` is no number.`, {
    remedy: 'Write a whole number, such as 0.',
  });
}

/** 2 when the configuration cannot be trusted or nothing was checked, 1 when there are errors or too many warnings. */
function verdict(
  { diagnostics, stats }: Checked,
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
