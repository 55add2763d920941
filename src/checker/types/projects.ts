import { dirname } from 'node:path';
import type ts from 'typescript';
import { withSlashes } from '../disk-resolve.ts';
import type { TypeScript } from './classic-model.ts';

/** Which `tsconfig.json` or `jsconfig.json` speaks for a file, as editors find it, and what it says. */

export interface Project {
  /** Absolute path of the configuration; null where there is none. */
  config: string | null;
  /** Current directory of the project. */
  directory: string;
  options: ts.CompilerOptions;
  /** Files that the configuration names, absolute. */
  fileNames: readonly string[];
  references: readonly ts.ProjectReference[] | undefined;
  /** Why it could not be read as it stands. */
  problem: string | null;
}

export class Projects {
  readonly #api: TypeScript;
  readonly #root: string;
  readonly #byDirectory = new Map<string, string | null>();
  readonly #parsed = new Map<string | null, Project>();
  /** Configurations that were read, those that others extend too, as they were then. */
  readonly #read = new Map<string, string>();

  constructor(api: TypeScript, root: string) {
    this.#api = api;
    this.#root = root;
  }

  /** @param file - absolute, with `/` */
  of(file: string): Project {
    const nearest = this.#parse(this.#nearest(dirname(file)));
    return this.#referenced(nearest, file, 0) ?? nearest;
  }

  /** Whether what was read is still what is there. */
  isCurrent(): boolean {
    for (const [file, stamp] of this.#read) if (this.#stamp(file) !== stamp) return false;
    return true;
  }

  #stamp(file: string): string {
    return String(this.#api.sys.getModifiedTime?.(file)?.getTime() ?? '');
  }

  #nearest(directory: string): string | null {
    let found = this.#byDirectory.get(directory);
    if (found === undefined) {
      found = this.#look(directory);
      this.#byDirectory.set(directory, found);
    }
    return found;
  }

  #look(directory: string): string | null {
    for (const name of ['tsconfig.json', 'jsconfig.json']) {
      const path = `${directory === '/' ? '' : directory}/${name}`;
      if (this.#api.sys.fileExists(path)) return path;
    }
    const above = dirname(directory);
    return above === directory ? null : this.#nearest(above);
  }

  /** A configuration that has no files of its own may lead to one that has this file. */
  #referenced(project: Project, file: string, depth: number): Project | null {
    if (project.fileNames.includes(file)) return project;
    if (depth > 3) return null;
    for (const reference of project.references ?? []) {
      const path = withSlashes(this.#api.resolveProjectReferencePath(reference));
      const found = this.#api.sys.fileExists(path) ? this.#referenced(this.#parse(path), file, depth + 1) : null;
      if (found) return found;
    }
    return null;
  }

  #parse(config: string | null): Project {
    let project = this.#parsed.get(config);
    if (!project) {
      project = config === null ? this.#plain() : this.#load(config);
      this.#parsed.set(config, project);
    }
    return project;
  }

  #load(config: string): Project {
    const api = this.#api;
    const directory = dirname(config);
    const readFile = (path: string): string | undefined => {
      this.#read.set(path, this.#stamp(path));
      return api.sys.readFile(path);
    };
    const { config: json, error } = api.readConfigFile(config, readFile);
    const parsed = api.parseJsonConfigFileContent(json ?? {}, { ...api.sys, readFile }, directory, undefined, config);
    // An empty list of files is for tsc to tell of, and options that this TypeScript does not know for the one that does.
    const [first] = [error, ...parsed.errors].filter((each) => each !== undefined && isUnread(each.code));
    return {
      config,
      directory,
      options: { ...parsed.options, ...OVERRIDES },
      fileNames: parsed.fileNames,
      references: parsed.projectReferences,
      problem: first ? api.flattenDiagnosticMessageText(first.messageText, ' ') : null,
    };
  }

  #plain(): Project {
    const { ModuleKind, ModuleResolutionKind, ScriptTarget } = this.#api;
    const options: ts.CompilerOptions = {
      target: ScriptTarget.ESNext,
      module: ModuleKind.Preserve,
      moduleResolution: ModuleResolutionKind.Bundler,
      allowImportingTsExtensions: true,
      resolveJsonModule: true,
      strict: true,
      // TypeScript 6 takes none unless it is told to.
      ...(Number.parseInt(this.#api.version, 10) >= 6 && { types: ['*'] }),
      ...OVERRIDES,
    };
    return { config: null, directory: this.#root, options, fileNames: [], references: undefined, problem: null };
  }
}

/** Nothing is written or reported; boundaries may stand in JavaScript whatever the configuration thinks of it. */
const OVERRIDES: ts.CompilerOptions = {
  noEmit: true,
  allowJs: true,
  skipLibCheck: true,
  composite: undefined,
  declaration: undefined,
  declarationMap: undefined,
  incremental: undefined,
  tsBuildInfoFile: undefined,
  outFile: undefined,
  plugins: undefined,
};

/**
 * Whether an error of a configuration keeps a part of it from being read: it does not parse, or what it extends cannot be read.
 * Options that are not known, and configurations that find no file, are for tsc to tell of.
 */
export function isUnread(code: number): boolean {
  return (code >= 1000 && code < 2000) || UNREAD.has(code);
}

/** No such file, cannot be read, failed to parse, circular, no such base. */
const UNREAD: ReadonlySet<number> = new Set([5012, 5014, 5083, 6053, 6096, 18000, 18001]);
