import { type Dirent, existsSync, readdirSync, realpathSync } from 'node:fs';
import { dirname, resolve as resolvePath } from 'node:path';
import picomatch from 'picomatch';
import { globSync } from 'tinyglobby';
import { compareText } from '../diagnostics/order.ts';
import { toRelative } from './disk-resolve.ts';
import { absolute, stampOfDirectory, unreadable } from './stamps.ts';

/** Where steps and workflows are looked for unless the configuration says otherwise. */
export const DEFAULT_ENTRIES: readonly string[] = ['src/**/*.{ts,tsx,js,jsx,mts,cts,mjs,cjs}'];

/** The same of a project without a folder `src`, as a Next.js app may be: everything but what tools put there. */
const ROOT_ENTRIES: readonly string[] = ['**/*.{ts,tsx,js,jsx,mts,cts,mjs,cjs}'];
const PUT_OUT = ['**/{dist,build,out,coverage}/**'];

/** What an entry glob never means: installed packages, type declarations, what builds put out. */
const NEVER = ['**/node_modules/**', '**/*.d.{ts,mts,cts}', '**/.pawl/**'];

/** Tests are no entries unless the configuration names them: they define steps and slugs that only they use. */
const TESTS = ['**/*.{test,spec}.*', '**/__tests__/**', '**/__mocks__/**'];

/**
 * The entry files of a project. A link leads to what it stands for: that is read, bundled and named, once, however many links lead
 * there.
 *
 * @param root - absolute real path
 * @param entries - globs relative to the root; null for the default
 * @param readDirectory - for tests
 * @returns files relative to the root with `/`, sorted; what links lead to may begin with `../`
 * @throws PawlError `PAWL_FILE_UNREADABLE` for a directory that cannot be read
 */
export function discoverEntries(
  root: string,
  entries: readonly string[] | null = null,
  readDirectory: typeof readdirSync = readdirSync,
): string[] {
  return findEntries(root, entries, readDirectory).files;
}

/** @returns the entries, and whether a link stood among what was looked at */
function findEntries(
  root: string,
  entries: readonly string[] | null,
  readDirectory: typeof readdirSync,
): { files: string[]; linked: boolean } {
  // The walk passes over what it cannot read; steps that lie there would be missing without a word.
  const problems: { path: string; error: unknown }[] = [];
  const links = new Links(root);
  const watched = (...args: Parameters<typeof readdirSync>): unknown => {
    try {
      const listed = readDirectory(...args);
      links.note(String(args[0]), listed as unknown as readonly Dirent[]);
      return listed;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ENOENT' && code !== 'ENOTDIR') problems.push({ path: String(args[0]), error });
      throw error;
    }
  };
  const found = globSync([...(entries ?? defaultsOf(root))], {
    cwd: root,
    ignore: ignoredBy(entries, root),
    onlyFiles: true,
    expandDirectories: false,
    fs: { readdirSync: watched as typeof readdirSync },
  });
  const [problem] = problems;
  if (problem) throw unreadable(problem.path, problem.error, 'directory');
  const files = found.map((file) => file.replaceAll('\\', '/')).filter(isOwnOf(root, entries));
  return { files: (links.met ? links.follow(files) : files).sort(compareText), linked: links.met };
}

/** What a walk met of symbolic links. Without any, paths are real and nothing more is asked of the disk. */
class Links {
  readonly #root: string;
  #isFirst = true;
  /** Whether something that the walk looked at is a link, or lies behind one. */
  met = false;

  constructor(root: string) {
    this.#root = root;
  }

  note(directory: string, listed: readonly Dirent[]): void {
    if (this.met) return;
    // All others lie within the first, and whatever lies in a real directory is real too, but for what is listed as a link.
    if (this.#isFirst) this.met = realpathSync(directory) !== resolvePath(directory);
    this.#isFirst = false;
    this.met ||= listed.some((entry) => entry.isSymbolicLink() && entry.name !== 'node_modules');
  }

  follow(files: readonly string[]): string[] {
    const real = new Set<string>();
    for (const file of files) {
      try {
        real.add(toRelative(this.#root, realpathSync(absolute(this.#root, file))));
      } catch {
        // Gone by now.
      }
    }
    return [...real];
  }
}

/**
 * The same again and again: directories are only listed anew when one of them has changed.
 */
export class EntryDiscovery {
  readonly #root: string;
  readonly #entries: readonly string[] | null;
  #found: string[] = [];
  /** The times of the directories that were listed, by their path; null when they cannot be relied on. */
  #stamps: Map<string, string> | null = null;

  constructor(root: string, entries: readonly string[] | null) {
    this.#root = root;
    this.#entries = entries;
  }

  /** The directories that were listed, and their times; null when these cannot be relied on. */
  get stamps(): ReadonlyMap<string, string> | null {
    return this.#stamps;
  }

  /** @throws PawlError `PAWL_FILE_UNREADABLE` */
  find(): string[] {
    if (this.#stamps && [...this.#stamps].every(([path, stamp]) => stampOfDirectory(path) === stamp))
      return this.#found;
    const now = Date.now();
    const stamps = new Map<string, string>();
    let isSettled = true;
    const watched = ((...args: Parameters<typeof readdirSync>) => {
      const path = String(args[0]);
      const stamp = stampOfDirectory(path);
      stamps.set(path, stamp);
      // What changes again within the same tick of the file system's clock would go unnoticed.
      isSettled &&= now - Number(stamp) > TICK;
      return readdirSync(...args);
    }) as typeof readdirSync;
    const { files, linked } = findEntries(this.#root, this.#entries, watched);
    this.#found = files;
    // Where a link leads may change without the directory that it is in.
    this.#stamps = isSettled && !linked ? stamps : null;
    return this.#found;
  }
}

/** The longest tick of the clocks by which file systems write times, ms. */
const TICK = 2_500;

/**
 * Whether `discoverEntries` would take a file, by its path relative to the root: asked of files that are not on disk yet.
 *
 * @param entries - as for `discoverEntries`
 * @param root - absolute; without it, a project has a folder `src`
 */
export function entryMatcher(entries: readonly string[] | null, root: string | null = null): (file: string) => boolean {
  const wanted = (entries ?? defaultsOf(root)).map((glob) => glob.replace(/^\.\//, ''));
  const isOwn = isOwnOf(root, entries);
  const matches = picomatch(
    wanted.filter((glob) => !glob.startsWith('!')),
    {
      ignore: [
        ...ignoredBy(entries, root),
        ...wanted.filter((glob) => glob.startsWith('!')).map((glob) => glob.slice(1)),
      ],
    },
  );
  return (file) => matches(file) && isOwn(file);
}

/** Packages within a project without a folder `src`, as in a workspace, are projects of their own. */
function isOwnOf(root: string | null, entries: readonly string[] | null): (file: string) => boolean {
  if (root === null || entries !== null || defaultsOf(root) !== ROOT_ENTRIES) return () => true;
  const known = new Map<string, boolean>([['.', true]]);
  const isOwn = (folder: string): boolean => {
    let own = known.get(folder);
    if (own === undefined) {
      own = !existsSync(`${root}/${folder}/package.json`) && isOwn(dirname(folder));
      known.set(folder, own);
    }
    return own;
  };
  return (file) => isOwn(dirname(file));
}

function ignoredBy(entries: readonly string[] | null, root: string | null): string[] {
  if (entries !== null) return NEVER;
  return defaultsOf(root) === ROOT_ENTRIES ? [...NEVER, ...TESTS, ...PUT_OUT] : [...NEVER, ...TESTS];
}

function defaultsOf(root: string | null): readonly string[] {
  return root === null || existsSync(`${root}/src`) ? DEFAULT_ENTRIES : ROOT_ENTRIES;
}

/** All source files in a directory, as `discoverEntries` would take them. */
export function discoverDirectory(root: string, directory: string): string[] {
  const prefix = directory === '' || directory === '.' ? '' : `${escapeGlob(directory)}/`;
  return discoverEntries(root, [`${prefix}**/*.{ts,tsx,js,jsx,mts,cts,mjs,cjs}`]);
}

function escapeGlob(path: string): string {
  return path.replace(/[()[\]{}!*+?@\\]/g, '\\$&');
}
