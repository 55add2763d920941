/** Runs that a worker has in memory and that are to go on with other code: read again as soon as none of their steps runs. */
import type { InboxMessage } from '../store/port.ts';

interface Moved {
  readonly idle: boolean;
}

export class Moves<R extends Moved> {
  readonly #runs: ReadonlyMap<string, R>;
  readonly #move: (run: R) => void;
  readonly #ids = new Set<string>();

  /** @param runs those in memory */
  constructor(runs: ReadonlyMap<string, R>, move: (run: R) => void) {
    this.#runs = runs;
    this.#move = move;
  }

  /**
   * Takes out of messages what asks for a move.
   *
   * @returns the messages that are for the runs themselves, by run
   */
  sift(messages: readonly InboxMessage[]): Map<string, InboxMessage[]> {
    const others = new Map<string, InboxMessage[]>();
    for (const message of messages) {
      const { runId, kind } = message;
      if (kind === 'upgrade') this.#ids.add(runId);
      else if (others.has(runId)) others.get(runId)?.push(message);
      else others.set(runId, [message]);
    }
    this.lookLater();
    return others;
  }

  /** To be called whenever a run has become idle. */
  lookLater(): void {
    if (this.#ids.size > 0) queueMicrotask(() => this.#look());
  }

  #look(): void {
    for (const id of this.#ids) {
      const run = this.#runs.get(id);
      if (run?.idle === false) continue;
      this.#ids.delete(id);
      if (run) this.#move(run);
    }
  }
}
