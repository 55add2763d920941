/**
 * The tables, as numbered migrations in a schema of their own. A migration that was released is never edited; the next change is a
 * new one.
 *
 * Why the tables are as they are:
 * - `runs` holds nothing that the log holds too (arguments, result, newest seq): a step changes no row of it, it only locks one.
 * - `woken` says that a message waits which the run shall look at; `wake_at` is the owner's word.
 * - `parent` is the number of the run that waits for this one, `parent_cid` its command; `status` of a message how a child ended.
 * - `chunks` hold either a serialized value or bytes; `size` measures a page before it is read.
 * - `offers` point at the event that scheduled the step: its arguments stand there.
 * - `bundles` keep bytes: text has no NUL, source code may.
 * - `meta`, `parked` and payloads are text, not jsonb: what was written is read again letter by letter.
 */
import type { ClientBase } from 'pg';

const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE bundles (
    hash text PRIMARY KEY,
    code bytea NOT NULL,
    map bytea
  );
  CREATE TABLE owners (
    name text PRIMARY KEY,
    host text NOT NULL,
    boot text NOT NULL,
    space text NOT NULL,
    pid bigint NOT NULL,
    started text NOT NULL,
    lease_until bigint NOT NULL
  );
  CREATE TABLE runs (
    no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id text NOT NULL UNIQUE,
    workflow_id text NOT NULL,
    status text NOT NULL,
    bundle_hash text,
    seed text NOT NULL,
    created_at bigint NOT NULL,
    started_at bigint,
    finished_at bigint,
    wake_at bigint,
    woken boolean NOT NULL DEFAULT false,
    due_at bigint GENERATED ALWAYS AS (CASE WHEN woken THEN 0 ELSE wake_at END) STORED,
    owner text,
    fence integer NOT NULL,
    parked text,
    cancel_requested boolean NOT NULL DEFAULT false
  );
  CREATE INDEX runs_due ON runs (due_at) WHERE owner IS NULL AND due_at IS NOT NULL;
  CREATE INDEX runs_owned ON runs (owner) WHERE owner IS NOT NULL;
  CREATE INDEX runs_parked ON runs (no) WHERE status = 'parked';
  CREATE TABLE events (
    run bigint NOT NULL,
    seq integer NOT NULL,
    type text NOT NULL,
    at bigint NOT NULL,
    cid integer,
    name text,
    attempt integer,
    data text,
    meta text,
    PRIMARY KEY (run, seq)
  );
  CREATE TABLE hooks (
    token text PRIMARY KEY,
    run bigint NOT NULL,
    cid integer NOT NULL,
    metadata text,
    created_at bigint NOT NULL,
    disposed_at bigint
  );
  CREATE INDEX hooks_run ON hooks (run, cid);
  CREATE TABLE inbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run bigint NOT NULL,
    kind text NOT NULL,
    at bigint NOT NULL,
    cid integer,
    token text,
    data text
  );
  CREATE INDEX inbox_run ON inbox (run, id);
  `,
  'ALTER TABLE bundles ADD COLUMN manifest bytea;',
  `
  ALTER TABLE runs ADD COLUMN parent bigint, ADD COLUMN parent_cid integer;
  CREATE INDEX runs_children ON runs (parent) WHERE parent IS NOT NULL AND finished_at IS NULL;
  ALTER TABLE inbox ADD COLUMN status text;
  `,
  `
  CREATE TABLE streams (
    no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run bigint NOT NULL,
    name text NOT NULL,
    chunks bigint NOT NULL DEFAULT 0,
    size bigint NOT NULL DEFAULT 0,
    closed_by text,
    UNIQUE (run, name)
  );
  CREATE TABLE chunks (
    stream bigint NOT NULL,
    index bigint NOT NULL,
    size integer NOT NULL,
    value text,
    bytes bytea,
    PRIMARY KEY (stream, index)
  );
  `,
  `
  CREATE TABLE offers (
    run bigint NOT NULL,
    cid integer NOT NULL,
    seq integer NOT NULL,
    step text NOT NULL,
    taker text,
    PRIMARY KEY (run, cid)
  );
  CREATE INDEX offers_open ON offers (run, cid) WHERE taker IS NULL;
  CREATE INDEX offers_taken ON offers (taker) WHERE taker IS NOT NULL;
  ALTER TABLE owners ADD COLUMN takes boolean NOT NULL DEFAULT false;
  `,
];

/** Version of the tables that this pawl writes. */
export const SCHEMA_VERSION = MIGRATIONS.length;

const HAS_TABLE = `
  SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = 'pawl_version'`;

/** The schema's version: null when there is no schema, or none of pawl's. */
export async function versionOf(client: ClientBase, schema: string): Promise<number | null> {
  // Not `to_regclass`: what it did not find it does not look for again in this transaction.
  const known = await client.query(HAS_TABLE, [schema]);
  if (known.rows.length === 0) return null;
  const { rows } = await client.query(`SELECT version FROM "${schema}".pawl_version`);
  return rows[0]?.version ?? 0;
}

/** Whether something stands in a schema of that name which pawl did not make. */
export async function isForeign(client: ClientBase, schema: string): Promise<boolean> {
  const { rows } = await client.query(
    `SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 LIMIT 1`,
    [schema],
  );
  return rows.length > 0;
}

/** Any two processes that start at once: one of them makes the tables, the other one waits. 'pawl' in ASCII. */
const LOCK = 0x7061776c;

/**
 * Brings the tables to the present version, in one transaction.
 *
 * @param version - an older one, for tests
 */
export async function migrate(client: ClientBase, schema: string, version: number = SCHEMA_VERSION): Promise<void> {
  await client.query('BEGIN');
  try {
    await client.query('SELECT pg_advisory_xact_lock($1)', [LOCK]);
    const from = await versionOf(client, schema);
    if (from === null) {
      await client.query(`CREATE SCHEMA IF NOT EXISTS "${schema}"`);
      await client.query(`CREATE TABLE "${schema}".pawl_version (version integer NOT NULL)`);
      await client.query(`INSERT INTO "${schema}".pawl_version VALUES (0)`);
    }
    if ((from ?? 0) < version) {
      await client.query(`SET LOCAL search_path TO "${schema}"`);
      for (const migration of MIGRATIONS.slice(from ?? 0, version)) await client.query(migration);
      await client.query('UPDATE pawl_version SET version = $1', [version]);
    }
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {});
    throw error;
  }
}
