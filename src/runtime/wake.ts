/** Ends sleeps before their time. */
import type { EventStore, RunStatus } from '../store/port.ts';
import { unknownRun } from './run-end.ts';
import { readLog } from './worker-parts.ts';

/** What became of it: how many sleeps end; of a run that has ended, none, and how it did. */
export interface Woken {
  stoppedCount: number;
  ended: RunStatus | null;
}

/**
 * Asks whoever has the run to end the sleeps that it is in now. Those that it begins later are not meant.
 *
 * @param only numbers of the sleeps that are meant; undefined for all
 * @throws PawlError `PAWL_UNKNOWN_RUN`
 */
export async function wakeSleeps(
  store: EventStore,
  runId: string,
  at: number,
  only?: readonly (string | number)[],
): Promise<Woken> {
  const wanted = only && new Set(only.map(String));
  const run = await store.getRun(runId);
  if (run === null) throw unknownRun(runId, store.url);
  if (run.finishedAt !== null) return { stoppedCount: 0, ended: run.status };
  const sleeps = new Set<number>();
  for (const event of await readLog(store, runId)) {
    if (event.type === 'sleep_scheduled') {
      if (wanted?.has(String(event.cid)) ?? true) sleeps.add(event.cid);
    } else if (event.type === 'sleep_completed') sleeps.delete(event.cid);
    else if (event.type === 'cancel_requested') sleeps.clear();
  }
  if (sleeps.size === 0) return { stoppedCount: 0, ended: null };
  const asked = await store.requestWake(runId, { at, cids: [...sleeps] });
  if (asked.ok) return { stoppedCount: sleeps.size, ended: null };
  if (asked.reason === 'unknown-run') throw unknownRun(runId, store.url);
  return { stoppedCount: 0, ended: asked.status };
}
