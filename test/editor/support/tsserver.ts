/** An editor that speaks with a real tsserver, of any version, in which the plugin runs. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type ts from 'typescript/lib/tsserverlibrary.js';
import { ROOT } from '../../support/dist.ts';
import { temporaryProject } from '../../support/project.ts';

export type ProtocolDiagnostic = ts.server.protocol.Diagnostic & { code: number };
export type CodeFix = ts.server.protocol.CodeFixAction;

/** The oldest and the newest TypeScript whose tsserver loads plugins. */
export const VERSIONS: readonly { name: string; lib: string }[] = [
  { name: 'TypeScript 5.5', lib: libOf(join(ROOT, 'test/support/typescript-5/package.json')) },
  { name: 'TypeScript 6', lib: libOf(join(ROOT, 'package.json')) },
];

function libOf(from: string): string {
  return dirname(createRequire(from).resolve('typescript'));
}

/** A project in whose `node_modules` this pawl is installed, and whose tsconfig names the plugin. */
export function pluginProject(files: Record<string, string>): string {
  const root = temporaryProject({
    'package.json': '{ "name": "shop", "type": "module" }',
    'tsconfig.json': JSON.stringify({
      compilerOptions: {
        module: 'esnext',
        moduleResolution: 'bundler',
        target: 'es2022',
        // Nothing here needs more, and it takes seconds to read.
        lib: ['es2022'],
        types: [],
        skipLibCheck: true,
        strict: true,
        noEmit: true,
        allowImportingTsExtensions: true,
        plugins: [{ name: 'pawl/tsserver' }],
      },
      include: ['src'],
    }),
    ...files,
  });
  mkdirSync(join(root, 'node_modules'));
  symlinkSync(ROOT, join(root, 'node_modules', 'pawl'), 'dir');
  return root;
}

export class TsServer {
  readonly process: ChildProcessWithoutNullStreams;
  readonly events: ts.server.protocol.Event[] = [];
  #sequence = 0;
  #input = Buffer.alloc(0);
  readonly #waiting = new Map<number, (response: ts.server.protocol.Response) => void>();
  #wake: (() => void)[] = [];

  readonly #folder = realpathSync(mkdtempSync(join(tmpdir(), 'pawl-tsserver-')));

  constructor(lib: string) {
    this.process = spawn(
      process.execPath,
      [
        join(lib, 'tsserver.js'),
        '--disableAutomaticTypingAcquisition',
        '--allowLocalPluginLoads',
        ...['--logVerbosity', 'verbose', '--logFile', join(this.#folder, 'log')],
      ],
      { cwd: this.#folder },
    );
    this.process.stdout.on('data', (chunk: Buffer) => this.#read(chunk));
  }

  /** What it has logged. */
  log(): string {
    return readFileSync(join(this.#folder, 'log'), 'utf8');
  }

  async end(): Promise<void> {
    const exited = new Promise((resolve) => this.process.once('exit', resolve));
    this.process.kill('SIGKILL');
    await exited;
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** @throws what tsserver says went wrong */
  async request<Body>(command: string, args: unknown): Promise<Body> {
    const seq = ++this.#sequence;
    const response = await new Promise<ts.server.protocol.Response>((resolve) => {
      this.#waiting.set(seq, resolve);
      this.#write({ seq, type: 'request', command, arguments: args });
    });
    if (!response.success) throw new Error(`${command}: ${response.message}`);
    return response.body as Body;
  }

  /** For commands without an answer. */
  notify(command: string, args: unknown): void {
    this.#write({ seq: ++this.#sequence, type: 'request', command, arguments: args });
  }

  open(file: string, fileContent: string): void {
    this.notify('open', { file, fileContent });
  }

  /** Replaces the whole text of an open file. */
  async change(file: string, newText: string): Promise<void> {
    const textChanges = [{ newText, start: { line: 1, offset: 1 }, end: { line: 1_000_000, offset: 1 } }];
    await this.request('updateOpen', { changedFiles: [{ fileName: file, textChanges }] });
  }

  /** What pawl finds. */
  async diagnostics(file: string): Promise<ProtocolDiagnostic[]> {
    return (await this.allDiagnostics(file)).filter(({ source }) => source === 'pawl');
  }

  allDiagnostics(file: string): Promise<ProtocolDiagnostic[]> {
    return this.request('semanticDiagnosticsSync', { file });
  }

  async fixes(file: string, { start, end, code }: ProtocolDiagnostic): Promise<CodeFix[]> {
    const at = { startLine: start.line, startOffset: start.offset, endLine: end.line, endOffset: end.offset };
    return this.request('getCodeFixes', { file, ...at, errorCodes: [code] });
  }

  /** Waits for an event. */
  async event(name: string): Promise<ts.server.protocol.Event> {
    for (;;) {
      const at = this.events.findIndex(({ event }) => event === name);
      if (at >= 0) return this.events.splice(at, 1)[0] as ts.server.protocol.Event;
      await new Promise<void>((wake) => this.#wake.push(wake));
    }
  }

  #write(message: object): void {
    this.process.stdin.write(`${JSON.stringify(message)}\n`);
  }

  #read(chunk: Buffer): void {
    this.#input = Buffer.concat([this.#input, chunk]);
    for (;;) {
      const end = this.#input.indexOf('\r\n\r\n');
      const length = Number(/Content-Length: (\d+)/.exec(this.#input.subarray(0, Math.max(end, 0)).toString())?.[1]);
      if (end < 0 || this.#input.length < end + 4 + length) return;
      const text = this.#input.subarray(end + 4, end + 4 + length).toString();
      this.#input = this.#input.subarray(end + 4 + length);
      this.#take(JSON.parse(text) as ts.server.protocol.Response | ts.server.protocol.Event);
    }
  }

  #take(message: ts.server.protocol.Response | ts.server.protocol.Event): void {
    if (message.type === 'response') {
      const response = message as ts.server.protocol.Response;
      this.#waiting.get(response.request_seq)?.(response);
      this.#waiting.delete(response.request_seq);
      return;
    }
    this.events.push(message as ts.server.protocol.Event);
    const wake = this.#wake;
    this.#wake = [];
    for (const each of wake) each();
  }
}

/** The text of a file after the changes of a fix. */
export function applyFix(text: string, { changes }: Pick<CodeFix, 'changes'>): string {
  const starts = [0, ...[...text.matchAll(/\r\n|[\n\r\u2028\u2029]/g)].map((match) => match.index + match[0].length)];
  const offset = ({ line, offset }: ts.server.protocol.Location): number => (starts[line - 1] as number) + offset - 1;
  return changes
    .flatMap(({ textChanges }) => textChanges)
    .sort((a, b) => offset(b.start) - offset(a.start))
    .reduce(
      (result, { start, end, newText }) => result.slice(0, offset(start)) + newText + result.slice(offset(end)),
      text,
    );
}
