/** An editor that speaks the Language Server Protocol with `pawl language-server --stdio` in a process of its own. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import { onTestFinished } from 'vitest';
import {
  type ClientCapabilities,
  type CodeAction,
  CodeActionRequest,
  type CodeLens,
  CodeLensRequest,
  createProtocolConnection,
  DefinitionRequest,
  DidChangeTextDocumentNotification,
  DidChangeWatchedFilesNotification,
  DidChangeWorkspaceFoldersNotification,
  DidCloseTextDocumentNotification,
  DidOpenTextDocumentNotification,
  DidSaveTextDocumentNotification,
  type Diagnostic,
  ExitNotification,
  FileChangeType,
  type FileEvent,
  type Hover,
  HoverRequest,
  InitializedNotification,
  type InitializeParams,
  InitializeRequest,
  type InitializeResult,
  type Location,
  LogMessageNotification,
  type LogMessageParams,
  type Position,
  type ProtocolConnection,
  PublishDiagnosticsNotification,
  type Range,
  ReferencesRequest,
  RegistrationRequest,
  ShutdownRequest,
  type TextDocumentContentChangeEvent,
  type WorkspaceEdit,
  type WorkspaceFolder,
} from 'vscode-languageserver-protocol/node';
import { CLI } from '../../support/cli.ts';

/** What VS Code says of itself, as far as it matters. */
const CAPABILITIES: ClientCapabilities = {
  general: { positionEncodings: ['utf-16'] },
  textDocument: {
    hover: { contentFormat: ['markdown', 'plaintext'] },
    publishDiagnostics: { relatedInformation: true, versionSupport: true, tagSupport: { valueSet: [1] } },
    codeAction: { codeActionLiteralSupport: { codeActionKind: { valueSet: ['', 'quickfix', 'source.fixAll'] } } },
  },
  workspace: {
    workspaceFolders: true,
    workspaceEdit: { documentChanges: true },
    didChangeWatchedFiles: { dynamicRegistration: true },
  },
  window: { showDocument: { support: true } },
};

export interface ClientOptions {
  folders: readonly string[];
  capabilities?: ClientCapabilities;
  initialize?: Partial<InitializeParams>;
}

interface Published {
  diagnostics: Diagnostic[];
  version: number | undefined;
}

export class EditorClient {
  readonly connection: ProtocolConnection;
  readonly process: ChildProcessWithoutNullStreams;
  readonly logs: LogMessageParams[] = [];
  /** What the server wrote to stderr. */
  stderr = '';
  initialized!: InitializeResult;
  readonly #published = new Map<string, Published>();
  readonly #counts = new Map<string, number>();
  readonly #versions = new Map<string, number>();
  #wake: (() => void)[] = [];

  constructor(process: ChildProcessWithoutNullStreams) {
    this.process = process;
    this.connection = createProtocolConnection(process.stdout, process.stdin);
    process.stderr.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString();
      this.#changed();
    });
    this.connection.onNotification(PublishDiagnosticsNotification.type, ({ uri, diagnostics, version }) => {
      this.#published.set(uri, { diagnostics, version });
      this.#counts.set(uri, (this.#counts.get(uri) ?? 0) + 1);
      this.#changed();
    });
    this.connection.onNotification(LogMessageNotification.type, (message) => {
      this.logs.push(message);
      this.#changed();
    });
    this.connection.onRequest(RegistrationRequest.type, () => {});
    this.connection.listen();
  }

  /** Opens a document and waits for its findings. */
  async open(path: string, text: string): Promise<Diagnostic[]> {
    this.send(path, text);
    return this.findings(path);
  }

  /** Opens a document without waiting. */
  send(path: string, text: string): void {
    const uri = uriOf(path);
    this.#versions.set(uri, 1);
    this.#published.delete(uri);
    const textDocument = { uri, languageId: 'typescript', version: 1, text };
    void this.connection.sendNotification(DidOpenTextDocumentNotification.type, { textDocument });
  }

  /** Replaces the text of an open document, or a part of it, without waiting. */
  type(path: string, ...contentChanges: (string | TextDocumentContentChangeEvent)[]): void {
    const uri = uriOf(path);
    const version = (this.#versions.get(uri) ?? 0) + 1;
    this.#versions.set(uri, version);
    void this.connection.sendNotification(DidChangeTextDocumentNotification.type, {
      textDocument: { uri, version },
      contentChanges: contentChanges.map((change) => (typeof change === 'string' ? { text: change } : change)),
    });
  }

  /** Replaces the text of an open document and waits for its findings. */
  async edit(path: string, text: string): Promise<Diagnostic[]> {
    this.type(path, text);
    return this.findings(path);
  }

  close(path: string): void {
    const uri = uriOf(path);
    this.#versions.delete(uri);
    void this.connection.sendNotification(DidCloseTextDocumentNotification.type, { textDocument: { uri } });
  }

  save(path: string): void {
    void this.connection.sendNotification(DidSaveTextDocumentNotification.type, { textDocument: { uri: uriOf(path) } });
  }

  /** Tells of files that changed on disk. */
  changedOnDisk(...paths: string[]): void {
    const changes: FileEvent[] = paths.map((path) => ({ uri: uriOf(path), type: FileChangeType.Changed }));
    void this.connection.sendNotification(DidChangeWatchedFilesNotification.type, { changes });
  }

  /** The findings of the newest version of an open document. */
  async findings(path: string): Promise<Diagnostic[]> {
    const uri = uriOf(path);
    return this.until(() => {
      const published = this.#published.get(uri);
      return published && published.version === this.#versions.get(uri) ? published.diagnostics : null;
    });
  }

  /** What was published of a file last; null when nothing was. */
  last(path: string): Diagnostic[] | null {
    return this.#published.get(uriOf(path))?.diagnostics ?? null;
  }

  /** How often findings of a file were published. */
  count(path: string): number {
    return this.#counts.get(uriOf(path)) ?? 0;
  }

  async changeFolders({ added = [], removed = [] }: { added?: string[]; removed?: string[] }): Promise<void> {
    const folder = (path: string): WorkspaceFolder => ({ uri: uriOf(path), name: path });
    const event = { added: added.map(folder), removed: removed.map(folder) };
    await this.connection.sendNotification(DidChangeWorkspaceFoldersNotification.type, { event });
  }

  /** Opens a document that is no file. */
  async openUri(uri: string, text: string): Promise<void> {
    const textDocument = { uri, languageId: 'typescript', version: 1, text };
    await this.connection.sendNotification(DidOpenTextDocumentNotification.type, { textDocument });
  }

  hoverUri(uri: string): Promise<Hover | null> {
    return this.connection.sendRequest(HoverRequest.type, {
      textDocument: { uri },
      position: { line: 0, character: 0 },
    });
  }

  /** Waits for something that a message will make true. */
  async until<T>(look: () => T | null | undefined | false): Promise<T> {
    for (;;) {
      const found = look();
      if (found !== null && found !== undefined && found !== false) return found;
      await new Promise<void>((wake) => this.#wake.push(wake));
    }
  }

  hover(path: string, position: Position): Promise<Hover | null> {
    return this.connection.sendRequest(HoverRequest.type, { textDocument: { uri: uriOf(path) }, position });
  }

  async actions(path: string, range: Range, only?: string[]): Promise<CodeAction[]> {
    const context = { diagnostics: [], ...(only ? { only } : {}) };
    const found = await this.connection.sendRequest(CodeActionRequest.type, {
      textDocument: { uri: uriOf(path) },
      range,
      context,
    });
    return (found ?? []) as CodeAction[];
  }

  async lenses(path: string): Promise<CodeLens[]> {
    return (await this.connection.sendRequest(CodeLensRequest.type, { textDocument: { uri: uriOf(path) } })) ?? [];
  }

  async references(path: string, position: Position, includeDeclaration = false): Promise<Location[]> {
    const textDocument = { uri: uriOf(path) };
    const context = { includeDeclaration };
    return (await this.connection.sendRequest(ReferencesRequest.type, { textDocument, position, context })) ?? [];
  }

  async definition(path: string, position: Position): Promise<Location[]> {
    const textDocument = { uri: uriOf(path) };
    return ((await this.connection.sendRequest(DefinitionRequest.type, { textDocument, position })) ??
      []) as Location[];
  }

  /** Says goodbye as an editor does; gives the exit code. */
  async quit(): Promise<number | null> {
    await this.connection.sendRequest(ShutdownRequest.type);
    await this.connection.sendNotification(ExitNotification.type);
    return this.exited();
  }

  exited(): Promise<number | null> {
    if (this.process.exitCode !== null || this.process.signalCode !== null)
      return Promise.resolve(this.process.exitCode);
    return new Promise((resolve) => this.process.once('exit', (code) => resolve(code)));
  }

  #changed(): void {
    const wake = this.#wake;
    this.#wake = [];
    for (const each of wake) each();
  }
}

/** Starts a server and shakes hands; it is gone when the test is over. */
export async function startClient({
  folders,
  capabilities = CAPABILITIES,
  initialize = {},
}: ClientOptions): Promise<EditorClient> {
  const child = spawn(process.execPath, [CLI, 'language-server', '--stdio'], { cwd: folders[0] ?? '/' });
  const client = new EditorClient(child);
  onTestFinished(async () => {
    child.kill('SIGKILL');
    client.connection.dispose();
    await client.exited();
  });
  client.initialized = await client.connection.sendRequest(InitializeRequest.type, {
    processId: process.pid,
    rootUri: null,
    capabilities,
    // TypeScript takes a while to load; the tests of types ask for it.
    initializationOptions: { types: false },
    workspaceFolders: folders.map((folder) => ({ uri: uriOf(folder), name: folder })),
    ...initialize,
  });
  await client.connection.sendNotification(InitializedNotification.type, {});
  return client;
}

export function uriOf(path: string): string {
  return pathToFileURL(path).href;
}

/** Where the n-th occurrence of a word begins, as an editor counts. */
export function positionOf(text: string, word: string, occurrence = 1): Position {
  let at = -1;
  for (let count = 0; count < occurrence; count++) at = text.indexOf(word, at + 1);
  if (at < 0) throw new Error(`There is no ${word} (${occurrence}) in the text.`);
  const lines = text.slice(0, at).split(/\r\n|\n|\r/);
  return { line: lines.length - 1, character: (lines.at(-1) as string).length };
}

export function rangeOf(text: string, word: string, occurrence = 1): Range {
  const start = positionOf(text, word, occurrence);
  return { start, end: { line: start.line, character: start.character + word.length } };
}

/** The text of an open document after an edit of it. */
export function applyEdit(text: string, edit: WorkspaceEdit, path: string): string {
  const uri = uriOf(path);
  const edits =
    edit.changes?.[uri] ??
    edit.documentChanges?.flatMap((change) =>
      'textDocument' in change && change.textDocument.uri === uri ? change.edits : [],
    ) ??
    [];
  const starts = [0, ...[...text.matchAll(/\r\n|\n|\r/g)].map((match) => match.index + match[0].length)];
  const offset = ({ line, character }: Position): number => (starts[line] as number) + character;
  return [...edits]
    .sort((a, b) => offset(b.range.start) - offset(a.range.start))
    .reduce((result, each) => {
      if (!('newText' in each)) throw new Error('A snippet is not for this editor.');
      return result.slice(0, offset(each.range.start)) + each.newText + result.slice(offset(each.range.end));
    }, text);
}
