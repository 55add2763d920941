import { dirname } from 'node:path';
import type ts from 'typescript';
import type { TypeScript } from './classic-model.ts';
import type { Project } from './projects.ts';

const GLOBAL_DECLARATION = /\bdeclare\s+(?:global|module|namespace)\b/;

/** What a language service asks about its project. */
export class ServiceHost implements ts.LanguageServiceHost {
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
