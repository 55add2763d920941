import { type MessageRow, toMessage } from '../message-row.ts';
import type { HookRecord, InboxMessage, ParkedReason, RunFilter, RunRecord, RunStatus } from '../port.ts';
import type { Executor, Row } from './connection.ts';

const LAST = 'SELECT e.%s FROM events e WHERE e.run = r.no ORDER BY e.seq DESC LIMIT 1';

const RECORD = `
  SELECT r.*, o.lease_until,
    (SELECT p.id FROM runs p WHERE p.no = r.parent) AS parent_id,
    (SELECT e.data FROM events e WHERE e.run = r.no AND e.seq = 1) AS input,
    (${LAST.replace('%s', 'seq')}) AS last_seq,
    CASE WHEN r.finished_at IS NOT NULL THEN (${LAST.replace('%s', 'data')}) END AS outcome
  FROM runs r LEFT JOIN owners o ON o.name = r.owner`;

function toRecord(row: Row): RunRecord {
  const status = row.status as RunStatus;
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
    parkedReason: row.parked === null ? null : (JSON.parse(row.parked as string) as ParkedReason),
    cancelRequested: row.cancel_requested as boolean,
    parent: row.parent_id === null ? null : { runId: row.parent_id as string, cid: row.parent_cid as number },
  };
}

export async function selectRun(on: Executor, id: string): Promise<RunRecord | null> {
  const [row] = await on.rows(`${RECORD} WHERE r.id = $1`, [id]);
  return row ? toRecord(row) : null;
}

/** In the order of the ids. */
export async function selectRunsById(on: Executor, ids: readonly string[]): Promise<RunRecord[]> {
  if (ids.length === 0) return [];
  const rows = await on.rows(
    `${RECORD} JOIN unnest($1::text[]) WITH ORDINALITY AS w(id, n) ON w.id = r.id ORDER BY w.n`,
    [ids],
  );
  return rows.map(toRecord);
}

/** One page, newest first, and the number of its last run when there may be more. */
export async function selectRuns(
  on: Executor,
  { status, workflowId, createdSince }: RunFilter,
  limit: number,
  before: number | null,
): Promise<{ runs: RunRecord[]; next: number | null }> {
  const rows = await on.rows(
    `${RECORD} WHERE ($1::text[] IS NULL OR r.status = ANY ($1)) AND ($2::text IS NULL OR r.workflow_id = $2)
      AND ($3::bigint IS NULL OR r.created_at >= $3) AND ($4::bigint IS NULL OR r.no < $4) ORDER BY r.no DESC LIMIT $5`,
    [
      status ?? null,
      workflowId ?? null,
      createdSince === undefined ? null : Math.ceil(createdSince),
      before,
      limit + 1,
    ],
  );
  const page = rows.slice(0, limit);
  return { runs: page.map(toRecord), next: rows.length > limit ? (page.at(-1)?.no as number) : null };
}

const HOOK = `
  SELECT h.token, r.id AS run_id, h.cid, h.metadata, h.created_at, h.disposed_at FROM hooks h JOIN runs r ON r.no = h.run`;

export async function selectHooks(on: Executor, tokens: readonly string[]): Promise<Map<string, HookRecord>> {
  if (tokens.length === 0) return new Map();
  const rows = await on.rows(`${HOOK} WHERE h.token = ANY ($1::text[])`, [tokens]);
  return new Map(rows.map((row) => [row.token as string, toHook(row)]));
}

function toHook(row: Row): HookRecord {
  return {
    token: row.token as string,
    runId: row.run_id as string,
    cid: row.cid as number,
    metadata: row.metadata as string | null,
    createdAt: row.created_at as number,
    disposedAt: row.disposed_at as number | null,
  };
}

export async function selectMessages(
  on: Executor,
  of: { runId: string } | { owner: string },
  afterId: number,
): Promise<InboxMessage[]> {
  const [where, value] = 'runId' in of ? ['r.id = $1', of.runId] : ['r.owner = $1', of.owner];
  const rows = await on.rows<MessageRow>(
    `SELECT i.id, r.id AS run_id, i.kind, i.at, i.cid, i.token, i.status, i.data FROM inbox i JOIN runs r ON r.no = i.run
     WHERE ${where} AND i.id > $2 ORDER BY i.id`,
    [value, afterId],
  );
  return rows.map(toMessage);
}
