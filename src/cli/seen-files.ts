import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';

/** Files whose text says something to a check; of others it counts only whether they are there. */
const READ = /\.(?:[cm]?[jt]sx?|json[c5]?)$/;

/** Notes for people: that one of them is new says nothing, unless an import waits for it. */
const NOTES = /\.(?:md|markdown|txt|log)$/i;

/** Of what is larger, size and time have to do. */
const LARGEST = 4_000_000;

/**
 * What was seen of the files below a folder, so that an event of the file system that changes nothing is told from one that does:
 * `touch`, a file that is written again as it was, one that an editor takes away for a moment, an event that comes late.
 */
export class SeenFiles {
  readonly #seen = new Map<string, string>();
  readonly #pending = new Set<string>();
  /** What differed when it was looked last. */
  #last: string[] = [];

  /** Whether an event says that there may be something new. */
  concerns(event: string, path: string, isWaitedFor: boolean): boolean {
    if (event === 'change') return READ.test(path);
    return event !== 'add' || isWaitedFor || this.#seen.has(path) || !NOTES.test(path);
  }

  /** Notes that something happened to a file or a folder. */
  note(path: string): void {
    this.#pending.add(path);
  }

  /** Looks at all that was noted: whether any of it is another than before. */
  differ(): boolean {
    this.#last = [];
    for (const path of this.#pending) {
      const now = markOf(path);
      if (now === this.#seen.get(path)) continue;
      this.#last.push(path);
      if (now === undefined) this.#seen.delete(path);
      else this.#seen.set(path, now);
    }
    this.#pending.clear();
    return this.#last.length > 0;
  }

  /**
   * Corrects what differed by what a run has read: a file may have been half written when it was looked at, and not when it was read.
   *
   * @param textOf - the text that the run saw, without a byte order mark; null where it saw none
   */
  correct(textOf: (path: string) => string | null): void {
    for (const path of this.#last) {
      const text = READ.test(path) ? textOf(path) : null;
      if (text !== null && text.length <= LARGEST) this.#seen.set(path, hashOf(text));
    }
  }

  /**
   * Takes files as they are for what was seen of them.
   *
   * @param since - ms since the epoch; what was written later may not have been seen as it is now
   */
  take(paths: Iterable<string>, since: number): void {
    for (const path of paths) {
      if (this.#seen.has(path) || this.#pending.has(path)) continue;
      const mark = markOf(path, since);
      if (mark !== undefined) this.#seen.set(path, mark);
    }
  }
}

/** What of a file counts; undefined where there is none. */
function markOf(path: string, before = Number.POSITIVE_INFINITY): string | undefined {
  try {
    const stats = statSync(path);
    if (!stats.isFile() || !READ.test(path)) return 'there';
    if (Math.max(stats.mtimeMs, stats.ctimeMs) >= before) return undefined;
    if (stats.size > LARGEST) return `${stats.mtimeMs} ${stats.size}`;
    return hashOf(readFileSync(path, 'utf8').replace(/^\uFEFF/, ''));
  } catch {
    return undefined;
  }
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('base64');
}
