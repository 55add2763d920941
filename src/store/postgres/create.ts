/** Making a run inside a transaction: its record, its first event, and the events of its first activation if its maker runs it. */
import { StoreError } from '../errors.ts';
import { checkedRow } from '../event-row.ts';
import type { CreateRunRequest, CreateRunResult, RunRecord, StoreChange } from '../port.ts';
import { requireStorable } from '../text.ts';
import { appendTo } from './append.ts';
import type { RunHead } from './head.ts';
import type { Executor } from './connection.ts';
import { insertEvents } from './events.ts';
import { leaseOf } from './ownership.ts';
import { selectRun } from './records.ts';

const INSERT = `
  INSERT INTO runs (id, workflow_id, status, bundle_hash, seed, created_at, started_at, wake_at, owner, fence)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (id) DO NOTHING RETURNING no`;

export async function createRun(
  on: Executor,
  place: string,
  request: CreateRunRequest,
  changes: StoreChange[],
  learn: (no: number, lastSeq: number) => void,
): Promise<CreateRunResult> {
  const { id, workflowId, seed, bundleHash, input, at, events = [], offers } = request;
  requireStorable('run', id, seed, bundleHash);
  if (!Number.isInteger(at))
    throw new StoreError('PAWL_STORE_MISUSE', `The time ${at} is no whole number of ms.`, { place: `run ${id}` });
  const owner = request.owner ?? null;
  if (owner === null && events.length > 0)
    throw new StoreError('PAWL_STORE_MISUSE', 'Only an owner writes events.', { place: `run ${id}` });
  const created = checkedRow(id, 1, {
    type: 'run_created',
    at,
    name: workflowId,
    data: input,
    meta: { seed, bundleHash },
  });
  const wakeAt = request.wakeAt === null ? null : Math.ceil(request.wakeAt ?? at);
  const known = await selectRun(on, id);
  if (known) return { created: false, run: known };

  const leaseUntil = owner === null ? null : await leaseOf(on, place, owner);
  const isOwned = owner !== null;
  const status = isOwned ? 'running' : 'pending';
  const startedAt = isOwned ? at : null;
  const values = [id, workflowId, status, bundleHash, seed, at, startedAt, wakeAt, owner, isOwned ? 1 : 0];
  const [row] = await on.rows<{ no: number }>(INSERT, values);
  // Another process made it a moment ago.
  if (row === undefined) return { created: false, run: (await selectRun(on, id)) as RunRecord };
  await insertEvents(on, row.no, [created]);
  changes.push({ kind: 'events', runId: id, lastSeq: 1 });
  if (owner === null) changes.push({ kind: 'runnable', runId: id });
  learn(row.no, 1);

  const run: RunRecord = {
    id,
    workflowId,
    status,
    bundleHash,
    seed,
    input,
    createdAt: at,
    startedAt,
    finishedAt: null,
    wakeAt,
    owner,
    leaseUntil,
    fence: isOwned ? 1 : 0,
    lastSeq: 1,
    output: null,
    error: null,
    parkedReason: null,
    cancelRequested: false,
    parent: null,
  };
  if (events.length === 0) return { created: true, run };
  const head: RunHead = { no: row.no, status, owner, fence: 1, cancel_requested: false, last_seq: 1 };
  const appended = await appendTo(on, head, { runId: id, fence: 1, afterSeq: 1, events, offers }, changes);
  if (!appended.ok) return { created: true, run, refusal: appended };
  learn(row.no, appended.lastSeq);
  const changesRecord = events.some(
    ({ type }) => type.startsWith('run_') || type === 'bundle_bound' || type === 'cancel_requested',
  );
  return {
    created: true,
    run: changesRecord ? ((await selectRun(on, id)) as RunRecord) : { ...run, lastSeq: appended.lastSeq },
  };
}
