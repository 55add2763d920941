/**
 * `pawl/vite`
 *
 * @example
 * // vite.config.ts
 * import pawl from 'pawl/vite';
 * export default { plugins: [pawl()] };
 */
import type { ReportedFinding } from 'pawl/build';
import type { Logger, Plugin, ViteDevServer } from 'vite';
import { definePlugin, type PawlBuild, type PawlPluginOptions } from './unplugin.ts';

export type { PawlPluginOptions } from './unplugin.ts';

const instance = definePlugin((pawl) => {
  let logger: Logger | undefined;
  return {
    vite: {
      configResolved(config) {
        pawl.setRoot(config.root);
        logger = config.logger;
      },
      configureServer: (server) => serve(pawl, server),
      async buildEnd(error) {
        if (error || this.environment?.mode === 'dev') return;
        const [first, ...others] = await pawl.run();
        for (const file of pawl.watchedFiles()) this.addWatchFile(file);
        if (!first) return;
        for (const finding of others) {
          if (finding.severity === 'warning') this.warn(toLog(finding));
          else logger?.error(`${place(finding)} ${finding.message}\n${finding.frame}`);
        }
        if (first.severity === 'warning') this.warn(toLog(first));
        else this.error(toLog(first));
      },
    },
  };
});

/** Builds when the development server starts and after each change; errors go to its log and to the browser. */
function serve(pawl: PawlBuild, server: ViteDevServer): void {
  let queue = Promise.resolve();
  const run = async (): Promise<void> => {
    for (const finding of await pawl.run()) {
      const text = `${place(finding)} ${finding.message}\n${finding.frame}`;
      if (finding.severity === 'warning') server.config.logger.warn(text);
      else server.config.logger.error(text);
      if (finding.severity === 'error') server.ws.send({ type: 'error', err: { ...toLog(finding), stack: '' } });
    }
  };
  const enqueue = (): void => {
    queue = queue.then(run, run);
  };
  server.watcher.on('all', enqueue);
  enqueue();
}

/** As rollup and vite show it: columns count from 0 there. */
function toLog({ message, file, line, column, frame }: ReportedFinding): {
  message: string;
  plugin: string;
  id?: string;
  loc?: { file: string; line: number; column: number };
  frame: string;
} {
  const at = file === null ? {} : { id: file, loc: { file, line, column: column - 1 } };
  return { message, plugin: 'pawl', frame, ...at };
}

function place({ relativeFile, line, column }: ReportedFinding): string {
  return relativeFile === null ? '' : `${relativeFile}:${line}:${column}`;
}

/**
 * The plugin for vite.
 *
 * @param options - see `PawlPluginOptions`; all optional
 */
export default function pawl(options?: PawlPluginOptions): Plugin {
  return instance.vite(options) as Plugin;
}
