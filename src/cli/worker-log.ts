/** What `pawl worker` says of what happens: lines for a person who looks on, objects for programs, in a pipe only what went wrong. */
import { isAnswerToken, type WorkerEvent, webhookPath } from '../runtime/index.ts';
import { AbortNotices } from './abort-notice.ts';
import { clockNotice } from './clock-notice.ts';
import { formatDuration, paintStatus } from './format.ts';
import { jsonText, type Output } from './output.ts';
import { shortName } from './project.ts';
import { visible, visibleLine } from './visible.ts';

export class WorkerLog {
  readonly #out: Output;
  /** When runs that are under way began here, ms since the epoch. */
  readonly #since = new Map<string, number>();
  readonly #aborts = new AbortNotices();

  /** What is still to be printed: a worker that is ended at once shall not take it along. */
  #shown: Promise<unknown> = Promise.resolve();

  constructor(out: Output) {
    this.#out = out;
  }

  /** The worker works. `url`: where it takes requests. */
  ready(pid: number, store: string, has: string, url: string | null): void {
    if (this.#out.json) this.#out.line(jsonText({ type: 'ready', pid, store, ...(url !== null && { url }) }));
    else this.#out.aside(`worker ${pid} works on ${store}: ${has}${url === null ? '' : `\ntakes requests at ${url}`}`);
  }

  /** Resolves when all that was heard is printed. */
  async printed(): Promise<void> {
    await this.#shown;
  }

  heard(event: WorkerEvent): void {
    if (this.#out.json) this.#out.line(jsonText(toJson(event)));
    switch (event.type) {
      case 'run-started':
      case 'run-resumed':
        this.#since.set(event.runId, event.at);
        return;
      case 'run-finished':
        this.#finished(event);
        return;
      case 'run-parked': {
        this.#since.delete(event.runId);
        const { red, bold } = this.#out.errorColors;
        const what = `${this.#line('parked', event)}\n  ${red(bold(event.code))}: ${visible(event.message)}`;
        this.#out.note(what);
        return;
      }
      case 'clock-went-back':
        this.#out.note(clockNotice(event.ms));
        return;
      case 'step-ignores-abort': {
        const notice = this.#aborts.of(event);
        if (notice !== null) this.#out.note(notice);
        return;
      }
      case 'console':
        this.#out.aside(event.text);
    }
  }

  #finished(event: Extract<WorkerEvent, { type: 'run-finished' }>): void {
    const since = this.#since.get(event.runId) ?? event.at;
    this.#since.delete(event.runId);
    if (event.status !== 'failed' && !this.#out.showsProgress) return;
    this.#out.note(`${this.#line(event.status, event)}  ${formatDuration(Math.max(0, event.at - since))}`);
    if (event.error === null || event.status !== 'failed') return;
    const shown = import('./values.ts').then(({ readValue, showThrown }) => {
      this.#out.note(showThrown(readValue(event.error), this.#out.errorColors));
    });
    this.#shown = Promise.all([this.#shown, shown]);
  }

  #line(status: 'completed' | 'failed' | 'cancelled' | 'parked', event: { runId: string; workflowId: string }): string {
    const painted = paintStatus(status, this.#out.errorColors, status.padEnd(9));
    return `${painted}  ${visibleLine(shortName(event.workflowId))}  ${visibleLine(event.runId)}`;
  }
}

/** Whoever knows the token of a webhook may send requests: a log that is kept elsewhere shall not tell it. */
function isSecret(token: string): boolean {
  return webhookPath(token) !== null || isAnswerToken(token);
}

/** As it is told, but for errors: what was thrown is in the store, in full. */
function toJson(event: WorkerEvent): Record<string, unknown> {
  if (event.type === 'store-failed') {
    const { code, message } = event.error as { code?: unknown; message?: unknown };
    return { ...event, error: { code, message: String(message ?? event.error) } };
  }
  if (event.type === 'hook-created' && isSecret(event.token)) return { ...event, token: `${event.token.slice(0, 7)}…` };
  if (event.type !== 'run-finished') return { ...event };
  const { error: _, ...rest } = event;
  return rest;
}
