/**
 * One append inside a transaction: first every reason to refuse it, only reading; then the events, and what follows from
 * them for the run record, the hooks, the inbox, parents and children.
 */
import { type NewRunEvent, TERMINAL_EVENTS } from '../events.ts';
import type { AppendRefusal, AppendRequest, AppendResult, HookRecord, RunStatus, StoreChange } from '../port.ts';
import { endsRun, hookConflict, isFinal, leavesOwner } from '../refusals.ts';
import { cancelChildren, createChild, tellParent } from './children.ts';
import type { Connection } from './connection.ts';
import { endOffersOf, offer } from './offers.ts';
import { insertEvent, insertGuarded } from './sql/events.ts';
import { disposeHook, disposeHooksOf, selectHook, upsertHook } from './sql/hooks.ts';
import { deleteMessage, hasMessage, selectMessagesOfRun } from './sql/inbox.ts';
import {
  bindBundle,
  finishRun,
  noteCancel,
  parkRun,
  type RunHead,
  selectHead,
  settleRun,
  setWakeAt,
  unparkRun,
} from './sql/runs.ts';

export function append(db: Connection, request: AppendRequest, changes: StoreChange[]): AppendResult {
  const head = selectHead(db, request.runId);
  if (head === undefined) return { ok: false, reason: 'unknown-run' };
  return appendTo(db, head, request, changes);
}

/** What is known for good of the log of a run that was appended to: it only grows. */
export type KnownLogs = Map<string, { no: number; lastSeq: number }>;

/** How many runs are remembered; one that is not is looked up. */
const MANY = 10_000;

/**
 * The same in a single statement, which is a transaction by itself: for what a step brings about, and most of what is written is
 * that. Undefined when the request is another one, or is to be refused: then `append` finds out.
 */
export function appendAlone(
  db: Connection,
  known: KnownLogs,
  request: AppendRequest,
  changes: StoreChange[],
): AppendResult | undefined {
  const { runId, fence, afterSeq, events, consume, wakeAt, offers } = request;
  if (wakeAt !== undefined || consume?.length || offers?.length) return undefined;
  let log = known.get(runId);
  if (log?.lastSeq !== afterSeq) {
    // Outside of a transaction: whatever happens now, the event that the request names stays.
    const head = selectHead(db, runId);
    if (head?.last_seq !== afterSeq) return undefined;
    log = { no: head.no, lastSeq: afterSeq };
  }
  if (!insertGuarded(db, { no: log.no, runId, fence, afterSeq }, events)) return undefined;
  const lastSeq = afterSeq + events.length;
  if (known.size >= MANY) known.clear();
  known.set(runId, { no: log.no, lastSeq });
  changes.push({ kind: 'events', runId, lastSeq });
  return { ok: true, lastSeq };
}

/** The same, for a run whose head is known. */
export function appendTo(db: Connection, head: RunHead, request: AppendRequest, changes: StoreChange[]): AppendResult {
  const refusal = refuse(db, head, request);
  if (refusal !== null) return refusal;

  const { consume, events, wakeAt, offers = [] } = request;
  if (consume !== undefined && consume.length > 0) {
    for (const id of consume) deleteMessage(db, id);
    settleRun(db, head.no);
  }
  const lastSeq = writeEvents(db, head, request.runId, events, changes);
  for (const cid of offers) offer(db, head.no, cid, head.last_seq, lastSeq);
  if (offers.length > 0) changes.push({ kind: 'offers', runId: request.runId });
  if (wakeAt !== undefined && !leavesOwner(events)) setWakeAt(db, head.no, wakeAt === null ? null : Math.ceil(wakeAt));
  return { ok: true, lastSeq };
}

/** Appends the events after the run's newest one, with what follows from each. Returns the new newest number. */
function writeEvents(
  db: Connection,
  head: RunHead,
  runId: string,
  events: readonly NewRunEvent[],
  changes: StoreChange[],
): number {
  let seq = head.last_seq;
  let status: RunStatus | undefined;
  for (const event of events) {
    seq += 1;
    insertEvent(db, head.no, runId, seq, event);
    status = project(db, head, runId, event, changes) ?? status;
  }
  if (seq > head.last_seq) changes.push({ kind: 'events', runId, lastSeq: seq });
  if (status !== undefined) changes.push({ kind: 'status', runId, status });
  return seq;
}

function refuse(db: Connection, head: RunHead, request: AppendRequest): AppendRefusal | null {
  if (head.fence !== request.fence) return { ok: false, reason: 'fenced', owner: head.owner, fence: head.fence };
  if (isFinal(head.status)) return { ok: false, reason: 'finished', status: head.status };
  if (head.owner === null) return { ok: false, reason: 'fenced', owner: null, fence: head.fence };
  if (head.last_seq !== request.afterSeq) return { ok: false, reason: 'conflict', lastSeq: head.last_seq };

  const consume = request.consume ?? [];
  for (const id of consume) {
    if (!hasMessage(db, id, head.no)) return { ok: false, reason: 'consumed' };
  }
  const hookOf = (token: string): HookRecord | undefined => selectHook(db, token)?.hook;
  return hookConflict(request.runId, request.events, hookOf) ?? refuseUnread(db, request, consume);
}

function refuseUnread(db: Connection, request: AppendRequest, consume: readonly number[]): AppendRefusal | null {
  if (!endsRun(request.runId, request.events)) return null;
  const messages = selectMessagesOfRun(db, request.runId, 0).filter((message) => !consume.includes(message.id));
  return messages.length === 0 ? null : { ok: false, reason: 'unread', messages };
}

/** What follows from an event for the tables beside the log; the new status if it changes. */
function project(
  db: Connection,
  head: RunHead,
  runId: string,
  event: NewRunEvent,
  changes: StoreChange[],
): RunStatus | undefined {
  switch (event.type) {
    case 'run_completed':
    case 'run_failed':
    case 'run_cancelled': {
      const status = TERMINAL_EVENTS[event.type];
      const parent = finishRun(db, head.no, status, event.at);
      disposeHooksOf(db, head.no, event.at);
      if (endOffersOf(db, head.no)) changes.push({ kind: 'offers', runId });
      if (parent) tellParent(db, parent, status, event, changes);
      return status;
    }
    case 'run_parked':
      parkRun(db, head.no, event.meta);
      return 'parked';
    case 'run_unparked':
      unparkRun(db, head.no);
      return 'running';
    case 'bundle_bound':
    case 'run_upgraded':
      bindBundle(db, head.no, event.meta.bundleHash);
      return undefined;
    case 'cancel_requested':
      if (head.cancel_requested === 0) noteCancel(db, head.no);
      cancelChildren(db, head.no, event, changes);
      if (endOffersOf(db, head.no)) changes.push({ kind: 'offers', runId });
      return undefined;
    case 'child_scheduled':
      createChild(db, head.no, event, changes);
      return undefined;
    case 'hook_created':
      upsertHook(db, event.name, head.no, event.cid, event.data ?? null, event.at);
      return undefined;
    case 'hook_disposed':
      disposeHook(db, head.no, event.cid, event.at);
      return undefined;
    default:
      return undefined;
  }
}
