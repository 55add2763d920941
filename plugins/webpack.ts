/**
 * `pawl/webpack`
 *
 * @example
 * // webpack.config.js
 * import pawl from 'pawl/webpack';
 * export default { plugins: [pawl()] };
 */
import type { ReportedFinding } from 'pawl/build';
import type { Compilation, Compiler, WebpackError, WebpackPluginInstance } from 'webpack';
import { definePlugin, type PawlPluginOptions } from './unplugin.ts';

export type { PawlPluginOptions } from './unplugin.ts';

const instance = definePlugin((pawl) => ({
  webpack(compiler) {
    pawl.setRoot(compiler.context);
    compiler.hooks.thisCompilation.tap('pawl', (compilation) => {
      // Child compilations (of HTML, of CSS) are parts of the same build.
      if (compilation.compiler !== compiler) return;
      compilation.hooks.finishModules.tapPromise('pawl', async () => {
        for (const finding of await pawl.run()) {
          const error = toError(finding, compiler, compilation);
          if (finding.severity === 'error') compilation.errors.push(error);
          else compilation.warnings.push(error);
        }
        compilation.fileDependencies.addAll(pawl.watchedFiles());
      });
    });
  },
}));

/** webpack shows the module and `loc`; columns count from 0 there. */
function toError(finding: ReportedFinding, compiler: Compiler, compilation: Compilation): WebpackError {
  const { message, file, relativeFile, line, column, length, frame } = finding;
  const error = new compiler.webpack.WebpackError(frame === '' ? message : `${message}\n${frame}`);
  error.name = 'PawlError';
  error.hideStack = true;
  if (file === null || relativeFile === null) return error;
  error.loc = { start: { line, column: column - 1 }, end: { line, column: column - 1 + length } };
  for (const module of compilation.modules) {
    if ((module as { resource?: string }).resource === file) error.module = module;
  }
  if (!error.module) error.file = `./${relativeFile}`;
  return error;
}

/**
 * The plugin for webpack.
 *
 * @param options - see `PawlPluginOptions`; all optional
 */
export default function pawl(options?: PawlPluginOptions): WebpackPluginInstance {
  return instance.webpack(options) as WebpackPluginInstance;
}
