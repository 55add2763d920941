/** Steps on offer: rows beside the log, which end with a message in the inbox of their run. Inside transactions, but for reading. */
import type { EndOfferRequest, StoreChange, TakenBack, TakenStep, TakeRequest } from '../port.ts';
import { requireStorable } from '../text.ts';
import type { Connection } from './connection.ts';
import { eventId } from './migrations.ts';
import { type RunHead, selectHead, selectIdOf, wakeRunning } from './sql/runs.ts';

const INSERT = `
  INSERT INTO offers (run, cid, seq, step) SELECT ?1, cid, seq, name FROM events
  WHERE id > (${eventId('?1', '?2')}) AND id <= (${eventId('?1', '?3')}) AND type = 'step_scheduled' AND cid = ?4`;

/** Puts a step on offer that was scheduled by one of the events after `afterSeq`. */
export function offer(db: Connection, no: number, cid: number, afterSeq: number, lastSeq: number): void {
  db.sql(INSERT).run(no, afterSeq, lastSeq, cid);
}

const DELETE_OF_RUN = 'DELETE FROM offers WHERE run = ?';

/** Nobody waits for steps of this run any more. True when some were on offer. */
export function endOffersOf(db: Connection, no: number): boolean {
  return Number(db.sql(DELETE_OF_RUN).run(no).changes) > 0;
}

const ANY = `
  SELECT 1 FROM offers o JOIN runs r ON r.no = o.run WHERE o.taker IS NULL AND (r.owner IS NULL OR r.owner <> ?) LIMIT 1`;

/** Whether it is worth a look. */
export function hasOffer(db: Connection, owner: string): boolean {
  return db.sql(ANY).get(owner) !== undefined;
}

const SELECT_OPEN = `
  SELECT o.run, o.cid, o.step, r.id AS runId, r.workflow_id AS workflowId, r.seed, r.created_at AS createdAt,
    e.at AS scheduledAt, e.data
  FROM offers o JOIN runs r ON r.no = o.run JOIN events e ON e.id = (${eventId('o.run', 'o.seq')})
  WHERE o.taker IS NULL AND (r.owner IS NULL OR r.owner <> ?1) AND o.step IN (SELECT value FROM json_each(?2))
  ORDER BY o.run, o.cid LIMIT ?3`;
const TAKE = 'UPDATE offers SET taker = ? WHERE run = ? AND cid = ?';

export function takeOffers(db: Connection, { owner, steps, limit }: TakeRequest): TakenStep[] {
  const rows = db.sql(SELECT_OPEN).all(owner, JSON.stringify(steps), limit) as unknown as (Omit<TakenStep, 'stepId'> & {
    run: number;
    step: string;
  })[];
  return rows.map(({ run, step: stepId, ...taken }) => {
    db.sql(TAKE).run(owner, run, taken.cid);
    return { ...taken, stepId };
  });
}

const END = 'DELETE FROM offers WHERE run = ? AND cid = ? AND taker = ?';
const INSERT_END = `INSERT INTO inbox (run, kind, at, cid, token, status, data) VALUES (?, 'step', ?, ?, ?, ?, ?)`;

export function endOffer(db: Connection, request: EndOfferRequest, changes: StoreChange[]): boolean {
  const { owner, runId, cid, at, status, meta, data } = request;
  requireStorable('result', meta, data);
  const head = selectHead(db, runId);
  if (head === undefined || Number(db.sql(END).run(head.no, cid, owner).changes) === 0) return false;
  db.sql(INSERT_END).run(head.no, Math.floor(at), cid, meta, status, data);
  wakeRunning(db, head.no);
  changes.push({ kind: 'inbox', runId });
  return true;
}

const TAKE_BACK = `
  DELETE FROM offers WHERE (run, cid) IN (SELECT run, cid FROM offers WHERE run = ? AND taker IS NULL ORDER BY cid LIMIT ?)
  RETURNING cid`;

const HAS_OPEN = 'SELECT 1 FROM offers WHERE run = ? AND taker IS NULL LIMIT 1';

export function takeBackOffers(db: Connection, head: RunHead, limit: number): TakenBack {
  const rows = db.sql(TAKE_BACK).all(head.no, limit) as { cid: number }[];
  return { cids: rows.map(({ cid }) => cid).sort((a, b) => a - b), left: db.sql(HAS_OPEN).get(head.no) !== undefined };
}

const SELECT_OF_RUN = 'SELECT cid FROM offers WHERE run = (SELECT no FROM runs WHERE id = ?) ORDER BY cid';

export function selectOffers(db: Connection, runId: string): number[] {
  return (db.sql(SELECT_OF_RUN).all(runId) as { cid: number }[]).map(({ cid }) => cid);
}

const SELECT_TAKEN =
  'SELECT r.id AS runId, o.cid FROM offers o JOIN runs r ON r.no = o.run WHERE o.taker = ? ORDER BY o.run, o.cid';

export function selectTaken(db: Connection, owner: string): { runId: string; cid: number }[] {
  return db.sql(SELECT_TAKEN).all(owner) as { runId: string; cid: number }[];
}

const IS_TAKEN = 'SELECT 1 FROM offers WHERE run = ? AND cid = ? AND taker = ?';

export function isTakenBy(db: Connection, no: number, { cid, taker }: { cid: number; taker: string }): boolean {
  return db.sql(IS_TAKEN).get(no, cid, taker) !== undefined;
}

const LOSE = 'DELETE FROM offers WHERE taker = ? RETURNING run, cid';

/** What a taker had taken is for its runs to do. */
export function loseTaken(db: Connection, taker: string, at: number, changes: StoreChange[]): void {
  for (const { run, cid } of db.sql(LOSE).all(taker) as { run: number; cid: number }[]) {
    db.sql(INSERT_END).run(run, at, cid, null, 'lost', null);
    wakeRunning(db, run);
    changes.push({ kind: 'inbox', runId: selectIdOf(db, run).id });
  }
}
