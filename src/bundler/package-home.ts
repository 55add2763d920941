import { readFileSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { toRelative } from '../checker/disk-resolve.ts';

/** A path into a folder of packages. */
export const INSTALLED = /(?:^|[\\/])node_modules[\\/]/;

/** By what ids of a package's modules begin: its name and version, and the path within. */
export interface PackageHome {
  name: string;
  path: string;
}

/**
 * The package that a module belongs to which is not the project's own: installed, or beside the project in a workspace. Ids say
 * this, and not where it lies.
 *
 * @param root - absolute
 * @param file - relative to the root, or absolute
 * @returns null for the project's own modules, and for one that is in no package with a name
 */
export function packageHome(root: string, file: string): PackageHome | null {
  if (!file.startsWith('../') && !isAbsolute(file) && !INSTALLED.test(file)) return null;
  const absolute = isAbsolute(file) ? file : join(root, file);
  for (let folder = dirname(absolute); ; folder = dirname(folder)) {
    const { name, version } = readPackage(folder) ?? {};
    if (name) return { name: `${name}@${version ?? '0.0.0'}`, path: toRelative(folder, absolute) };
    if (dirname(folder) === folder) return null;
  }
}

function readPackage(folder: string): { name?: string; version?: string } | null {
  try {
    return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  } catch {
    return null;
  }
}
