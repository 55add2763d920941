/**
 * `pawl/language-server`: the checker in editors that speak the Language Server Protocol. `pawl language-server --stdio` starts it.
 */
import { Writable } from 'node:stream';
import { createTypes } from 'pawl/checker';
import {
  type Action,
  actionsFor,
  ContinuousCheck,
  definitionsAt,
  describeError,
  type EditorProject,
  EditorProjects,
  EditorText,
  type Findings,
  fixAllAction,
  hoverAt,
  isPawlProject,
  lensesOf,
  realPathOf,
  referencesAt,
  searchSubjects,
  type Subjects,
  VERSION,
} from 'pawl/editor';
import {
  type CodeAction,
  CodeActionKind,
  type CodeActionParams,
  type CodeLens,
  type Connection,
  createConnection,
  DidChangeWatchedFilesNotification,
  type Diagnostic as LspDiagnostic,
  type DocumentUri,
  type ExecuteCommandParams,
  type Hover,
  type InitializeParams,
  type InitializeResult,
  type Location,
  MarkupKind,
  type Position,
  PositionEncodingKind,
  SymbolKind,
  TextDocuments,
  TextDocumentSyncKind,
  type WorkspaceFoldersChangeEvent,
  type WorkspaceSymbol,
} from 'vscode-languageserver/node';
import { TextDocument } from 'vscode-languageserver-textdocument';
import {
  type ClientAbilities,
  type CodeActionContextOnly,
  FIX_ALL,
  isWanted,
  LIMITED,
  type OpenText,
  Places,
  pathOf,
  uriOf,
  withoutMarks,
} from './lsp.ts';

/** Shows the places that a code lens counts. Editors may have a handler of their own for it. */
const SHOW_PLACES = 'pawl.showPlaces';

/** What concerns a program: sources, and what says how imports resolve and which rules there are. */
const WATCHED = '**/*.{ts,tsx,js,jsx,mts,cts,mjs,cjs,json}';

/**
 * Serves one editor until it says `exit`, closes the connection or dies; then the process ends.
 *
 * @param input - what the editor writes
 * @param output - what it reads
 */
export function startLanguageServer(input: NodeJS.ReadableStream, output: NodeJS.WritableStream): void {
  new LanguageServer(createConnection(input, output)).listen();
}

/**
 * The same over the standard streams. From then on nothing but the protocol reaches the standard output: what a configuration
 * prints goes to the standard error.
 */
export function serveStandardStreams(): void {
  const write = process.stdout.write.bind(process.stdout);
  const output = new Writable({
    decodeStrings: false,
    write: (chunk: string | Buffer, encoding, done) => {
      write(chunk as string, encoding, (error) => done(error));
    },
  });
  process.stdout.write = process.stderr.write.bind(process.stderr) as typeof process.stdout.write;
  startLanguageServer(process.stdin, output);
}

/** A document that is asked about, and the program that it is part of. */
interface Question {
  /** Relative to the root. */
  file: string;
  text: EditorText;
  project: EditorProject;
  places: Places;
  subjects: Subjects;
}

class LanguageServer {
  readonly #connection: Connection;
  readonly #documents = new TextDocuments(TextDocument);
  readonly #projects = new EditorProjects({ types: (root) => (this.#usesTypes ? createTypes({ root }) : null) });
  readonly #checks: ContinuousCheck;
  /** Open documents by the real path. */
  readonly #open = new Map<string, OpenText>();
  readonly #logged = new Map<EditorProject | null, string>();
  #abilities: ClientAbilities = LIMITED;
  #folders: string[] = [];
  #usesTypes = true;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#checks = new ContinuousCheck(this.#projects, {
      publish: (path, findings) => this.#publish(path, findings),
      notice: (project, text) => connection.console.info(`${project.root}: ${text}`),
      failed: (project, error) => this.#log(project, error),
    });
  }

  listen(): void {
    const connection = this.#connection;
    connection.onInitialize((params) => this.#initialize(params));
    connection.onInitialized(() => this.#initialized());
    connection.onShutdown(() => this.#checks.stop());
    connection.onDidChangeConfiguration(() => {});
    connection.onDidChangeWatchedFiles(() => this.#checks.diskChanged());
    connection.onHover(({ textDocument, position }) => this.#hover(textDocument.uri, position));
    connection.onCodeAction((params) => this.#actions(params));
    connection.onCodeLens(({ textDocument }) => this.#lenses(textDocument.uri));
    connection.onCodeLensResolve((lens) => lens);
    connection.onDefinition(({ textDocument, position }) => this.#definitions(textDocument.uri, position));
    connection.onReferences(({ textDocument, position, context }) =>
      this.#references(textDocument.uri, position, context.includeDeclaration),
    );
    connection.onWorkspaceSymbol(({ query }) => this.#symbols(query));
    connection.onExecuteCommand((params) => this.#execute(params));
    this.#documents.onDidChangeContent(({ document }) => this.#changed(document));
    this.#documents.onDidClose(({ document }) => this.#closed(document.uri));
    this.#documents.onDidSave(() => this.#checks.diskChanged());
    this.#documents.listen(connection);
    for (const event of ['uncaughtException', 'unhandledRejection']) {
      process.on(event, (error: unknown) => this.#log(null, error));
    }
    connection.listen();
  }

  #initialize({ capabilities, workspaceFolders, rootUri, initializationOptions }: InitializeParams): InitializeResult {
    this.#usesTypes = (initializationOptions as { types?: unknown } | null | undefined)?.types !== false;
    const { textDocument, workspace, window } = capabilities;
    this.#abilities = {
      markdown: textDocument?.hover?.contentFormat?.includes(MarkupKind.Markdown) ?? false,
      relatedInformation: textDocument?.publishDiagnostics?.relatedInformation ?? false,
      documentChanges: workspace?.workspaceEdit?.documentChanges ?? false,
      snippets: workspace?.workspaceEdit?.snippetEditSupport ?? false,
      watching: workspace?.didChangeWatchedFiles?.dynamicRegistration ?? false,
      folders: workspace?.workspaceFolders ?? false,
      showDocument: window?.showDocument?.support ?? false,
    };
    const uris = workspaceFolders?.map(({ uri }) => uri) ?? (rootUri ? [rootUri] : []);
    this.#setFolders(uris.flatMap((uri) => pathOf(uri) ?? []));
    return {
      serverInfo: { name: 'pawl', version: VERSION },
      capabilities: {
        positionEncoding: PositionEncodingKind.UTF16,
        textDocumentSync: { openClose: true, change: TextDocumentSyncKind.Incremental, save: { includeText: false } },
        hoverProvider: true,
        definitionProvider: true,
        referencesProvider: true,
        workspaceSymbolProvider: true,
        codeLensProvider: { resolveProvider: true },
        codeActionProvider: { codeActionKinds: [CodeActionKind.QuickFix, FIX_ALL] },
        executeCommandProvider: { commands: [SHOW_PLACES] },
        workspace: { workspaceFolders: { supported: true, changeNotifications: true } },
      },
    };
  }

  #initialized(): void {
    if (this.#abilities.watching) {
      this.#connection.client
        .register(DidChangeWatchedFilesNotification.type, { watchers: [{ globPattern: WATCHED }] })
        .catch((error: unknown) => this.#log(null, error));
    }
    if (this.#abilities.folders) {
      this.#connection.workspace.onDidChangeWorkspaceFolders((event) => this.#foldersChanged(event));
    }
    // Before anything is opened: then the first file is answered at once.
    this.#checks.soon();
  }

  #foldersChanged({ added, removed }: WorkspaceFoldersChangeEvent): void {
    const gone = new Set(removed.flatMap(({ uri }) => pathOf(uri) ?? []));
    const left = this.#folders.filter((folder) => !gone.has(folder));
    this.#setFolders([...left, ...added.flatMap(({ uri }) => pathOf(uri) ?? [])]);
    for (const project of this.#projects.all()) if (gone.has(project.root)) this.#checks.close(project);
    this.#checks.diskChanged();
  }

  #setFolders(folders: string[]): void {
    this.#folders = folders;
    this.#projects.setFolders(folders);
    for (const folder of folders) if (isPawlProject(folder)) this.#projects.open(folder);
  }

  #changed(document: TextDocument): void {
    const { uri, version } = document;
    const path = pathOf(uri);
    if (path === null || !this.#projects.isSource(path)) return;
    const key = realPathOf(path);
    const isOpen = this.#open.has(key);
    const text = new EditorText(document.getText());
    this.#open.set(key, { uri, version, text });
    this.#projects.update(path, text.text);
    this.#checks.changed(path, isOpen ? 'edited' : 'opened');
  }

  #closed(uri: DocumentUri): void {
    const path = pathOf(uri);
    if (path === null || !this.#open.delete(realPathOf(path))) return;
    this.#projects.update(path, null);
    this.#checks.changed(path, 'closed');
  }

  #publish(path: string, findings: readonly Findings[]): void {
    const open = this.#openAt(path);
    const unique = new Map<string, LspDiagnostic>();
    for (const { project, diagnostics } of findings) {
      const places = new Places(project, this.#openAt);
      for (const each of diagnostics) {
        const diagnostic = places.diagnostic(each, this.#abilities);
        // Two projects may both find something in what they share.
        unique.set(JSON.stringify([diagnostic.range, diagnostic.code, diagnostic.message]), diagnostic);
      }
      this.#logged.delete(project);
    }
    void this.#connection.sendDiagnostics({
      uri: open?.uri ?? uriOf(path),
      diagnostics: [...unique.values()],
      ...(open ? { version: open.version } : {}),
    });
  }

  #hover(uri: DocumentUri, position: Position): Promise<Hover | null> {
    return this.#ask<Hover | null>(uri, null, ({ file, text, project, places, subjects }) => {
      const found = hoverAt({
        file,
        offset: text.offsetAt(position),
        facts: project.facts(file),
        diagnostics: project.check().diagnostics.get(file) ?? [],
        subjects,
        link: (target, line) => `${places.uri(target)}#L${line}`,
      });
      if (!found) return null;
      const { markdown } = this.#abilities;
      const kind = markdown ? MarkupKind.Markdown : MarkupKind.PlainText;
      const value = markdown ? found.markdown : withoutMarks(found.markdown);
      return { contents: { kind, value }, range: text.rangeOf(found.span) };
    });
  }

  #actions({ textDocument, range, context }: CodeActionParams): Promise<CodeAction[]> {
    return this.#ask<CodeAction[]>(textDocument.uri, [], ({ file, text, project, places }) => {
      const diagnostics = project.check().diagnostics.get(file) ?? [];
      const only: CodeActionContextOnly = context.only;
      const found: Action[] = [];
      if (isWanted(CodeActionKind.QuickFix, only)) {
        const offsets = { start: text.offsetAt(range.start), end: text.offsetAt(range.end) };
        found.push(...actionsFor(file, text.text, diagnostics, offsets));
      }
      const all = only && isWanted(FIX_ALL, only) ? fixAllAction(text.text, diagnostics) : null;
      if (all) found.push(all);
      return found.map((action) => places.action(file, action, this.#abilities));
    });
  }

  #lenses(uri: DocumentUri): Promise<CodeLens[]> {
    return this.#ask<CodeLens[]>(uri, [], ({ file, text, places, subjects }) =>
      lensesOf(file, subjects).map(({ title, span, targets }) => {
        const range = text.rangeOf(span);
        const locations = targets.map((target) => places.location(target));
        const names = targets.map(({ name }) => name);
        return { range, command: { title, command: SHOW_PLACES, arguments: [uri, range.start, locations, names] } };
      }),
    );
  }

  #definitions(uri: DocumentUri, position: Position): Promise<Location[]> {
    return this.#ask<Location[]>(uri, [], ({ file, text, places, subjects }) =>
      definitionsAt(file, text.offsetAt(position), subjects).map((place) => places.location(place)),
    );
  }

  #references(uri: DocumentUri, position: Position, declaration: boolean): Promise<Location[]> {
    return this.#ask<Location[]>(uri, [], ({ file, text, places, subjects }) =>
      referencesAt(file, text.offsetAt(position), subjects, declaration).map((place) => places.location(place)),
    );
  }

  async #symbols(query: string): Promise<WorkspaceSymbol[]> {
    const found: WorkspaceSymbol[] = [];
    for (const project of this.#projects.all()) {
      try {
        await project.load();
        await this.#checks.ready(project);
        const places = new Places(project, this.#openAt);
        for (const { id, name, kind, file, nameSpan } of searchSubjects(query, project.check().subjects)) {
          const symbol = kind === 'workflow' ? SymbolKind.Event : SymbolKind.Function;
          const location = places.location({ file, span: nameSpan });
          found.push({ name, kind: symbol, containerName: `${kind} ${id}`, location });
        }
      } catch (error) {
        this.#log(project, error);
      }
    }
    return found;
  }

  /** For editors without a handler of their own: opens the one place, or asks which. */
  async #execute({ command, arguments: values }: ExecuteCommandParams): Promise<null> {
    if (command !== SHOW_PLACES) return null;
    const [, , locations = [], names = []] = (values ?? []) as [unknown, unknown, Location[]?, string[]?];
    const { window } = this.#connection;
    let [chosen] = locations;
    if (!chosen) window.showInformationMessage('It reaches no steps.');
    if (locations.length > 1 || (chosen && !this.#abilities.showDocument)) {
      const titles = locations.map((_, index) => ({ title: names[index] ?? `${index + 1}` }));
      const picked = await window.showInformationMessage(`${locations.length} places:`, ...titles);
      chosen = picked && locations[titles.findIndex(({ title }) => title === picked.title)];
    }
    if (!chosen || !this.#abilities.showDocument) return null;
    await window.showDocument({ uri: chosen.uri, selection: chosen.range, takeFocus: true });
    return null;
  }

  /** Answers from the program as it is now. What goes wrong is logged, and nothing is the answer. */
  async #ask<T>(uri: DocumentUri, nothing: T, answer: (question: Question) => T): Promise<T> {
    const path = pathOf(uri);
    if (path === null || !this.#projects.isSource(path)) return nothing;
    let project: EditorProject | null = null;
    try {
      project = await this.#projects.owner(path);
      await this.#checks.ready(project);
      const { subjects } = project.check();
      const file = project.relative(path);
      const text = this.#openAt(path)?.text ?? new EditorText(project.text(file) ?? '');
      return answer({ file, text, project, places: new Places(project, this.#openAt), subjects });
    } catch (error) {
      this.#log(project, error);
      return nothing;
    }
  }

  readonly #openAt = (path: string): OpenText | null => this.#open.get(realPathOf(path)) ?? null;

  /** Once for each project until something is different: a check fails again with every key that is pressed. */
  #log(project: EditorProject | null, error: unknown): void {
    const text = describeError(error);
    if (project !== null && this.#logged.get(project) === text) return;
    this.#logged.set(project, text);
    this.#connection.console.error(text);
  }
}
