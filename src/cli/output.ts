/**
 * Where commands write. Results go to stdout, errors and progress to stderr; colours and progress only where a person looks on.
 */
import picocolors from 'picocolors';
import { PawlError } from '../errors.ts';
import { redact, redactOutput } from '../secrets.ts';
import { VERSION } from '../version.ts';
import { visible } from './visible.ts';

export type Colors = ReturnType<typeof picocolors.createColors>;

/** The part of a terminal or pipe that commands need. */
export interface Sink {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export interface OutputOptions {
  stdout: Sink;
  stderr: Sink;
  env: Record<string, string | undefined>;
  json: boolean;
}

/** Whether to colour what goes to a sink: https://no-color.org, https://force-color.org, else whether it is a terminal. */
function wantsColor(sink: Sink, env: OutputOptions['env']): boolean {
  if (env.NO_COLOR) return false;
  if (env.FORCE_COLOR !== undefined) return env.FORCE_COLOR !== '0';
  return sink.isTTY === true && env.TERM !== 'dumb';
}

/** Where actions run, their credentials are known: whatever is printed shows none. */
function withoutSecrets(sink: Sink): Sink {
  return {
    write: (text) => sink.write(redactOutput(text)),
    get isTTY() {
      return sink.isTTY;
    },
    get columns() {
      return sink.columns;
    },
  };
}

export class Output {
  /** Whether `--json` was given: then stdout holds JSON and nothing else. */
  readonly json: boolean;
  /** Colours for stdout; they do nothing when it is no terminal. */
  readonly colors: Colors;
  /** Colours for stderr. */
  readonly errorColors: Colors;
  /** Whether stdout is a terminal. */
  readonly isTTY: boolean;
  /** Whether progress may be drawn: stderr is a terminal that can move its cursor, and nobody asked for JSON. */
  readonly showsProgress: boolean;
  /** Characters a line of the terminal, 80 when unknown. */
  readonly columns: number;
  readonly stderr: Sink;
  readonly env: OutputOptions['env'];
  readonly #stdout: Sink;

  constructor({ stdout, stderr, env, json }: OutputOptions) {
    this.#stdout = withoutSecrets(stdout);
    this.stderr = withoutSecrets(stderr);
    this.env = env;
    this.json = json;
    this.colors = picocolors.createColors(wantsColor(stdout, env));
    this.errorColors = picocolors.createColors(wantsColor(stderr, env));
    this.isTTY = stdout.isTTY === true;
    this.showsProgress = stderr.isTTY === true && env.TERM !== 'dumb' && !env.CI && !json;
    this.columns = (stderr.isTTY ? stderr.columns : stdout.columns) || 80;
  }

  /** Writes to stdout as it is. */
  write(text: string): void {
    this.#stdout.write(text);
  }

  /** Writes a line to stdout. */
  line(text = ''): void {
    this.#stdout.write(`${text}\n`);
  }

  /** Writes a value as JSON to stdout, indented for a reader. */
  printJson(value: unknown): void {
    this.line(jsonText(value, 2));
  }

  /** Writes a line to stderr, with `--json` too: what the program itself prints. */
  aside(text: string): void {
    this.stderr.write(`${text}\n`);
  }

  /** Writes a line to stderr that is no error: what goes on, where a file went. Silent with `--json`. */
  note(text: string): void {
    if (!this.json) this.stderr.write(`${text}\n`);
  }
}

/**
 * A value as JSON.
 *
 * @throws PawlError `PAWL_OUTPUT_TOO_LARGE` when no text can hold it
 */
export function jsonText(value: unknown, indent = 0): string {
  try {
    return JSON.stringify(value, null, indent);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const what = /call stack/.test(error.message) ? 'nested too deeply' : 'too large';
    throw new PawlError('PAWL_OUTPUT_TOO_LARGE', `What is to be printed is ${what} to be JSON.`, {
      remedy: 'It is in the store as it is: read it in a program, with `getRun(id)` of pawl/client.',
      cause: error,
    });
  }
}

/**
 * Of output that did not arrive.
 *
 * @param runs whether a run goes on, whatever becomes of its output
 */
export function unwritable(error: Error, runs: boolean): PawlError {
  const reason = /^[A-Z]+: (.+), \w+$/.exec(error.message)?.[1] ?? error.message;
  const remedy = 'Make room where the output goes, or send it elsewhere';
  return new PawlError('PAWL_OUTPUT_UNWRITABLE', `The output cannot be written: ${reason}.`, {
    place: 'standard output',
    remedy: runs
      ? `The run goes to its end, and its result is in the store: \`pawl runs\` and \`pawl inspect\` show it. ${remedy}.`
      : `${remedy}, and run the command again.`,
    cause: error,
  });
}

/** Shows an error on stderr: for people, or as JSON. */
export function printError(error: unknown, out: Output): void {
  out.aside(describeError(error, out));
}

/** What is shown of an error, without a line end. */
export function describeError(error: unknown, out: Output): string {
  const trace = out.env.PAWL_DEBUG ? `\n${stackOf(error)}` : '';
  const c = out.errorColors;
  if (isPawlError(error)) {
    const { code, place, remedy, details } = error;
    const message = redact(error.message);
    if (out.json) return JSON.stringify({ error: { code, message, place, remedy, details } }) + trace;
    const lines = [
      `${c.red('error')} ${c.bold(code)}: ${visible(message)}`,
      ...(place ? [`  ${c.dim('at')} ${visible(place)}`] : []),
      ...(remedy ? [`  ${c.cyan(visible(remedy))}`] : []),
    ];
    return lines.join('\n') + trace;
  }
  const message = redact(error instanceof Error ? `${error.name}: ${error.message}` : String(error));
  if (out.json) return JSON.stringify({ error: { code: 'PAWL_INTERNAL', message } }) + trace;
  return `${c.red('error')} ${c.bold('PAWL_INTERNAL')}: ${visible(message)}
  This is a defect of pawl ${VERSION} (Node ${process.versions.node}), not of your program.
  ${c.cyan('Please report it with the output of the same command under PAWL_DEBUG=1.')}${trace}`;
}

/** By its code: step bundles carry a copy of the class of their own. */
export function isPawlError(error: unknown): error is PawlError {
  return (
    error instanceof Error && 'code' in error && typeof error.code === 'string' && /^PAWL(_[A-Z]|\d)/.test(error.code)
  );
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : `\ncaused by ${stackOf(error.cause)}`;
  return (error.stack ?? String(error)) + cause;
}
