import { defineCommand } from '../command.ts';
import { buildOnce, reportFindings } from '../build-once.ts';
import { ENDPOINT_OPTIONS, readAddress } from '../endpoint-options.ts';
import { openProject, STORE_OPTION } from '../project.ts';

/** `pawl dev`: builds, works, and does both again after each change. */
export const devCommand = defineCommand({
  name: 'dev',
  positionals: '',
  description: 'Build and work, and do both again after each change',
  details:
    'Builds whenever a file changes, as `pawl build --watch` does, and has a worker work on what was built. A change that builds replaces\n' +
    'the worker: runs in flight go on with the code that they began with, new ones begin on the new code. While a change does not build,\n' +
    'the worker before it goes on.',
  options: { ...ENDPOINT_OPTIONS, ...STORE_OPTION },
  examples: [
    { line: 'pawl dev', does: 'work on the project while it is being written' },
    { line: 'pawl dev --port 3000', does: 'take requests to webhooks too' },
    { line: 'pawl dev --store postgres:///app', does: 'on another store' },
  ],
  async run({ options, root, out }) {
    const { ConfigError, loadConfig } = await import('../../config/index.ts');
    const { createBuildSession } = await import('../../bundler/index.ts');
    const { DevWorker } = await import('../dev-worker.ts');
    const { watchFiles } = await import('../watch.ts');
    const shown = { format: null, root, out };
    const loaded = await loadConfig(root).catch((error: unknown) => {
      if (error instanceof ConfigError) return error;
      throw error;
    });
    if (loaded instanceof Error) {
      await reportFindings(loaded.diagnostics, { ...shown, source: () => null });
      return 2;
    }
    const { config, source } = loaded;
    const { storeUrl } = await openProject(root, options.store, out.env);
    const address = readAddress(options);
    const endpoint = address === null ? [] : ['--port', String(address.port), '--host', address.host];
    const session = createBuildSession({ root, config, configSource: source ?? undefined });
    const worker = new DevWorker(['--root', root, '--store', storeUrl, '--allow-missing', ...endpoint], out);
    let working = '';
    try {
      return await watchFiles({
        root,
        ignored: [config.outDir],
        out,
        run: async () => {
          const { code, result } = await buildOnce(session, shown, source?.file ?? null);
          const integrity = result.output?.manifest.integrity;
          if (integrity !== undefined && (integrity !== working || !worker.runs)) {
            working = integrity;
            await worker.replace();
          }
          return code;
        },
      });
    } finally {
      await worker.stop();
      session.close();
    }
  },
});
