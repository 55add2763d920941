/** What a run's driver and its worker know of each other, and what the driver works on. */
import type { NewRunEvent, RunEvent } from '../store/events.ts';
import type { EventStore, InboxMessage, RunRecord } from '../store/port.ts';
import { errorData } from './endings.ts';
import { CancelledError } from './errors.ts';
import type { Outcome, RunIdentity } from './live-run.ts';
import { takenStepEvent } from './taken-step.ts';
import type { Realm, RealmBundle } from './sandbox.ts';
import type { CallHost } from './step-calls.ts';

/** A run that is driven, as its worker sees it. */
export interface DrivenRun {
  readonly id: string;
  readonly identity: RunIdentity;
}

/** What a driver has from its worker. */
export interface DriverHost extends CallHost {
  readonly store: EventStore;
  readonly owner: string;
  readonly activationTimeout: number;
  /** Hash of the worker's own workflow bundle. */
  readonly bundleHash: string;
  /** A realm with the run's bundle: the shared one, or one of its own. */
  realm(hash: string, own: boolean): { realm: Realm; bundle: RealmBundle };
  /** Checks the result of a defined workflow; resolves to what is recorded. */
  finish(workflowId: string, outcome: Outcome): Outcome | Promise<Outcome>;
  /** Checks the inputs of children; see `admitChildren`. */
  admit(events: readonly NewRunEvent[]): Promise<NewRunEvent[]> | null;
  /** There may be messages for a run here that nobody has told of. */
  read(runId: string): void;
  /** There is a run, made by this one, that waits for a worker. */
  wanted(runId: string): void;
  /** The driver's run waits, and could be read again. */
  idle(): void;
  /** The driver has dropped its run. `again`: it should be claimed and read again, with results that are not recorded. */
  dropped(driver: DrivenRun, again: readonly NewRunEvent[] | null): void;
  finished(driver: DrivenRun, outcome: Outcome, at: number): void;
}

/** How a driver begins. */
export type Beginning =
  /** A run that does not exist yet: made by the append of its first reaction. */
  | { kind: 'new'; created(result: 'created' | RunRecord): void; failed(error: unknown): void }
  /** A run that was claimed: read from its log. */
  | {
      kind: 'claimed';
      record: RunRecord;
      log: readonly RunEvent[];
      inbox: readonly InboxMessage[];
      /** Its steps that are on offer, or were taken by other workers. */
      offers: readonly number[];
      carried: readonly NewRunEvent[];
    };

export interface Cause {
  events: NewRunEvent[];
  /** The message that it takes over. */
  consume?: number;
}

/** What one turn brought about, and the messages that it took over. */
export interface Turn {
  events: NewRunEvent[];
  consume: number[];
}

export type Phase = 'beginning' | 'live' | 'admitting' | 'ending' | 'conflicted' | 'gone';

/** What a message is to its run. */
export function causeOf(message: InboxMessage): Cause {
  return { events: eventsOf(message), consume: message.id };
}

/** What the log keeps of a message that a run got after its end: what somebody sent to it. */
export function lateEvents(message: InboxMessage): NewRunEvent[] {
  return message.kind === 'step' || message.kind === 'wake' ? [] : eventsOf(message);
}

function eventsOf(message: InboxMessage): NewRunEvent[] {
  const { at } = message;
  switch (message.kind) {
    case 'hook':
      return [{ type: 'hook_received', at, cid: message.cid, data: message.payload }];
    case 'child': {
      const { cid, status, data } = message;
      if (status === 'completed') return [{ type: 'child_completed', at, cid, data }];
      return [{ type: 'child_failed', at, cid, data: data ?? errorData(new CancelledError()) }];
    }
    case 'upgrade': {
      const why = { code: 'PAWL_RUN_FINISHED', message: 'The run ended before it could be moved to this code.' };
      return [{ type: 'run_upgrade_refused', at, meta: { bundleHash: message.bundleHash, ...why } }];
    }
    case 'cancel':
      return [{ type: 'cancel_requested', at, meta: message.reason === null ? null : { reason: message.reason } }];
    case 'wake':
      return message.cids.map((cid) => ({ type: 'sleep_completed', at, cid, meta: { woken: true } }));
    case 'step':
      return [takenStepEvent(message)];
  }
}

/** Whether a run is told to stop. It begins no attempts then: not of steps that are missing, not of one that kills the process. */
export function isCancelled(inbox: readonly InboxMessage[]): boolean {
  return inbox.some(({ kind }) => kind === 'cancel');
}

export function isTimeout(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT';
}

export function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof (value as Promise<T>).then === 'function';
}
