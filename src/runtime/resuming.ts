/** What is written first when a run is taken up again. */
import type { NewRunEvent } from '../store/events.ts';
import type { InboxMessage, RunRecord } from '../store/port.ts';
import { lateEvents } from './driving.ts';
import { errorData, recordedError } from './endings.ts';
import { CancelledError } from './errors.ts';
import type { Outcome } from './live-run.ts';

/** That a bundle was bound, that the run is not parked any more. */
export function firstEvents(record: RunRecord, bundleHash: string, at: number): NewRunEvent[] {
  const events: NewRunEvent[] = [];
  if (record.bundleHash === null) events.push({ type: 'bundle_bound', at, meta: { bundleHash } });
  if (record.status === 'parked') events.push({ type: 'run_unparked', at });
  return events;
}

/**
 * The commands that need no attempt when a run is taken up again: they were just asked for, their result is at hand, or another worker
 * makes, or has made, the attempt.
 */
export function spokenFor(
  fresh: ReadonlySet<number>,
  carried: readonly NewRunEvent[],
  inbox: readonly InboxMessage[],
  offers: readonly number[],
): (cid: number) => boolean {
  const cids = new Set([...fresh, ...offers]);
  for (const { cid } of carried) if (typeof cid === 'number') cids.add(cid);
  for (const message of inbox) if (message.kind === 'step') cids.add(message.cid);
  return (cid) => cids.has(cid);
}

/** A parked run whose code cannot run can still be cancelled: everything that was sent to it, and its end. */
export function cancelParked(
  record: RunRecord,
  bundleHash: string,
  inbox: readonly InboxMessage[],
  at: number,
): { events: NewRunEvent[]; consume: number[]; outcome: Outcome } {
  const causes = inbox.flatMap(lateEvents);
  const cancel = inbox.find((message) => message.kind === 'cancel');
  const error = errorData(new CancelledError(cancel?.reason ?? undefined));
  return {
    events: [...firstEvents(record, bundleHash, at), ...causes].map((event) => ({ ...event, at })),
    consume: inbox.map(({ id }) => id),
    outcome: { status: 'cancelled', data: recordedError(error).data },
  };
}
