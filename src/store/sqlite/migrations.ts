/**
 * The tables, as numbered migrations. A migration that was released is never edited; the next change is a new one.
 *
 * Why the tables are as they are:
 * - `events` is clustered by run and number, as one integer: SQLite has a short way to append to a table whose key is its row id, and
 *   leaves pages full. It dirties one page an append; with a key of two columns (version 1) and an index of results it was 2.7.
 * - That a command has one result needs no index: who appends names the newest event, so it has seen every result before.
 * - `runs` holds nothing that the log holds too (arguments, result, newest seq): a step changes no row of it.
 * - `wake_at` is the owner's word; `woken` says that a message waits which the run shall look at.
 * - `runs_due`, `runs_owned`, `runs_parked` and `runs_children` index only runs that are alive.
 * - `parent` is the number of the run that waits for this one, `parent_cid` its command; `status` of a message how a child ended.
 * - `offers` point at the event that scheduled the step: its arguments stand there.
 * - `bundles` keep bytes: the bindings cut text off at a NUL, which source code may hold.
 * - `chunks` are clustered by stream and index, as events are; `size` stands in front, so that a page is measured without being read.
 * - `inbox` ids are never reused (AUTOINCREMENT): owners remember up to which id they have read.
 */
import type { Connection } from './connection.ts';

/** 'pawl' in ASCII, in the header of every file of ours. */
export const APPLICATION_ID = 0x7061776c;

/** An event's row id is the number of its run, and in the low bits its own. */
const SEQ_BITS = 24;

/** The number of the last event that a run may have. */
export const MAX_SEQ = 2 ** SEQ_BITS - 1;

/** Row ids of events, as SQL: of a run's event, and the range of a run's events. Columns and parameters are `run` and `seq`. */
export const eventId = (run: string, seq: string): string => `(${run} << ${SEQ_BITS}) | ${seq}`;
export const eventsOf = (run: string): string =>
  `BETWEEN ${run} << ${SEQ_BITS} AND (${run} << ${SEQ_BITS}) | ${MAX_SEQ}`;

/** A chunk's row id is the number of its stream, and in the low bits its index. */
const INDEX_BITS = 28;

/** The index of the last chunk that a stream may have. */
export const MAX_INDEX = 2 ** INDEX_BITS - 1;

/** The same of chunks: columns and parameters are `stream` and `index`. */
export const chunkId = (stream: string, index: string): string => `(${stream} << ${INDEX_BITS}) | ${index}`;

const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE bundles (
    hash TEXT PRIMARY KEY,
    code BLOB NOT NULL,
    map BLOB
  ) STRICT;

  CREATE TABLE owners (
    name TEXT PRIMARY KEY,
    host TEXT NOT NULL,
    boot TEXT NOT NULL,
    space TEXT NOT NULL,
    pid INTEGER NOT NULL,
    started TEXT NOT NULL,
    lease_until INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE runs (
    no INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    workflow_id TEXT NOT NULL,
    status TEXT NOT NULL,
    bundle_hash TEXT,
    seed TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    started_at INTEGER,
    finished_at INTEGER,
    wake_at INTEGER,
    woken INTEGER NOT NULL,
    due_at INTEGER GENERATED ALWAYS AS (CASE WHEN woken = 1 THEN 0 ELSE wake_at END) VIRTUAL,
    owner TEXT,
    fence INTEGER NOT NULL,
    parked TEXT,
    cancel_requested INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX runs_due ON runs (due_at) WHERE owner IS NULL AND due_at IS NOT NULL;
  CREATE INDEX runs_owned ON runs (owner) WHERE owner IS NOT NULL;
  CREATE INDEX runs_parked ON runs (no) WHERE status = 'parked';

  CREATE TABLE events (
    run INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    type TEXT NOT NULL,
    at INTEGER NOT NULL,
    cid INTEGER,
    name TEXT,
    attempt INTEGER,
    data TEXT,
    meta TEXT,
    sum INTEGER NOT NULL,
    PRIMARY KEY (run, seq)
  ) STRICT, WITHOUT ROWID;
  CREATE UNIQUE INDEX events_result ON events (run, cid)
    WHERE type = 'step_completed' OR type = 'step_failed' OR type = 'sleep_completed';

  CREATE TABLE hooks (
    token TEXT PRIMARY KEY,
    run INTEGER NOT NULL,
    cid INTEGER NOT NULL,
    metadata TEXT,
    created_at INTEGER NOT NULL,
    disposed_at INTEGER
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX hooks_run ON hooks (run, cid);

  CREATE TABLE inbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run INTEGER NOT NULL,
    kind TEXT NOT NULL,
    at INTEGER NOT NULL,
    cid INTEGER,
    token TEXT,
    data TEXT
  ) STRICT;
  CREATE INDEX inbox_run ON inbox (run, id);
  `,
  `
  ALTER TABLE events RENAME TO events_1;
  CREATE TABLE events (
    id INTEGER PRIMARY KEY,
    run INTEGER GENERATED ALWAYS AS (id >> ${SEQ_BITS}) VIRTUAL,
    seq INTEGER GENERATED ALWAYS AS (id & ${MAX_SEQ}) VIRTUAL,
    type TEXT NOT NULL,
    at INTEGER NOT NULL,
    cid INTEGER,
    name TEXT,
    attempt INTEGER,
    data TEXT,
    meta TEXT,
    sum INTEGER NOT NULL
  ) STRICT;
  INSERT INTO events (id, type, at, cid, name, attempt, data, meta, sum)
    SELECT (run << ${SEQ_BITS}) | seq, type, at, cid, name, attempt, data, meta, sum FROM events_1 ORDER BY run, seq;
  DROP TABLE events_1;
  `,
  'ALTER TABLE bundles ADD COLUMN manifest BLOB;',
  `
  ALTER TABLE runs ADD COLUMN parent INTEGER;
  ALTER TABLE runs ADD COLUMN parent_cid INTEGER;
  CREATE INDEX runs_children ON runs (parent) WHERE parent IS NOT NULL AND finished_at IS NULL;
  ALTER TABLE inbox ADD COLUMN status TEXT;
  `,
  `
  CREATE TABLE streams (
    no INTEGER PRIMARY KEY,
    run INTEGER NOT NULL,
    name TEXT NOT NULL,
    chunks INTEGER NOT NULL,
    size INTEGER NOT NULL,
    closed_by TEXT,
    UNIQUE (run, name)
  ) STRICT;
  CREATE TABLE chunks (
    id INTEGER PRIMARY KEY,
    size INTEGER NOT NULL,
    sum INTEGER NOT NULL,
    value TEXT,
    bytes BLOB
  ) STRICT;
  `,
  `
  CREATE TABLE offers (
    run INTEGER NOT NULL,
    cid INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    step TEXT NOT NULL,
    taker TEXT,
    PRIMARY KEY (run, cid)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX offers_open ON offers (run, cid) WHERE taker IS NULL;
  CREATE INDEX offers_taken ON offers (taker) WHERE taker IS NOT NULL;
  ALTER TABLE owners ADD COLUMN takes INTEGER NOT NULL DEFAULT 0;
  `,
];

/** Version of the tables that this pawl writes. */
export const SCHEMA_VERSION = MIGRATIONS.length;

/**
 * Brings the tables to the present version. Call inside a write transaction.
 *
 * @param version - an older one, for tests
 */
export function migrate(connection: Connection, version: number = SCHEMA_VERSION): void {
  const { user_version: from } = connection.sql('PRAGMA user_version').get() as { user_version: number };
  if (from === version) return;
  for (const migration of MIGRATIONS.slice(from, version)) connection.exec(migration);
  connection.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${version};`);
}
