/** What an event of a run means for its children, and a child's end for its parent. Inside the transaction of the append. */
import type { ChildRequest, NewRunEvent } from '../events.ts';
import { StoreError } from '../errors.ts';
import type { FinalStatus, StoreChange } from '../port.ts';
import { isFinal } from '../refusals.ts';
import type { Connection } from './connection.ts';
import { insertEvent } from './sql/events.ts';
import { insertCancel, insertChildEnd } from './sql/inbox.ts';
import {
  bundleOf,
  insertRun,
  selectChildrenAtWork,
  selectHead,
  selectIdOf,
  wakeRunning,
  wakeToCancel,
} from './sql/runs.ts';

/** Makes the run that a command asked for, on the code of the one that asks. */
export function createChild(
  db: Connection,
  no: number,
  { at, cid, name, data, meta }: ChildRequest,
  changes: StoreChange[],
): void {
  const { runId: id, seed } = meta;
  if (selectHead(db, id) !== undefined) {
    throw new StoreError('PAWL_STORE_MISUSE', `There is a run '${id}' already.`, { place: `run ${id}` });
  }
  const bundleHash = bundleOf(db, no);
  const run = { id, workflowId: name, bundleHash, seed, at, wakeAt: at, owner: null, parent: { no, cid } };
  const child = insertRun(db, run);
  const created: NewRunEvent = { type: 'run_created', at, name, data: data ?? null, meta: { seed, bundleHash } };
  insertEvent(db, child, id, 1, created);
  changes.push({ kind: 'events', runId: id, lastSeq: 1 }, { kind: 'runnable', runId: id });
}

/** A run that has ended needs no news of its children. */
export function tellParent(
  db: Connection,
  parent: { no: number; cid: number },
  status: FinalStatus,
  { at, data }: { at: number; data?: string | null },
  changes: StoreChange[],
): void {
  const { id: runId, status: itsStatus } = selectIdOf(db, parent.no);
  if (isFinal(itsStatus)) return;
  insertChildEnd(db, parent.no, at, parent.cid, status, data ?? null);
  wakeRunning(db, parent.no);
  changes.push({ kind: 'inbox', runId });
}

export function cancelChildren(
  db: Connection,
  no: number,
  { at, meta }: { at: number; meta?: { reason: string } | null },
  changes: StoreChange[],
): void {
  for (const child of selectChildrenAtWork(db, no)) {
    insertCancel(db, child.no, at, meta?.reason ?? null);
    wakeToCancel(db, child.no);
    changes.push({ kind: 'inbox', runId: child.id });
  }
}
