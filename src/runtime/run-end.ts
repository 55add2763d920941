/** How a run ended, for those who wait for it; and the errors that they get. */
import { PawlError } from '../errors.ts';
import type { EventStore, ParkedReason, RunRecord } from '../store/port.ts';
import type { Codec } from './serialization/codec.ts';
import { oneLine } from './one-line.ts';

export type RunEnd =
  | { status: 'completed'; data: string | null }
  | { status: 'failed'; data: string }
  | { status: 'cancelled'; data: string | null }
  | { status: 'parked'; reason: ParkedReason };

/** What `run.returnValue` rejects with when the run failed; `cause` is the error that the workflow threw. */
export class RunFailedError extends PawlError {
  override readonly name = 'RunFailedError';
  readonly runId: string;

  constructor(runId: string, cause: unknown) {
    super('PAWL_RUN_FAILED', `The run ${runId} failed: ${oneLine(cause)}`, { place: `run ${runId}`, cause });
    this.runId = runId;
  }
}

/** What `run.returnValue` rejects with when the run was cancelled. */
export class RunCancelledError extends PawlError {
  override readonly name = 'RunCancelledError';
  readonly runId: string;

  constructor(runId: string, cause: unknown) {
    super('PAWL_RUN_CANCELLED', `The run ${runId} was cancelled.`, { place: `run ${runId}`, cause });
    this.runId = runId;
  }
}

/** What `run.returnValue` rejects with when the run cannot go on until someone acts. It has not ended: ask again afterwards. */
export class RunParkedError extends PawlError {
  override readonly name = 'RunParkedError';
  readonly runId: string;
  readonly reason: ParkedReason;

  constructor(runId: string, reason: ParkedReason) {
    super('PAWL_RUN_PARKED', `The run ${runId} is parked: ${reason.message}`, {
      place: `run ${runId}`,
      remedy: 'Nothing is lost. Remove the cause; the run goes on when a worker starts.',
      details: reason,
    });
    this.runId = runId;
    this.reason = reason;
  }
}

/** The value of a completed run; throws what the others mean. */
export function valueOf(runId: string, end: RunEnd, codec: Codec): unknown {
  switch (end.status) {
    case 'completed':
      return end.data === null ? undefined : codec.parse(end.data);
    case 'failed':
      throw new RunFailedError(runId, codec.parse(end.data));
    case 'cancelled':
      throw new RunCancelledError(runId, end.data === null ? undefined : codec.parse(end.data));
    case 'parked':
      throw new RunParkedError(runId, end.reason);
  }
}

/** How a run has ended according to its record; null while it goes on. */
export function endOf(record: RunRecord): RunEnd | null {
  switch (record.status) {
    case 'completed':
      return { status: 'completed', data: record.output };
    case 'failed':
      return { status: 'failed', data: record.error ?? '' };
    case 'cancelled':
      return { status: 'cancelled', data: record.error };
    case 'parked':
      return {
        status: 'parked',
        reason: record.parkedReason ?? { code: 'PAWL_RUN_PARKED', message: 'no reason is known' },
      };
    case 'pending':
    case 'running':
      return null;
  }
}

/** Resolves when the run has ended or is parked, whoever works on it. Told by the store, never polled. */
export function watchEnd(store: EventStore, runId: string): Promise<RunEnd> {
  return new Promise((resolve, reject) => {
    let asking = false;
    let again = false;
    const unsubscribe = store.subscribe((change) => {
      if (change.kind === 'external' || (change.kind === 'status' && change.runId === runId)) look();
    });
    const finish = (settle: () => void): void => {
      unsubscribe();
      settle();
    };
    const look = (): void => {
      if (asking) {
        again = true;
        return;
      }
      asking = true;
      store.getRun(runId).then(
        (record) => {
          asking = false;
          const end = record === null ? null : endOf(record);
          if (record === null) finish(() => reject(unknownRun(runId, store.url)));
          else if (end) finish(() => resolve(end));
          else if (again) {
            again = false;
            look();
          }
        },
        (error: unknown) => finish(() => reject(error)),
      );
    };
    look();
  });
}

/** What to do where it is not the history that does not fit. */
const OTHER_REFUSALS: Readonly<Record<string, string>> = {
  PAWL_UPGRADE_SUPERSEDED: 'Agree on the code that the run is to go on with, and ask once more if it is this one.',
  PAWL_RUN_FINISHED: 'Runs that begin now begin on the newest code by themselves.',
};

/** A run stays on its code: as a rule its history does not fit the one that it was to be moved to. */
export function upgradeRefused(runId: string, { code, message, details }: ParkedReason): PawlError {
  const { file, line, column } = (details?.place ?? {}) as Partial<Record<'file' | 'line' | 'column', unknown>>;
  const other = OTHER_REFUSALS[code];
  const why = other === undefined ? 'does not fit the code at hand' : 'was not moved to the code at hand';
  return new PawlError('PAWL_UPGRADE_REFUSED', `The run ${runId} ${why}. ${message}`, {
    place: file === undefined ? `run ${runId}` : `${file}:${line}:${column}`,
    remedy:
      other ??
      'Nothing was changed: it goes on with the code that it has. Make the code ask for what the log has, and try again.',
    details: { code, ...details },
  });
}

export function unknownRun(runId: string, place: string): PawlError {
  return new PawlError('PAWL_UNKNOWN_RUN', `There is no run ${runId}.`, {
    place,
    remedy: 'Check the id, and that the store is the one in which the run was started: `pawl runs` lists them.',
  });
}
