import { crc32 } from 'node:zlib';
import { type NewRunEvent, parseEvent, type RunEvent } from '../../events.ts';
import { StoreError } from '../../errors.ts';
import { requireStorable } from '../../text.ts';
import type { Connection } from '../connection.ts';

/** An event as a row. Its sum covers everything, also where it stands: SQLite itself notices no flipped bit in a value. */
interface EventRow {
  seq: number;
  type: string;
  at: number;
  cid: number | null;
  name: string | null;
  attempt: number | null;
  data: string | null;
  meta: string | null;
  sum: number;
}

function sumOf(runId: string, e: Omit<EventRow, 'sum'>): number {
  return crc32(`${runId}\n${e.seq}\n${e.type}\n${e.at}\n${e.cid}\n${e.name}\n${e.attempt}\n${e.meta}\n${e.data}`);
}

const INSERT =
  'INSERT INTO events (run, seq, type, at, cid, name, attempt, data, meta, sum) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)';

export function insertEvent(db: Connection, no: number, runId: string, seq: number, event: NewRunEvent): void {
  const any = event as Partial<Omit<RunEvent, 'meta'>> & { meta?: unknown };
  const row = {
    seq,
    type: event.type,
    at: Math.floor(event.at),
    cid: any.cid ?? null,
    name: any.name ?? null,
    attempt: any.attempt ?? null,
    data: any.data ?? null,
    meta: any.meta == null ? null : JSON.stringify(any.meta),
  };
  requireStorable(event.type, row.name, row.data);
  db.sql(INSERT).run(no, seq, row.type, row.at, row.cid, row.name, row.attempt, row.data, row.meta, sumOf(runId, row));
}

const LAST_SEQ = `
  SELECT seq FROM events WHERE run = (SELECT no FROM runs WHERE id = ?) ORDER BY seq DESC LIMIT 1`;

const SELECT = `
  SELECT seq, type, at, cid, name, attempt, data, meta, sum FROM events
  WHERE run = (SELECT no FROM runs WHERE id = ?) AND seq > ? ORDER BY seq LIMIT ?`;

/** Events after `afterSeq`, checked: the sums agree, no number is missing, each is an event that we know. Limit -1: all. */
export function selectEvents(db: Connection, runId: string, afterSeq: number, limit: number): RunEvent[] {
  // First the end, then the way there: what another process appends in between is more, never less.
  const end = (db.sql(LAST_SEQ).get(runId) as { seq: number } | undefined)?.seq ?? 0;
  const rows = db.sql(SELECT).all(runId, afterSeq, limit) as EventRow[];
  const events = rows.map((row, index) => readRow(db, runId, row, afterSeq + index + 1));
  const reached = afterSeq + rows.length;
  if (rows.length !== limit && reached < end) throw gap(db, runId, reached + 1);
  return events;
}

function damaged(db: Connection, runId: string, seq: number, what: string): StoreError {
  return new StoreError('PAWL_STORE_CORRUPT', what, { place: `${db.place}, run ${runId}, event ${seq}` });
}

function gap(db: Connection, runId: string, seq: number): StoreError {
  return damaged(db, runId, seq, `The log of the run has a gap: event ${seq} is missing.`);
}

function readRow(db: Connection, runId: string, row: EventRow, expectedSeq: number): RunEvent {
  const fail = (what: string) => damaged(db, runId, expectedSeq, what);
  if (row.seq !== expectedSeq) throw gap(db, runId, expectedSeq);
  if (row.sum !== sumOf(runId, row)) throw fail('The event is damaged: its checksum does not agree with its content.');
  let meta: unknown;
  try {
    meta = row.meta === null ? null : JSON.parse(row.meta);
  } catch {
    throw fail('The event is damaged: its metadata is not JSON.');
  }
  const { sum: _, ...columns } = row;
  const parsed = parseEvent({ ...columns, meta });
  if ('problem' in parsed) throw fail(`The event is none that this pawl knows (${parsed.problem}).`);
  return parsed.event;
}
