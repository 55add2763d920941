import type { Diagnostic } from '../diagnostics/types.ts';
import type { Depth, EditorProject } from './project.ts';
import type { EditorProjects } from './projects.ts';

/** How long nobody may type before a check begins, and how long one waits for that at most, ms. */
const QUIET = 80;
const LONGEST_WAIT = 500;

/** How long work may go on at a stretch, and after how much of it something is shown in any case, ms. */
const SLICE = 15;
const FIRST_SIGHT = 120;

/** In a project of fewer files all is known soon enough. */
const MANY = 200;

/** What one project says of a file. */
export interface Findings {
  project: EditorProject;
  /** Relative to the root of the project. */
  file: string;
  diagnostics: readonly Diagnostic[];
}

export interface ContinuousCheckHost {
  /**
   * Takes all that is known of a file now; nothing means that there are no findings (any more). Told of a file that was changed by
   * the editor after each change, of others when something is different.
   *
   * @param path - absolute
   */
  publish(path: string, findings: readonly Findings[]): void;
  /** Tells people something about a project that is no finding, once. */
  notice(project: EditorProject, text: string): void;
  /** @param project - null when it happened before one was found */
  failed(project: EditorProject | null, error: unknown): void;
}

/** Checks all open projects again and again while an editor changes files. A change makes a check that has not begun yet void. */
export class ContinuousCheck {
  readonly #projects: EditorProjects;
  readonly #host: ContinuousCheckHost;
  /** What is known of a file, by its path. */
  readonly #known = new Map<string, Map<EditorProject, Findings>>();
  /** Projects whose types have been looked at, and those with open files whose types have not. */
  readonly #typed = new WeakSet<EditorProject>();
  readonly #untyped = new Set<EditorProject>();
  /** Projects that have been checked once, and those who wait for that. */
  readonly #checked = new WeakSet<EditorProject>();
  readonly #waiting = new Map<EditorProject, (() => void)[]>();
  readonly #told = new WeakMap<EditorProject, Set<string>>();
  /** Files that the editor waits for, most urgent last. */
  readonly #awaited = new Map<string, 'opened' | 'edited' | 'closed'>();
  #round = 0;
  #timer: NodeJS.Timeout | null = null;
  #waitingSince: number | null = null;
  #running = Promise.resolve();
  #isRunning = false;

  constructor(projects: EditorProjects, host: ContinuousCheckHost) {
    this.#projects = projects;
    this.#host = host;
  }

  /** A file was opened, changed or closed by the editor; its text is in the projects already. */
  changed(path: string, how: 'opened' | 'edited' | 'closed'): void {
    this.#awaited.delete(path);
    this.#awaited.set(path, how);
    this.soon(how === 'edited' ? QUIET : 0);
  }

  /** Files on disk or folders of the workspace have changed. */
  diskChanged(): void {
    for (const project of this.#projects.all()) project.touch();
    this.soon(QUIET);
  }

  /** @param quiet - begins when nothing has been said for so long, ms */
  soon(quiet = 0): void {
    this.#round++;
    this.#waitingSince ??= performance.now();
    const left = Math.max(0, this.#waitingSince + LONGEST_WAIT - performance.now());
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#begin(), Math.min(quiet, left));
  }

  /** When a project has been checked for the first time, or could not be. From then on a check takes no time to speak of. */
  ready(project: EditorProject): Promise<void> {
    if (this.#checked.has(project)) return Promise.resolve();
    if (!this.#timer && !this.#isRunning) this.soon();
    return new Promise((resolve) => {
      this.#waiting.set(project, [...(this.#waiting.get(project) ?? []), resolve]);
    });
  }

  /** Stops looking after a project. */
  close(project: EditorProject): void {
    this.#projects.close(project);
    this.#untyped.delete(project);
    this.#release(project);
    this.#replace(project, new Map());
  }

  /** Ends; nothing is published any more. */
  stop(): void {
    this.#round++;
    this.#waiting.clear();
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #begin(): void {
    this.#timer = null;
    this.#waitingSince = null;
    const round = this.#round;
    this.#running = this.#running.then(async () => {
      this.#isRunning = true;
      await this.#run(round);
      this.#isRunning = false;
      // Somebody may wait for a project that was opened meanwhile.
      if (this.#waiting.size > 0 && !this.#timer) this.soon();
    });
  }

  async #run(round: number): Promise<void> {
    const isOld = (): boolean => round !== this.#round;
    const urgent = new Set<EditorProject>();
    for (const [path, how] of [...this.#awaited].reverse()) {
      if (how === 'closed') continue;
      if (isOld()) return;
      const project = await this.#attempt(null, () => this.#projects.owner(path));
      if (project) urgent.add(project);
      if (project && !this.#typed.has(project)) this.#untyped.add(project);
    }
    for (const project of new Set([...urgent, ...this.#projects.all()])) {
      await this.#attempt(project, () => project.load());
      // What the editor has sent meanwhile comes first: it may make this check old.
      await new Promise((resolve) => setImmediate(resolve));
      if (!isOld() && !this.#checked.has(project)) await this.#attempt(project, () => this.#warmUp(project, isOld));
      if (isOld()) return;
      await this.#attempt(project, () => this.#check(project, this.#typed.has(project) ? 'types' : 'facts'));
      this.#release(project);
    }
    for (const path of this.#awaited.keys()) this.#publish(path);
    // The first look at types takes a while, for TypeScript has to be loaded. By now all else is shown.
    for (const project of this.#untyped) {
      await new Promise((resolve) => setImmediate(resolve));
      if (isOld()) return;
      this.#untyped.delete(project);
      this.#typed.add(project);
      await this.#attempt(project, () => this.#check(project, 'types'));
    }
    for (const project of this.#projects.all()) this.#tell(project);
  }

  /** Prepares the first check, and lets the editor speak meanwhile. */
  async #warmUp(project: EditorProject, isOld: () => boolean): Promise<void> {
    const begun = performance.now();
    let slice = begun;
    let isShown = false;
    let looked = 0;
    for (const _ of project.warmUp()) {
      looked++;
      const now = performance.now();
      if (now - slice < SLICE) continue;
      if (!isShown && looked > MANY && now - begun > FIRST_SIGHT) {
        this.#glance(project);
        isShown = true;
      }
      await new Promise((resolve) => setImmediate(resolve));
      if (isOld()) return;
      slice = performance.now();
    }
  }

  /** Shows what can be said of the files that the editor waits for, before all is known. */
  #glance(project: EditorProject): void {
    for (const [path, how] of this.#awaited) {
      if (how === 'closed' || this.#projects.ownerNow(path) !== project) continue;
      this.#host.publish(path, [{ project, file: project.relative(path), diagnostics: project.glance(path) }]);
    }
  }

  #release(project: EditorProject): void {
    this.#checked.add(project);
    for (const resolve of this.#waiting.get(project) ?? []) resolve();
    this.#waiting.delete(project);
  }

  #check(project: EditorProject, depth: Depth): void {
    const { diagnostics } = project.check(depth);
    const found = new Map<string, Findings>();
    for (const [file, list] of diagnostics) {
      const path = project.absolute(file);
      if (!this.#projects.isOwnedByOther(path, project)) found.set(path, { project, file, diagnostics: list });
    }
    this.#replace(project, found);
    // The findings of a file that the editor waits for are complete when its own project has spoken.
    for (const [path, how] of this.#awaited) {
      if (how !== 'closed' && this.#projects.ownerNow(path) === project) this.#publish(path);
    }
  }

  /** Puts what a project says now in place of what it said before. */
  #replace(project: EditorProject, found: ReadonlyMap<string, Findings>): void {
    for (const path of new Set([...this.#known.keys(), ...found.keys()])) {
      const said = this.#known.get(path) ?? new Map<EditorProject, Findings>();
      const before = said.get(project);
      const now = found.get(path);
      if (now) said.set(project, now);
      else said.delete(project);
      if (said.size > 0) this.#known.set(path, said);
      else this.#known.delete(path);
      if (!isSame(before, now) && !this.#awaited.has(path)) this.#publish(path);
    }
  }

  #tell(project: EditorProject): void {
    const told = this.#told.get(project) ?? new Set();
    this.#told.set(project, told);
    for (const text of project.notices) if (!told.has(text)) this.#host.notice(project, text);
    for (const text of project.notices) told.add(text);
  }

  #publish(path: string): void {
    this.#awaited.delete(path);
    this.#host.publish(path, [...(this.#known.get(path)?.values() ?? [])]);
  }

  async #attempt<T>(project: EditorProject | null, work: () => T | Promise<T>): Promise<T | null> {
    try {
      return await work();
    } catch (error) {
      this.#host.failed(project, error);
      return null;
    }
  }
}

function isSame(before: Findings | undefined, now: Findings | undefined): boolean {
  return JSON.stringify(before?.diagnostics) === JSON.stringify(now?.diagnostics);
}
