/**
 * What `pawl run` makes of code that leaves its bounds: a step that ends the process, errors that nobody catches. The runs are kept in
 * any case; here is who did it, and how they go on.
 */
import { PawlError } from '../errors.ts';
import type { WorkerEvent } from '../runtime/index.ts';
import { describeError, type Output } from './output.ts';

type Runtime = typeof import('../runtime/index.ts');

export class Accidents {
  /** Rejects with an error that belongs to no step: what state the program is in nobody knows. */
  readonly stray: Promise<never>;
  readonly #runtime: Runtime;
  readonly #print: (text: string) => void;
  readonly #interrupted: () => boolean;
  readonly #out: Output;
  readonly #said = new Set<string>();
  /** Workflows by the runs that are not at their end. */
  readonly #runs = new Map<string, string>();
  /** Steps that run, by run and command. */
  readonly #steps = new Map<string, { runId: string; stepId: string }>();
  readonly #unwatch: () => void;
  #giveUp: (error: unknown) => void = () => {};

  /**
   * Watches this process from now on.
   *
   * @param interrupted Whether somebody asked the process to end.
   */
  static async watch(print: (text: string) => void, interrupted: () => boolean, out: Output): Promise<Accidents> {
    return new Accidents(await import('../runtime/index.ts'), print, interrupted, out);
  }

  private constructor(runtime: Runtime, print: (text: string) => void, interrupted: () => boolean, out: Output) {
    this.#runtime = runtime;
    this.#print = print;
    this.#interrupted = interrupted;
    this.#out = out;
    this.stray = new Promise((_, reject) => {
      this.#giveUp = reject;
    });
    this.stray.catch(() => {});
    this.#unwatch = runtime.watchUncaught({
      late: (error) => this.#say(error),
      stray: ({ code, message, place }) =>
        this.#giveUp(new PawlError(code, message, { place, remedy: this.#kept(null) })),
    });
    process.on('exit', this.#onExit);
  }

  heard(event: WorkerEvent): void {
    switch (event.type) {
      case 'run-started':
      case 'run-resumed':
        this.#runs.set(event.runId, event.workflowId);
        return;
      case 'step-started':
        this.#steps.set(`${event.runId} ${event.cid}`, event);
        return;
      case 'step-completed':
      case 'step-failed':
      case 'step-retrying':
        this.#steps.delete(`${event.runId} ${event.cid}`);
        return;
      case 'run-finished':
      case 'run-parked':
        this.#runs.delete(event.runId);
        for (const [key, { runId }] of this.#steps) if (runId === event.runId) this.#steps.delete(key);
        return;
      default:
    }
  }

  stop(): void {
    process.off('exit', this.#onExit);
    this.#unwatch();
  }

  /** Once: a timer may throw again and again. */
  #say(error: PawlError): void {
    const text = describeError(error, this.#out);
    if (this.#said.has(text)) return;
    this.#said.add(text);
    this.#print(text);
  }

  /** Nothing can be waited for here. */
  readonly #onExit = (code: number): void => {
    // Who pressed Ctrl-C twice knows.
    if (this.#interrupted()) return;
    const { stepId, runId, place } = this.#runtime.exitCaller();
    const who = stepId === null ? 'The program' : `The step ${stepId}`;
    const error = new PawlError('PAWL_PROCESS_EXIT', `${who} called process.exit(${code}), and ended pawl with it.`, {
      place,
      remedy: this.#kept(runId),
    });
    this.#out.aside(describeError(error, this.#out));
    if (code === 0) process.exitCode = 2;
  };

  /** What was under way, and how it goes on. */
  #kept(exiting: string | null): string {
    const steps = [...new Set([...this.#steps.values()].map(({ stepId }) => stepId))].sort();
    const running = steps.length === 0 ? 'No step was running' : `Running: ${shortList(steps)}`;
    const first = exiting ?? this.#runs.keys().next().value;
    const workflow = first === undefined ? undefined : this.#runs.get(first);
    if (first === undefined || workflow === undefined) return `${running}. Nothing is lost.`;
    const others = this.#runs.size > 1 ? ` and ${this.#runs.size - 1} more are` : ' is';
    const advice = exiting === null ? '' : ' To end an attempt or a run, throw an error.';
    return `${running}. The run ${first}${others} kept: \`pawl run ${workflow} --id ${first}\` goes on.${advice}`;
  }
}
function shortList(names: readonly string[]): string {
  return names.length <= 5 ? names.join(', ') : `${names.slice(0, 5).join(', ')} and ${names.length - 5} more`;
}
