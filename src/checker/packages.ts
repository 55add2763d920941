import { readFileSync, statSync } from 'node:fs';
import { analyze, mayHaveDirectives, type ModuleFacts } from '../compiler/index.ts';
import { ioEnd } from '../rules/io.ts';
import { isPlain } from '../rules/levels.ts';
import type { PackageEnd, PackageHop } from '../rules/program.ts';
import { withSlashes } from './disk-resolve.ts';
import type { PackageQuery, PackageSource } from './package-query.ts';
import type { PackageCache } from './package-cache.ts';
import { PackagePlaces } from './package-places.ts';
import { ProgramGraph } from './program.ts';
import { findChains } from './reach.ts';
import { builtinName, isKnownPackage, type Resolution } from './resolution.ts';
import { absolute } from './stamps.ts';

/**
 * What functions of installed packages reach: whether `import { load } from 'some-sdk'` leads to the disk or the network.
 *
 * A package is read as the workflow bundle would take it, which prefers builds for places without Node. From the function that is
 * named, calls are followed through the package's modules, and into as many packages behind it as are asked for. What an import
 * does by itself does not count: a bundle leaves it out when nothing uses it.
 *
 * Packages do not change, so what was found is kept by name and version.
 */

/** A generated file of that size is not worth its parse. */
const LARGEST = 1_000_000;

const NO_SUPPRESSIONS = { add: () => {}, covers: () => false, markUsed: () => {} };

export class Packages implements PackageSource {
  readonly #root: string;
  readonly #cache: PackageCache | null;
  readonly #places: PackagePlaces;
  readonly #modules = new Map<string, ModuleFacts | undefined>();
  readonly #graphs = new Map<string, { graph: ProgramGraph; depths: Map<string, number> }>();
  readonly #found = new Map<string, PackageEnd | null>();
  readonly #durable = new Map<string, boolean>();

  constructor(root: string, cache: PackageCache | null) {
    this.#root = root;
    this.#cache = cache;
    this.#places = new PackagePlaces(root);
  }

  /** The nearest end that does I/O; null when there is none, or nothing to be known. */
  find(query: PackageQuery): PackageEnd | null {
    if (query.depth < 1 || query.path.length === 0 || isKnownPackage(query.specifier)) return null;
    const entry = this.#places.entryOf(query.specifier, query.importer);
    const owner = entry === null ? null : this.#places.ownerOf(entry);
    if (entry === null || owner === null) return null;
    const key = [owner.id, entry.slice(owner.folder.length), query.path.join('.'), query.access, query.depth].join(' ');
    let found = this.#found.get(key);
    if (found === undefined) {
      found = this.#cache?.get(key);
      found ??= this.#search(entry, owner, query);
      this.#found.set(key, found);
      this.#cache?.set(key, found);
    }
    return found;
  }

  isWorkflow({ importer, specifier, path }: Pick<PackageQuery, 'importer' | 'specifier' | 'path'>): boolean {
    if (path.length === 0 || isKnownPackage(specifier)) return false;
    const entry = this.#places.entryOf(specifier, importer);
    const owner = entry === null ? null : this.#places.ownerOf(entry);
    if (entry === null || owner === null || !this.#mayBeDurable(entry, owner.folder)) return false;
    const reference = this.#graphOf(owner, 1).graph.exportOf(entry, path, 'read');
    if (reference?.kind === 'unit') return reference.unit.kind === 'workflow' && reference.rest.length === 0;
    return reference?.kind === 'definition' && reference.definition.kind === 'workflow';
  }

  /** Most packages say neither in their entry nor among their dependencies that they have to do with steps and workflows. */
  #mayBeDurable(entry: string, folder: string): boolean {
    const key = `${folder} ${entry}`;
    let known = this.#durable.get(key);
    if (known === undefined) {
      known = this.#dependsOnSdk(folder) || this.#textOf(entry, mayHaveDirectives);
      this.#durable.set(key, known);
    }
    return known;
  }

  #dependsOnSdk(folder: string): boolean {
    return this.#textOf(`${folder}/package.json`, (text) => {
      const { dependencies = {}, peerDependencies = {} } = JSON.parse(text) as Record<string, object | undefined>;
      return [...Object.keys(dependencies), ...Object.keys(peerDependencies)].some(isKnownPackage);
    });
  }

  #textOf(file: string, test: (text: string) => boolean): boolean {
    const path = this.#absolute(file);
    try {
      return statSync(path).size <= LARGEST && test(readFileSync(path, 'utf8'));
    } catch {
      return false;
    }
  }

  /** What was asked about which package: as long as these are the same, so are all answers. */
  get asked(): PackagePlaces['asked'] {
    return this.#places.asked;
  }

  /** How many modules of packages were read. */
  get size(): number {
    return this.#modules.size;
  }

  #search(entry: string, owner: { folder: string; id: string }, query: PackageQuery): PackageEnd | null {
    const { graph } = this.#graphOf(owner, query.depth);
    const reference = graph.exportOf(entry, query.path, query.access);
    if (reference?.kind !== 'unit' || reference.rest.some((piece) => !/^(?:call|apply|bind)$/.test(piece))) return null;
    const root = { module: reference.module, unit: reference.unit };
    // The build takes steps of packages for what they are, wherever they stand in them.
    if (!isPlain(root)) return null;
    const [chain] = findChains(
      graph,
      {
        rule: 'io-in-workflow',
        roots: [root],
        end: (use, found) => ioEnd(use, found),
        rank: (end) => (end.absent ? 1 : 0),
        through: isPlain,
      },
      NO_SUPPRESSIONS,
    );
    if (!chain) return null;
    const hops = chain.hops.map(
      ({ module, unit, use }): PackageHop => ({
        name: unit.path || module.file,
        file: withSlashes(module.file),
        span: use.span,
      }),
    );
    return { end: chain.end, hops };
  }

  #graphOf(owner: { folder: string; id: string }, limit: number): { graph: ProgramGraph; depths: Map<string, number> } {
    const key = `${owner.folder} ${limit}`;
    let known = this.#graphs.get(key);
    if (!known) {
      const depths = new Map([[owner.folder, 1]]);
      const graph = new ProgramGraph({ keys: () => [], get: (file) => this.#module(file) }, (specifier, importer) =>
        this.#resolve(specifier, importer, depths, limit),
      );
      known = { graph, depths };
      this.#graphs.set(key, known);
    }
    return known;
  }

  #resolve(specifier: string, importer: string, depths: Map<string, number>, limit: number): Resolution {
    const name = builtinName(specifier);
    // A package may stand for one of Node's modules where it is installed: `events`, `buffer`.
    const file = specifier.startsWith('node:') ? null : this.#places.fileOf(specifier, importer);
    if (file === null) return name === null ? { kind: 'external' } : { kind: 'builtin', name };
    const owner = this.#places.ownerOf(file);
    if (owner === null || isKnownPackage(specifier)) return { kind: 'external' };
    const depth = depths.get(owner.folder) ?? (depths.get(this.#places.ownerOf(importer)?.folder ?? '') ?? limit) + 1;
    if (depth > limit) return { kind: 'external' };
    depths.set(owner.folder, depth);
    return { kind: 'file', file };
  }

  #module(file: string): ModuleFacts | undefined {
    if (this.#modules.has(file)) return this.#modules.get(file);
    let facts: ModuleFacts | undefined;
    const path = this.#absolute(file);
    try {
      if (/\.[cm]?jsx?$/.test(file) && statSync(path).size <= LARGEST) {
        facts = analyze(readFileSync(path, 'utf8'), { filename: file }).facts;
      }
    } catch {
      // A package with a broken export leads nowhere; the build says so if it needs it.
    }
    this.#modules.set(file, facts);
    return facts;
  }

  #absolute(file: string): string {
    return absolute(this.#root, file);
  }
}
