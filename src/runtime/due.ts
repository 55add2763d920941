/** What follows from the state of a run: what is due, what is missing, how it ends. Pure; `RunDriver` acts on it. */
import type { NewRunEvent } from '../store/events.ts';
import { recordedError, stuck, unhandledRejection } from './endings.ts';
import type { LiveRun, Outcome, PendingStep } from './live-run.ts';

/**
 * Attempts in a row that the process did not survive. A step that kills its process does so every time, and takes the attempts of all
 * other runs with it: that must end. But a step that takes hours is also cut short by every deploy, so not after a few times.
 */
const MOST_CRASHES = 10;

/** Attempts that the process did not survive, since the run was last unparked; the one that runs now is counted as one. */
export function crashesOf({ attempt, failures, pardoned }: PendingStep): number {
  return attempt - failures - pardoned;
}

/**
 * When somebody must look at the run if this worker dies.
 *
 * @param wakeAt What the store holds now. What is due stays due: it need not be written again.
 */
export function nextWakeAt(live: LiveRun | null, wakeAt: number | null, now: number): number | null {
  if (live === null) return wakeAt;
  let next = Infinity;
  for (const step of live.steps.values()) {
    if (step.retryAt === null) return isDue(wakeAt, now) ? wakeAt : now;
    next = Math.min(next, step.retryAt);
  }
  for (const { refused } of live.children.values()) if (refused !== null) return isDue(wakeAt, now) ? wakeAt : now;
  for (const until of live.sleeps.values()) next = Math.min(next, until);
  return next === Infinity ? null : next;
}

function isDue(wakeAt: number | null, now: number): boolean {
  return wakeAt !== null && wakeAt <= now;
}

/** Whether the store has a run due when nothing of it is: given back, it would come round for ever. */
export function isDueInVain(live: LiveRun, wakeAt: number | null, now: number): boolean {
  return isDue(wakeAt, now) && !isDue(nextWakeAt(live, wakeAt, now), now);
}

/** When the next sleep is over or the next retry due; Infinity when there is none. */
export function nextDue(live: LiveRun): number {
  let next = Infinity;
  for (const until of live.sleeps.values()) next = Math.min(next, until);
  for (const { retryAt } of live.steps.values()) if (retryAt !== null) next = Math.min(next, retryAt);
  return next;
}

/** Sleeps that are over and retries that are due, in the order in which they came due. */
export function dueEvents(live: LiveRun, at: number): NewRunEvent[] {
  const sleeps = [...live.sleeps].filter(([, until]) => until <= at).sort(([a, x], [b, y]) => x - y || a - b);
  const events: NewRunEvent[] = sleeps.map(([cid]) => ({ type: 'sleep_completed', at, cid }));
  for (const { cid, retryAt, attempt } of live.steps.values()) {
    if (retryAt === null || retryAt > at) continue;
    events.push({ type: 'step_started', at, cid, attempt: attempt + 1, meta: { reason: 'retry' } });
  }
  return events;
}

/**
 * Attempts that may have begun before the crash count, and are made again. `crashed`: a step that takes the process with it.
 *
 * @param unparked Someone wants the run to try again: crashes so far do not count.
 */
export function recoverAttempts(
  live: LiveRun,
  at: number,
  known: (cid: number) => boolean,
  unparked: boolean,
): { events: NewRunEvent[]; crashed: { step: PendingStep; times: number } | null } {
  const events: NewRunEvent[] = [];
  for (const step of live.steps.values()) {
    if (known(step.cid) || step.retryAt !== null || step.attempt === 0) continue;
    if (unparked) step.pardoned = step.attempt - step.failures;
    const times = crashesOf(step);
    if (times > MOST_CRASHES) return { events: [], crashed: { step, times } };
    step.attempt += 1;
    events.push({ type: 'step_started', at, cid: step.cid, attempt: step.attempt, meta: { reason: 'recovered' } });
  }
  return { events, crashed: null };
}

/** Steps that are about to begin and that this worker does not have. */
export function missingOf(
  events: readonly NewRunEvent[],
  live: LiveRun,
  has: (stepId: string) => boolean,
): PendingStep[] {
  const missing: PendingStep[] = [];
  for (const event of events) {
    if (event.type !== 'step_scheduled' && event.type !== 'step_started') continue;
    const step = live.steps.get(event.cid);
    if (step && !has(step.stepId)) missing.push(step);
  }
  return missing;
}

/** How a run ends: what its code did, or what it left behind. */
export function endingOf(outcome: Outcome | null, rejection: string | null): Outcome {
  if (outcome === null) return { status: 'failed', data: stuck(rejection) };
  if (outcome.status === 'completed') {
    return rejection === null ? outcome : { status: 'failed', data: unhandledRejection(rejection) };
  }
  return { ...outcome, data: outcome.data === null ? null : recordedError(outcome.data).data } as Outcome;
}
