import { dirname } from 'node:path';
import type ts from 'typescript';
import type { Types } from '../../rules/types.ts';
import { toRelative } from '../disk-resolve.ts';
import type { TypeBackend, TypeSources } from './backend.ts';
import { classicModel, type TypeScript } from './classic-model.ts';
import type { TypeModel } from './model.ts';
import { type Project, Projects } from './projects.ts';
import { Questions } from './questions.ts';

/**
 * TypeScript 5.5 to 6. One language service for each project, which keeps parsed files from check to check. Its roots are the
 * files with boundaries and what declares global types: what boundaries do not mention is never read, and bodies are checked
 * only where a type has to be inferred from them.
 */
export function createClassicBackend(api: TypeScript): TypeBackend {
  const services = new Map<string, Service>();
  const { ParseForTypeErrors } = api.JSDocParsingMode;
  const registry = api.createDocumentRegistry(api.sys.useCaseSensitiveFileNames, undefined, ParseForTypeErrors);
  const notices = new Set<string>();
  return {
    name: `TypeScript ${api.version}`,
    get notices() {
      return [...notices];
    },
    open(sources) {
      let programs: Map<string, Service> | null = null;
      const models = new Map<Service, TypeModel>();
      const modelOf = (file: string): TypeModel | null => {
        programs ??= assign(api, sources, services, registry, notices);
        const service = programs.get(file) ?? serviceWith(programs, file);
        if (!service) return null;
        let model = models.get(service);
        if (!model) {
          const program = service.service.getProgram();
          if (!program) return null;
          model = classicModel(api, program);
          models.set(service, model);
        }
        return model;
      };
      return new Questions({ root: sources.root, modelOf, serializable: sources.serializable });
    },
    dispose() {
      for (const { service } of services.values()) service.dispose();
      services.clear();
    },
  };
}

/**
 * The same over a program that somebody else keeps, such as an editor's language service.
 *
 * @param programOf - the program that a file (absolute) belongs to
 */
export function classicTypes(
  api: TypeScript,
  programOf: (file: string) => ts.Program | undefined,
  { root, serializable }: Pick<TypeSources, 'root' | 'serializable'>,
): Types {
  const models = new Map<ts.Program, TypeModel>();
  const modelOf = (file: string): TypeModel | null => {
    const program = programOf(file);
    if (!program) return null;
    const model = models.get(program) ?? classicModel(api, program);
    models.set(program, model);
    return model;
  };
  return new Questions({ root, modelOf, serializable });
}

interface Service {
  service: ts.LanguageService;
  host: Host;
}

/** Makes or updates the service of each project that has boundaries. By file, absolute. */
function assign(
  api: TypeScript,
  sources: TypeSources,
  services: Map<string, Service>,
  registry: ts.DocumentRegistry,
  notices: Set<string>,
): Map<string, Service> {
  const projects = new Projects(api, sources.root);
  const overlays = new Map([...sources.overlays].map(([file, text]) => [absolute(sources.root, file), text]));
  const files = new Map<Project, string[]>();
  for (const file of sources.files) {
    const path = absolute(sources.root, file);
    const project = projects.of(path);
    const known = files.get(project) ?? [];
    files.set(project, known);
    known.push(path);
  }
  const found = new Map<string, Service>();
  for (const [project, roots] of files) {
    if (project.config !== null && project.problem !== null)
      notices.add(
        `Types are asked for without all of ${toRelative(sources.root, project.config)}: ${project.problem.replace(/\.$/, '')}.`,
      );
    const key = project.config ?? '';
    let entry = services.get(key);
    if (!entry) {
      const host = new Host(api);
      entry = { host, service: api.createLanguageService(host, registry) };
      services.set(key, entry);
    }
    entry.host.update(project, roots, overlays);
    for (const file of roots) found.set(file, entry);
  }
  return found;
}

/** A file without boundaries: one that imports lead to from a file that has some. */
function serviceWith(programs: ReadonlyMap<string, Service>, file: string): Service | null {
  for (const service of new Set(programs.values()))
    if (service.service.getProgram()?.getSourceFile(file)) return service;
  return null;
}

function absolute(root: string, file: string): string {
  return /^(?:\/|[A-Za-z]:)/.test(file) ? file : `${root}/${file}`.replace(/\/(?:[^/]+\/\.\.\/)+/g, '/');
}

const GLOBAL_DECLARATION = /\bdeclare\s+(?:global|module|namespace)\b/;

/** What a language service asks about its project. */
class Host implements ts.LanguageServiceHost {
  readonly #api: TypeScript;
  #project: Project | null = null;
  #roots: readonly string[] = [];
  #overlays: ReadonlyMap<string, string> = new Map();
  /** Versions of texts that lie over the disk. */
  readonly #versions = new Map<string, { text: string; version: number }>();
  #round = 0;
  readonly #stamps = new Map<string, string>();
  /** Whether a source of the project declares something for all, by stamp. */
  readonly #ambient = new Map<string, { stamp: string; isAmbient: boolean }>();
  readonly jsDocParsingMode: ts.JSDocParsingMode;

  constructor(api: TypeScript) {
    this.#api = api;
    this.jsDocParsingMode = api.JSDocParsingMode.ParseForTypeErrors;
  }

  update(project: Project, files: readonly string[], overlays: ReadonlyMap<string, string>): void {
    this.#round++;
    this.#stamps.clear();
    this.#project = project;
    this.#overlays = overlays;
    for (const [file, text] of overlays) {
      const known = this.#versions.get(file);
      if (known?.text !== text) this.#versions.set(file, { text, version: this.#round });
    }
    const ambient = project.fileNames.filter((file) => this.#isAmbient(file));
    this.#roots = [...new Set([...files, ...ambient])];
  }

  #isAmbient(file: string): boolean {
    if (/\.d\.[cm]?ts$/.test(file)) return true;
    if (!/\.[cm]?tsx?$/.test(file)) return false;
    const stamp = this.#stamp(file);
    let known = this.#ambient.get(file);
    if (known?.stamp !== stamp) {
      known = { stamp, isAmbient: GLOBAL_DECLARATION.test(this.readFile(file) ?? '') };
      this.#ambient.set(file, known);
    }
    return known.isAmbient;
  }

  #stamp(file: string): string {
    if (this.#overlays.has(file)) return `overlay ${this.#versions.get(file)?.version ?? 0}`;
    let stamp = this.#stamps.get(file);
    if (stamp === undefined) {
      stamp = `${this.#api.sys.getModifiedTime?.(file)?.getTime() ?? 0}`;
      this.#stamps.set(file, stamp);
    }
    return stamp;
  }

  getCompilationSettings(): ts.CompilerOptions {
    return this.#project?.options ?? {};
  }
  getScriptFileNames(): string[] {
    return [...this.#roots];
  }
  getProjectReferences(): readonly ts.ProjectReference[] | undefined {
    return this.#project?.references;
  }
  /** Packages of the same repository are read as sources: their output may not be there. */
  useSourceOfProjectReferenceRedirect(): boolean {
    return true;
  }
  getScriptVersion(file: string): string {
    return this.#stamp(file);
  }
  getScriptSnapshot(file: string): ts.IScriptSnapshot | undefined {
    const text = this.readFile(file);
    return text === undefined ? undefined : this.#api.ScriptSnapshot.fromString(text);
  }
  getCurrentDirectory(): string {
    return this.#project?.directory ?? '/';
  }
  getDefaultLibFileName(options: ts.CompilerOptions): string {
    return this.#api.getDefaultLibFilePath(options);
  }
  fileExists(file: string): boolean {
    return this.#overlays.has(file) || this.#api.sys.fileExists(file);
  }
  readFile(file: string, encoding?: string): string | undefined {
    return this.#overlays.get(file) ?? this.#api.sys.readFile(file, encoding);
  }
  directoryExists(directory: string): boolean {
    if (this.#api.sys.directoryExists(directory)) return true;
    for (const file of this.#overlays.keys()) if (dirname(file).startsWith(directory)) return true;
    return false;
  }
  getDirectories(directory: string): string[] {
    return this.#api.sys.getDirectories(directory);
  }
  readDirectory(...args: Parameters<ts.System['readDirectory']>): string[] {
    return this.#api.sys.readDirectory(...args);
  }
  realpath(path: string): string {
    return this.#api.sys.realpath?.(path) ?? path;
  }
  useCaseSensitiveFileNames(): boolean {
    return this.#api.sys.useCaseSensitiveFileNames;
  }
}
