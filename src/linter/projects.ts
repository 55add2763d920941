import { dirname, resolve } from 'node:path';
import { DECLARATION_FILE, SOURCE_FILE } from '../checker/resolution.ts';
import { PawlError } from '../errors.ts';
import { rootCandidates } from '../editor/roots.ts';
import { VERSION } from '../version.ts';
import { type LintFinding, LintProject, type OwnOptions } from './project.ts';

/** What a linter asks: one rule in one file. */
export interface LintQuestion {
  /** Path of the file, absolute or relative to `cwd`. */
  path: string;
  /** Its text as the linter has it, without a byte order mark. */
  text: string;
  /** The folder in which the linter works. */
  cwd: string;
  /** Name of the rule. */
  rule: string;
  /** The rule's options, where the linter has some. */
  options?: Record<string, unknown>;
  /** Folder of the project; found by its `pawl.config` or `package.json` unless given. */
  root?: string;
  /** Whether TypeScript is asked, where it is installed. Default: true. */
  types?: boolean;
}

/** Answers linters, which ask file by file and rule by rule, from one check of the whole program. */
export class LintProjects {
  readonly #projects = new Map<string, LintProject>();
  /** The file that is being linted: every rule asks of it. */
  #current = { path: '', text: '', answers: new Map<string, readonly LintFinding[]>(), isTold: false };

  /**
   * What a rule finds in a file.
   *
   * @returns in the order of the text. Where nothing could be checked, the first rule that asks gets one finding that says why
   */
  find(question: LintQuestion): readonly LintFinding[] {
    const { text, rule, options } = question;
    const path = resolve(question.cwd, question.path);
    // Texts that belong to no file have a name such as `<input>`.
    if (/^<.*>$/.test(question.path) || !SOURCE_FILE.test(path) || DECLARATION_FILE.test(path)) return [];
    if (this.#current.path !== path || this.#current.text !== text) {
      this.#current = { path, text, answers: new Map(), isTold: false };
    }
    const { answers, isTold } = this.#current;
    const key = JSON.stringify([options ? [rule, options] : null, question.root, question.types]);
    const found = answers.get(key) ?? this.#check({ ...question, path }, options ? { rule, options } : null);
    answers.set(key, found);
    const problems = found.filter((finding) => finding.rule === PROBLEM);
    if (problems.length === 0) return found.filter((finding) => finding.rule === rule);
    this.#current.isTold = true;
    return isTold ? [] : problems;
  }

  #check(question: LintQuestion, own: OwnOptions | null): readonly LintFinding[] {
    try {
      return this.#owner(question).check(question.path, question.text, own);
    } catch (error) {
      return [problem(error)];
    }
  }

  /** The innermost configured folder whose entries a file is one of, else its package, else where the linter works. */
  #owner({ path, cwd, root, types = true }: LintQuestion): LintProject {
    if (root !== undefined) return this.#open(root, types);
    const { configured, nearest } = rootCandidates(path, [cwd]);
    for (const folder of configured) {
      const project = this.#open(folder, types);
      if (folder === nearest || project.isEntry(path)) return project;
    }
    return this.#open(nearest ?? dirname(path), types);
  }

  #open(root: string, types: boolean): LintProject {
    const key = `${types} ${root}`;
    let project = this.#projects.get(key);
    if (!project) {
      project = new LintProject({ root, types });
      this.#projects.set(key, project);
    }
    return project;
  }
}

/** Marks a finding that is about no rule. */
const PROBLEM = '';

/** An exception within a rule would end the linter, with a stack trace of ours. */
function problem(error: unknown): LintFinding {
  const span = { start: 0, end: 0, line: 1, column: 1, endLine: 1, endColumn: 1 };
  return { rule: PROBLEM, message: `Nothing was checked. ${sentences(error)}`, span, edits: [] };
}

function sentences(error: unknown): string {
  if (error instanceof PawlError) {
    const { code, message, place, remedy } = error;
    return `${code}${place ? ` at ${place}` : ''}: ${message}${remedy ? ` ${remedy}` : ''}`;
  }
  const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return `PAWL_INTERNAL: ${reason}. This is a defect of pawl ${VERSION}, not of your program.`;
}
