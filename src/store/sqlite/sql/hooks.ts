import type { HookRecord } from '../../port.ts';
import type { Connection } from '../connection.ts';
import type { SqliteRow } from '../driver.ts';

const SELECT = `
  SELECT h.token, r.id AS run_id, h.cid, h.metadata, h.created_at, h.disposed_at, h.run
  FROM hooks h JOIN runs r ON r.no = h.run WHERE h.token = ?`;

/** The hook and the number of its run. */
export function selectHook(db: Connection, token: string): { hook: HookRecord; no: number } | null {
  const row = db.sql(SELECT).get(token) as SqliteRow | undefined;
  if (row === undefined) return null;
  const hook = {
    token: row.token as string,
    runId: row.run_id as string,
    cid: row.cid as number,
    metadata: row.metadata as string | null,
    createdAt: row.created_at as number,
    disposedAt: row.disposed_at as number | null,
  };
  return { hook, no: row.run as number };
}

// A token whose hook is disposed is free again.
const UPSERT = `
  INSERT INTO hooks (token, run, cid, metadata, created_at) VALUES (?, ?, ?, ?, ?)
  ON CONFLICT (token) DO UPDATE SET run = excluded.run, cid = excluded.cid, metadata = excluded.metadata,
    created_at = excluded.created_at, disposed_at = NULL`;

export function upsertHook(
  db: Connection,
  token: string,
  no: number,
  cid: number,
  metadata: string | null,
  at: number,
): void {
  db.sql(UPSERT).run(token, no, cid, metadata, at);
}

const DISPOSE = 'UPDATE hooks SET disposed_at = ? WHERE run = ? AND cid = ? AND disposed_at IS NULL';

export function disposeHook(db: Connection, no: number, cid: number, at: number): void {
  db.sql(DISPOSE).run(at, no, cid);
}

const DISPOSE_ALL = 'UPDATE hooks SET disposed_at = ? WHERE run = ? AND disposed_at IS NULL';

export function disposeHooksOf(db: Connection, no: number, at: number): void {
  db.sql(DISPOSE_ALL).run(at, no);
}
