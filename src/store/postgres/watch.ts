/**
 * Tells listeners what changed: at once what this process committed, and that another process committed something as soon as
 * PostgreSQL says so (NOTIFY). A notification inside of a transaction makes all commits of the server wait for each other, so
 * it is sent behind the commit, on another connection; several that come together are one, and mere steps wait a little for more.
 */
import { randomUUID } from 'node:crypto';
import type { StoreChange } from '../port.ts';
import type { Connections } from './connection.ts';

/** How long to wait before listening again, when the connection was lost, ms. */
const AGAIN_MS = 200;

/** How long news of nothing but events and chunks may wait for more, ms. */
const EVENTS_MS = 50;

/** How long a request may wait for its news to be told, ms. */
const LATE_MS = 500;

/** Something waits for a worker that may be another process. */
function isWaiting({ kind }: StoreChange): boolean {
  return kind === 'runnable' || kind === 'inbox';
}

// A notification is worth no sync of its own: who hears none after a crash looks for itself.
const NOTIFY = "SELECT set_config('synchronous_commit', 'off', true), pg_notify($1, $2)";

/** What it tells of is durable, and workers look for themselves from time to time: no reason to wait for a server that is slow. */
function notTooLong(telling: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, LATE_MS);
  });
  return Promise.race([telling, late]).finally(() => clearTimeout(timer));
}

export class Watch {
  readonly #connections: Connections;
  readonly #channel: string;
  /** Names this object, which need not hear of its own changes. */
  readonly #self = randomUUID();
  readonly #listeners = new Set<(change: StoreChange) => void>();
  #listening: Promise<{ end(): Promise<void> }> | null = null;
  #timer: NodeJS.Timeout | undefined;
  #later: NodeJS.Timeout | undefined;
  #telling: Promise<void> | null = null;
  #hasNews = false;
  #isClosed = false;

  /** @param schema - the channel is the schema's */
  constructor(connections: Connections, schema: string) {
    this.#connections = connections;
    this.#channel = `pawl_${schema}`.slice(0, 63);
  }

  subscribe(listener: (change: StoreChange) => void): () => void {
    // A wrapper of its own: the same function may subscribe twice.
    const own = (change: StoreChange) => listener(change);
    this.#listeners.add(own);
    if (this.#listening === null) this.#listen();
    return () => {
      this.#listeners.delete(own);
    };
  }

  /** Tells other processes of what waits for a worker; nothing to wait for when nothing does. */
  announce(changes: readonly StoreChange[]): Promise<void> | undefined {
    if (!changes.some(isWaiting)) return undefined;
    return notTooLong(this.#notify());
  }

  /** Tells this process's listeners, and those of other processes what was not announced. */
  emit(changes: readonly StoreChange[]): void {
    if (changes.length === 0) return;
    this.#hear(changes);
    if (changes.some(isWaiting)) return;
    if (changes.some(({ kind }) => kind !== 'events' && kind !== 'chunks')) this.#tellSoon();
    // Another process works on other runs: steps of these are news only for who looks on.
    else this.#later ??= setTimeout(this.#tellSoon, EVENTS_MS).unref();
  }

  readonly #tellSoon = (): void => {
    clearTimeout(this.#later);
    this.#later = undefined;
    this.#hasNews = true;
    this.#telling ??= this.#tell();
  };

  async close(): Promise<void> {
    this.#listeners.clear();
    // The last news are told, too.
    if (this.#later !== undefined) this.#tellSoon();
    if (this.#telling !== null) await notTooLong(this.#telling);
    this.#isClosed = true;
    clearTimeout(this.#timer);
    const client = await this.#listening?.catch(() => null);
    await client?.end().catch(() => {});
  }

  #hear(changes: readonly StoreChange[]): void {
    for (const change of changes) for (const listener of this.#listeners) listener(change);
  }

  async #tell(): Promise<void> {
    while (this.#hasNews && !this.#isClosed) {
      this.#hasNews = false;
      await this.#notify();
    }
    this.#telling = null;
  }

  /** Who does not hear of it looks again from time to time. */
  async #notify(): Promise<void> {
    await this.#connections.read(NOTIFY, [this.#channel, this.#self]).catch(() => {});
  }

  #listen(): void {
    this.#listening = this.#connect();
    this.#listening.catch(() => this.#listenAgain());
  }

  async #connect(): Promise<{ end(): Promise<void> }> {
    const client = await this.#connections.connect();
    client.on('notification', ({ payload }) => {
      if (payload !== this.#self) this.#hear([{ kind: 'external' }]);
    });
    client.on('end', () => this.#listenAgain());
    await client.query(`LISTEN "${this.#channel}"`);
    // What happened before was not heard.
    this.#hear([{ kind: 'external' }]);
    return client;
  }

  #listenAgain(): void {
    this.#listening = null;
    if (this.#isClosed || this.#listeners.size === 0) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (!this.#isClosed && this.#listening === null) this.#listen();
    }, AGAIN_MS);
    this.#timer.unref();
  }
}
