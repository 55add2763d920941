import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { basename, dirname, extname, isAbsolute, join, relative, resolve as resolvePath, sep } from 'node:path';
import { ResolverFactory } from 'oxc-resolver';
import {
  builtinName,
  DECLARATION_FILE,
  EXTENSION_ALIAS,
  EXTENSIONS,
  findFile,
  isKnownPackage,
  isMissing,
  type Resolution,
  type Resolve,
  SOURCE_FILE,
} from './resolution.ts';
import { oddTsconfig } from './own-tsconfig.ts';
import { statOf } from './stamps.ts';

/** A `tsconfig.json` or `package.json` of the project that cannot be read: its imports are resolved without it. */
export interface BrokenFile {
  /** Absolute path. */
  file: string;
  message: string;
  line: number;
  column: number;
}

/** A question, and its answer. */
export interface LookedUp {
  specifier: string;
  importer: string;
  resolution: Resolution;
}

export interface DiskResolver {
  resolve: Resolve;
  /** The file of an installed package that a specifier leads to, absolute; null when it leads to no source text of one. */
  locate(specifier: string, importer: string): string | null;
  /** What was looked up on disk since it was last cleared. */
  known(): Iterable<LookedUp>;
  /**
   * Whether files have come or gone so that what was looked up no longer holds. A file that came nearer than the one that was found is not
   * noticed.
   *
   * @param exists - of files that were found
   */
  isOutdated(exists: (file: string) => boolean): boolean;
  /** Problems met so far. */
  problems: readonly BrokenFile[];
  /** Forgets what was read from disk. */
  clear(): void;
}

const OPTIONS = {
  extensions: EXTENSIONS,
  extensionAlias: EXTENSION_ALIAS,
  conditionNames: ['node', 'import', 'require', 'module', 'default'],
  mainFields: ['module', 'main'],
  builtinModules: false,
};

/** Specifiers that name a file by its place. */
const PATH = /^(?:\/|\.{1,2}(?:\/|$))/;

/** `https:…`, `data:…`, `bun:…`: not for a resolver of files. */
const SCHEME = /^[a-z][a-z\d+.-]*:/i;

const TSCONFIG_ERROR = /^Failed to load tsconfig "(.+?)": (.*)$/s;
const PACKAGE_ERROR = /^JSONError \{ path: "((?:[^"\\]|\\.)*[\\/]package\.json)", (.*)$/s;

/**
 * Resolves as TypeScript and the bundlers do: relative paths, `paths` of the nearest tsconfig, a package's own name and
 * `imports`, workspaces. What ends up in `node_modules` is external; a workspace package, whose link leads out of there, is code
 * of the program.
 *
 * @param root - absolute real path of the project
 * @param packages - folders of packages besides those above each module
 */
export function createDiskResolver(root: string, packages: readonly string[] = []): DiskResolver {
  const options = { ...OPTIONS, modules: ['node_modules', ...packages] };
  const factory = new ResolverFactory({ ...options, tsconfig: 'auto' });
  const plain = factory.cloneWithOptions(options);
  const cache = new Map<string, LookedUp>();
  const problems = new Map<string, BrokenFile>();

  const lookUp = (specifier: string, importer: string): Resolution => {
    const file = isAbsolute(importer) ? importer : `${root}/${importer}`;
    let result = factory.resolveFileSync(file, specifier);
    const broken = result.error === undefined ? null : TSCONFIG_ERROR.exec(result.error);
    if (broken) {
      noteProblem(broken[1] as string, broken[2] as string, problems);
      result = plain.sync(dirname(file), specifier);
    }
    if (result.path !== undefined) return classify(root, result.path);
    const damaged = result.error === undefined ? null : ownPackage(result.error);
    if (damaged) noteProblem(damaged.file, damaged.reason, problems);
    if (PATH.test(specifier)) {
      const literal = damaged ? fileAt(resolvePath(dirname(file), specifier)) : literalFile(specifier, file);
      return literal === null ? { kind: 'unresolved' } : classify(root, literal);
    }
    // Without a single package installed, or with aliases that nobody can read, nothing is known of names.
    const isKnown = !broken && !damaged && !SCHEME.test(specifier) && hasPackages(dirname(file));
    return isKnown ? { kind: 'external', missing: true } : { kind: 'external' };
  };

  // What is wrong with the project's own is told whether or not an import would have needed it.
  const ownConfig = `${root}/tsconfig.json`;
  let inspected: string | null = null;
  const inspect = (): void => {
    const { mtimeMs, size } = statOf(ownConfig) ?? {};
    const stamp = `${mtimeMs} ${size}`;
    if (stamp === inspected) return;
    if (inspected !== null) {
      problems.delete(ownConfig);
      factory.clearCache();
    }
    inspected = stamp;
    if (problems.has(ownConfig) || mtimeMs === undefined) return;
    const odd = oddTsconfig(ownConfig);
    if (odd) problems.set(ownConfig, { file: ownConfig, ...odd });
    else {
      const { error } = factory.resolveFileSync(`${root}/index.ts`, './');
      const [, file, reason] = TSCONFIG_ERROR.exec(error ?? '') ?? [];
      // Values that only this resolver takes offence at are for tsc to judge.
      if (file === ownConfig && reason && !/message: "(?:invalid|unknown|missing|duplicate) /.test(reason)) {
        noteProblem(file, reason, problems);
      }
    }
  };

  return {
    resolve(specifier, importer) {
      const name = builtinName(specifier);
      if (name !== null) return { kind: 'builtin', name };
      if (isKnownPackage(specifier)) return { kind: 'external' };
      // Files of one folder find the same. But a tsconfig may not be theirs, and then nor are its aliases: it speaks for no JavaScript
      // unless it says so, and not for what it excludes.
      const place = `${importer.slice(0, importer.lastIndexOf('/'))}\0${extname(importer)}\0${specifier}`;
      const ofFile = `${importer}\0${specifier}`;
      let known = cache.get(place) ?? cache.get(ofFile);
      if (!known) {
        known = { specifier, importer, resolution: lookUp(specifier, importer) };
        cache.set(isMissing(known.resolution) ? ofFile : place, known);
      }
      return known.resolution;
    },
    locate(specifier, importer) {
      if (isKnownPackage(specifier)) return null;
      const { path } = factory.resolveFileSync(isAbsolute(importer) ? importer : `${root}/${importer}`, specifier);
      const isSource = path !== undefined && SOURCE_FILE.test(path) && !DECLARATION_FILE.test(path);
      return isSource && /[\\/]node_modules[\\/]/.test(path) ? path : null;
    },
    known: () => cache.values(),
    isOutdated(exists) {
      const missing: LookedUp[] = [];
      for (const known of cache.values()) {
        const { resolution } = known;
        if (resolution.kind === 'file' && !exists(resolution.file)) return true;
        if (isMissing(resolution)) missing.push(known);
      }
      if (missing.length === 0) return false;
      factory.clearCache();
      return missing.some(({ specifier, importer }) => !isMissing(lookUp(specifier, importer)));
    },
    get problems() {
      inspect();
      return [...problems.values()];
    },
    clear() {
      inspected = null;
      cache.clear();
      problems.clear();
      factory.clearCache();
    },
  };
}

/** Tools keep caches in `node_modules/.name`, also where nothing is installed. */
function hasPackages(from: string): boolean {
  for (let folder = from; ; folder = dirname(folder)) {
    try {
      if (readdirSync(join(folder, 'node_modules')).some((name) => !name.startsWith('.'))) return true;
    } catch {
      // None here.
    }
    if (dirname(folder) === folder) return false;
  }
}

/**
 * The file that a specifier with `?` or `#` in it names by its very letters. Resolvers take what follows them for a query; names
 * of files and folders may hold them all the same.
 *
 * @param importer - absolute path
 */
export function literalFile(specifier: string, importer: string): string | null {
  const path = resolvePath(dirname(importer), specifier);
  if (!/[?#]/.test(path)) return null;
  return fileAt(path);
}

function fileAt(path: string): string | null {
  return findFile(path, (file) => statOf(file)?.isFile() === true) ?? null;
}

/** The package.json of the project or its workspace that keeps imports from being resolved. Those that are installed are told at the import. */
function ownPackage(error: string): { file: string; reason: string } | null {
  const [, path, reason] = PACKAGE_ERROR.exec(error) ?? [];
  if (path === undefined || reason === undefined) return null;
  const file = path.replace(/\\(.)/g, '$1');
  return /[\\/]node_modules[\\/]/.test(file) ? null : { file, reason };
}

/** A resolved path without the query that was written behind it. */
export function withoutQuery(resolved: string): string {
  return /[?#]/.test(resolved) && !existsSync(resolved) ? resolved.replace(/[?#][^/\\]*$/, '') : resolved;
}

/** A path with `/`, which on other systems than Windows is the only separator. */
export function withSlashes(path: string): string {
  return sep === '/' ? path : path.replaceAll(sep, '/');
}

function classify(root: string, resolved: string): Resolution {
  const path = withoutQuery(resolved);
  if (/[\\/]node_modules[\\/]/.test(path)) return { kind: 'external' };
  if (!SOURCE_FILE.test(path) || DECLARATION_FILE.test(path)) return { kind: 'external' };
  return { kind: 'file', file: toRelative(root, path) };
}

/** A path relative to the root with `/`; it may begin with `../`. */
export function toRelative(root: string, path: string): string {
  return withSlashes(relative(root, path));
}

function noteProblem(file: string, reason: string, problems: Map<string, BrokenFile>): void {
  if (problems.has(file)) return;
  const message = /message: "((?:[^"\\]|\\.)*)"/.exec(reason)?.[1] ?? reason;
  const place = /line: (\d+), column: (\d+)/.exec(reason);
  problems.set(file, {
    file,
    message: message.replace(/ at line \d+ column \d+$/, ''),
    line: Number(place?.[1] ?? 1),
    column: Number(place?.[2] ?? 1),
  });
}

/** The real path of a file or a directory; of what is not there (yet), that of the folder which it would be in. */
export function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const folder = dirname(path);
    return folder === path ? path : join(realPath(folder), basename(path));
  }
}
