import { statSync } from 'node:fs';
import { toRelative } from '../disk-resolve.ts';
import type { TypeBackend, TypeSources } from './backend.ts';
import type { Flags, SourceNode, TypeModel } from './model.ts';
import { type NativeChecker, type NativeEnums, nativeModel } from './native-model.ts';
import { isUnread } from './projects.ts';
import { Questions } from './questions.ts';

/** `typescript/unstable/sync` and `typescript/unstable/ast` of an installed TypeScript 7. */
export interface NativeTypeScript {
  api: NativeEnums & { API: new (options: NativeOptions) => NativeApi };
  ast: { SyntaxKind: Flags };
  version: string;
}

interface NativeOptions {
  cwd: string;
  fs: { readFile(file: string): string | null | undefined; fileExists(file: string): boolean | undefined };
}

interface NativeApi {
  updateSnapshot(parameters: {
    openFiles?: string[];
    closeFiles?: string[];
    fileChanges?: { invalidateAll: true };
  }): NativeSnapshot;
  close(): void;
}

interface NativeSnapshot {
  getProjects(): readonly NativeProject[];
  getDefaultProjectForFile(file: string): NativeProject | undefined;
  dispose(): void;
}

interface NativeProject {
  readonly configFileName: string;
  readonly program: {
    getSourceFile(file: string): SourceNode | undefined;
    getSourceFileNames(): readonly string[];
    getConfigFileParsingDiagnostics(): readonly { code: number; text?: string; messageText?: string }[];
  };
  readonly checker: NativeChecker;
}

/**
 * TypeScript 7: a process of its own that is asked by messages. It finds the project of a file itself. The API is marked
 * unstable; whatever it throws goes to whoever opened it, who turns to another TypeScript.
 */
export function createNativeBackend(typescript: NativeTypeScript): TypeBackend {
  return new NativeBackend(typescript);
}

class NativeBackend implements TypeBackend {
  readonly #typescript: NativeTypeScript;
  readonly #notices = new Set<string>();
  #api: NativeApi | null = null;
  #snapshot: NativeSnapshot | null = null;
  #overlays: ReadonlyMap<string, string> = new Map();
  #open: readonly string[] = [];
  #generation = -1;
  /** Files of the last snapshot as they were then. */
  #stamps = new Map<string, string>();

  constructor(typescript: NativeTypeScript) {
    this.#typescript = typescript;
  }

  get name(): string {
    return `TypeScript ${this.#typescript.version}`;
  }

  get notices(): readonly string[] {
    return [...this.#notices];
  }

  open(sources: TypeSources): Questions {
    let snapshot: NativeSnapshot | null = null;
    const models = new Map<NativeProject, TypeModel>();
    const modelOf = (file: string): TypeModel | null => {
      snapshot ??= this.#update(sources);
      const project = snapshot.getDefaultProjectForFile(file) ?? this.#projectWith(snapshot, file);
      if (!project) return null;
      let model = models.get(project);
      if (!model) {
        this.#noteProblems(project, sources.root);
        const { program, checker } = project;
        model = nativeModel({
          enums: this.#typescript.api,
          SyntaxKind: this.#typescript.ast.SyntaxKind,
          checker,
          sourceFile: (name) => program.getSourceFile(name),
        });
        models.set(project, model);
      }
      return model;
    };
    return new Questions({ root: sources.root, modelOf, serializable: sources.serializable });
  }

  dispose(): void {
    this.#snapshot = null;
    this.#api?.close();
    this.#api = null;
    this.#open = [];
    this.#stamps.clear();
  }

  #projectWith(snapshot: NativeSnapshot, file: string): NativeProject | undefined {
    return snapshot.getProjects().find(({ program }) => program.getSourceFile(file) !== undefined);
  }

  /** The state of the files as they are now; the last one where nothing has changed. */
  #update({ root, files, overlays, generation }: TypeSources): NativeSnapshot {
    const absolute = (file: string): string => (/^(?:\/|[A-Za-z]:)/.test(file) ? file : normal(`${root}/${file}`));
    const before = this.#overlays;
    this.#overlays = new Map([...overlays].map(([file, text]) => [absolute(file), text]));
    const api = this.#connect(root);
    const wanted = files.map(absolute);
    const last = this.#snapshot;
    const isSame = last && generation === this.#generation && sameItems(wanted, this.#open) && !this.#isStale(before);
    if (isSame) return last;
    // A file that is open is not read again, whatever is said of changes; so all are closed, and opened anew. Snapshots are
    // released last: with them goes the knowledge which nodes are out of date.
    const closed = last && api.updateSnapshot({ closeFiles: [...this.#open], fileChanges: { invalidateAll: true } });
    const next = api.updateSnapshot({ openFiles: wanted });
    closed?.dispose();
    last?.dispose();
    this.#generation = generation;
    this.#snapshot = next;
    this.#open = wanted;
    this.#remember(next);
    return next;
  }

  /** Whether a text that the last snapshot saw is another one now. */
  #isStale(before: ReadonlyMap<string, string>): boolean {
    for (const file of [...before.keys(), ...this.#overlays.keys()])
      if (before.get(file) !== this.#overlays.get(file)) return true;
    for (const [file, stamp] of this.#stamps) if (stampOf(file) !== stamp) return true;
    return false;
  }

  #connect(root: string): NativeApi {
    this.#api ??= new this.#typescript.api.API({
      cwd: root,
      fs: {
        readFile: (file) => this.#overlays.get(file),
        fileExists: (file) => (this.#overlays.has(file) ? true : undefined),
      },
    });
    return this.#api;
  }

  #remember(snapshot: NativeSnapshot): void {
    this.#stamps = new Map();
    for (const { program, configFileName } of snapshot.getProjects())
      for (const file of [configFileName, ...program.getSourceFileNames()]) this.#stamps.set(file, stampOf(file));
  }

  #noteProblems({ program, configFileName }: NativeProject, root: string): void {
    const fatal = program.getConfigFileParsingDiagnostics().find(({ code }) => isUnread(code));
    if (!fatal) return;
    const why = (fatal.text ?? fatal.messageText ?? '').replace(/\.$/, '');
    this.#notices.add(`Types are asked for without all of ${toRelative(root, configFileName)}: ${why}.`);
  }
}

function normal(path: string): string {
  return path.replace(/\/(?:[^/]+\/\.\.\/)+/g, '/');
}

function stampOf(file: string): string {
  try {
    const { mtimeMs, size } = statSync(file);
    return `${mtimeMs} ${size}`;
  } catch {
    // The project of files that have none is called /dev/null/inferred.
    return '';
  }
}

function sameItems(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((item, index) => item === other[index]);
}
