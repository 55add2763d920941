/**
 * Runs that no driver can drive: the code that they began on is lost, or their log cannot be read. They are parked, so that nobody
 * takes them again and again, or ended where somebody asked for that.
 */
import { PawlError } from '../errors.ts';
import type { RunEvent } from '../store/events.ts';
import type { EventStore, InboxMessage, ParkedReason, RunRecord } from '../store/port.ts';
import { lateEvents } from './driving.ts';
import { endEvent, errorData } from './endings.ts';
import { CancelledError } from './errors.ts';
import type { WorkerEvent } from './progress.ts';
import type { RunEnd } from './run-end.ts';

export interface UndrivenHost {
  readonly store: EventStore;
  now(): number;
}

/** What became of the run: what is to be told, and its end if it has one. */
export interface Undriven {
  event: WorkerEvent;
  end: RunEnd | null;
}

/**
 * @param record As it was claimed.
 * @param inbox What waits for the run: left unread, a cancellation would keep it due for ever.
 * @returns null when another worker has it
 */
export async function settleUndriven(
  host: UndrivenHost,
  record: RunRecord,
  inbox: readonly InboxMessage[],
  reason: ParkedReason,
): Promise<Undriven | null> {
  const { store } = host;
  const at = host.now();
  const { id: runId, fence, lastSeq: afterSeq, workflowId } = record;
  if (!inbox.some(({ kind }) => kind === 'cancel')) {
    const parked = await store.append({ runId, fence, afterSeq, events: [{ type: 'run_parked', at, meta: reason }] });
    const { code, message } = reason;
    return parked.ok ? { event: { type: 'run-parked', runId, workflowId, code, message, at }, end: null } : null;
  }
  const error = errorData(new CancelledError());
  const end: RunEnd = { status: 'cancelled', data: error };
  const events = [...inbox.flatMap(lateEvents).map((event) => ({ ...event, at })), endEvent(end, at)];
  const ended = await store.append({ runId, fence, afterSeq, events, consume: inbox.map(({ id }) => id) });
  return ended.ok ? { event: { type: 'run-finished', runId, workflowId, status: 'cancelled', at, error }, end } : null;
}

/**
 * What a run is about stands in its record and in the first event of its log, which is guarded by a checksum. A record that says
 * otherwise was damaged; replayed with a wrong seed, the workflow would look as if it were at fault.
 *
 * @throws PawlError `PAWL_STORE_CORRUPT`
 */
export function checkRecord(record: RunRecord, log: readonly RunEvent[], place: string): void {
  const [created] = log;
  if (created?.type !== 'run_created') throw damaged(record, 'its log does not begin with its creation', place);
  const bound = log.findLast((event) => event.type === 'bundle_bound' || event.type === 'run_upgraded');
  const bundleHash = bound?.meta.bundleHash ?? created.meta.bundleHash;
  const wrong = [
    ['workflow', record.workflowId, created.name],
    ['seed', record.seed, created.meta.seed],
    ['workflow bundle', record.bundleHash, bundleHash],
  ].find(([, here, there]) => here !== there);
  if (wrong) throw damaged(record, `its ${wrong[0]} is not the one that the log begins with`, place);
}

function damaged({ id }: RunRecord, what: string, place: string): PawlError {
  return new PawlError('PAWL_STORE_CORRUPT', `The record of the run is damaged: ${what}.`, {
    place: `${place}, run ${id}`,
    remedy: 'Keep a copy of the file, then restore a backup; the other runs of the store go on.',
  });
}
