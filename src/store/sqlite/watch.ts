/**
 * Tells listeners what changed: at once what this process committed, and within a few milliseconds that another
 * process committed something. For the latter SQLite has a counter, `data_version`, which changes when
 * another connection commits; reading it costs about a microsecond, so it is polled while someone listens.
 */
import type { StoreChange } from '../port.ts';
import type { Connection } from './connection.ts';

export class Watch {
  readonly #db: Connection;
  readonly #interval: number | null;
  readonly #listeners = new Set<(change: StoreChange) => void>();
  #timer: NodeJS.Timeout | undefined;
  #version = 0;

  /** `interval` null: no other process can change this store. */
  constructor(db: Connection, interval: number | null) {
    this.#db = db;
    this.#interval = interval;
  }

  subscribe(listener: (change: StoreChange) => void): () => void {
    // A wrapper of its own: the same function may subscribe twice.
    const own = (change: StoreChange) => listener(change);
    this.#listeners.add(own);
    if (this.#timer === undefined && this.#interval !== null) {
      this.#version = this.#readVersion();
      this.#timer = setInterval(this.#poll, this.#interval);
    }
    return () => {
      this.#listeners.delete(own);
      if (this.#listeners.size === 0) this.#stop();
    };
  }

  emit(changes: readonly StoreChange[]): void {
    if (this.#listeners.size === 0) return;
    for (const change of changes) {
      for (const listener of this.#listeners) listener(change);
    }
  }

  close(): void {
    this.#listeners.clear();
    this.#stop();
  }

  #stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  readonly #poll = (): void => {
    const version = this.#readVersion();
    if (version === this.#version) return;
    this.#version = version;
    this.emit([{ kind: 'external' }]);
  };

  #readVersion(): number {
    try {
      return (this.#db.sql('PRAGMA data_version').get() as { data_version: number }).data_version;
    } catch {
      // Locked, or worse: whoever writes or reads next hears of it.
      return this.#version;
    }
  }
}
