import { checkedRow, type EventRow, isEverydayEvent, toRow } from '../../event-row.ts';
import { type NewRunEvent, parseEvent, type RunEvent } from '../../events.ts';
import { StoreError } from '../../errors.ts';
import { checksum } from '../checksum.ts';
import type { Connection } from '../connection.ts';
import { eventId, eventsOf, MAX_SEQ } from '../migrations.ts';

/** Covers the whole event, and where it stands: SQLite itself notices no flipped bit in a value. */
function sumOf(runId: string, e: EventRow): number {
  return checksum(`${runId}\n${e.seq}\n${e.type}\n${e.at}\n${e.cid}\n${e.name}\n${e.attempt}\n${e.meta}\n${e.data}`);
}

const COLUMNS = 'id, type, at, cid, name, attempt, data, meta, sum';
const VALUES = '?, ?, ?, ?, ?, ?, ?, ?';
const INSERT = `INSERT INTO events (${COLUMNS}) VALUES (${eventId('?', '?')}, ${VALUES})`;

/** @throws StoreError `PAWL_STORE_MISUSE` for what `selectEvents` would not read */
export function insertEvent(db: Connection, no: number, runId: string, seq: number, event: NewRunEvent): void {
  db.sql(INSERT).run(no, ...valuesOf(runId, checkedRow(runId, seq, event)));
}

/** What `Connection` binds for `VALUES`. */
type EventValues = [
  number,
  string,
  number,
  number | null,
  string | null,
  number | null,
  string | null,
  string | null,
  number,
];

function valuesOf(runId: string, row: EventRow): EventValues {
  const { seq, type, at, cid, name, attempt, data, meta } = row;
  if (seq > MAX_SEQ) {
    throw new StoreError(
      'PAWL_STORE_RUN_TOO_LONG',
      `The run has ${MAX_SEQ} events; the store holds no more of one run.`,
      {
        place: `run ${runId}`,
      },
    );
  }
  return [seq, type, at, cid, name, attempt, data, meta, sumOf(runId, row)];
}

// Reads nothing of `events`: SQLite would put all rows into a table of its own first, which costs as much as the rest.
const OWNED = `FROM runs WHERE no = ?1 AND id = ?2 AND fence = ?3 AND owner IS NOT NULL AND status = 'running'`;
const values = (from: number): string => Array.from({ length: 8 }, (_, index) => `?${from + index}`).join(', ');
const INSERT_ONE_GUARDED = `INSERT INTO events (${COLUMNS}) SELECT ${eventId('?1', '?4')}, ${values(5)} ${OWNED}`;
const INSERT_TWO_GUARDED = `${INSERT_ONE_GUARDED} UNION ALL SELECT ${eventId('?1', '?13')}, ${values(14)} ${OWNED}`;

/**
 * Appends one or two events of the everyday kinds in a single statement, if the run has this fence and an owner. The caller knows
 * that the run has an event `afterSeq`; that it is the newest is certain when the next number is free, which the key sees to.
 * True when they were written; false, or an error, says only that this was not the way.
 */
export function insertGuarded(
  db: Connection,
  { no, runId, fence, afterSeq }: { no: number; runId: string; fence: number; afterSeq: number },
  events: readonly NewRunEvent[],
): boolean {
  const [first, second] = events;
  if (first === undefined || events.length > 2) return false;
  const row = toRow(afterSeq + 1, first);
  if (!isEverydayEvent(row, first)) return false;
  if (second === undefined) {
    return db.sql(INSERT_ONE_GUARDED).run(no, runId, fence, ...valuesOf(runId, row)).changes === 1;
  }
  const next = toRow(afterSeq + 2, second);
  if (!isEverydayEvent(next, second)) return false;
  const statement = db.sql(INSERT_TWO_GUARDED);
  return statement.run(no, runId, fence, ...valuesOf(runId, row), ...valuesOf(runId, next)).changes === 2;
}

const LAST_SEQ = `SELECT seq FROM events WHERE id ${eventsOf('?1')} ORDER BY id DESC LIMIT 1`;
const RUN_NO = 'SELECT no FROM runs WHERE id = ?';

/**
 * Events after `afterSeq`, checked: the sums agree, no number is missing, each is an event that we know. Limit -1: all.
 */
export function selectEvents(db: Connection, runId: string, afterSeq: number, limit: number): RunEvent[] {
  const no = (db.sql(RUN_NO).get(runId) as { no: number } | undefined)?.no;
  if (no === undefined) return [];
  // First the end, then the way there: what another process appends in between is more, never less.
  const end = lastSeqOf(db, no);
  const wanted = limit < 0 ? Number.POSITIVE_INFINITY : limit;
  const events: RunEvent[] = [];
  while (events.length < wanted) {
    const size = Math.min(CHUNK, wanted - events.length);
    const rows = selectChunk(db, no, runId, afterSeq + events.length, size);
    for (const row of rows) events.push(readRow(db, no, runId, row, afterSeq + events.length + 1));
    if (rows.length < size) break;
  }
  const reached = afterSeq + events.length;
  if (events.length < wanted && reached < end) throw gap(db, runId, reached + 1);
  // Damage above the rows leads astray who looks for the last one, but not who walks along them.
  if (reached > end && lastSeqOf(db, no) < reached)
    throw damaged(db, runId, reached, 'The last event of the run is not found: the table is damaged.');
  return events;
}

function lastSeqOf(db: Connection, no: number): number {
  return (db.sql(LAST_SEQ).get(no) as { seq: number } | undefined)?.seq ?? 0;
}

/** Events read at once, and how large a value may be to be among them, bytes. */
const CHUNK = 500;
const LARGE = 16_384;

type PackedRow = [...columns: (string | number | null)[], large: 0 | 1];

// As one JSON text: each value that a binding hands over costs more than SQLite and JSON.parse need for a row.
const SELECT_CHUNK = `
  SELECT json_group_array(json_array(seq, type, at, cid, name, attempt, small, meta, sum, small IS NOT data)) AS rows
  FROM (
    SELECT *, CASE WHEN octet_length(data) <= ${LARGE} THEN data END AS small
    FROM events WHERE id > (${eventId('?1', '?2')}) AND id <= (${eventId('?1', String(MAX_SEQ))}) ORDER BY id LIMIT ?3
  )`;

function selectChunk(db: Connection, no: number, runId: string, afterSeq: number, size: number): PackedRow[] {
  const { rows } = db.sql(SELECT_CHUNK).get(no, afterSeq, size) as { rows: string };
  try {
    return JSON.parse(rows) as PackedRow[];
  } catch {
    throw damaged(db, runId, afterSeq + 1, 'An event from here on is damaged: it is not text.');
  }
}

const SELECT_DATA = `SELECT data FROM events WHERE id = (${eventId('?', '?')})`;

function readRow(db: Connection, no: number, runId: string, packed: PackedRow, expectedSeq: number): RunEvent {
  const [seq, type, at, cid, name, attempt, small, meta, sum, large] = packed;
  if (seq !== expectedSeq) throw gap(db, runId, expectedSeq);
  const data = large === 1 ? (db.sql(SELECT_DATA).get(no, seq) as { data: string } | undefined)?.data : small;
  const row = { seq, type, at, cid, name, attempt, data, meta } as EventRow;
  const fail = (what: string) => damaged(db, runId, expectedSeq, what);
  if (sum !== sumOf(runId, row)) throw fail('The event is damaged: its checksum does not agree with its content.');
  let parsedMeta: unknown;
  try {
    parsedMeta = row.meta === null ? null : JSON.parse(row.meta);
  } catch {
    throw fail('The event is damaged: its metadata is not JSON.');
  }
  const parsed = parseEvent({ ...row, meta: parsedMeta });
  if ('problem' in parsed) throw fail(`The event is none that this pawl knows (${parsed.problem}).`);
  return parsed.event;
}

function damaged(db: Connection, runId: string, seq: number, what: string): StoreError {
  return new StoreError('PAWL_STORE_CORRUPT', what, { place: `${db.place}, run ${runId}, event ${seq}` });
}

function gap(db: Connection, runId: string, seq: number): StoreError {
  return damaged(db, runId, seq, `The log of the run has a gap: event ${seq} is missing.`);
}
