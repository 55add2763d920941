/** The step calls of one run: begins attempts, decides about retries, aborts what nobody waits for. */
import type { NewRunEvent } from '../store/events.ts';
import type { EventStore } from '../store/port.ts';
import { Attempt } from './attempt.ts';
import { backoff, suspicion } from './backoff.ts';
import type { FullClock } from './clock.ts';
import { crashesOf } from './due.ts';
import { type Gate, LAST_MOMENTS, type Place } from './gate.ts';
import { Heartbeat } from './heartbeat.ts';
import { deliverPayload } from './hook-delivery.ts';
import type { Lease } from './lease.ts';
import type { PendingStep, RunIdentity } from './live-run.ts';
import { Offering } from './offering.ts';
import type { WorkerCrashPoint, WorkerEvent } from './progress.ts';
import type { AttemptResult, StepRunner } from './step-runner.ts';
import { attemptOver, StepStreams } from './step-streams.ts';
import type { Writer } from './stream-writer.ts';
import { type TakenStepMessage, toldOf } from './taken-step.ts';
import { missedHeartbeat, timedOut } from './timeout.ts';

export interface CallHost {
  readonly store: EventStore;
  readonly clock: FullClock;
  readonly steps: StepRunner;
  readonly gate: Gate;
  /** Other workers that take steps on offer. */
  readonly takers: number;
  readonly lease: Pick<Lease, 'holds' | 'whenKnown'>;
  emit(event: WorkerEvent): void;
  /** True when a test stops the worker here. */
  crashes(point: WorkerCrashPoint): boolean;
}

/** What the calls have from their run. */
interface Caller {
  /** The number of the claim under which the run is owned. */
  fence(): number;
  /** On whose behalf a step writes to streams. */
  writer(cid: number): Writer;
  /** A step that the run still waits for. */
  step(cid: number): PendingStep | undefined;
  /** An attempt has ended. */
  ended(event: NewRunEvent): void;
  /** There may be messages that nobody has told of. */
  read(): void;
}

type Reason = 'first' | 'retry' | 'recovered';

export class StepCalls {
  readonly #host: CallHost;
  readonly #run: RunIdentity;
  readonly #caller: Caller;
  readonly #attempts = new Map<number, Attempt>();
  /** Attempts that wait for room. */
  readonly #tickets = new Map<number, symbol>();
  /** Attempts that begin later, with what gives them up. */
  readonly #delayed = new Map<number, () => void>();
  /** First attempts that others may make. */
  #offering: Offering | null = null;
  /** Steps of which other workers have told how their attempts ended. */
  readonly #told = new Set<number>();

  constructor(host: CallHost, run: RunIdentity, caller: Caller) {
    this.#host = host;
    this.#run = run;
    this.#caller = caller;
  }

  readonly #deliver = (token: string, payload: unknown): Promise<unknown> => {
    const { store, clock, steps } = this.#host;
    return deliverPayload({ store, codec: steps.codec, now: () => clock.now() }, token, payload);
  };

  /** Attempts that run, wait for room or begin later, here or elsewhere. */
  get size(): number {
    return this.#here + (this.#offering?.size ?? 0);
  }

  #pending(cid: number): boolean {
    return this.#caller.step(cid) !== undefined;
  }

  get #here(): number {
    return this.#attempts.size + this.#tickets.size + this.#delayed.size;
  }

  #offers(): Offering {
    const { step, fence, read } = this.#caller;
    const begin = (cid: number): void => {
      const pending = step(cid);
      if (pending) this.#enter(pending, 'first');
    };
    this.#offering ??= new Offering(this.#host, { runId: this.#run.id, fence, read, begin });
    return this.#offering;
  }

  /** Of the steps that are about to be scheduled, those that other workers may make. */
  offer(events: readonly NewRunEvent[]): number[] {
    if (this.#offering === null && this.#host.takers === 0) return [];
    return this.#offers().choose(events, this.#here, (cid) => this.#pending(cid));
  }

  /** Steps of a run that was taken up again which are on offer, or were taken. */
  resume(cids: readonly number[]): void {
    // A message may have come before the run was read, and what was read may be older.
    const open = cids.filter((cid) => !this.#told.has(cid));
    if (open.length > 0) this.#offers().resume(open);
  }

  /** Another worker tells how an attempt ended. */
  told(message: TakenStepMessage): void {
    const { cid } = message;
    this.#told.add(cid);
    this.#offering?.over(cid);
    const step = this.#caller.step(cid);
    const event = step && toldOf(message, step, this.#host.steps.codec);
    if (event) this.#host.emit(event);
  }

  /** Makes the attempt `step.attempt` as soon as there is room. */
  begin(step: PendingStep, reason: Reason): void {
    // Another worker took it and was done with it before we heard that it is on offer.
    if (reason === 'first' && this.#told.has(step.cid)) return;
    if (this.#offering?.has(step.cid)) {
      this.#offering.wait(step.cid);
      return;
    }
    const wait = reason === 'recovered' ? suspicion(crashesOf(step) - 1, `${this.#run.seed} ${step.cid}`) : 0;
    if (wait === 0) {
      this.#enter(step, reason);
      return;
    }
    const { clock } = this.#host;
    const cancel = clock.after(wait, () => {
      this.#delayed.delete(step.cid);
      if (this.#pending(step.cid)) this.#enter(step, reason);
    });
    this.#delayed.set(step.cid, cancel);
  }

  #enter(step: PendingStep, reason: Reason): void {
    const { gate, steps } = this.#host;
    const { concurrency } = steps.settings(step.stepId);
    const ticket = gate.enter(step.stepId, concurrency, (place) => {
      this.#tickets.delete(step.cid);
      this.#attempt(step, reason, place);
    });
    if (ticket !== null) this.#tickets.set(step.cid, ticket);
  }

  #attempt(step: PendingStep, reason: Reason, place: Place): void {
    const { clock, steps } = this.#host;
    const { cid, stepId } = step;
    if (!this.#pending(cid)) {
      place.leave();
      return;
    }
    if (!this.#host.lease.holds) {
      this.#host.lease.whenKnown(() => this.#attempt(step, reason, place));
      return;
    }
    const at = clock.now();
    const attempt = new Attempt(step, step.attempt, at, new Heartbeat(clock, steps.codec, step.heartbeat));
    attempt.begunAt = clock.steady();
    attempt.whenAborted = () => place.hurry(() => this.#ignored(attempt));
    this.#attempts.set(cid, attempt);
    if (this.#host.crashes('step-starting')) return;
    this.#host.emit({ type: 'step-started', runId: this.#run.id, cid, stepId, attempt: attempt.number, at, reason });

    const ended = (result: AttemptResult): void => {
      if (attempt.over) return;
      attempt.over = true;
      attempt.streams?.stop(attemptOver());
      attempt.cancelTimeout?.();
      attempt.heartbeat.stop();
      if (this.#attempts.get(cid) === attempt) this.#attempts.delete(cid);
      if (!this.#pending(cid) || this.#host.crashes('step-returned')) return;
      this.#conclude(attempt, result);
    };
    const { timeout, heartbeatTimeout } = steps.settings(stepId);
    const tooLate = ({ error, result }: ReturnType<typeof timedOut>): void => {
      attempt.abortWith(error);
      ended(result);
    };
    if (timeout !== null) attempt.cancelTimeout = clock.after(timeout, () => tooLate(timedOut(stepId, timeout)));
    if (heartbeatTimeout !== null)
      attempt.heartbeat.expect(heartbeatTimeout, () => tooLate(missedHeartbeat(stepId, heartbeatTimeout)));
    attempt.fail = (error) => {
      attempt.abortWith(error);
      // What threw where nobody could catch it has ended, whatever still waits for it.
      place.leave();
      ended(steps.failure(error));
    };
    const open = (): StepStreams => this.#streams(attempt);
    const context = attempt.context(this.#run, `pawl:${this.#run.id}`, this.#deliver, open);
    // What it wrote is durable before its result is.
    steps.run(stepId, step.data, context, (result) => {
      attempt.heartbeat.stop();
      const writing = attempt.over ? null : (attempt.streams?.finish(result.ok) ?? null);
      const done = (told: AttemptResult): void => {
        place.leave();
        ended(told);
      };
      if (writing === null) done(result);
      else
        writing.then(
          () => done(result),
          (error: unknown) => done(result.ok ? steps.failure(error) : result),
        );
    });
  }

  #ignored({ step: { cid, stepId }, number: attempt }: Attempt): void {
    const about = { runId: this.#run.id, cid, stepId, attempt };
    this.#host.emit({ type: 'step-ignores-abort', ...about, at: this.#host.clock.now(), afterMs: LAST_MOMENTS });
  }

  #streams({ step: { cid }, number: attempt }: Attempt): StepStreams {
    const { store, steps } = this.#host;
    const { id: runId } = this.#run;
    return new StepStreams(store, steps.codec, { runId, cid, attempt, writer: () => this.#caller.writer(cid) });
  }

  /** Makes an event of how an attempt ended. */
  #conclude({ step, number, startedAt, begunAt, heartbeat }: Attempt, result: AttemptResult): void {
    const { clock, steps } = this.#host;
    const { cid, stepId } = step;
    const at = clock.now();
    const runId = this.#run.id;
    const attempt = number;
    const durationMs = Math.round(clock.steady() - begunAt);
    // Most attempts begin when they are scheduled; then there is nothing to note.
    const meta = startedAt - step.scheduledAt > 1 ? { startedAt } : null;
    if (result.ok) {
      this.#host.emit({ type: 'step-completed', runId, cid, stepId, attempt, at, durationMs });
      this.#caller.ended({ type: 'step_completed', at, cid, attempt: number, data: result.data, meta });
      return;
    }
    const failures = step.failures + 1;
    const settings = steps.settings(stepId);
    if (result.fatal || failures > settings.maxRetries) {
      const error = result.message;
      this.#host.emit({ type: 'step-failed', runId, cid, stepId, attempt, at, durationMs, error });
      this.#caller.ended({ type: 'step_failed', at, cid, attempt: number, data: result.error, meta });
      return;
    }
    const retryAt = at + backoff(failures, settings, result.wait, `${this.#run.seed} ${cid}`);
    const error = result.message;
    this.#host.emit({ type: 'step-retrying', runId, cid, stepId, attempt, at, durationMs, error, retryAt });
    const data = result.error;
    const last = heartbeat.details === null ? {} : { heartbeat: heartbeat.details };
    const failed = { retryAt, startedAt, ...last };
    this.#caller.ended({ type: 'step_attempt_failed', at, cid, attempt: number, data, meta: failed });
  }

  /** Aborts attempts that nobody waits for any more. */
  abandon(): void {
    for (const [cid, attempt] of this.#attempts) {
      if (this.#pending(cid)) continue;
      this.#attempts.delete(cid);
      attempt.abort('The run waits for this step no more');
    }
    for (const [cid, ticket] of this.#tickets) {
      if (this.#pending(cid)) continue;
      this.#tickets.delete(cid);
      this.#host.gate.cancel(ticket);
    }
    for (const [cid, cancel] of this.#delayed) {
      if (this.#pending(cid)) continue;
      this.#delayed.delete(cid);
      cancel();
    }
    this.#offering?.keep((cid) => this.#pending(cid));
  }

  /** The run is dropped. */
  leave(why: string): void {
    for (const attempt of this.#attempts.values()) attempt.abort(why);
    for (const ticket of this.#tickets.values()) this.#host.gate.cancel(ticket);
    this.#tickets.clear();
    for (const cancel of this.#delayed.values()) cancel();
    this.#delayed.clear();
    this.#offering?.leave();
  }
}
