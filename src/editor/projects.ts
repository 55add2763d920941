import { dirname } from 'node:path';
import { DECLARATION_FILE, SOURCE_FILE } from '../checker/resolution.ts';
import { EditorProject, type ProjectOptions } from './project.ts';
import { rootCandidates } from './roots.ts';

/** What all projects have in common. */
export type ProjectsOptions = Pick<ProjectOptions, 'types' | 'cache'>;

/**
 * All projects that an editor has files of.
 *
 * A file belongs to the innermost configured folder whose entries it is one of; failing that, to its package, whose defaults then
 * hold; failing that, to the workspace folder. A file outside of all is looked at alone.
 */
export class EditorProjects {
  readonly #options: ProjectsOptions;
  readonly #projects = new Map<string, EditorProject>();
  readonly #texts = new Map<string, string>();
  #folders: readonly string[] = [];

  constructor(options: ProjectsOptions = {}) {
    this.#options = options;
  }

  /** The projects that are open. */
  all(): EditorProject[] {
    return [...this.#projects.values()];
  }

  /** @param folders - workspace folders, absolute */
  setFolders(folders: readonly string[]): void {
    this.#folders = folders;
  }

  /** Whether a file is source code that could be part of a program. */
  isSource(path: string): boolean {
    return SOURCE_FILE.test(path) && !DECLARATION_FILE.test(path) && !/[\\/]node_modules[\\/]/.test(path);
  }

  /** Lays a text over a file in every project, for any may import it; null goes back to the disk. */
  update(path: string, text: string | null): void {
    if (text === null) this.#texts.delete(path);
    else this.#texts.set(path, text);
    for (const project of this.#projects.values()) project.update(path, text);
  }

  /** The project that a file belongs to, its configuration read. */
  async owner(path: string): Promise<EditorProject> {
    const { configured, nearest } = rootCandidates(path, this.#folders);
    for (const root of configured) {
      const project = this.open(root);
      await project.load();
      if (root === nearest || project.isEntry(path)) return project;
    }
    return this.#fallback(path, nearest);
  }

  /** The same at once; null while a configuration that matters is not known yet. */
  ownerNow(path: string): EditorProject | null {
    const { configured, nearest } = rootCandidates(path, this.#folders);
    for (const root of configured) {
      const project = this.open(root);
      if (!project.isReady) return null;
      if (root === nearest || project.isEntry(path)) return project;
    }
    return this.#fallback(path, nearest);
  }

  /** Whether an open project other than this one is where the findings of a file belong. */
  isOwnedByOther(path: string, project: EditorProject): boolean {
    if (!this.isSource(path)) return false;
    const { configured, nearest } = rootCandidates(path, this.#folders);
    for (const root of configured) {
      const other = this.#projects.get(root);
      if (other?.isReady && (root === nearest || other.isEntry(path))) return other !== project;
    }
    const other = nearest === null ? undefined : this.#projects.get(nearest);
    return other !== undefined && other !== project;
  }

  /** The project of a root. */
  open(root: string): EditorProject {
    return this.#take(root, () => new EditorProject({ root, ...this.#options }));
  }

  /** Forgets a project. */
  close(project: EditorProject): void {
    project.dispose();
    for (const [key, each] of this.#projects) if (each === project) this.#projects.delete(key);
  }

  #fallback(path: string, nearest: string | null): EditorProject {
    if (nearest !== null) return this.open(nearest);
    const root = dirname(path);
    return this.#take(`${root}\0loose`, () => new EditorProject({ root, loose: true, ...this.#options }));
  }

  #take(key: string, make: () => EditorProject): EditorProject {
    let project = this.#projects.get(key);
    if (!project) {
      project = make();
      for (const [path, text] of this.#texts) project.update(path, text);
      this.#projects.set(key, project);
    }
    return project;
  }
}
