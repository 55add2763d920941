/** Reasons to refuse an append that follow from what a store has read, the same in every store. */
import { StoreError } from './errors.ts';
import { type NewRunEvent, TERMINAL_EVENTS } from './events.ts';
import type { AppendRefusal, HookRecord, RunStatus } from './port.ts';

/**
 * Follows who holds which token through the events of a request: one of them may free what another takes.
 *
 * @param hookOf - the hook that has a token in the store
 */
export function hookConflict(
  runId: string,
  events: readonly NewRunEvent[],
  hookOf: (token: string) => HookRecord | undefined,
): AppendRefusal | null {
  const disposed = new Set<number>();
  const taken = new Map<string, number>();
  for (const event of events) {
    if (event.type === 'hook_disposed') {
      disposed.add(event.cid);
      for (const [token, cid] of taken) if (cid === event.cid) taken.delete(token);
    }
    if (event.type !== 'hook_created') continue;
    const token = event.name;
    const existing = hookOf(token);
    const held = existing !== undefined && existing.disposedAt === null;
    if (taken.has(token)) return { ok: false, reason: 'hook-conflict', token, ownerRunId: runId };
    if (held && !(existing.runId === runId && disposed.has(existing.cid)))
      return { ok: false, reason: 'hook-conflict', token, ownerRunId: existing.runId };
    taken.set(token, event.cid);
  }
  return null;
}

/**
 * Whether the last of the events ends the run.
 *
 * @throws StoreError `PAWL_STORE_MISUSE` when another one does
 */
export function endsRun(runId: string, events: readonly NewRunEvent[]): boolean {
  const end = events.findIndex((event) => event.type in TERMINAL_EVENTS);
  if (end < 0) return false;
  if (end === events.length - 1) return true;
  throw new StoreError('PAWL_STORE_MISUSE', `Events follow '${events[end]?.type}', which ends the run.`, {
    place: `run ${runId}`,
  });
}

/** Whether the run has no owner after the events, so that nobody's word about its next wake-up counts. */
export function leavesOwner(events: readonly NewRunEvent[]): boolean {
  const last = events.at(-1)?.type;
  return last === 'run_parked' || (last !== undefined && last in TERMINAL_EVENTS);
}

export function isFinal(status: RunStatus): boolean {
  return status === 'completed' || status === 'failed' || status === 'cancelled';
}
