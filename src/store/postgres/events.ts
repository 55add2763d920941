import { StoreError } from '../errors.ts';
import type { EventRow } from '../event-row.ts';
import { parseEvent, type RunEvent } from '../events.ts';
import type { Executor, Row } from './connection.ts';

/** One array a column: a statement of one text, however many events there are. */
export function columnsOf(rows: readonly EventRow[]): unknown[] {
  return [
    rows.map(({ seq }) => seq),
    rows.map(({ type }) => type),
    rows.map(({ at }) => at),
    rows.map(({ cid }) => cid),
    rows.map(({ name }) => name),
    rows.map(({ attempt }) => attempt),
    rows.map(({ data }) => data),
    rows.map(({ meta }) => meta),
  ];
}

/** What `columnsOf` gives, as a table; in a statement whose parameters from number `first` on are these. */
export const EVENTS = (first: number): string =>
  `unnest($${first}::int[], $${first + 1}::text[], $${first + 2}::bigint[], $${first + 3}::int[], $${first + 4}::text[], ` +
  `$${first + 5}::int[], $${first + 6}::text[], $${first + 7}::text[])`;
export const NAMES = 'seq, type, at, cid, name, attempt, data, meta';

const INSERT = `INSERT INTO events (run, ${NAMES}) SELECT $1, * FROM ${EVENTS(2)}`;

export async function insertEvents(on: Executor, no: number, rows: readonly EventRow[]): Promise<void> {
  if (rows.length > 0) await on.rows(INSERT, [no, ...columnsOf(rows)]);
}

/** An append of everyday events to a run whose number is known. */
export interface GuardedAppend {
  no: number;
  fence: number;
  afterSeq: number;
  rows: readonly EventRow[];
}

// The lock keeps the run from being claimed between the look at its fence and the commit.
const INSERT_GUARDED = `
  WITH wanted AS (
    SELECT r.no FROM unnest($1::bigint[], $2::int[], $3::int[]) AS w(no, fence, after) JOIN runs r
      ON r.no = w.no AND r.fence = w.fence AND r.owner IS NOT NULL AND r.status = 'running'
    WHERE w.after = (SELECT seq FROM events WHERE run = w.no ORDER BY seq DESC LIMIT 1)
    FOR SHARE OF r
  ), written AS (
    INSERT INTO events (run, ${NAMES})
      SELECT e.* FROM (SELECT * FROM unnest($4::bigint[], $5::int[], $6::text[], $7::bigint[], $8::int[], $9::text[], $10::int[],
        $11::text[], $12::text[])) AS e(run, ${NAMES}) JOIN wanted ON wanted.no = e.run
  )
  SELECT no FROM wanted`;

/** Appends to many runs, each if it has its fence, an owner and its newest event. Returns the numbers of those that did. */
export async function insertGuarded(on: Executor, appends: readonly GuardedAppend[]): Promise<Set<number>> {
  const rows = appends.flatMap(({ rows }) => rows);
  const written = await on.rows<{ no: number }>(INSERT_GUARDED, [
    appends.map(({ no }) => no),
    appends.map(({ fence }) => fence),
    appends.map(({ afterSeq }) => afterSeq),
    appends.flatMap(({ no, rows }) => rows.map(() => no)),
    ...columnsOf(rows),
  ]);
  return new Set(written.map(({ no }) => no));
}

// One or two rows of one run, written out: the server plans and the driver sends it in half the time that arrays take.
const row = (first: number): string =>
  `$${first}::int, $${first + 1}::text, $${first + 2}::bigint, $${first + 3}::int, $${first + 4}::text, $${first + 5}::int, ` +
  `$${first + 6}::text, $${first + 7}::text`;
const insertAlone = (rows: string): string => `
  INSERT INTO events (run, ${NAMES}) SELECT r.no, e.* FROM (
    SELECT no FROM runs WHERE no = $1 AND fence = $2 AND owner IS NOT NULL AND status = 'running' FOR SHARE
  ) AS r, (VALUES ${rows}) AS e`;
const INSERT_ONE = insertAlone(`(${row(3)})`);
const INSERT_TWO = insertAlone(`(${row(3)}), (${row(11)})`);

function valuesOf({ seq, type, at, cid, name, attempt, data, meta }: EventRow): unknown[] {
  return [seq, type, at, cid, name, attempt, data, meta];
}

/**
 * The statement that appends one or two events to one run, if it has its fence and an owner. Not for use within a transaction: when the
 * run has the next number already, it fails. The caller knows that the run has the one before.
 *
 * @returns null when there are more events
 */
export function loneInsert({ no, fence, rows }: GuardedAppend): { text: string; values: unknown[] } | null {
  const [first, second] = rows;
  if (first === undefined || rows.length > 2) return null;
  const values = [no, fence, ...valuesOf(first)];
  if (second === undefined) return { text: INSERT_ONE, values };
  values.push(...valuesOf(second));
  return { text: INSERT_TWO, values };
}

const SELECT = `
  SELECT e.${NAMES.replaceAll(', ', ', e.')} FROM events e
  WHERE e.run = (SELECT no FROM runs WHERE id = $1) AND e.seq > $2 ORDER BY e.seq LIMIT $3`;

/** Events after `afterSeq`, checked: no number is missing, each is an event that we know. Limit null: all. */
export async function selectEvents(
  on: Executor,
  place: string,
  runId: string,
  afterSeq: number,
  limit: number | null,
): Promise<RunEvent[]> {
  const rows = await on.rows(SELECT, [runId, afterSeq, limit]);
  return rows.map((row, index) => readRow(row, afterSeq + index + 1, `${place}, run ${runId}`));
}

function readRow(row: Row, expectedSeq: number, place: string): RunEvent {
  const at = `${place}, event ${expectedSeq}`;
  if (row.seq !== expectedSeq) {
    throw new StoreError('PAWL_STORE_CORRUPT', `The log of the run has a gap: event ${expectedSeq} is missing.`, {
      place: at,
    });
  }
  let meta: unknown;
  try {
    meta = row.meta === null ? null : JSON.parse(row.meta as string);
  } catch {
    throw new StoreError('PAWL_STORE_CORRUPT', 'The event is damaged: its metadata is not JSON.', { place: at });
  }
  const parsed = parseEvent({ ...row, meta });
  if (!('problem' in parsed)) return parsed.event;
  throw new StoreError('PAWL_STORE_CORRUPT', `The event is none that this pawl knows (${parsed.problem}).`, {
    place: at,
  });
}
