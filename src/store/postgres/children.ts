/** What an event of a run means for its children, and a child's end for its parent. Inside the transaction of the append. */
import { StoreError } from '../errors.ts';
import { checkedRow } from '../event-row.ts';
import type { ChildRequest } from '../events.ts';
import type { FinalStatus, RunStatus, StoreChange } from '../port.ts';
import { isFinal } from '../refusals.ts';
import type { Executor } from './connection.ts';
import { insertEvents } from './events.ts';

// On the code of the run that asks.
const INSERT_CHILD = `
  INSERT INTO runs (id, workflow_id, status, bundle_hash, seed, created_at, wake_at, fence, parent, parent_cid)
  SELECT $2, $3, 'pending', bundle_hash, $4, $5, $5, 0, no, $6 FROM runs WHERE no = $1
  ON CONFLICT (id) DO NOTHING RETURNING no, bundle_hash`;

/** Makes the run that a command asked for. */
export async function createChild(
  on: Executor,
  no: number,
  { at, cid, name, data, meta }: ChildRequest,
  changes: StoreChange[],
): Promise<void> {
  const { runId: id, seed } = meta;
  const [child] = await on.rows<{ no: number; bundle_hash: string | null }>(INSERT_CHILD, [
    no,
    id,
    name,
    seed,
    at,
    cid,
  ]);
  if (child === undefined)
    throw new StoreError('PAWL_STORE_MISUSE', `There is a run '${id}' already.`, { place: `run ${id}` });
  const created = { type: 'run_created', at, name, data, meta: { seed, bundleHash: child.bundle_hash } } as const;
  await insertEvents(on, child.no, [checkedRow(id, 1, created)]);
  changes.push({ kind: 'events', runId: id, lastSeq: 1 }, { kind: 'runnable', runId: id });
}

/** A run that has ended needs no news of its children. The caller has locked it. */
export async function tellParent(
  on: Executor,
  parent: { no: number; cid: number },
  status: FinalStatus,
  { at, data }: { at: number; data?: string | null },
  changes: StoreChange[],
): Promise<void> {
  const [row] = await on.rows<{ id: string; status: RunStatus }>('SELECT id, status FROM runs WHERE no = $1', [
    parent.no,
  ]);
  if (row === undefined || isFinal(row.status)) return;
  await on.rows(`INSERT INTO inbox (run, kind, at, cid, status, data) VALUES ($1, 'child', $2, $3, $4, $5)`, [
    parent.no,
    at,
    parent.cid,
    status,
    data ?? null,
  ]);
  await on.rows(`UPDATE runs SET woken = true WHERE no = $1 AND status = 'running' AND NOT woken`, [parent.no]);
  changes.push({ kind: 'inbox', runId: row.id });
}

const CANCEL_CHILDREN = `
  WITH asked AS (
    UPDATE runs SET woken = true, cancel_requested = true
    WHERE parent = $1 AND finished_at IS NULL AND NOT cancel_requested RETURNING no, id
  ), told AS (
    INSERT INTO inbox (run, kind, at, data) SELECT no, 'cancel', $2, $3 FROM asked
  )
  SELECT id FROM asked ORDER BY no`;

export async function cancelChildren(
  on: Executor,
  no: number,
  { at, meta }: { at: number; meta?: { reason: string } | null },
  changes: StoreChange[],
): Promise<void> {
  const children = await on.rows<{ id: string }>(CANCEL_CHILDREN, [no, at, meta?.reason ?? null]);
  for (const { id: runId } of children) changes.push({ kind: 'inbox', runId });
}
