import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import {
  createProtocolConnection,
  DidChangeTextDocumentNotification,
  DidOpenTextDocumentNotification,
  HoverRequest,
  InitializedNotification,
  InitializeRequest,
  type ProtocolConnection,
  PublishDiagnosticsNotification,
} from 'vscode-languageserver-protocol/node';
import { writeProject } from './check.ts';
import { median, type Row } from './report.ts';

const ROUNDS = 5;
const EDITS = 11;
const FILE = 'src/flows/flow7.ts';

const CLI = fileURLToPath(new URL('../dist/cli.js', import.meta.url));

/** The language server on a project of 1,000 modules: how long one waits for findings. */
export async function benchEditor(): Promise<Row[]> {
  const root = mkdtempSync(join(tmpdir(), 'pawl-bench-'));
  try {
    writeProject(root);
    writeFileSync(join(root, 'package.json'), '{ "dependencies": { "pawl": "*" } }\n');
    const starts: number[] = [];
    const colds: number[] = [];
    const all: number[] = [];
    const warms: number[] = [];
    const edits: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      rmSync(join(root, 'node_modules/.cache'), { recursive: true, force: true });
      for (const times of [colds, warms]) {
        const editor = await Editor.start(root);
        starts.push(editor.started);
        times.push(await editor.open());
        const known = await editor.known();
        if (times === colds) all.push((times.at(-1) as number) + known);
        if (times === warms && round === 0) for (let n = 0; n < EDITS; n++) edits.push(await editor.edit(n));
        await editor.end();
      }
    }
    return [
      { what: 'language server, from its start until it answers', unit: 'ms', value: median(starts) },
      {
        what: 'first findings of a file that is opened, 1,000 modules, cold',
        unit: 'ms',
        value: median(colds),
        goal: 500,
      },
      { what: '  until all is known', unit: 'ms', value: median(all) },
      { what: '  from its cache', unit: 'ms', value: median(warms), goal: 500 },
      {
        what: 'findings after an edit, the wait for a pause of 80 ms included',
        unit: 'ms',
        value: median(edits.slice(1)),
      },
    ];
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

class Editor {
  readonly started: number;
  readonly #child: ChildProcess;
  readonly #connection: ProtocolConnection;
  readonly #uri: string;
  readonly #text: string;
  #version = 1;
  #published = (_version: number | undefined): void => {};

  private constructor(root: string, child: ChildProcess, connection: ProtocolConnection, started: number) {
    this.#child = child;
    this.#connection = connection;
    this.started = started;
    this.#uri = pathToFileURL(join(root, FILE)).href;
    this.#text = readFileSync(join(root, FILE), 'utf8');
    connection.onNotification(PublishDiagnosticsNotification.type, ({ uri, version }) => {
      if (uri === this.#uri) this.#published(version);
    });
  }

  static async start(root: string): Promise<Editor> {
    const begun = performance.now();
    const child = spawn(process.execPath, [CLI, 'language-server', '--stdio'], { cwd: root });
    const connection = createProtocolConnection(child.stdout, child.stdin);
    connection.listen();
    const workspaceFolders = [{ uri: pathToFileURL(root).href, name: 'bench' }];
    const params = { processId: process.pid, rootUri: null, capabilities: {}, workspaceFolders };
    await connection.sendRequest(InitializeRequest.type, { ...params, initializationOptions: { types: false } });
    await connection.sendNotification(InitializedNotification.type, {});
    return new Editor(root, child, connection, performance.now() - begun);
  }

  open(): Promise<number> {
    const textDocument = { uri: this.#uri, languageId: 'typescript', version: 1, text: this.#text };
    return this.#timed(() => this.#connection.sendNotification(DidOpenTextDocumentNotification.type, { textDocument }));
  }

  /** Waits until the whole project has been looked at: hover answers then. */
  async known(): Promise<number> {
    const begun = performance.now();
    const position = { line: 0, character: 0 };
    await this.#connection.sendRequest(HoverRequest.type, { textDocument: { uri: this.#uri }, position });
    return performance.now() - begun;
  }

  edit(n: number): Promise<number> {
    const textDocument = { uri: this.#uri, version: ++this.#version };
    const contentChanges = [{ text: this.#text.replace('no order', `no order ${n}`) }];
    return this.#timed(() =>
      this.#connection.sendNotification(DidChangeTextDocumentNotification.type, { textDocument, contentChanges }),
    );
  }

  async end(): Promise<void> {
    this.#connection.dispose();
    const exited = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGKILL');
    await exited;
  }

  async #timed(send: () => Promise<void>): Promise<number> {
    const begun = performance.now();
    const published = new Promise<void>((resolve) => {
      this.#published = (version) => {
        if (version === this.#version) resolve();
      };
    });
    await send();
    await published;
    return performance.now() - begun;
  }
}
