/**
 * `pawl/tsserver`: the checker within the language service of TypeScript 5.5 to 6.
 *
 * @example
 * // tsconfig.json
 * { "compilerOptions": { "plugins": [{ "name": "pawl/tsserver" }] } }
 */
import {
  actionsFor,
  type Action,
  describeError,
  type Diagnostic,
  type EditorProject,
  EditorProjects,
  fixAllAction,
  fullMessage,
  hoverAt,
  RULE_CODES,
  type Severity,
  typesOfPrograms,
} from 'pawl/editor';
import type ts from 'typescript/lib/tsserverlibrary.js';

/** Codes are numbers here: `PAWL3002` is 903002, for 3002 may be one that TypeScript has fixes for. The code stands before the message. */
const CODE_BASE = 900_000;
const CODES = RULE_CODES.map(numberOf);

/** All fixes of a file at once. */
const FIX_ID = 'pawl';
const FIX_ALL = 'Fix all pawl findings in this file';

type Create = ts.server.PluginModule['create'];

/** What tsserver calls when it loads the plugin. */
export default function init({ typescript }: { typescript: typeof ts }): ts.server.PluginModule {
  const shared = new Shared(typescript);
  const create: Create = (info) => {
    try {
      return new Plugin(typescript, info, shared).decorate();
    } catch (error) {
      info.project.projectService.logger.info(describeError(error));
      return info.languageService;
    }
  };
  return { create };
}

/** What the projects of one tsserver share: a file may be in several. */
class Shared {
  readonly projects: EditorProjects;
  readonly #infos = new Set<ts.server.PluginCreateInfo>();
  /** Open files and the version of the text that was taken. */
  readonly #open = new Map<string, string>();

  constructor(typescript: typeof ts) {
    // The build's own cache is of another build of this code; a server lives long enough to do without.
    this.projects = new EditorProjects({
      cache: false,
      types: (root) => typesOfPrograms(root, typescript, (file) => this.#programOf(file)),
    });
  }

  add(info: ts.server.PluginCreateInfo): void {
    for (const each of this.#infos) if (each.project.isClosed()) this.#infos.delete(each);
    this.#infos.add(info);
  }

  /** Takes over the texts that are open in the editor, saved or not. */
  takeTexts({ projectService }: ts.server.Project): void {
    const open = new Map<string, ts.server.ScriptInfo>();
    for (const path of projectService.openFiles.keys()) {
      const script = projectService.getScriptInfoForPath(path);
      if (script && this.projects.isSource(script.fileName)) open.set(script.fileName, script);
    }
    for (const file of this.#open.keys()) {
      if (open.has(file)) continue;
      this.#open.delete(file);
      this.projects.update(file, null);
    }
    for (const [file, script] of open) {
      const version = script.getLatestVersion();
      if (this.#open.get(file) === version) continue;
      this.#open.set(file, version);
      const snapshot = script.getSnapshot();
      this.projects.update(file, snapshot.getText(0, snapshot.getLength()));
    }
  }

  #programOf(file: string): ts.Program | undefined {
    for (const { project, languageService } of this.#infos) {
      const program = project.isClosed() ? undefined : languageService.getProgram();
      if (program?.getSourceFile(file)) return program;
    }
    return undefined;
  }
}

/** What is asked about, and the program that it is part of. */
interface Question {
  /** Relative to the root. */
  file: string;
  source: ts.SourceFile;
  project: EditorProject;
  diagnostics: readonly Diagnostic[];
  /** Offsets here and there differ by a byte order mark. */
  mark: number;
}

class Plugin {
  readonly #ts: typeof ts;
  readonly #info: ts.server.PluginCreateInfo;
  readonly #shared: Shared;
  /** Files whose configuration is being read. */
  readonly #waiting = new Set<string>();
  #version = '';
  #logged = '';

  constructor(typescript: typeof ts, info: ts.server.PluginCreateInfo, shared: Shared) {
    this.#ts = typescript;
    this.#info = info;
    this.#shared = shared;
    shared.add(info);
  }

  decorate(): ts.LanguageService {
    const service = this.#info.languageService;
    const decorated = Object.create(null) as Record<string, unknown>;
    for (const [name, member] of Object.entries(service)) {
      decorated[name] = typeof member === 'function' ? member.bind(service) : member;
    }
    const own: Partial<ts.LanguageService> = {
      getSemanticDiagnostics: (fileName) => [
        ...service.getSemanticDiagnostics(fileName),
        ...this.#ask(fileName, [], (question) => this.#diagnostics(question)),
      ],
      getQuickInfoAtPosition: (fileName, position, ...rest) => {
        const known = service.getQuickInfoAtPosition(fileName, position, ...rest);
        return this.#ask(fileName, known, (question) => this.#quickInfo(question, position, known));
      },
      getCodeFixesAtPosition: (fileName, start, end, codes, ...rest) => [
        ...service.getCodeFixesAtPosition(fileName, start, end, codes, ...rest),
        ...this.#ask(fileName, [], (question) => this.#fixes(question, { start, end }, codes)),
      ],
      getCombinedCodeFix: (scope, fixId, ...rest) =>
        fixId === FIX_ID
          ? this.#ask(scope.fileName, { changes: [] }, (question) => this.#fixAll(question))
          : service.getCombinedCodeFix(scope, fixId, ...rest),
      getSupportedCodeFixes: (fileName) => [...service.getSupportedCodeFixes(fileName), ...CODES.map(String)],
    };
    return Object.assign(decorated, own) as unknown as ts.LanguageService;
  }

  #diagnostics({ diagnostics, project, source, mark }: Question): ts.Diagnostic[] {
    return diagnostics.map((diagnostic) => {
      const { code, severity, span, rule, related } = diagnostic;
      const relatedInformation = related.flatMap((place): ts.DiagnosticRelatedInformation[] => {
        const file = this.#info.languageService.getProgram()?.getSourceFile(project.absolute(place.file));
        const category = this.#ts.DiagnosticCategory.Message;
        return file
          ? [{ category, code: numberOf(code), file, ...textSpan(place.span, file), messageText: place.message }]
          : [];
      });
      return {
        category: this.#category(severity),
        code: numberOf(code),
        source: 'pawl',
        file: source,
        ...textSpan(span, source, mark),
        messageText: `${code}: ${fullMessage(diagnostic)}`,
        ...(rule === 'unused-suppression' ? { reportsUnnecessary: {} } : {}),
        ...(relatedInformation.length > 0 ? { relatedInformation } : {}),
      };
    });
  }

  #category(severity: Severity): ts.DiagnosticCategory {
    const { DiagnosticCategory } = this.#ts;
    if (severity === 'error') return DiagnosticCategory.Error;
    return severity === 'warning' ? DiagnosticCategory.Warning : DiagnosticCategory.Message;
  }

  #quickInfo(question: Question, position: number, known: ts.QuickInfo | undefined): ts.QuickInfo | undefined {
    const { file, project, diagnostics, source, mark } = question;
    const found = hoverAt({
      file,
      offset: position - mark,
      facts: project.facts(file),
      diagnostics,
      subjects: project.check().subjects,
      link: () => null,
    });
    if (!found) return known;
    const { ScriptElementKind } = this.#ts;
    const info = known ?? {
      kind: ScriptElementKind.unknown,
      kindModifiers: '',
      textSpan: textSpan(found.span, source, mark),
      displayParts: [],
    };
    const before = info.documentation ?? [];
    const text = before.length > 0 ? `\n\n${found.markdown}` : found.markdown;
    return { ...info, documentation: [...before, { kind: 'text', text }] };
  }

  #fixes(
    { file, project, source, diagnostics, mark }: Question,
    range: { start: number; end: number },
    codes: readonly number[],
  ): ts.CodeFixAction[] {
    const wanted = diagnostics.filter(({ code }) => codes.includes(numberOf(code)));
    if (wanted.length === 0) return [];
    const offsets = { start: range.start - mark, end: range.end - mark };
    const hasMore = diagnostics.filter(({ fix }) => fix).length > 1;
    return actionsFor(file, project.text(file) ?? '', wanted, offsets).map((action) => ({
      fixName: `pawl-${action.kind}`,
      description: action.title,
      changes: [changesOf(action, source, mark)],
      ...(action.kind === 'fix' && hasMore ? { fixId: FIX_ID, fixAllDescription: FIX_ALL } : {}),
    }));
  }

  #fixAll({ file, project, source, diagnostics, mark }: Question): ts.CombinedCodeActions {
    const action = fixAllAction(project.text(file) ?? '', diagnostics);
    return { changes: action ? [changesOf(action, source, mark)] : [] };
  }

  /** Answers from the program as it is now. Nothing that goes wrong here may reach tsserver. */
  #ask<T>(fileName: string, otherwise: T, answer: (question: Question) => T): T {
    try {
      const question = this.#question(fileName);
      return question ? answer(question) : otherwise;
    } catch (error) {
      this.#log(error);
      return otherwise;
    }
  }

  #question(fileName: string): Question | null {
    const { project, languageServiceHost, languageService } = this.#info;
    const { projects } = this.#shared;
    if (!projects.isSource(fileName)) return null;
    const source = languageService.getProgram()?.getSourceFile(fileName);
    if (!source) return null;
    this.#shared.takeTexts(project);
    const version = languageServiceHost.getProjectVersion?.() ?? '';
    if (version !== this.#version) for (const each of projects.all()) each.touch();
    this.#version = version;
    const owner = projects.ownerNow(fileName);
    if (!owner) {
      this.#whenKnown(fileName);
      return null;
    }
    const file = owner.relative(fileName);
    const diagnostics = owner.check('types').diagnostics.get(file) ?? [];
    return { file, source, project: owner, diagnostics, mark: source.text.charCodeAt(0) === 0xfeff ? 1 : 0 };
  }

  /** A configuration is a program, which takes a moment to run. */
  #whenKnown(fileName: string): void {
    if (this.#waiting.has(fileName)) return;
    this.#waiting.add(fileName);
    this.#shared.projects.owner(fileName).then(
      () => this.#refresh(fileName),
      (error: unknown) => {
        this.#waiting.delete(fileName);
        this.#log(error);
      },
    );
  }

  #refresh(fileName: string): void {
    this.#waiting.delete(fileName);
    if (!this.#info.project.isClosed()) this.#info.project.refreshDiagnostics();
  }

  #log(error: unknown): void {
    const text = describeError(error);
    if (text !== this.#logged) this.#info.project.projectService.logger.info(text);
    this.#logged = text;
  }
}

function numberOf(code: string): number {
  return CODE_BASE + Number(code.replace(/^PAWL/, ''));
}

/** A range of a file, which may be shorter than the checker saw it: then it is one that is not open, and was just changed. */
function textSpan({ start, end }: { start: number; end: number }, { text }: ts.SourceFile, mark = 0): ts.TextSpan {
  const from = Math.min(start + mark, text.length);
  return { start: from, length: Math.min(end + mark, text.length) - from };
}

function changesOf({ edits }: Action, { fileName }: ts.SourceFile, mark: number): ts.FileTextChanges {
  return {
    fileName,
    textChanges: edits.map(({ start, end, text }) => ({
      span: { start: start + mark, length: end - start },
      newText: text,
    })),
  };
}
