/** Messages as stores keep them: one row of a few columns, whatever their kind. */
import type { FinalStatus, InboxMessage, OfferEnd } from './port.ts';

export interface MessageRow {
  id: number;
  run_id: string;
  kind: string;
  at: number;
  cid: number | null;
  /** Of a step: `meta` of what its attempt ended in. */
  token: string | null;
  status: string | null;
  data: string | null;
}

export function toMessage(row: MessageRow): InboxMessage {
  const { id, run_id: runId, at, kind, data, status } = row;
  const common = { id, runId, at };
  const cid = row.cid as number;
  switch (kind) {
    case 'cancel':
      return { ...common, kind, reason: data };
    case 'upgrade':
      return { ...common, kind, bundleHash: data ?? '' };
    case 'wake':
      return { ...common, kind, cids: readCids(data) };
    case 'child':
      return { ...common, kind, cid, status: status as FinalStatus, data };
    case 'step':
      return { ...common, kind, cid, status: status as OfferEnd | 'lost', meta: row.token, data };
    default:
      return { ...common, kind: 'hook', cid, token: row.token as string, payload: data };
  }
}

export function writeCids(cids: readonly number[]): string {
  return cids.join(' ');
}

/** What is no number is none of a sleep, and wakes none. */
function readCids(data: string | null): number[] {
  return (data ?? '').split(' ').filter(Boolean).map(Number);
}
