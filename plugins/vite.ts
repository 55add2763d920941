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
      // A server's pawl stays outside of its bundle, also where it is linked in: its store has native code.
      config: () => ({ ssr: { external: ['pawl'] }, server: { watch: { ignored: ['**/.pawl/**'] } } }),
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
          if (finding.severity === 'warning') this.warn(toWarning(finding));
          else logger?.error(toText(finding));
        }
        if (first.severity === 'warning') this.warn(toWarning(first));
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
      if (finding.severity === 'warning') server.config.logger.warn(toText(finding));
      else server.config.logger.error(toText(finding));
      if (finding.severity === 'error') server.ws.send({ type: 'error', err: toLog(finding) });
    }
  };
  const enqueue = (): void => {
    queue = queue.then(run).catch((error: unknown) => server.config.logger.error(`pawl: ${String(error)}`));
  };
  server.watcher.on('all', (_event, file) => {
    if (!pawl.isOutput(file)) enqueue();
  });
  enqueue();
}

/** As rollup and vite show it: columns count from 0 there. */
function toLog({ message, file, line, column, frame }: ReportedFinding): {
  message: string;
  plugin: string;
  id?: string;
  loc?: { file: string; line: number; column: number };
  frame: string;
  stack: string;
} {
  const at = file === null ? {} : { id: file, loc: { file, line, column: column - 1 } };
  // Where in pawl it was told is of no use.
  return { message, plugin: 'pawl', frame, stack: '', ...at };
}

/** vite shows no place and no frame of a warning. */
function toWarning(finding: ReportedFinding): ReturnType<typeof toLog> {
  return { ...toLog(finding), message: toText(finding), frame: '' };
}

function toText({ relativeFile, line, column, message, frame }: ReportedFinding): string {
  const place = relativeFile === null ? '' : `${relativeFile}:${line}:${column} `;
  return frame === '' ? place + message : `${place}${message}\n${frame}`;
}

/**
 * The plugin for vite.
 *
 * @param options - see `PawlPluginOptions`; all optional
 */
export default function pawl(options?: PawlPluginOptions): Plugin {
  return instance.vite(options) as Plugin;
}
