import { resolve } from 'node:path';
import type { Diagnostic } from '../diagnostics/index.ts';
import { PawlError } from '../errors.ts';

/**
 * Builds the project in memory, writes nothing, and says what a deploy of it would do to runs that are in flight on another build.
 *
 * @param path - the deployed manifest, or the folder that it stands in; relative to the root
 * @returns findings of the build when it has errors, else those of the comparison
 * @throws PawlError what `readManifest` and `createBuildSession` throw; `PAWL_USAGE` for a store
 */
export async function compatFindings(root: string, path: string): Promise<Diagnostic[]> {
  if (/^(?:sqlite|postgres|postgresql):/.test(path)) {
    throw new PawlError('PAWL_USAGE', `\`--compat ${path}\` is a store, not a manifest.`, {
      remedy: 'Name the manifest.json of the deployed build, or the folder that it stands in.',
    });
  }
  const { readManifest } = await import('../manifest/index.ts');
  const deployed = readManifest(resolve(root, path));
  const { loadConfig } = await import('../config/index.ts');
  const { checkCompat, createBuildSession } = await import('../bundler/index.ts');
  const { config, source: configSource } = await loadConfig(root);
  const session = createBuildSession({ root, config, configSource: configSource ?? undefined, write: false });
  try {
    const { output, diagnostics } = await session.build();
    if (output === null) return diagnostics.filter(({ severity }) => severity === 'error');
    return checkCompat(deployed, output.manifest, config, (file) => session.source(file));
  } finally {
    session.close();
  }
}
