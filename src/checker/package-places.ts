import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ResolverFactory } from 'oxc-resolver';
import { withoutQuery, withSlashes } from './disk-resolve.ts';
import { absolute } from './stamps.ts';

/** The conditions of the workflow bundle. */
const CONDITIONS = ['workflow', 'edge-light', 'worker', 'browser', 'import', 'module', 'require', 'default'];

/** A package: its folder, and `name@version`. */
export interface Owner {
  folder: string;
  id: string;
}

/** Where installed packages are, and which: as the workflow bundle would take them, which prefers builds for places without Node. */
export class PackagePlaces {
  readonly #root: string;
  readonly #resolver = new ResolverFactory({
    extensions: ['.js', '.mjs', '.cjs', '.json'],
    conditionNames: CONDITIONS,
    mainFields: ['module', 'main'],
    aliasFields: [['browser']],
    builtinModules: false,
  });
  readonly #names = new Map<string, Owner | null>();
  readonly #asked = new Map<string, AskedPackage>();

  constructor(root: string) {
    this.#root = root;
  }

  /** What modules of the program have asked for. */
  get asked(): readonly AskedPackage[] {
    return [...this.#asked.values()];
  }

  /** The file that an import of the program leads to. */
  entryOf(specifier: string, importer: string): string | null {
    const key = `${dirname(importer)} ${specifier}`;
    let known = this.#asked.get(key);
    if (!known) {
      const entry = this.fileOf(specifier, importer);
      known = { importer, specifier, entry, id: (entry !== null && this.ownerOf(entry)?.id) || null };
      this.#asked.set(key, known);
    }
    return known.entry;
  }

  /** A path relative to the root, or absolute outside of it. */
  fileOf(specifier: string, importer: string): string | null {
    const { path } = this.#resolver.sync(dirname(absolute(this.#root, importer)), specifier);
    if (path === undefined) return null;
    const file = withSlashes(withoutQuery(path));
    return file.startsWith(`${this.#root}/`) ? file.slice(this.#root.length + 1) : file;
  }

  /** The package that a file belongs to: its folder, and `name@version`. */
  ownerOf(file: string): Owner | null {
    const folder = dirname(file);
    const known = this.#names.get(folder);
    if (known !== undefined) return known;
    const owner = this.#readOwner(folder) ?? (dirname(folder) === folder ? null : this.ownerOf(folder));
    this.#names.set(folder, owner);
    return owner;
  }

  #readOwner(folder: string): Owner | null {
    try {
      const text = readFileSync(join(absolute(this.#root, folder), 'package.json'), 'utf8');
      const { name, version } = JSON.parse(text) as { name?: unknown; version?: unknown };
      return typeof name === 'string' && typeof version === 'string' ? { folder, id: `${name}@${version}` } : null;
    } catch {
      return null;
    }
  }
}

export interface AskedPackage {
  importer: string;
  specifier: string;
  entry: string | null;
  /** `name@version` */
  id: string | null;
}
