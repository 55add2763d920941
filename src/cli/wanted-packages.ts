import { statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Diagnostic } from '../diagnostics/index.ts';

/** What installers write when they have put everything in its place. */
const RECORDS = ['.package-lock.json', '.modules.yaml', '.yarn-state.yml'];

/**
 * Where the packages and files would be that imports wait for. `node_modules` is too large to be watched, these few places are not.
 *
 * @param root - absolute
 * @param diagnostics - of the last check
 * @returns absolute paths
 */
export function wantedPackages(root: string, diagnostics: readonly Diagnostic[]): string[] {
  const found = new Set<string>();
  for (const { rule, file, message } of diagnostics) {
    const specifier = rule === 'unresolved-import' ? /^`([^`]+)`/.exec(message)?.[1] : undefined;
    if (specifier?.startsWith('.')) found.add(join(root, dirname(file), specifier));
    const name = /^(?:@[\w.-]+\/)?[a-z\d_][\w.-]*(?=\/|$)/i.exec(specifier ?? '')?.[0];
    if (name === undefined) continue;
    for (let folder = dirname(join(root, file)); ; folder = dirname(folder)) {
      const packages = join(folder, 'node_modules');
      found.add(join(packages, name, 'package.json'));
      for (const record of RECORDS) found.add(join(packages, record));
      if (dirname(folder) === folder) break;
    }
  }
  return [...found];
}

/** By what it is told whether any of some files came, went or changed. */
export function stampsOf(paths: readonly string[]): string {
  return paths.map(stampOf).join();
}

function stampOf(path: string): string {
  try {
    const { mtimeMs, size } = statSync(path);
    return `${mtimeMs} ${size}`;
  } catch {
    return '';
  }
}
