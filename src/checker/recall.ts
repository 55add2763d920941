import { join, resolve as resolvePath } from 'node:path';
import type { Diagnostic } from '../diagnostics/types.ts';
import { readCache, writeCache } from './cache-file.ts';
import { createDiskResolver, type LookedUp, realPath, withSlashes } from './disk-resolve.ts';
import { type AskedPackage, PackagePlaces } from './package-places.ts';
import type { SessionStats } from './session.ts';
import { absolute, stampOf, stampOfDirectory } from './stamps.ts';

/**
 * What the last process said of a project, for as long as nothing has changed that it looked at: neither pawl nor the configuration, no
 * directory that it listed, no file, no resolution of an import, no package that it looked into. All of that is asked anew; what is spared
 * is to load a parser and the rules, to join the facts and to judge them.
 *
 * Checks with types are none of this: nobody knows all that TypeScript looks at.
 */

/** What, besides files, decides what a check says. Plain data. */
export interface RecallKey {
  /** Absolute; `node_modules` may be one of several projects. */
  root: string;
  config: object;
  configSource: object | null;
  outDir: string | null;
}

/** Everything that a check looked at, and what it said. */
export interface Memory {
  diagnostics: Diagnostic[];
  stats: SessionStats;
  /** Directories that were listed, and their times. */
  directories: readonly (readonly [path: string, stamp: string])[];
  /** Files by their path relative to the root, and their stamps; null for those that do not exist. */
  files: readonly (readonly [file: string, stamp: string | null])[];
  lookups: readonly LookedUp[];
  packages: readonly AskedPackage[];
}

/** @param packages - an existing `node_modules` */
export function remember(packages: string, key: RecallKey, memory: Memory): void {
  writeCache(fileIn(packages), { [textOf(key)]: memory });
}

/**
 * What was said of a project, if that still holds.
 *
 * @param key - what `createSession` would be given
 * @returns null when it has to be checked; never throws
 */
export function recall(given: RecallKey): Pick<Memory, 'diagnostics' | 'stats'> | null {
  try {
    const root = withSlashes(realPath(resolvePath(given.root)));
    const memory = readCache<Memory>(fileIn(`${root}/node_modules`)).get(textOf({ ...given, root }));
    if (!memory || !holds(root, memory)) return null;
    const { diagnostics, stats } = memory;
    return { diagnostics, stats: { ...stats, read: 0, parsed: 0, cached: stats.parsed + stats.cached } };
  } catch {
    return null;
  }
}

function holds(root: string, { directories, files, lookups, packages }: Memory): boolean {
  if (!directories.every(([path, stamp]) => stampOfDirectory(path) === stamp)) return false;
  if (!files.every(([file, stamp]) => stampOf(absolute(root, file)) === stamp)) return false;
  const resolver = createDiskResolver(root);
  const resolves = ({ specifier, importer, resolution }: LookedUp): boolean =>
    JSON.stringify(resolver.resolve(specifier, importer)) === JSON.stringify(resolution);
  if (!lookups.every(resolves) || resolver.problems.length > 0) return false;
  if (packages.length === 0) return true;
  const places = new PackagePlaces(root);
  for (const { specifier, importer } of packages) places.entryOf(specifier, importer);
  return JSON.stringify(places.asked) === JSON.stringify(packages);
}

function fileIn(packages: string): string {
  return join(packages, '.cache', 'pawl', 'check.json');
}

function textOf(key: RecallKey): string {
  // Of providers of models no finding speaks, and they may be of any shape.
  return JSON.stringify([key, process.version], (name, value) => (name === 'providers' ? undefined : value));
}
