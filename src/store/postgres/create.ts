/** Making a run inside a transaction: its record, its first event, and the events of its first activation if its maker runs it. */
import { StoreError } from '../errors.ts';
import { checkedRow } from '../event-row.ts';
import type { CreateRunRequest, CreateRunResult, RunRecord, StoreChange } from '../port.ts';
import { endsRun } from '../refusals.ts';
import { requireStorable } from '../text.ts';
import { appendTo, follow } from './append.ts';
import type { RunHead } from './head.ts';
import type { Executor } from './connection.ts';
import { columnsOf, EVENTS, NAMES } from './events.ts';
import { notRegistered } from './ownership.ts';
import { selectRun } from './records.ts';

// One statement: each is a way to the server and back, for which all others of the group wait. The lock keeps the owner from being
// declared dead until the end.
const CREATE = `
  WITH lease AS MATERIALIZED (
    SELECT lease_until FROM owners WHERE name = $9 FOR KEY SHARE
  ), made AS (
    INSERT INTO runs (id, workflow_id, status, bundle_hash, seed, created_at, started_at, wake_at, owner, fence)
    SELECT $1::text, $2::text, $3::text, $4::text, $5::text, $6::bigint, $7::bigint, $8::bigint, $9::text, $10::int
    WHERE $9::text IS NULL OR EXISTS (SELECT 1 FROM lease)
    ON CONFLICT (id) DO NOTHING RETURNING no
  ), logged AS (
    INSERT INTO events (run, ${NAMES}) SELECT made.no, e.* FROM made, ${EVENTS(11)} AS e
  )
  SELECT no, (SELECT lease_until FROM lease) AS "leaseUntil" FROM made`;

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
  const isOwned = owner !== null;
  const status = isOwned ? 'running' : 'pending';
  const startedAt = isOwned ? at : null;
  const values = [id, workflowId, status, bundleHash, seed, at, startedAt, wakeAt, owner, isOwned ? 1 : 0];
  // A token may be taken: then these events are refused. Nothing else can be wrong with those of a run that nobody knows yet.
  const isSure = !events.some(({ type }) => type === 'hook_created');
  // Refuses what follows the end.
  endsRun(id, events);
  const first = isSure ? events.map((event, index) => checkedRow(id, 2 + index, event)) : [];
  const [row] = await on.rows<{ no: number; leaseUntil: number | null }>(CREATE, [
    ...values,
    ...columnsOf([created, ...first]),
  ]);
  if (row === undefined) {
    // Another process may have made it a moment ago.
    const known = await selectRun(on, id);
    // Runs are never deleted: it was not made for want of an owner.
    if (known === null) throw notRegistered(place, String(owner));
    return { created: false, run: known };
  }
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
    leaseUntil: row.leaseUntil,
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
  const append = { runId: id, fence: 1, afterSeq: 1, events, offers };
  const appended = await (isSure ? follow(on, head, append, changes, []) : appendTo(on, head, append, changes));
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
