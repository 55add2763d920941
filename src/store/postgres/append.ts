/**
 * One append inside a transaction: first every reason to refuse it, only reading, with the run's row locked; then the events, and
 * what follows from them for the run record, the hooks, the inbox, parents and children.
 */
import { checkedRow, type EventRow } from '../event-row.ts';
import { type NewRunEvent, TERMINAL_EVENTS } from '../events.ts';
import type { AppendRefusal, AppendRequest, AppendResult, RunStatus, StoreChange } from '../port.ts';
import { endsRun, hookConflict, isFinal, leavesOwner } from '../refusals.ts';
import { cancelChildren, createChild, tellParent } from './children.ts';
import type { Executor } from './connection.ts';
import { columnsOf, EVENTS, insertEvents, NAMES } from './events.ts';
import { endOffersOf, offer } from './offers.ts';
import { lockHead, type RunHead } from './head.ts';
import { selectHooks, selectMessages } from './records.ts';

/** @param learn - told the number of the run and of its newest event */
export async function append(
  on: Executor,
  request: AppendRequest,
  changes: StoreChange[],
  learn: (no: number, lastSeq: number) => void,
): Promise<AppendResult> {
  const head = await lockHead(on, request.runId, endsRun(request.runId, request.events));
  if (head === undefined) return { ok: false, reason: 'unknown-run' };
  const result = await appendTo(on, head, request, changes);
  if (result.ok) learn(head.no, result.lastSeq);
  return result;
}

/** The same, for a run whose head is known and locked. */
export async function appendTo(
  on: Executor,
  head: RunHead,
  request: AppendRequest,
  changes: StoreChange[],
): Promise<AppendResult> {
  const { runId, events, consume = [] } = request;
  const refusal = await refuse(on, head, request);
  if (refusal !== null) return refusal;
  if (consume.length > 0) {
    await on.rows('DELETE FROM inbox WHERE id = ANY ($1::bigint[])', [consume]);
    await on.rows(SETTLE, [head.no]);
  }
  const rows = events.map((event, index) => checkedRow(runId, head.last_seq + 1 + index, event));
  // The last event of all is written together with what follows from it.
  const ends = endsRun(runId, events);
  if (!ends) await insertEvents(on, head.no, rows);
  return follow(on, head, request, changes, ends ? rows : []);
}

/**
 * What follows from events.
 *
 * @param rows - those that are still to be written
 */
export async function follow(
  on: Executor,
  head: RunHead,
  { runId, events, wakeAt, offers = [] }: AppendRequest,
  changes: StoreChange[],
  rows: readonly EventRow[],
): Promise<AppendResult> {
  let status: RunStatus | undefined;
  for (const event of events) status = (await project(on, head, runId, event, changes, rows)) ?? status;
  // A cancellation among the events ends the offers that there were, not these.
  if (offers.length > 0) {
    await offer(on, head.no, offers, head.last_seq);
    changes.push({ kind: 'offers', runId });
  }
  const lastSeq = head.last_seq + events.length;
  if (events.length > 0) changes.push({ kind: 'events', runId, lastSeq });
  if (status !== undefined) changes.push({ kind: 'status', runId, status });
  if (wakeAt !== undefined && !leavesOwner(events)) {
    await on.rows('UPDATE runs SET wake_at = $2 WHERE no = $1', [head.no, wakeAt === null ? null : Math.ceil(wakeAt)]);
  }
  return { ok: true, lastSeq };
}

/** After messages were taken over: with none left, the run is due by its `wake_at` again. */
const SETTLE =
  'UPDATE runs SET woken = false WHERE no = $1 AND woken AND NOT EXISTS (SELECT 1 FROM inbox WHERE run = runs.no)';

async function refuse(on: Executor, head: RunHead, request: AppendRequest): Promise<AppendRefusal | null> {
  const { runId, events, consume = [] } = request;
  if (head.fence !== request.fence) return { ok: false, reason: 'fenced', owner: head.owner, fence: head.fence };
  if (isFinal(head.status)) return { ok: false, reason: 'finished', status: head.status };
  if (head.owner === null) return { ok: false, reason: 'fenced', owner: null, fence: head.fence };
  if (head.last_seq !== request.afterSeq) return { ok: false, reason: 'conflict', lastSeq: head.last_seq };
  if (consume.length > 0) {
    const there = await on.rows<{ id: number }>('SELECT id FROM inbox WHERE id = ANY ($1::bigint[]) AND run = $2', [
      consume,
      head.no,
    ]);
    if (there.length < new Set(consume).size) return { ok: false, reason: 'consumed' };
  }
  return (await refuseHooks(on, runId, events)) ?? (await refuseUnread(on, request, consume));
}

async function refuseHooks(on: Executor, runId: string, events: readonly NewRunEvent[]): Promise<AppendRefusal | null> {
  const tokens = events.flatMap((event) => (event.type === 'hook_created' ? [event.name] : []));
  if (tokens.length === 0) return null;
  // One run after the other takes a token, so that of two that want it one sees the other.
  await on.rows('SELECT pg_advisory_xact_lock(hashtextextended(t, 0)) FROM unnest($1::text[]) AS t', [
    tokens.toSorted(),
  ]);
  const hooks = await selectHooks(on, tokens);
  return hookConflict(runId, events, (token) => hooks.get(token));
}

async function refuseUnread(
  on: Executor,
  { runId, events }: AppendRequest,
  consume: readonly number[],
): Promise<AppendRefusal | null> {
  if (!endsRun(runId, events)) return null;
  const messages = (await selectMessages(on, { runId }, 0)).filter((message) => !consume.includes(message.id));
  return messages.length === 0 ? null : { ok: false, reason: 'unread', messages };
}

// A token whose hook is disposed is free again.
const UPSERT_HOOK = `
  INSERT INTO hooks (token, run, cid, metadata, created_at) VALUES ($1, $2, $3, $4, $5)
  ON CONFLICT (token) DO UPDATE SET run = excluded.run, cid = excluded.cid, metadata = excluded.metadata,
    created_at = excluded.created_at, disposed_at = NULL`;

// Payloads do not wake a parked run, a cancellation does.
const PARK = `
  UPDATE runs SET status = 'parked', parked = $2, owner = NULL, wake_at = NULL,
    woken = EXISTS (SELECT 1 FROM inbox WHERE run = runs.no AND kind = 'cancel')
  WHERE no = $1`;

// One statement: each is a way to the server and back, for which all others of the group wait.
const FINISH = `
  WITH finished AS (
    UPDATE runs SET status = $2, finished_at = $3, wake_at = NULL, woken = false, owner = NULL, parked = NULL WHERE no = $1
    RETURNING parent, parent_cid
  ), disposed AS (
    UPDATE hooks SET disposed_at = $3 WHERE run = $1 AND disposed_at IS NULL
  ), withdrawn AS (
    DELETE FROM offers WHERE run = $1 RETURNING 1
  ), logged AS (
    INSERT INTO events (run, ${NAMES}) SELECT $1, e.* FROM ${EVENTS(4)} AS e
  )
  SELECT parent AS no, parent_cid AS cid, EXISTS (SELECT 1 FROM withdrawn) AS "wasOffered" FROM finished`;

/** What follows from an event for the tables beside the log; the new status if it changes. The end writes `rows`. */
async function project(
  on: Executor,
  head: RunHead,
  runId: string,
  event: NewRunEvent,
  changes: StoreChange[],
  rows: readonly EventRow[],
): Promise<RunStatus | undefined> {
  const { no } = head;
  switch (event.type) {
    case 'run_completed':
    case 'run_failed':
    case 'run_cancelled': {
      const status = TERMINAL_EVENTS[event.type];
      const [ended] = await on.rows<{ no: number | null; cid: number; wasOffered: boolean }>(FINISH, [
        no,
        status,
        event.at,
        ...columnsOf(rows),
      ]);
      if (ended?.wasOffered) changes.push({ kind: 'offers', runId });
      if (ended && ended.no !== null) await tellParent(on, { no: ended.no, cid: ended.cid }, status, event, changes);
      return status;
    }
    case 'run_parked':
      await on.rows(PARK, [no, JSON.stringify(event.meta)]);
      return 'parked';
    case 'run_unparked':
      await on.rows(
        `UPDATE runs SET status = 'running', parked = NULL, woken = EXISTS (SELECT 1 FROM inbox WHERE run = runs.no) WHERE no = $1`,
        [no],
      );
      return 'running';
    case 'bundle_bound':
    case 'run_upgraded':
      await on.rows('UPDATE runs SET bundle_hash = $2 WHERE no = $1', [no, event.meta.bundleHash]);
      return undefined;
    case 'cancel_requested':
      if (!head.cancel_requested) await on.rows('UPDATE runs SET cancel_requested = true WHERE no = $1', [no]);
      await cancelChildren(on, no, event, changes);
      if (await endOffersOf(on, no)) changes.push({ kind: 'offers', runId });
      return undefined;
    case 'child_scheduled':
      await createChild(on, no, event, changes);
      return undefined;
    case 'hook_created':
      await on.rows(UPSERT_HOOK, [event.name, no, event.cid, event.data ?? null, event.at]);
      return undefined;
    case 'hook_disposed':
      await on.rows('UPDATE hooks SET disposed_at = $3 WHERE run = $1 AND cid = $2 AND disposed_at IS NULL', [
        no,
        event.cid,
        event.at,
      ]);
      return undefined;
    default:
      return undefined;
  }
}
