/**
 * What the checker says, in the words of the Language Server Protocol.
 */
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type Action, type Diagnostic, type EditorProject, EditorText, fullMessage, type Severity } from 'pawl/editor';
import {
  type CodeAction,
  CodeActionKind,
  type Diagnostic as LspDiagnostic,
  DiagnosticSeverity,
  DiagnosticTag,
  type DocumentUri,
  type Location,
  type Range,
  type SnippetTextEdit,
  type TextEdit,
  type WorkspaceEdit,
} from 'vscode-languageserver/node';

const SOURCE = 'pawl';

/** All fixes of a file at once: for "fix on save". */
export const FIX_ALL = `${CodeActionKind.SourceFixAll}.pawl`;

/** What an editor can do with what it is sent. */
export interface ClientAbilities {
  markdown: boolean;
  relatedInformation: boolean;
  documentChanges: boolean;
  snippets: boolean;
  /** It reports changes on disk when asked to. */
  watching: boolean;
  folders: boolean;
  showDocument: boolean;
}

/** Before it has said what it can do. */
export const LIMITED: ClientAbilities = {
  markdown: false,
  relatedInformation: false,
  documentChanges: false,
  snippets: false,
  watching: false,
  folders: false,
  showDocument: false,
};

export type CodeActionContextOnly = readonly CodeActionKind[] | undefined;

/** Whether a kind of action is among those that are asked for: `source` asks for `source.fixAll.pawl` too. */
export function isWanted(kind: CodeActionKind, only: CodeActionContextOnly): boolean {
  return !only || only.some((wanted) => kind === wanted || wanted === '' || kind.startsWith(`${wanted}.`));
}

/** An open document. */
export interface OpenText {
  uri: DocumentUri;
  version: number;
  text: EditorText;
}

/** Finds what is open by its path. */
export type OpenTexts = (path: string) => OpenText | null;

/** The path of a document on disk; null for what is no file. */
export function pathOf(uri: DocumentUri): string | null {
  if (!uri.startsWith('file:')) return null;
  try {
    return fileURLToPath(uri);
  } catch {
    return null;
  }
}

export function uriOf(path: string): DocumentUri {
  return pathToFileURL(path).href;
}

/** Turns places of one project into those of the protocol. */
export class Places {
  readonly #project: EditorProject;
  readonly #open: OpenTexts;
  readonly #texts = new Map<string, EditorText>();

  constructor(project: EditorProject, open: OpenTexts) {
    this.#project = project;
    this.#open = open;
  }

  /** @param file - relative to the root */
  uri(file: string): DocumentUri {
    const path = this.#project.absolute(file);
    return this.#open(path)?.uri ?? uriOf(path);
  }

  range(file: string, span: { start: number; end: number }): Range {
    return this.#text(file).rangeOf(span);
  }

  location({ file, span }: { file: string; span: { start: number; end: number } }): Location {
    return { uri: this.uri(file), range: this.range(file, span) };
  }

  diagnostic(diagnostic: Diagnostic, abilities: ClientAbilities): LspDiagnostic {
    const { code, rule, severity, file, span, related } = diagnostic;
    const places = related.map((place) => ({ location: this.location(place), message: place.message }));
    return {
      range: this.range(file, span),
      severity: SEVERITIES[severity],
      code,
      source: SOURCE,
      message: fullMessage(diagnostic),
      ...(rule === 'unused-suppression' ? { tags: [DiagnosticTag.Unnecessary] } : {}),
      ...(abilities.relatedInformation && places.length > 0 ? { relatedInformation: places } : {}),
    };
  }

  action(file: string, action: Action, abilities: ClientAbilities): CodeAction {
    const { title, kind, diagnostic } = action;
    return {
      title,
      kind: kind === 'fix-all' ? FIX_ALL : CodeActionKind.QuickFix,
      edit: this.#edit(file, action, abilities),
      ...(diagnostic ? { diagnostics: [this.diagnostic(diagnostic, abilities)] } : {}),
      ...(kind === 'fix' ? { isPreferred: true } : {}),
    };
  }

  #edit(file: string, { edits, placeholder }: Action, abilities: ClientAbilities): WorkspaceEdit {
    const uri = this.uri(file);
    const plain: TextEdit[] = edits.map((edit) => ({ range: this.range(file, edit), newText: edit.text }));
    if (!abilities.documentChanges) return { changes: { [uri]: plain } };
    const version = this.#open(this.#project.absolute(file))?.version ?? null;
    const snippets = placeholder !== undefined && abilities.snippets;
    const written = snippets ? plain.map((edit) => snippet(edit, placeholder)) : plain;
    return { documentChanges: [{ textDocument: { uri, version }, edits: written }] };
  }

  #text(file: string): EditorText {
    let text = this.#texts.get(file);
    if (!text) {
      text = this.#open(this.#project.absolute(file))?.text ?? new EditorText(this.#project.text(file) ?? '');
      this.#texts.set(file, text);
    }
    return text;
  }
}

const SEVERITIES: Record<Severity, DiagnosticSeverity> = {
  error: DiagnosticSeverity.Error,
  warning: DiagnosticSeverity.Warning,
  info: DiagnosticSeverity.Information,
};

/** The edit with its placeholder selected. */
function snippet({ range, newText }: TextEdit, placeholder: string): SnippetTextEdit {
  const at = newText.lastIndexOf(placeholder);
  const escape = (text: string): string => text.replace(/[\\$}]/g, '\\$&');
  const before = escape(newText.slice(0, at));
  const after = escape(newText.slice(at + placeholder.length));
  return { range, snippet: { kind: 'snippet', value: `${before}\${1:${placeholder}}${after}` } };
}

/** Markdown without its marks, for editors that show none. */
export function withoutMarks(markdown: string): string {
  return markdown
    .replace(/^```\w*$\n?/gm, '')
    .replace(/\[([^\]]+)\]\([^)]+\)/g, '$1')
    .replace(/\*\*|`/g, '');
}
