/**
 * The connections of one store: a pool for reading, one connection for writing, so that writes keep their order, and one that
 * listens. Each finds the tables by its search path.
 */
import pg from 'pg';
import { explain, isLost } from './errors.ts';

export type Row = Record<string, unknown>;

/** What runs one statement: a connection inside of a transaction, or the pool. */
export interface Executor {
  rows<R = Row>(statement: string, values?: readonly unknown[]): Promise<R[]>;
}

const INT8 = 20;

/** Numbers as numbers: none of ours is beyond 2^53. */
const types = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') =>
    oid === INT8 ? Number : pg.types.getTypeParser(oid, format as 'text'),
};

/** Connections for reading, at most. */
const POOL = 4;

/** How long to wait for a connection, ms. */
const CONNECT_MS = 5_000;

export interface ConnectionOptions {
  connectionString: string;
  schema: string;
  /** For messages. */
  place: string;
  /** How long a statement waits for a lock, ms. */
  lockTimeout: number;
}

export class Connections {
  readonly place: string;
  readonly #options: ConnectionOptions;
  readonly #pool: pg.Pool;
  #writer: Promise<pg.Client> | null = null;
  /** The same, once it is there. */
  #ready: pg.Client | null = null;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.place = options.place;
    this.#pool = new pg.Pool({ ...this.#config(), max: POOL, idleTimeoutMillis: 10_000, allowExitOnIdle: true });
    // A connection that idles and is cut off is replaced by the next that is asked for.
    this.#pool.on('error', () => {});
  }

  #config(): pg.ClientConfig {
    const { connectionString, schema, lockTimeout } = this.#options;
    return {
      connectionString,
      types: types as pg.CustomTypesConfig,
      application_name: `pawl ${schema}`,
      connectionTimeoutMillis: CONNECT_MS,
      options: `-c search_path="${schema}" -c lock_timeout=${lockTimeout}`,
      keepAlive: true,
    };
  }

  /** A connection of its own. */
  async connect(): Promise<pg.Client> {
    const client = new pg.Client(this.#config());
    client.on('error', () => {});
    try {
      await client.connect();
    } catch (error) {
      await client.end().catch(() => {});
      throw explain(error, this.place);
    }
    return client;
  }

  /** Reads, on any connection. */
  async read<R = Row>(statement: string, values: readonly unknown[] = []): Promise<R[]> {
    // A server that was restarted has cut off all connections of the pool; who reads may simply ask again.
    for (let left = POOL; ; left--) {
      try {
        const { rows } = await this.#pool.query(prepared(statement, values));
        return rows as R[];
      } catch (error) {
        if (left === 0 || !isLost(error)) throw explain(error, this.place);
      }
    }
  }

  /** Writes, one after the other. When the connection is lost, the next write opens another. */
  async write<T>(work: (on: Executor) => Promise<T>): Promise<T> {
    const client = await this.#writing();
    return work({
      rows: async <R>(statement: string, values: readonly unknown[] = []) =>
        (await client.query(prepared(statement, values))).rows as R[],
    });
  }

  /**
   * Sends one writing statement, and calls back with the number of rows that it wrote. False when there is no connection to send it on at
   * once. Each promise of `write` costs Node 20 and 22 more than a microsecond, and there are two dozen.
   */
  send(statement: string, values: readonly unknown[], done: (error: Error | null, count: number) => void): boolean {
    if (this.#ready === null) return false;
    // Of an object pg makes a copy, by its property descriptors, which takes a tenth of the time that it has for a statement.
    const query: pg.Query & { name?: string } = new pg.Query(statement, values as unknown[], (error, result) =>
      done(error ?? null, error ? 0 : (result.rowCount ?? 0)),
    );
    query.name = nameOf(statement);
    this.#ready.query(query);
    return true;
  }

  #writing(): Promise<pg.Client> {
    if (this.#writer) return this.#writer;
    const connecting = this.connect();
    const forget = (): void => {
      if (this.#writer !== connecting) return;
      this.#writer = null;
      this.#ready = null;
    };
    this.#writer = connecting;
    connecting.then((client) => {
      this.#ready = client.once('error', forget).once('end', forget);
    }, forget);
    return connecting;
  }

  async close(): Promise<void> {
    this.#ready = null;
    const writer = await this.#writer?.catch(() => null);
    await Promise.all([writer?.end().catch(() => {}), this.#pool.end().catch(() => {})]);
  }
}

const names = new Map<string, string>();

/** Statements are prepared once a connection, by a name of their own. */
function nameOf(text: string): string {
  let name = names.get(text);
  if (name === undefined) {
    name = `pawl_${names.size}`;
    names.set(text, name);
  }
  return name;
}

function prepared(text: string, values: readonly unknown[]): pg.QueryConfig {
  return { name: nameOf(text), text, values: values as unknown[] };
}
