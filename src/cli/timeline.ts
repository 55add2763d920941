/**
 * What the event log of a run says, as a person asks it: which commands were called, in which order, with which attempts,
 * and how long each took. Built event by event, so the same code serves a finished log and a live one.
 */
import type { RunEvent } from '../store/events.ts';

export type AttemptOutcome = 'running' | 'completed' | 'failed' | 'interrupted';

export interface Attempt {
  number: number;
  /** ms since the epoch. */
  startedAt: number;
  endedAt: number | null;
  /** `interrupted`: its process ended before it did. */
  outcome: AttemptOutcome;
  /** Serialized error of a failed attempt. */
  error: string | null;
  /** When the next attempt is due, after a failed one. */
  retryAt: number | null;
}

export type CommandState = 'running' | 'retrying' | 'waiting' | 'completed' | 'failed' | 'disposed' | 'conflicted';

/** One command of a workflow: a step call, a sleep, a hook or a run of another workflow. */
export interface TimelineEntry {
  /** Number of the command within its run. */
  cid: number;
  kind: 'step' | 'sleep' | 'hook' | 'child';
  /** Step id, hook token, workflow id; empty for sleeps. */
  name: string;
  state: CommandState;
  scheduledAt: number;
  endedAt: number | null;
  /** Of steps; empty for the rest. */
  attempts: Attempt[];
  /** When a sleep ends. */
  until: number | null;
  /** Payloads that a hook got. */
  received: number;
  /** Of those, the ones that its schema refused, in order: serialized errors. */
  refused: string[];
  /** Id of the run that a child is; null where its input was refused, and for the rest. */
  runId: string | null;
  /** Serialized result or error. */
  data: string | null;
}

export class Timeline {
  readonly entries: TimelineEntry[] = [];
  /** Events that concern the run as a whole, after its creation. */
  readonly milestones: { type: RunEvent['type']; at: number }[] = [];
  lastSeq = 0;
  readonly #byCid = new Map<number, TimelineEntry>();

  /** Takes the next event of the log. Returns the entry that it changed, or null. */
  add(event: RunEvent): TimelineEntry | null {
    this.lastSeq = event.seq;
    switch (event.type) {
      case 'step_scheduled':
        return this.#open(event, 'step', event.name, 'running');
      case 'sleep_scheduled':
        return this.#open(event, 'sleep', '', 'waiting', event.meta.until);
      case 'hook_created':
        return this.#open(event, 'hook', event.name, 'waiting');
      case 'hook_conflicted': {
        const entry = this.#byCid.get(event.cid) ?? this.#open(event, 'hook', event.name, 'waiting');
        return end(entry, 'conflicted', event.at);
      }
      case 'step_started': {
        const entry = this.#byCid.get(event.cid);
        if (!entry) return null;
        if (event.meta.reason === 'recovered') interrupt(entry, event.attempt, event.at);
        entry.state = 'running';
        entry.attempts.push(attemptOf(event.attempt, event.at));
        return entry;
      }
      case 'step_attempt_failed': {
        const entry = this.#byCid.get(event.cid);
        if (!entry) return null;
        const attempt = this.#endAttempt(entry, event, 'failed');
        attempt.error = event.data;
        attempt.retryAt = event.meta.retryAt;
        entry.state = 'retrying';
        return entry;
      }
      case 'step_completed':
      case 'step_failed': {
        const entry = this.#byCid.get(event.cid);
        if (!entry) return null;
        const state = event.type === 'step_completed' ? 'completed' : 'failed';
        const attempt = this.#endAttempt(entry, event, state);
        if (state === 'failed') attempt.error = event.data;
        entry.data = event.data;
        return end(entry, state, event.at);
      }
      case 'sleep_completed':
        return end(this.#byCid.get(event.cid), 'completed', event.at);
      case 'hook_received': {
        const entry = this.#byCid.get(event.cid);
        if (entry) entry.received += 1;
        return entry ?? null;
      }
      case 'hook_refused': {
        const entry = this.#byCid.get(event.cid);
        entry?.refused.push(event.data);
        return entry ?? null;
      }
      case 'hook_disposed':
        return end(this.#byCid.get(event.cid), 'disposed', event.at);
      case 'child_scheduled': {
        const entry = this.#open(event, 'child', event.name, 'running');
        entry.runId = event.meta.runId;
        return entry;
      }
      case 'child_refused':
        return this.#open(event, 'child', event.name, 'running');
      case 'child_completed':
      case 'child_failed': {
        const entry = this.#byCid.get(event.cid);
        if (entry) entry.data = event.data;
        return end(entry, event.type === 'child_completed' ? 'completed' : 'failed', event.at);
      }
      default:
        if (event.type !== 'run_created') this.milestones.push({ type: event.type, at: event.at });
        return null;
    }
  }

  #open(
    event: { cid: number; at: number },
    kind: TimelineEntry['kind'],
    name: string,
    state: CommandState,
    until: number | null = null,
  ): TimelineEntry {
    const { cid, at } = event;
    const entry: TimelineEntry = {
      cid,
      kind,
      name,
      state,
      scheduledAt: at,
      endedAt: null,
      attempts: [],
      until,
      received: 0,
      refused: [],
      runId: null,
      data: null,
    };
    this.entries.push(entry);
    this.#byCid.set(cid, entry);
    return entry;
  }

  /** First attempts write no event of their own: the one that ends them tells when they began. */
  #endAttempt(
    entry: TimelineEntry,
    event: { attempt: number; at: number; meta: { startedAt?: number } | null },
    outcome: AttemptOutcome,
  ): Attempt {
    let attempt = entry.attempts.find(({ number }) => number === event.attempt);
    if (!attempt) {
      attempt = attemptOf(event.attempt, event.meta?.startedAt ?? entry.scheduledAt);
      entry.attempts.push(attempt);
    }
    attempt.endedAt = event.at;
    attempt.outcome = outcome;
    return attempt;
  }
}

function attemptOf(number: number, startedAt: number): Attempt {
  return { number, startedAt, endedAt: null, outcome: 'running', error: null, retryAt: null };
}

/** A new process takes a step over: what ran before it, if anything, has no end. */
function interrupt(entry: TimelineEntry, next: number, at: number): void {
  const last = entry.attempts.at(-1);
  if (last?.outcome === 'running') last.outcome = 'interrupted';
  else if (!entry.attempts.some(({ number }) => number === next - 1) && next > 1) {
    entry.attempts.push({ ...attemptOf(next - 1, Math.min(entry.scheduledAt, at)), outcome: 'interrupted' });
  }
}

function end(entry: TimelineEntry | undefined, state: CommandState, at: number): TimelineEntry | null {
  if (!entry) return null;
  entry.state = state;
  entry.endedAt = at;
  return entry;
}
