import { TERMINAL_EVENTS } from '../../events.ts';
import type { ParkedReason, RunFilter, RunRecord, RunStatus } from '../../port.ts';
import type { Connection } from '../connection.ts';
import { eventId, eventsOf } from '../migrations.ts';
import type { SqliteRow, SqliteValue } from '../driver.ts';

const RECORD = `
  SELECT r.no, r.id, r.workflow_id, r.status, r.bundle_hash, r.seed, r.created_at, r.started_at, r.finished_at, r.wake_at,
    r.owner, r.fence, r.parked, r.cancel_requested, r.parent_cid, o.lease_until,
    (SELECT p.id FROM runs p WHERE p.no = r.parent) AS parent_id,
    (SELECT e.data FROM events e WHERE e.id = (${eventId('r.no', '1')})) AS input,
    (SELECT e.seq FROM events e WHERE e.id ${eventsOf('r.no')} ORDER BY e.id DESC LIMIT 1) AS last_seq,
    CASE WHEN r.finished_at IS NOT NULL
      THEN (SELECT e.data FROM events e WHERE e.id ${eventsOf('r.no')} ORDER BY e.id DESC LIMIT 1) END AS outcome
  FROM runs r LEFT JOIN owners o ON o.name = r.owner`;

const STATUSES = ['pending', 'running', 'completed', 'failed', 'cancelled', 'parked'] as const satisfies RunStatus[];

/** A damaged row is shown as a parked run, so that it stands in nobody's way: one row must not keep others from being read. */
function toRecord(db: Connection, row: SqliteRow): RunRecord {
  const isSound = STATUSES.includes(row.status as RunStatus);
  const ending = isSound ? undefined : endOf(db, row.no as number);
  const status = isSound ? (row.status as RunStatus) : (ending ?? 'parked');
  return {
    id: row.id as string,
    workflowId: row.workflow_id as string,
    status,
    bundleHash: row.bundle_hash as string | null,
    seed: row.seed as string,
    input: row.input as string | null,
    createdAt: row.created_at as number,
    startedAt: row.started_at as number | null,
    finishedAt: row.finished_at as number | null,
    wakeAt: row.wake_at as number | null,
    owner: row.owner as string | null,
    leaseUntil: row.lease_until as number | null,
    fence: row.fence as number,
    lastSeq: (row.last_seq ?? 0) as number,
    output: status === 'completed' ? (row.outcome as string | null) : null,
    error: status === 'failed' || status === 'cancelled' ? (row.outcome as string | null) : null,
    parkedReason: isSound ? parseReason(row.parked) : ending ? null : damaged(`its status is '${row.status}'`),
    cancelRequested: row.cancel_requested === 1,
    parent: row.parent_id === null ? null : { runId: row.parent_id as string, cid: row.parent_cid as number },
  };
}

function parseReason(text: SqliteValue | undefined): ParkedReason | null {
  if (text === null || text === undefined) return null;
  try {
    return JSON.parse(text as string) as ParkedReason;
  } catch {
    return damaged('the reason why it is parked is not JSON');
  }
}

function damaged(what: string): ParkedReason {
  const message = `The record of the run is damaged: ${what}. Its log decides: the run goes on from there when someone resumes it.`;
  return { code: 'PAWL_STORE_CORRUPT', message };
}

const LAST_TYPE = `SELECT type FROM events WHERE id ${eventsOf('?1')} ORDER BY id DESC LIMIT 1`;

/** How a run has ended by its log, which is the truth. */
function endOf(db: Connection, no: number): RunStatus | undefined {
  const { type } = (db.sql(LAST_TYPE).get(no) ?? {}) as { type?: string };
  return TERMINAL_EVENTS[type as keyof typeof TERMINAL_EVENTS];
}

const SELECT_ONE = `${RECORD} WHERE r.id = ?`;

export function selectRun(db: Connection, id: string): RunRecord | null {
  const row = db.sql(SELECT_ONE).get(id) as SqliteRow | undefined;
  return row === undefined ? null : toRecord(db, row);
}

/** One page, newest first, and the number of its last run when there may be more. */
export function selectRuns(
  db: Connection,
  filter: RunFilter,
  limit: number,
  before: number | null,
): { runs: RunRecord[]; next: number | null } {
  const conditions: string[] = [];
  const values: SqliteValue[] = [];
  if (filter.status !== undefined) {
    // Spelled out, not bound: only so can SQLite use the index of parked runs.
    const wanted = STATUSES.filter((status) => filter.status?.includes(status));
    conditions.push(
      wanted.length === 0 ? 'FALSE' : `(${wanted.map((status) => `r.status = '${status}'`).join(' OR ')})`,
    );
  }
  if (filter.workflowId !== undefined) {
    conditions.push('r.workflow_id = ?');
    values.push(filter.workflowId);
  }
  if (filter.createdSince !== undefined) {
    conditions.push('r.created_at >= ?');
    values.push(filter.createdSince);
  }
  if (before !== null) {
    conditions.push('r.no < ?');
    values.push(before);
  }
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
  const rows = db.sql(`${RECORD} ${where} ORDER BY r.no DESC LIMIT ?`).all(...values, limit + 1) as SqliteRow[];
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return {
    runs: page.map((row) => toRecord(db, row)),
    next: rows.length > limit && last !== undefined ? (last.no as number) : null,
  };
}

/** What an append needs to know of a run before it writes. */
export interface RunHead {
  no: number;
  status: RunStatus;
  owner: string | null;
  fence: number;
  cancel_requested: number;
  last_seq: number;
}

const SELECT_HEAD = `
  SELECT no, status, owner, fence, cancel_requested,
    (SELECT seq FROM events WHERE id ${eventsOf('runs.no')} ORDER BY id DESC LIMIT 1) AS last_seq
  FROM runs WHERE id = ?`;

export function selectHead(db: Connection, id: string): RunHead | undefined {
  return db.sql(SELECT_HEAD).get(id) as RunHead | undefined;
}

const SELECT_ID = 'SELECT id, status FROM runs WHERE no = ?';

export function selectIdOf(db: Connection, no: number): { id: string; status: RunStatus } {
  return db.sql(SELECT_ID).get(no) as { id: string; status: RunStatus };
}

const INSERT = `
  INSERT INTO runs (id, workflow_id, status, bundle_hash, seed, created_at, started_at, wake_at, owner, fence, woken, cancel_requested, parent, parent_cid)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, ?, ?) RETURNING no`;

export interface NewRun {
  id: string;
  workflowId: string;
  bundleHash: string | null;
  seed: string;
  at: number;
  wakeAt: number | null;
  owner: string | null;
  /** Number and command of the run that waits for this one. */
  parent?: { no: number; cid: number };
}

/** Returns the run's number. With an owner it is claimed already. */
export function insertRun(db: Connection, run: NewRun): number {
  const claimed = run.owner !== null;
  const row = db
    .sql(INSERT)
    .get(
      run.id,
      run.workflowId,
      claimed ? 'running' : 'pending',
      run.bundleHash,
      run.seed,
      run.at,
      claimed ? run.at : null,
      run.wakeAt,
      run.owner,
      claimed ? 1 : 0,
      run.parent?.no ?? null,
      run.parent?.cid ?? null,
    ) as { no: number };
  return row.no;
}

const SET_WAKE_AT = 'UPDATE runs SET wake_at = ? WHERE no = ?';

export function setWakeAt(db: Connection, no: number, wakeAt: number | null): void {
  db.sql(SET_WAKE_AT).run(wakeAt, no);
}

const FINISH = `
  UPDATE runs SET status = ?, finished_at = ?, wake_at = NULL, woken = 0, owner = NULL, parked = NULL WHERE no = ?
  RETURNING parent AS no, parent_cid AS cid`;

/** Returns number and command of the run that waits for this one, or null. */
export function finishRun(
  db: Connection,
  no: number,
  status: RunStatus,
  at: number,
): { no: number; cid: number } | null {
  const parent = db.sql(FINISH).get(status, at, no) as { no: number; cid: number } | { no: null };
  return parent.no === null ? null : parent;
}

// Payloads do not wake a parked run, a cancellation does.
const PARK = `
  UPDATE runs SET status = 'parked', parked = ?, owner = NULL, wake_at = NULL,
    woken = EXISTS (SELECT 1 FROM inbox WHERE run = runs.no AND kind = 'cancel')
  WHERE no = ?`;

export function parkRun(db: Connection, no: number, reason: ParkedReason): void {
  db.sql(PARK).run(JSON.stringify(reason), no);
}

const UNPARK = `
  UPDATE runs SET status = 'running', parked = NULL, woken = EXISTS (SELECT 1 FROM inbox WHERE run = runs.no)
  WHERE no = ?`;

export function unparkRun(db: Connection, no: number): void {
  db.sql(UNPARK).run(no);
}

const BUNDLE_OF = 'SELECT bundle_hash FROM runs WHERE no = ?';

export function bundleOf(db: Connection, no: number): string | null {
  return (db.sql(BUNDLE_OF).get(no) as { bundle_hash: string | null }).bundle_hash;
}

const CHILDREN_AT_WORK = `
  SELECT no, id FROM runs WHERE parent = ? AND parent IS NOT NULL AND finished_at IS NULL AND cancel_requested = 0 ORDER BY no`;

/** Children that have not ended, and that nobody has asked to. */
export function selectChildrenAtWork(db: Connection, no: number): { no: number; id: string }[] {
  return db.sql(CHILDREN_AT_WORK).all(no) as { no: number; id: string }[];
}

const BIND = 'UPDATE runs SET bundle_hash = ? WHERE no = ?';

export function bindBundle(db: Connection, no: number, hash: string): void {
  db.sql(BIND).run(hash, no);
}

const NOTE_CANCEL = 'UPDATE runs SET cancel_requested = 1 WHERE no = ?';

export function noteCancel(db: Connection, no: number): void {
  db.sql(NOTE_CANCEL).run(no);
}

const WAKE_TO_CANCEL = 'UPDATE runs SET woken = 1, cancel_requested = 1 WHERE no = ?';

/** Notes a cancellation; it wakes a run in whatever state. */
export function wakeToCancel(db: Connection, no: number): void {
  db.sql(WAKE_TO_CANCEL).run(no);
}

const WAKE_RUNNING = `UPDATE runs SET woken = 1 WHERE no = ? AND status = 'running' AND woken = 0`;

/** A payload wakes a run that has begun; neither a parked one nor one whose start lies ahead. */
export function wakeRunning(db: Connection, no: number): void {
  db.sql(WAKE_RUNNING).run(no);
}

const SETTLE = `
  UPDATE runs SET woken = 0 WHERE no = ? AND woken = 1 AND NOT EXISTS (SELECT 1 FROM inbox WHERE run = runs.no)`;

/** After messages were taken over: with none left, the run is due by its `wake_at` again. */
export function settleRun(db: Connection, no: number): void {
  db.sql(SETTLE).run(no);
}

const HAS_DUE = 'SELECT 1 FROM runs WHERE owner IS NULL AND due_at IS NOT NULL AND due_at <= ? LIMIT 1';

export function hasDueRun(db: Connection, now: number): boolean {
  return db.sql(HAS_DUE).get(now) !== undefined;
}

const CLAIMED = `owner = ?, fence = fence + 1, started_at = coalesce(started_at, ?),
  status = CASE status WHEN 'pending' THEN 'running' ELSE status END`;

const CLAIM_DUE = `
  UPDATE runs SET ${CLAIMED}
  WHERE no IN (SELECT no FROM runs WHERE owner IS NULL AND due_at IS NOT NULL AND due_at <= ? ORDER BY due_at, no LIMIT ?)
  RETURNING id, due_at AS due, no`;

/** Ids of the claimed runs, those first that have waited longest. */
export function claimDueRuns(db: Connection, owner: string, now: number, limit: number): string[] {
  const rows = db.sql(CLAIM_DUE).all(owner, now, now, limit) as { id: string; due: number; no: number }[];
  return rows.sort((a, b) => a.due - b.due || a.no - b.no).map((row) => row.id);
}

const CLAIM_ONE = `UPDATE runs SET ${CLAIMED} WHERE no = ?`;

export function claimOneRun(db: Connection, no: number, owner: string, now: number): void {
  db.sql(CLAIM_ONE).run(owner, now, no);
}

const RELEASE = 'UPDATE runs SET owner = NULL WHERE id = ? AND fence = ? AND owner IS NOT NULL RETURNING due_at';

/** When the run is due, or undefined when the fence is stale. */
export function releaseRun(db: Connection, id: string, fence: number): { due_at: number | null } | undefined {
  return db.sql(RELEASE).get(id, fence) as { due_at: number | null } | undefined;
}

const RELEASE_ORPHANS =
  'UPDATE runs SET owner = NULL WHERE owner IS NOT NULL AND owner NOT IN (SELECT name FROM owners)';

/** Frees runs whose owner was never registered: only damage makes such. */
export function releaseOrphans(db: Connection): void {
  db.sql(RELEASE_ORPHANS).run();
}

const RELEASE_ALL = 'UPDATE runs SET owner = NULL WHERE owner = ?';

export function releaseRunsOf(db: Connection, owner: string): number {
  return Number(db.sql(RELEASE_ALL).run(owner).changes);
}

const SELECT_OWNED = 'SELECT id, fence FROM runs WHERE owner = ?';

export function selectOwned(db: Connection, owner: string): { id: string; fence: number }[] {
  return db.sql(SELECT_OWNED).all(owner) as { id: string; fence: number }[];
}

const NEXT_DUE = 'SELECT min(due_at) AS due_at FROM runs WHERE owner IS NULL AND due_at IS NOT NULL';

export function selectNextWakeAt(db: Connection): number | null {
  return (db.sql(NEXT_DUE).get() as { due_at: number | null }).due_at;
}
