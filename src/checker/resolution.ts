import { builtinModules } from 'node:module';
import { isSdk } from '../sdks.ts';

/**
 * Glossary of the checker.
 *
 * - **entry**: a file that the configuration's `entries` name; workflows and steps are looked for in entries.
 * - **module**: a file whose facts are known: entries that concern pawl, and what code in them reaches.
 * - **resolution**: what an import specifier leads to.
 * - **reference**: what a use leads to, after imports and re-exports (`rules/program.ts`).
 * - **session**: facts and resolutions that are kept between checks.
 */

/** What an import specifier leads to. */
export type Resolution =
  /** A module of the program; path as in `ModuleFacts.file`. */
  | { kind: 'file'; file: string }
  /** A module of Node, named without `node:`. */
  | { kind: 'builtin'; name: string }
  /** Something outside of the program: a package, a stylesheet, a declaration file. `missing`: a package that is not installed. */
  | { kind: 'external'; missing?: true }
  | { kind: 'unresolved' };

export function isMissing(resolution: Resolution): boolean {
  return resolution.kind === 'unresolved' || (resolution.kind === 'external' && resolution.missing === true);
}

/** @param importer - the module that contains the specifier, as in `ModuleFacts.file` */
export type Resolve = (specifier: string, importer: string) => Resolution;

const BUILTINS = new Set(builtinModules);

/** The module of Node that a specifier names, without `node:`; null when it is none. `punycode/` is the package. */
export function builtinName(specifier: string): string | null {
  if (specifier.startsWith('node:')) return specifier.slice('node:'.length);
  return BUILTINS.has(specifier) ? specifier : null;
}

/** Packages whose exports are known without looking: pawl itself and the SDKs whose programs it serves. */
export const isKnownPackage = isSdk;

export const SOURCE_FILE = /\.[cm]?[jt]sx?$/;
export const DECLARATION_FILE = /\.d\.(?:[^./]+\.)?[cm]?ts$/;

/** Endings to try behind a specifier without one, in the order of TypeScript and the bundlers. */
export const EXTENSIONS = ['.ts', '.tsx', '.mts', '.cts', '.js', '.jsx', '.mjs', '.cjs', '.json'];

/** TypeScript sources are imported by the name of their output. */
export const EXTENSION_ALIAS: Record<string, string[]> = {
  '.js': ['.ts', '.tsx', '.js', '.jsx'],
  '.jsx': ['.tsx', '.jsx'],
  '.mjs': ['.mts', '.mjs'],
  '.cjs': ['.cts', '.cjs'],
};

/**
 * Resolves relative specifiers among a known set of files, by the rules of TypeScript's `bundler` resolution. Everything
 * else but Node's modules is external.
 *
 * @param has - whether a file exists, by its path relative to the root
 */
export function createMemoryResolve(has: (file: string) => boolean): Resolve {
  return (specifier, importer) => {
    if (/^\.{1,2}(?:\/|$)/.test(specifier)) return resolveRelative(specifier, importer, has);
    const name = builtinName(specifier);
    return name === null ? { kind: 'external' } : { kind: 'builtin', name };
  };
}

function resolveRelative(specifier: string, importer: string, has: (file: string) => boolean): Resolution {
  const directory = importer.slice(0, importer.lastIndexOf('/') + 1);
  const bare = specifier.replace(/[?#].*$/, '');
  const file =
    findFile(joinPath(directory, specifier), has) ??
    (bare === specifier ? undefined : findFile(joinPath(directory, bare), has));
  if (file === undefined) return { kind: 'unresolved' };
  return SOURCE_FILE.test(file) && !DECLARATION_FILE.test(file) ? { kind: 'file', file } : { kind: 'external' };
}

/**
 * The file that an import of a path means: TypeScript's source of an output, an ending that was left out, an index file.
 *
 * @param base - the path as it was written, joined with that of the importer
 */
export function findFile(base: string, has: (file: string) => boolean): string | undefined {
  const ending = /\.[cm]?jsx?$/.exec(base)?.[0] ?? '';
  const stem = base.slice(0, base.length - ending.length);
  const candidates = [
    ...(EXTENSION_ALIAS[ending] ?? []).map((alias) => stem + alias),
    base,
    ...EXTENSIONS.map((extension) => base + extension),
    ...EXTENSIONS.map((extension) => `${base === '' ? '' : `${base}/`}index${extension}`),
  ];
  return candidates.find((candidate) => has(candidate));
}

/** Joins with `/` and resolves `.` and `..`; leading `..` stay. */
export function joinPath(directory: string, path: string): string {
  const out: string[] = [];
  for (const piece of `${directory}/${path}`.split('/')) {
    if (piece === '' || piece === '.') continue;
    if (piece === '..' && out.length > 0 && out.at(-1) !== '..') out.pop();
    else out.push(piece);
  }
  return `${directory.startsWith('/') ? '/' : ''}${out.join('/')}`;
}
