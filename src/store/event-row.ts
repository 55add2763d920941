/** Events as stores write them: eight columns, checked on the way in, so that no store holds what none would read. */
import { StoreError } from './errors.ts';
import { type NewRunEvent, parseEvent, type RunEvent } from './events.ts';
import { isStorable, requireStorable } from './text.ts';

export interface EventRow {
  seq: number;
  type: string;
  at: number;
  cid: number | null;
  name: string | null;
  attempt: number | null;
  data: string | null;
  /** JSON. */
  meta: string | null;
}

export function toRow(seq: number, event: NewRunEvent): EventRow {
  const { cid, name, attempt, data, meta } = event as Partial<RunEvent>;
  return {
    seq,
    type: event.type,
    at: event.at,
    cid: cid ?? null,
    name: name ?? null,
    attempt: attempt ?? null,
    data: data ?? null,
    meta: meta == null ? null : JSON.stringify(meta),
  };
}

/** @throws StoreError `PAWL_STORE_MISUSE` for what `parseEvent` would not read, and for text that databases do not keep */
export function checkedRow(runId: string, seq: number, event: NewRunEvent): EventRow {
  const row = toRow(seq, event);
  if (isEverydayEvent(row, event)) return row;
  const parsed = parseEvent({ ...row, meta: (event as Partial<RunEvent>).meta ?? null });
  if (!('problem' in parsed)) {
    requireStorable(row.type, row.name, row.data);
    return row;
  }
  throw new StoreError('PAWL_STORE_MISUSE', `'${event.type}' is no event (${parsed.problem}).`, {
    place: `run ${runId}, event ${seq}`,
  });
}

/** Says at once of the two events that every step writes that they are sound: the schema's code is cold here, and costs 5 µs. */
export function isEverydayEvent(row: EventRow, event: NewRunEvent): boolean {
  const meta = (event as Partial<RunEvent>).meta ?? null;
  if (!Number.isInteger(row.at) || !isCount(row.cid)) return false;
  if (row.data !== null && (typeof row.data !== 'string' || !isStorable(row.data))) return false;
  if (row.type === 'step_scheduled')
    return typeof row.name === 'string' && isStorable(row.name) && row.attempt === null && meta === null;
  if (row.type !== 'step_completed' || row.name !== null || !isCount(row.attempt)) return false;
  return meta === null || Number.isFinite((meta as { startedAt?: unknown }).startedAt);
}

function isCount(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 0;
}
