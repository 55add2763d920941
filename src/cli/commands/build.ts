import { defineCommand, type ExitCode, JSON_OPTION } from '../command.ts';
import { buildOnce, reportFindings } from '../build-once.ts';
import { FORMAT_OPTION, readFormat } from '../findings.ts';
import { visible } from '../visible.ts';

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
      await reportFindings(loaded.diagnostics, { format, root, out, source: () => null });
      return 2;
    }
    const { config, source } = loaded;
    const types = options.types ? (await import('../../checker/index.ts')).createTypes({ root }) : null;
    const session = createBuildSession({ root, config, configSource: source ?? undefined, types });
    const told = new Set<string>();
    const once = async (): Promise<ExitCode> => {
      const { code } = await buildOnce(session, { format, root, out }, source?.file ?? null);
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
