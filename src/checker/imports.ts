import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type ModuleFacts, readSpecifiers, type Specifier } from '../compiler/index.ts';
import { createDiagnostic } from '../diagnostics/create.ts';
import { nearest } from '../diagnostics/nearest.ts';
import { Positions } from '../diagnostics/positions.ts';
import type { Diagnostic, Span } from '../diagnostics/types.ts';
import { sdkOf, unservedName } from '../sdk-names.ts';
import type { SourceFile, SourceFiles } from './files.ts';
import { explainEntry, explainImports, type Trouble } from './package-entry.ts';
import { isMissing, type Resolution, type Resolve } from './resolution.ts';
import { absolute, statOf } from './stamps.ts';

/**
 * Imports that lead nowhere, in modules that register steps and workflows and in all that these load: what would keep a build from
 * its end.
 *
 * Most programs have none, so texts are first looked through for what may be a specifier, without parsing. Only where one of
 * those leads nowhere is it parsed, and types, comments and imports that may fail are told apart.
 */
export class ImportCheck {
  readonly #root: string;
  readonly #files: SourceFiles;
  readonly #exact = new WeakMap<SourceFile, readonly Specifier[]>();
  /** What files seem to import, as long as resolutions hold. */
  readonly #targets = new WeakMap<SourceFile, Targets>();

  constructor(root: string, files: SourceFiles) {
    this.#root = root;
    this.#files = files;
  }

  /**
   * @param modules - those with facts; what they register decides where the search begins
   * @param generation - another one whenever something may resolve differently; null when nothing may be kept
   */
  find(modules: readonly ModuleFacts[], resolve: Resolve, generation: number | null = null): Diagnostic[] {
    const roots = modules.filter(registers).map(({ file }) => file);
    if (generation !== null && this.#isSound(roots, resolve, generation)) return this.#unservedIn(modules, resolve);
    const found = this.#unservedIn(modules, resolve);
    const isSound = this.#walk(roots, resolve, likelySpecifiers, () => false);
    if (isSound) return found;
    this.#walk(
      roots,
      resolve,
      (source) => this.#exactOf(source).map(({ specifier }) => specifier),
      (source) => {
        found.push(...this.#unresolvedIn(source, resolve));
        return true;
      },
    );
    return found;
  }

  /**
   * What of other SDKs is out of scope, in any module: a trigger, to which no root leads, would just never fire.
   */
  #unservedIn(modules: readonly ModuleFacts[], resolve: Resolve): Diagnostic[] {
    return modules.flatMap(({ file, imports }) => {
      const names = imports.filter(
        ({ source, typeOnly }) =>
          !typeOnly &&
          unservedName(source) !== null &&
          resolve(source, file).kind !== 'file' &&
          homeOf(packageOf(source), absolute(this.#root, file)) === null,
      );
      const first = new Map(names.map((fact) => [fact.source, fact] as const).reverse());
      return [...first].map(([source, { span }]) =>
        unresolvedImport(source, absolute(this.#root, file), { file, span }),
      );
    });
  }

  /** Whether all that the roots seem to load is there. When in doubt it is not: then everything is looked at anew. */
  #isSound(roots: readonly string[], resolve: Resolve, generation: number): boolean {
    const seen = new Set(roots);
    for (const file of seen) {
      const source = this.#files.get(file);
      if (!source) return false;
      let targets = this.#targets.get(source);
      if (targets?.generation !== generation) {
        const resolutions = likelySpecifiers(source).map((specifier) => resolve(specifier, file));
        const files = resolutions.flatMap((resolution) => (resolution.kind === 'file' ? [resolution.file] : []));
        targets = { generation, files, missing: resolutions.some(isMissing) };
        this.#targets.set(source, targets);
      }
      if (targets.missing) return false;
      for (const target of targets.files) seen.add(target);
    }
    return true;
  }

  /**
   * Visits what the roots load.
   *
   * @param visit - of a file that has an import which leads nowhere; returns whether to go on
   */
  #walk(
    roots: readonly string[],
    resolve: Resolve,
    specifiers: (source: SourceFile) => readonly string[],
    visit: (source: SourceFile) => boolean,
  ): boolean {
    const seen = new Set(roots);
    let isSound = true;
    for (const file of seen) {
      const source = this.#files.get(file);
      if (!source) continue;
      let isSuspect = false;
      for (const specifier of specifiers(source)) {
        const resolution = resolve(specifier, file);
        if (resolution.kind === 'file') seen.add(resolution.file);
        isSuspect ||= this.#leadsNowhere(resolution);
      }
      if (!isSuspect || this.#unresolvedIn(source, resolve).length === 0) continue;
      isSound = false;
      if (!visit(source)) break;
    }
    return isSound;
  }

  /** A resolution may be older than the disk: the file may be gone. */
  #leadsNowhere(resolution: Resolution): boolean {
    if (resolution.kind === 'file') return this.#files.get(resolution.file) === null;
    return isMissing(resolution);
  }

  #unresolvedIn(source: SourceFile, resolve: Resolve): Diagnostic[] {
    const { file, text } = source;
    const places = new Map<string, Specifier>();
    for (const each of this.#exactOf(source)) {
      // What a program looks for while it runs may be absent, unless it is a file of the program itself.
      if (each.guarded || (each.form === 'dynamic' && mayBePackage(each.specifier))) continue;
      if (!places.has(each.specifier) && this.#leadsNowhere(resolve(each.specifier, file))) {
        places.set(each.specifier, each);
      }
    }
    const positions = new Positions(text);
    return [...places.values()].map(({ specifier, start, end }) =>
      unresolvedImport(specifier, absolute(this.#root, file), { file, span: positions.span(start, end) }),
    );
  }

  #exactOf(source: SourceFile): readonly Specifier[] {
    let exact = this.#exact.get(source);
    if (!exact) {
      exact = readSpecifiers(source.text, source.file);
      this.#exact.set(source, exact);
    }
    return exact;
  }
}

interface Targets {
  generation: number;
  files: readonly string[];
  /** Something leads nowhere. */
  missing: boolean;
}

/** Behind `from`, `import`, `import(`, `require(`; also in comments and texts, which does no harm. */
const LIKELY =
  /\bfrom\s*(?:"([^"\n]+)"|'([^'\n]+)')|\b(?:import|require)\b\s*\(?\s*(?:\/\*.*?\*\/\s*)?(?:"([^"\n]+)"|'([^'\n]+)'|`([^`\n]+)`)/g;

/** What may be specifiers of imports in a text, found without parsing it. */
export function likelySpecifiers(source: SourceFile): readonly string[] {
  source.likelyImports ??= [...source.text.matchAll(LIKELY)].map(
    (match) => match.slice(1).find((text) => text !== undefined) ?? '',
  );
  return source.likelyImports;
}

function registers({ functions, definitions, classes }: ModuleFacts): boolean {
  return functions.length > 0 || definitions.length > 0 || classes.length > 0;
}

/** Names that a package can have: `@/x` and `~/x` are aliases, `./x` and `/x` paths, `#x` the package's own. */
function mayBePackage(specifier: string): boolean {
  return /^(?:@[\w.-]+\/)?[a-z\d_][\w.-]*(?:\/|$)/i.test(specifier);
}

/**
 * The finding about an import that leads nowhere: what is there in its place, and what to do.
 *
 * @param importer - absolute path of the module that holds it
 */
export function unresolvedImport(specifier: string, importer: string, place: { file: string; span: Span }): Diagnostic {
  const { reason, remedy } = explain(specifier, importer);
  return createDiagnostic('unresolved-import', {
    ...place,
    message: `\`${specifier}\` does not resolve: ${reason}.`,
    remedy,
  });
}

/** The folder above a file where a package is installed. */
function homeOf(name: string, importer: string): string | null {
  return folderAbove(importer, (folder) => isDirectory(join(folder, 'node_modules', name)));
}

function explain(specifier: string, importer: string): Trouble {
  if (/^(?:\/|\.{1,2}(?:\/|$))/.test(specifier)) return explainPath(specifier, importer);
  if (specifier.startsWith('#')) {
    const home = folderAbove(importer, (folder) => isFile(join(folder, 'package.json')));
    const trouble = home === null ? null : explainImports(home, specifier);
    if (trouble) return trouble;
    return {
      reason: 'the package has no such import',
      remedy: 'Add it to `imports` of package.json, or correct the name.',
    };
  }
  if (!mayBePackage(specifier)) {
    return {
      reason: 'no `paths` of tsconfig.json lead there',
      remedy: 'Add the alias to `paths` of tsconfig.json, correct the path, or create the file.',
    };
  }
  const name = packageOf(specifier);
  const home = homeOf(name, importer);
  if (home === null) {
    const unserved = unservedName(specifier);
    if (unserved) return { reason: `pawl has nothing in place of ${unserved.what}`, remedy: unserved.remedy };
    const sdk = sdkOf(specifier);
    const install = `Install the package (\`npm install ${name}\`), or correct the name.`;
    return {
      reason: `there is no package \`${name}\`, or it has no such entry`,
      remedy: sdk
        ? `Set \`compat: ['${sdk}']\` in pawl.config.ts: programs for that SDK then build as they are. Or import from \`pawl\`.`
        : install,
    };
  }
  return explainEntry(join(home, 'node_modules', name), name, `.${specifier.slice(name.length)}`);
}

function explainPath(specifier: string, importer: string): Trouble {
  const path = specifier.startsWith('/') ? specifier : join(dirname(importer), specifier);
  if (isDirectory(path)) {
    const [inside] = namesIn(path).filter((name) => /^[^.].*\.[cm]?[jt]sx?$/.test(name));
    const prefix = specifier.replace(/\/$/, '');
    return {
      reason: 'it is a directory without an index file',
      remedy: inside
        ? `Import a file in it, such as \`${prefix}/${inside}\`, or add an index file.`
        : 'Import a file, or add an index file to the directory.',
    };
  }
  const other = oddity(path);
  if (other) return other;
  const meant = nearestFile(path, importer);
  const before = specifier.slice(0, specifier.lastIndexOf('/') + 1);
  return {
    reason: 'there is no such file',
    remedy: `${meant === null ? '' : `Did you mean \`${before}${meant}\`? `}Correct the path, or create the file.`,
  };
}

/** What is there under the very name, and is no file. */
function oddity(path: string): Trouble | null {
  const remedy = 'Put a file in its place, or correct the path.';
  try {
    return statSync(path, { throwIfNoEntry: false }) ? { reason: 'it is no regular file', remedy } : null;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return { reason: code === 'ELOOP' ? 'its links lead in a circle' : `it cannot be looked at: ${message}`, remedy };
  }
}

/** A file beside it of nearly that name, or of another ending; named with its ending where the import has one. */
function nearestFile(path: string, importer: string): string | null {
  const ending = /\.[cm]?[jt]sx?$/;
  const wanted = basename(path).replace(ending, '');
  const names = new Map<string, string>();
  for (const name of namesIn(dirname(path))) {
    if (join(dirname(path), name) !== importer && ending.test(name)) names.set(name.replace(ending, ''), name);
  }
  const same = [...names.keys()].find((stem) => stem.toLowerCase() === wanted.toLowerCase());
  // In names of one or two letters everything is near.
  const stem = same ?? (wanted.length > 2 ? nearest(wanted, names.keys()) : null);
  if (stem === null) return null;
  return ending.test(path) ? (names.get(stem) as string) : stem;
}

function isDirectory(path: string): boolean {
  return statOf(path)?.isDirectory() === true;
}

function isFile(path: string): boolean {
  return statOf(path)?.isFile() === true;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

/** `@acme/tools/deep` is of `@acme/tools`. */
export function packageOf(specifier: string): string {
  return /^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier;
}

/** The nearest folder around a module of which something is true. */
function folderAbove(importer: string, is: (folder: string) => boolean): string | null {
  for (let folder = dirname(importer); ; folder = dirname(folder)) {
    if (is(folder)) return folder;
    if (dirname(folder) === folder) return null;
  }
}
