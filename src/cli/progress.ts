/**
 * Live progress of a run on a terminal: commands that ended stay as lines of a tree, those that go on are drawn again below
 * them until they end too.
 */
import { stripVTControlCharacters } from 'node:util';
import { formatDuration } from './format.ts';
import type { Output } from './output.ts';
import type { Timeline, TimelineEntry } from './timeline.ts';
import { entryLines, nameOfEntry } from './tree.ts';

const REDRAW_INTERVAL = 100;
const MAX_LIVE_LINES = 12;
const ENDED = new Set<TimelineEntry['state']>(['completed', 'failed', 'disposed', 'conflicted']);

export interface Progress {
  /** Shows lines that stay, above what moves: what the program prints. */
  print(text: string): void;
  /** Shows what an event changed. */
  update(entry: TimelineEntry | null): void;
  /** Takes the moving part away; `last` closes the tree. */
  stop(last?: string): void;
}

/** Progress for a terminal; elsewhere it does nothing. */
export function createProgress(timeline: Timeline, title: string, out: Output, now: () => number = Date.now): Progress {
  if (!out.showsProgress) return { print: (text) => out.aside(text), update: () => {}, stop: () => {} };
  return new TerminalProgress(timeline, title, out, now);
}

class TerminalProgress implements Progress {
  readonly #timeline: Timeline;
  readonly #out: Output;
  readonly #now: () => number;
  readonly #timer: ReturnType<typeof setInterval>;
  /** Commands whose lines stay. */
  readonly #settled = new Set<TimelineEntry>();
  #liveLines = 0;

  constructor(timeline: Timeline, title: string, out: Output, now: () => number) {
    this.#timeline = timeline;
    this.#out = out;
    this.#now = now;
    out.stderr.write(`${title}\n`);
    this.#timer = setInterval(() => this.#draw(), REDRAW_INTERVAL);
    this.#timer.unref();
  }

  update(entry: TimelineEntry | null): void {
    if (entry && ENDED.has(entry.state) && !this.#settled.has(entry)) {
      this.#settled.add(entry);
      this.#draw(this.#tree(entryLines(entry, this.#out.errorColors)));
    } else {
      this.#draw();
    }
  }

  print(text: string): void {
    const { dim } = this.#out.errorColors;
    this.#draw(text.split('\n').map((line) => `${dim('│')} ${line}`));
  }

  stop(last?: string): void {
    clearInterval(this.#timer);
    const close = last === undefined ? [] : [`${this.#out.errorColors.dim('└─')} ${last}`];
    this.#draw(close, []);
  }

  #tree(lines: readonly string[]): string[] {
    const { dim } = this.#out.errorColors;
    return lines.map((line, index) => `${dim(index === 0 ? '├─' : '│')} ${line}`);
  }

  /** Writes lines that stay in place of the live ones, and these again below. */
  #draw(staying: readonly string[] = [], live: readonly string[] = this.#live()): void {
    const erase = this.#liveLines === 0 ? '' : `\u001B[${this.#liveLines}A\u001B[0J`;
    this.#liveLines = live.length;
    const text = [...staying, ...live.map((line) => this.#fit(line))].map((line) => `${line}\n`).join('');
    if (erase || text) this.#out.stderr.write(erase + text);
  }

  #live(): string[] {
    const going = this.#timeline.entries.filter((entry) => !this.#settled.has(entry) && !ENDED.has(entry.state));
    const lines = going.slice(0, MAX_LIVE_LINES).map((entry) => this.#liveLine(entry));
    if (going.length > MAX_LIVE_LINES) lines.push(`│ … and ${going.length - MAX_LIVE_LINES} more`);
    return lines;
  }

  #liveLine(entry: TimelineEntry): string {
    const c = this.#out.errorColors;
    const last = entry.attempts.at(-1);
    const attempt = (last?.number ?? 1) + (entry.state === 'retrying' ? 1 : 0);
    const facts = attempt > 1 ? [`attempt ${attempt}`] : [];
    const due = entry.state === 'retrying' ? (last?.retryAt ?? null) : entry.until;
    const left = due === null ? null : due - this.#now();
    if (left !== null && left > 0) facts.push(`${entry.state === 'retrying' ? 'begins' : 'ends'} in ${rounded(left)}`);
    else facts.push(rounded(this.#now() - entry.scheduledAt));
    const symbol = entry.state === 'retrying' ? c.yellow('↻') : entry.state === 'waiting' ? c.cyan('◷') : c.cyan('●');
    return `${c.dim('│')} ${symbol} ${nameOfEntry(entry).padEnd(28)} ${c.dim(facts.join('  '))}`;
  }

  /** A line that wraps would leave its rest behind. */
  #fit(line: string): string {
    const plain = stripVTControlCharacters(line);
    return plain.length <= this.#out.columns ? line : `${plain.slice(0, this.#out.columns - 1)}…`;
  }
}

/** Without the digits that would only flicker. */
function rounded(ms: number): string {
  return formatDuration(ms < 1000 ? Math.round(ms / 100) * 100 : Math.round(ms / 1000) * 1000);
}
