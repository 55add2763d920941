/**
 * `pawl/esbuild`
 *
 * @example
 * import { build } from 'esbuild';
 * import pawl from 'pawl/esbuild';
 * await build({ entryPoints: ['src/server.ts'], bundle: true, platform: 'node', packages: 'external', plugins: [pawl()] });
 */
import type { PartialMessage, Plugin } from 'esbuild';
import type { ReportedFinding } from 'pawl/build';
import { definePlugin, type PawlPluginOptions } from './unplugin.ts';

export type { PawlPluginOptions } from './unplugin.ts';

const instance = definePlugin((pawl) => ({
  esbuild: {
    onLoadFilter: /\.[cm]?[jt]sx?$/,
    setup(build) {
      pawl.setRoot(build.initialOptions.absWorkingDir ?? process.cwd());
      // Not `onEnd`: what is returned there fails the build, but esbuild does not show it.
      build.onStart(async () => {
        const findings = await pawl.run();
        return {
          errors: findings.filter(({ severity }) => severity === 'error').map(toMessage),
          warnings: findings.filter(({ severity }) => severity === 'warning').map(toMessage),
        };
      });
    },
  },
}));

/** esbuild draws the frame itself; columns count from 0 there, in bytes of UTF-8. */
function toMessage({ message, relativeFile, line, column, length, lineText }: ReportedFinding): PartialMessage {
  if (relativeFile === null) return { text: message };
  const bytes = (from: number, to?: number): number => Buffer.byteLength(lineText.slice(from, to));
  const location = {
    file: relativeFile,
    line,
    column: bytes(0, column - 1),
    length: bytes(column - 1, column - 1 + length),
    lineText,
  };
  return { text: message, location };
}

/**
 * The plugin for esbuild.
 *
 * @param options - see `PawlPluginOptions`; all optional
 */
export default function pawl(options?: PawlPluginOptions): Plugin {
  return instance.esbuild(options) as Plugin;
}
