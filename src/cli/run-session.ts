/** What `pawl run` works with: the log as it grows, the program's own output, the ends of runs, Ctrl-C. */
import { Console } from 'node:console';
import { Writable } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { redact } from '../secrets.ts';
import type { EventStore, RunRecord } from '../store/port.ts';
import type { ExitCode } from './command.ts';
import { formatDuration, paintStatus } from './format.ts';
import { jsonText, type Output } from './output.ts';
import { createProgress, type Progress } from './progress.ts';
import { shortName } from './project.ts';
import { Timeline } from './timeline.ts';
import { visible, visibleLine } from './visible.ts';

/** Draws the progress of one run from its log, whoever works on it. */
export class LiveProgress {
  readonly #store: EventStore;
  readonly #runId: string;
  readonly #timeline = new Timeline();
  readonly #progress: Progress;
  readonly #unsubscribe: () => void;
  #reading: Promise<void> | null = null;
  #again = false;

  constructor(store: EventStore, runId: string, workflowId: string, out: Output) {
    this.#store = store;
    this.#runId = runId;
    this.#progress = createProgress(
      this.#timeline,
      `${out.errorColors.bold(shortName(workflowId))}  ${visibleLine(runId)}`,
      out,
    );
    this.#unsubscribe = store.subscribe((change) => {
      if (change.kind === 'external' || (change.kind === 'events' && change.runId === runId)) void this.catchUp();
    });
  }

  /** Reads what is new. Progress is a courtesy: when it cannot be read, those who wait for the run hear of it. */
  catchUp(): Promise<void> {
    this.#again = true;
    this.#reading ??= this.#read()
      .catch(() => {})
      .finally(() => {
        this.#reading = null;
      });
    return this.#reading;
  }

  async #read(): Promise<void> {
    while (this.#again) {
      this.#again = false;
      const events = await this.#store.readEvents(this.#runId, { afterSeq: this.#timeline.lastSeq });
      for (const event of events) this.#progress.update(this.#timeline.add(event));
    }
  }

  print(text: string): void {
    this.#progress.print(text);
  }

  /** Takes the moving part away; `last` closes the tree. */
  async stop(last?: string): Promise<void> {
    this.#unsubscribe();
    await this.catchUp();
    this.#progress.stop(last);
  }
}

/** What the program prints goes to stderr, above the progress: stdout is for the result. Returns what undoes it. */
export function redirectConsole(print: (text: string) => void, out: Output): () => void {
  const own = globalThis.console;
  let rest = '';
  const show = (text: string): void =>
    print(redact(out.errorColors.isColorSupported ? text : stripVTControlCharacters(text)));
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      const lines = (rest + chunk.toString()).split('\n');
      rest = lines.pop() ?? '';
      if (lines.length > 0) show(lines.join('\n'));
      done();
    },
  });
  globalThis.console = new Console(sink, sink);
  return () => {
    globalThis.console = own;
    if (rest) show(rest);
  };
}

/** Set for a process that is to end when the channel to the one that started it closes. */
export const ENDS_WITH_PARENT = 'PAWL_ENDS_WITH_PARENT';

/** Resolves with an exit code when the process is asked to end; the second time it ends at once. */
export function interruption(): { code: Promise<ExitCode>; readonly asked: boolean; stop(): void } {
  let settle: (code: ExitCode) => void = () => {};
  const code = new Promise<ExitCode>((resolve) => {
    settle = resolve;
  });
  let asked = false;
  const onSignal = (name: NodeJS.Signals): void => {
    const exitCode = name === 'SIGTERM' ? 143 : 130;
    if (asked) process.exit(exitCode);
    asked = true;
    settle(exitCode);
  };
  // Of `pawl dev`: its worker goes with it, however it ended.
  const onDisconnect = (): void => onSignal('SIGTERM');
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  if (process.env[ENDS_WITH_PARENT]) process.on('disconnect', onDisconnect);
  return {
    code,
    get asked() {
      return asked;
    },
    stop: () => process.off('SIGINT', onSignal).off('SIGTERM', onSignal).off('disconnect', onDisconnect),
  };
}

/** `completed in 1.2 s`, in colour. */
export function endLine({ status, createdAt, finishedAt }: RunRecord, out: Output): string {
  const took = finishedAt === null ? '' : ` in ${formatDuration(finishedAt - createdAt)}`;
  return paintStatus(status, out.errorColors) + took;
}

/**
 * Shows how a run ended: its result on stdout, anything else on stderr.
 *
 * @param among how many runs the command waited for
 * @returns its part of the exit code
 */
export async function reportEnd(run: RunRecord, among: number, out: Output): Promise<0 | 1> {
  const { readValue, showThrown, showValue, toJsonValue } = await import('./values.ts');
  const c = out.errorColors;
  if (run.status === 'completed') {
    const value = readValue(run.output);
    if (among > 1) out.line(`${visibleLine(run.id)}  ${jsonText(toJsonValue(value))}`);
    else if (value === undefined) return 0;
    else if (out.isTTY) out.line(showValue(value, out.colors, out.columns));
    else out.printJson(toJsonValue(value));
    return 0;
  }
  out.stderr.write(`${visibleLine(run.id)}  ${endLine(run, out)}\n`);
  if (run.parkedReason) {
    const { code, message } = run.parkedReason;
    out.stderr.write(`${c.red('error')} ${c.bold(code)}: ${visible(message)}\n`);
  } else if (run.error !== null) {
    out.stderr.write(`${showThrown(readValue(run.error), c)}\n`);
  }
  return 1;
}
