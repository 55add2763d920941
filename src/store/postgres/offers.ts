/**
 * Steps on offer: rows beside the log, which end with a message in the inbox of their run. Inside transactions, but for reading. The
 * run is locked before its offers, everywhere; taking alone locks no run.
 */
import type { EndOfferRequest, StoreChange, TakenBack, TakenStep, TakeRequest } from '../port.ts';
import { isStorable, requireStorable } from '../text.ts';
import { lockHead } from './head.ts';
import type { Executor } from './connection.ts';

const INSERT = `
  INSERT INTO offers (run, cid, seq, step) SELECT run, cid, seq, name FROM events
  WHERE run = $1 AND seq > $2 AND type = 'step_scheduled' AND cid = ANY ($3::int[])`;

/** Puts steps on offer that were scheduled by the events after `afterSeq`. */
export async function offer(on: Executor, no: number, cids: readonly number[], afterSeq: number): Promise<void> {
  await on.rows(INSERT, [no, afterSeq, cids]);
}

/** Nobody waits for steps of this run any more. True when some were on offer. */
export async function endOffersOf(on: Executor, no: number): Promise<boolean> {
  return (await on.rows('DELETE FROM offers WHERE run = $1 RETURNING 1', [no])).length > 0;
}

const OPEN = 'o.taker IS NULL AND r.owner IS DISTINCT FROM $1';
const ANY = `SELECT 1 FROM offers o JOIN runs r ON r.no = o.run WHERE ${OPEN} LIMIT 1`;

/** Whether it is worth a look. */
export async function hasOffer(on: Executor, owner: string): Promise<boolean> {
  return (await on.rows(ANY, [owner])).length > 0;
}

// What another worker takes at this moment is passed over.
const TAKE = `
  WITH open AS (
    SELECT o.run, o.cid FROM offers o JOIN runs r ON r.no = o.run
    WHERE ${OPEN} AND o.step = ANY ($2::text[]) ORDER BY o.run, o.cid LIMIT $3 FOR UPDATE OF o SKIP LOCKED
  ), taken AS (
    UPDATE offers o SET taker = $1 FROM open WHERE o.run = open.run AND o.cid = open.cid RETURNING o.*
  )
  SELECT r.id AS "runId", t.cid, t.step AS "stepId", e.data, e.at AS "scheduledAt", r.workflow_id AS "workflowId", r.seed,
    r.created_at AS "createdAt"
  FROM taken t JOIN runs r ON r.no = t.run JOIN events e ON e.run = t.run AND e.seq = t.seq ORDER BY t.run, t.cid`;

export function takeOffers(on: Executor, { owner, steps, limit }: TakeRequest): Promise<TakenStep[]> {
  return on.rows<TakenStep>(TAKE, [owner, steps.filter(isStorable), limit]);
}

const INSERT_END = `INSERT INTO inbox (run, kind, at, cid, token, status, data) VALUES ($1, 'step', $2, $3, $4, $5, $6)`;
const WAKE = `UPDATE runs SET woken = true WHERE no = $1 AND status = 'running' AND NOT woken`;

export async function endOffer(on: Executor, request: EndOfferRequest, changes: StoreChange[]): Promise<boolean> {
  const { owner, runId, cid, at, status, meta, data } = request;
  requireStorable('result', meta, data);
  const head = await lockHead(on, runId);
  if (head === undefined) return false;
  const ended = await on.rows('DELETE FROM offers WHERE run = $1 AND cid = $2 AND taker = $3 RETURNING 1', [
    head.no,
    cid,
    owner,
  ]);
  if (ended.length === 0) return false;
  await on.rows(INSERT_END, [head.no, Math.floor(at), cid, meta, status, data]);
  await on.rows(WAKE, [head.no]);
  changes.push({ kind: 'inbox', runId });
  return true;
}

const TAKE_BACK = `
  DELETE FROM offers WHERE run = $1 AND cid IN (
    SELECT cid FROM offers WHERE run = $1 AND taker IS NULL ORDER BY cid LIMIT $2 FOR UPDATE SKIP LOCKED
  ) RETURNING cid`;

// What somebody is about to take looks open until that is committed: it may be rolled back.
const HAS_OPEN = 'SELECT 1 FROM offers WHERE run = $1 AND taker IS NULL LIMIT 1';

export async function takeBackOffers(on: Executor, runId: string, fence: number, limit: number): Promise<TakenBack> {
  const head = isStorable(runId) ? await lockHead(on, runId) : undefined;
  if (head?.fence !== fence || head.owner === null) return { cids: [], left: false };
  const rows = await on.rows<{ cid: number }>(TAKE_BACK, [head.no, limit]);
  const left = await on.rows(HAS_OPEN, [head.no]);
  return { cids: rows.map(({ cid }) => cid).sort((a, b) => a - b), left: left.length > 0 };
}

export async function selectOffers(on: Executor, runId: string): Promise<number[]> {
  const rows = await on.rows<{ cid: number }>(
    'SELECT o.cid FROM offers o JOIN runs r ON r.no = o.run WHERE r.id = $1 ORDER BY o.cid',
    [runId],
  );
  return rows.map(({ cid }) => cid);
}

const TAKEN = `
  SELECT r.id AS "runId", o.cid FROM offers o JOIN runs r ON r.no = o.run WHERE o.taker = $1 ORDER BY o.run, o.cid`;

export function selectTaken(on: Executor, owner: string): Promise<{ runId: string; cid: number }[]> {
  return on.rows<{ runId: string; cid: number }>(TAKEN, [owner]);
}

const LOCK_OFFERED = `
  SELECT no FROM runs WHERE no IN (SELECT run FROM offers WHERE taker = $1) ORDER BY no FOR NO KEY UPDATE`;

const LOSE = `
  WITH lost AS (
    DELETE FROM offers WHERE taker = $1 RETURNING run, cid
  ), told AS (
    INSERT INTO inbox (run, kind, at, cid, status) SELECT run, 'step', $2, cid, 'lost' FROM lost
  ), woken AS (
    UPDATE runs SET woken = true WHERE no IN (SELECT run FROM lost) AND status = 'running' AND NOT woken
  )
  SELECT DISTINCT r.id FROM lost JOIN runs r ON r.no = lost.run`;

/** What a taker had taken is for its runs to do. */
export async function loseTaken(on: Executor, taker: string, at: number, changes: StoreChange[]): Promise<void> {
  if ((await on.rows(LOCK_OFFERED, [taker])).length === 0) return;
  for (const { id: runId } of await on.rows<{ id: string }>(LOSE, [taker, Math.floor(at)]))
    changes.push({ kind: 'inbox', runId });
}

/** Locks an offer that was taken until the end of the transaction; false when this taker does not have it. */
export async function holdsOffer(
  on: Executor,
  no: number,
  { cid, taker }: { cid: number; taker: string },
): Promise<boolean> {
  const rows = await on.rows('SELECT 1 FROM offers WHERE run = $1 AND cid = $2 AND taker = $3 FOR KEY SHARE', [
    no,
    cid,
    taker,
  ]);
  return rows.length > 0;
}
