/**
 * Making a run inside a transaction: its record, its first event, and the events of its first activation if its maker runs it.
 */
import type { NewRunEvent } from '../events.ts';
import { StoreError } from '../errors.ts';
import type { CreateRunRequest, CreateRunResult, RunRecord, StoreChange } from '../port.ts';
import { requireStorable } from '../text.ts';
import { appendTo } from './append.ts';
import type { Connection } from './connection.ts';
import { requireOwner } from './ownership.ts';
import { insertEvent } from './sql/events.ts';
import { insertRun, type RunHead, selectHead, selectRun } from './sql/runs.ts';

export function createRun(db: Connection, request: CreateRunRequest, changes: StoreChange[]): CreateRunResult {
  const { id, workflowId, seed, bundleHash, input, at, events = [], offers } = request;
  requireStorable('run', id, seed, bundleHash);
  if (!Number.isInteger(at)) {
    throw new StoreError('PAWL_STORE_MISUSE', `The time ${at} is no whole number of ms.`, { place: `run ${id}` });
  }
  if (selectHead(db, id) !== undefined) return { created: false, run: selectRun(db, id) as RunRecord };

  const owner = request.owner ?? null;
  if (owner === null && events.length > 0) {
    throw new StoreError('PAWL_STORE_MISUSE', 'Only an owner writes events.', { place: `run ${id}` });
  }
  const leaseUntil = owner === null ? null : requireOwner(db, owner).lease_until;
  const wakeAt = request.wakeAt === null ? null : Math.ceil(request.wakeAt ?? at);
  const no = insertRun(db, { id, workflowId, seed, bundleHash, at, wakeAt, owner });
  insertEvent(db, no, id, 1, { type: 'run_created', at, name: workflowId, data: input, meta: { seed, bundleHash } });
  changes.push({ kind: 'events', runId: id, lastSeq: 1 });
  if (owner === null) changes.push({ kind: 'runnable', runId: id });

  const run: RunRecord = {
    id,
    workflowId,
    status: owner === null ? 'pending' : 'running',
    bundleHash,
    seed,
    input,
    createdAt: at,
    startedAt: owner === null ? null : at,
    finishedAt: null,
    wakeAt,
    owner,
    leaseUntil,
    fence: owner === null ? 0 : 1,
    lastSeq: 1,
    output: null,
    error: null,
    parkedReason: null,
    cancelRequested: false,
    parent: null,
  };
  if (events.length === 0) return { created: true, run };

  const head: RunHead = { no, status: 'running', owner, fence: 1, cancel_requested: 0, last_seq: 1 };
  const appended = appendTo(db, head, { runId: id, fence: 1, afterSeq: 1, events, offers }, changes);
  if (!appended.ok) return { created: true, run, refusal: appended };
  run.lastSeq = appended.lastSeq;
  return { created: true, run: events.some(changesRecord) ? (selectRun(db, id) as RunRecord) : run };
}

function changesRecord({ type }: NewRunEvent): boolean {
  return type.startsWith('run_') || type === 'bundle_bound' || type === 'cancel_requested';
}
