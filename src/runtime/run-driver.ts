/**
 * Drives one run: takes causes (results, timers, messages), has the workflow code react, appends what came of it, and does what the
 * appended events ask for. One append per reaction; the next one may be handed in before the first is durable.
 *
 * Workflow code runs in turns of the job queue; everything here is driven by callbacks, and nothing awaits: a terminated turn
 * must leave no promise that never settles.
 */
import type { NewRunEvent, RunEvent } from '../store/events.ts';
import type { AppendResult, InboxMessage, ParkedReason, RunRecord } from '../store/port.ts';
import { announce } from './announce.ts';
import { ENDINGS, endEvent, recordedError } from './endings.ts';
import {
  type Beginning,
  type Cause,
  causeOf,
  type DriverHost,
  isCancelled,
  isPromise,
  isTimeout,
  lateEvents,
  type Phase,
  type Turn,
} from './driving.ts';
import { dueEvents, endingOf, isDueInVain, missingOf, nextDue, nextWakeAt, recoverAttempts } from './due.ts';
import { addJob, type Job } from './job-queue.ts';
import { type Divergence, LiveRun, type Outcome, type RunIdentity } from './live-run.ts';
import { broken, crashedTooOften, divergence, missingSteps, refused, tooSlow } from './parking.ts';
import { REFUSAL } from './protocol.ts';
import { cancelParked, firstEvents, spokenFor } from './resuming.ts';
import { placeOfDivergence } from './replay.ts';
import { RunTimer } from './run-timer.ts';
import type { ConsoleLine } from './sandbox.ts';
import { StepCalls } from './step-calls.ts';
import { Unsure } from './unsure.ts';

export class RunDriver implements Job {
  readonly identity: RunIdentity;
  readonly limit: number;
  readonly #host: DriverHost;
  #beginning: Beginning | null;
  #bundleHash: string;
  #phase: Phase = 'beginning';
  #live: LiveRun | null = null;
  #ownRealm = false;
  #fence: number;
  #seq: number;
  #wakeAt: number | null;
  #causes: Cause[] = [];
  #scheduled = false;
  /** An append whose answer decides what happens next. */
  #held = false;
  #inFlight = 0;
  readonly #unsure: Unsure;
  /** What the turn that runs at the moment has made so far. */
  #turn: Turn | null = null;
  #ending: (Turn & { outcome: Outcome | null }) | null = null;
  #conflict: (Turn & { token: string; owner: string }) | null = null;
  readonly #calls: StepCalls;
  readonly #timer: RunTimer;
  #newestMessage = 0;

  constructor(host: DriverHost, identity: RunIdentity, bundleHash: string, beginning: Beginning) {
    this.#host = host;
    this.identity = identity;
    this.limit = host.activationTimeout;
    this.#bundleHash = bundleHash;
    this.#beginning = beginning;
    this.#unsure = new Unsure(beginning.kind === 'claimed' ? beginning.carried : []);
    this.#calls = new StepCalls(host, identity, {
      fence: () => this.#fence,
      writer: (cid) => ({ runId: this.id, fence: this.#fence, by: `${this.id} ${cid}` }),
      step: (cid) => (this.#phase === 'gone' ? undefined : this.#live?.steps.get(cid)),
      ended: (event) => this.#push({ events: [this.#unsure.note(event)] }),
      read: () => host.read(this.id),
    });
    this.#timer = new RunTimer(host.clock, () => this.#due());
    const made = { fence: 1, lastSeq: 1, wakeAt: identity.createdAt };
    const { fence, lastSeq, wakeAt } = beginning.kind === 'claimed' ? beginning.record : made;
    this.#fence = fence;
    this.#seq = lastSeq;
    this.#wakeAt = wakeAt;
    this.#schedule();
  }

  get id(): string {
    return this.identity.id;
  }
  get fence(): number {
    return this.#fence;
  }

  /** Whether nothing runs and nothing is under way: the run could be read again from its log. */
  get idle(): boolean {
    return (
      this.#phase === 'live' &&
      !this.#scheduled &&
      !this.#held &&
      this.#inFlight === 0 &&
      this.#causes.length === 0 &&
      this.#calls.size === 0
    );
  }

  get standing(): LiveRun | null {
    return this.#phase === 'live' ? this.#live : null;
  }

  // ------------------------------------------------------------- causes

  /** Messages for the run, in order; those that it knows already are left out. */
  receive(messages: readonly InboxMessage[]): void {
    for (const message of messages) {
      if (message.id <= this.#newestMessage) continue;
      this.#newestMessage = message.id;
      if (message.kind === 'step') this.#calls.told(message);
      this.#push(causeOf(message));
    }
  }

  #push(cause: Cause): void {
    if (this.#phase === 'gone') return;
    this.#causes.push(cause);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled || this.#held || this.#phase === 'gone') return;
    this.#scheduled = true;
    addJob(this);
  }

  // --------------------------------------------------------------- turns

  run(): void {
    this.#scheduled = false;
    try {
      switch (this.#phase) {
        case 'beginning':
          this.#begin();
          return;
        case 'live':
          this.#react();
          return;
        case 'ending':
          this.#end();
          return;
        case 'conflicted':
          this.#resolveConflict();
          return;
        // In the others it has nothing to do.
      }
    } catch (error) {
      if (isTimeout(error)) this.terminated();
      else this.#giveUp([], [], broken(error));
    }
  }

  last(): void {
    this.#host.store.flush?.();
  }

  terminated(): void {
    this.#scheduled = false;
    if (this.#phase === 'gone') return;
    if (this.#live) this.#live.realm.broken = true;
    const { events, consume } = this.#turn ?? this.#ending ?? { events: [], consume: [] };
    this.#giveUp(events, consume, tooSlow(this.limit));
  }

  /** Parks the run; but a cancellation that nobody has read would keep it due for ever. */
  #giveUp(events: NewRunEvent[], consume: number[], reason: ParkedReason): void {
    const { record, inbox = [] } = this.#beginning?.kind === 'claimed' ? this.#beginning : {};
    if (record && isCancelled(inbox)) this.#cancelParked(record, inbox);
    else this.#park(events, consume, reason);
  }

  #begin(): void {
    const beginning = this.#beginning;
    if (beginning === null) return;
    this.#turn = { events: [], consume: [] };
    const { realm, bundle } = this.#host.realm(this.#bundleHash, this.#ownRealm);
    const live = new LiveRun(this.identity, realm, bundle, this.limit);
    this.#live = live;
    if (beginning.kind === 'new') {
      const events = live.start();
      if (live.refusal) this.#refuse(live);
      else this.#settle(events, []);
    } else {
      this.#resume(live, beginning);
    }
  }

  /** The bundle could not begin the run. One that changes intrinsics gets a realm of its own. */
  #refuse(live: LiveRun): void {
    const refusal = live.refusal;
    if (refusal === null) return;
    if (refusal.reason === REFUSAL.frozen && !this.#ownRealm) {
      this.#ownRealm = true;
      this.#schedule();
      return;
    }
    const data = refusal.data === null ? null : recordedError(refusal.data);
    if (refusal.reason !== REFUSAL.unknownWorkflow && this.#beginning?.kind === 'new' && data) {
      this.#commitEnd([], [], { status: 'failed', data: data.data });
    } else {
      this.#park([], [], refused(refusal, this.identity.workflowId, data?.text ?? ''));
    }
  }

  #resume(live: LiveRun, beginning: Extract<Beginning, { kind: 'claimed' }>): void {
    const { record, log, inbox, offers } = beginning;
    const cancel = isCancelled(inbox);
    const replayed = live.replay(log);
    if (live.refusal || replayed.divergence) {
      if (live.refusal?.reason === REFUSAL.frozen && !this.#ownRealm) this.#refuse(live);
      else if (cancel) this.#cancelParked(record, inbox);
      else if (live.refusal) this.#refuse(live);
      else if (replayed.divergence) this.#parkDiverged(replayed.divergence, log);
      return;
    }
    const { id: runId, workflowId } = this.identity;
    const at = Math.max(this.#host.clock.now(), live.now);
    this.#host.emit({ type: 'run-resumed', runId, workflowId, at, events: log.length });
    const events = [...firstEvents(record, this.#bundleHash, at), ...replayed.asked];
    const fresh = new Set(replayed.asked.flatMap((event) => (typeof event.cid === 'number' ? [event.cid] : [])));
    const unrecorded = this.#unsure.keep(live.steps);
    const known = spokenFor(fresh, unrecorded, inbox, offers);
    if (!live.outcome && !cancel) {
      const recovered = recoverAttempts(live, at, known, record.status === 'parked');
      if (recovered.crashed) {
        this.#park([], [], crashedTooOften(recovered.crashed.step, recovered.crashed.times));
        return;
      }
      events.push(...recovered.events);
    }
    this.#settle(events, [], () => {
      this.#beginning = null;
      if (unrecorded.length > 0) this.#push({ events: unrecorded });
      this.#calls.resume(offers);
      this.receive(inbox);
      if (this.#phase !== 'live') return;
      if (!cancel) this.#startUnbegun(live, known);
      for (const [cid, { runId, refused }] of live.children) {
        if (fresh.has(cid)) continue;
        if (refused === null) this.#host.wanted(runId);
        else this.#refuseChild(cid, refused);
      }
      this.#arm();
      // Messages may have come in before the run was read.
      if (this.#causes.length > 0) this.#schedule();
      if (this.idle) this.#host.idle();
    });
  }

  /** There will be no run of which to hear: its caller is told by ourselves. */
  #refuseChild(cid: number, data: string): void {
    const at = Math.max(this.#host.clock.now(), this.#live?.now ?? 0);
    this.#push({ events: [{ type: 'child_failed', at, cid, data }] });
  }

  /** Steps of a run that was parked before they began. */
  #startUnbegun(live: LiveRun, known: (cid: number) => boolean): void {
    const unbegun = [...live.steps.values()].filter((step) => step.attempt === 0 && !known(step.cid));
    const missing = unbegun.filter((step) => !this.#host.steps.has(step.stepId));
    if (missing.length > 0) {
      this.#park([], [], missingSteps(missing));
      return;
    }
    for (const step of unbegun) {
      step.attempt = 1;
      this.#calls.begin(step, 'first');
    }
  }

  #cancelParked(record: RunRecord, inbox: readonly InboxMessage[]): void {
    const { events, consume, outcome } = cancelParked(record, this.#bundleHash, inbox, this.#host.clock.now());
    this.#commitEnd(events, consume, outcome);
  }

  #parkDiverged(found: Divergence, log: readonly RunEvent[]): void {
    const place = placeOfDivergence(this.#host.realm(this.#bundleHash, this.#ownRealm), this.identity, this.limit, log);
    this.#park([], [], divergence(found, place));
  }

  /** Tells the code what has come in since the last turn. */
  #react(): void {
    const live = this.#live as LiveRun;
    const causes = this.#causes;
    if (causes.length === 0) return;
    this.#causes = [];
    const turn: Turn = { events: [], consume: [] };
    this.#turn = turn;
    const all: NewRunEvent[] = [];
    for (const { events, consume } of causes) {
      all.push(...events);
      if (consume !== undefined) turn.consume.push(consume);
    }
    live.deliver(all, turn.events);
    this.#settle(turn.events, turn.consume);
  }

  /**
   * A turn is over: append what it made, or look at how the run ends. Inputs of children are checked first, which may take a while.
   *
   * @param next What follows.
   */
  #settle(events: NewRunEvent[], consume: number[], next?: () => void): void {
    this.#turn = null;
    const admitted = this.#host.admit(events);
    if (admitted === null) {
      this.#conclude(events, consume);
      next?.();
      return;
    }
    this.#phase = 'admitting';
    this.#held = true;
    void admitted.then((checked) => {
      if (this.#phase === 'gone') return;
      this.#held = false;
      for (const event of checked) if (event.type === 'child_refused') this.#live?.refuse(event.cid, event.data);
      this.#conclude(checked, consume);
      next?.();
    });
  }

  #conclude(events: NewRunEvent[], consume: number[]): void {
    const live = this.#live as LiveRun;
    if (live.outcome || live.stuck) {
      this.#phase = 'ending';
      this.#ending = { events, consume, outcome: live.outcome };
      // Once more, in a later turn: then it is known which rejections were never handled.
      this.#schedule();
      return;
    }
    this.#phase = 'live';
    const missing = missingOf(events, live, (id) => this.#host.steps.has(id));
    if (missing.length > 0) this.#park(events, consume, missingSteps(missing));
    else if (events.length + consume.length > 0 || isDueInVain(live, this.#wakeAt, this.#host.clock.now()))
      this.#commit(events, consume);
    else this.#arm();
  }

  #end(): void {
    const ending = this.#ending;
    if (ending === null) return;
    const { events, consume, outcome } = ending;
    const live = this.#live as LiveRun;
    const rejection = live.unhandled();
    const end = endingOf(outcome, rejection);
    this.#ending = null;
    const checked = this.#host.finish(this.identity.workflowId, end);
    if (!isPromise(checked)) {
      this.#commitEnd(events, consume, checked);
      return;
    }
    void checked.then((result) => this.#commitEnd(events, consume, result));
  }

  /** A token belongs to another run: the code is told, and the append done again. */
  #resolveConflict(): void {
    const conflict = this.#conflict;
    if (conflict === null) return;
    const { events, consume, token, owner } = conflict;
    this.#conflict = null;
    this.#turn = { events, consume };
    this.#settle((this.#live as LiveRun).conflict(events, token, owner), consume);
  }

  // -------------------------------------------------------------- appends

  #commitEnd(events: NewRunEvent[], consume: number[], outcome: Outcome): void {
    if (this.#phase === 'gone') return;
    this.#phase = 'ending';
    const at = Math.max(this.#host.clock.now(), this.#live?.now ?? 0);
    this.#commit([...events, endEvent(outcome, at)], consume, (result) => {
      if (result.ok) {
        this.#drop(null, 'The run has ended');
        this.#host.finished(this, outcome, at);
        return true;
      }
      if (result.reason !== 'unread') return false;
      this.#seq -= events.length + 1;
      // What was acknowledged stands in the log, even when nobody reads it any more.
      const late = result.messages.flatMap(lateEvents);
      const taken = result.messages.map(({ id }) => id);
      this.#commitEnd([...events, ...late], [...consume, ...taken], outcome);
      return true;
    });
  }

  #park(events: NewRunEvent[], consume: number[], reason: ParkedReason): void {
    if (this.#phase === 'gone') return;
    const at = Math.max(this.#host.clock.now(), this.#live?.now ?? 0);
    const parked: NewRunEvent = { type: 'run_parked', at, meta: reason };
    // Whatever still comes in finds the run again when it goes on.
    this.#phase = 'ending';
    this.#turn = null;
    this.#ending = null;
    this.#commit([...events, parked], consume, (result) => {
      if (!result.ok) return false;
      this.#drop(null, 'The run was parked');
      const { id: runId, workflowId } = this.identity;
      this.#host.emit({ type: 'run-parked', runId, workflowId, code: reason.code, message: reason.message, at });
      return true;
    });
  }

  /** @param decide Sees the answer first; true when it has dealt with it. */
  #commit(events: NewRunEvent[], consume: number[], decide?: (result: AppendResult) => boolean): void {
    if (this.#host.crashes('activated')) return;
    const lines = this.#live?.lines ?? [];
    if (this.#live && lines.length > 0) this.#live.lines = [];
    const before = this.#wakeAt;
    const wakeAt = nextWakeAt(this.#live, before, this.#host.clock.now());
    this.#inFlight++;
    if (events.some((event) => event.type === 'hook_created')) this.#held = true;

    const answered = (result: AppendResult, stored = before): void => {
      this.#inFlight--;
      if (this.#phase === 'gone' || this.#host.crashes('committed')) return;
      if (result.ok) this.#committed(events, lines);
      else this.#wakeAt = stored;
      if (decide?.(result)) return;
      if (!result.ok) this.#refused(result, events, consume, lines);
    };
    const failed = (error: unknown): void => {
      this.#inFlight--;
      if (this.#phase !== 'gone') this.#fail(error);
    };
    if (this.#beginning?.kind === 'new') {
      this.#create(this.#beginning, events, wakeAt, answered, failed);
      return;
    }
    this.#beginning = null;
    const afterSeq = this.#seq;
    this.#seq += events.length;
    const offers = this.#phase === 'live' ? this.#calls.offer(events) : [];
    const request = { runId: this.id, fence: this.#fence, afterSeq, events, consume, offers };
    this.#wakeAt = wakeAt;
    this.#host.store.append(wakeAt !== before ? { ...request, wakeAt } : request).then(answered, failed);
  }

  /** The first append of a new run makes the run. */
  #create(
    beginning: Extract<Beginning, { kind: 'new' }>,
    events: NewRunEvent[],
    wakeAt: number | null,
    answered: (result: AppendResult, stored?: number | null) => void,
    failed: (error: unknown) => void,
  ): void {
    const { id, workflowId, seed, input, createdAt: at } = this.identity;
    this.#beginning = null;
    this.#held = true;
    this.#seq += events.length;
    const { owner, store } = this.#host;
    // A token may be taken: only an append can be answered so.
    const separate = events.some((event) => event.type === 'hook_created');
    const stored = separate ? (wakeAt ?? at) : wakeAt;
    this.#wakeAt = stored;
    const offers = this.#phase === 'live' ? this.#calls.offer(events) : [];
    const request = { id, workflowId, seed, bundleHash: this.#bundleHash, input, at, owner, wakeAt: stored };
    store.createRun({ ...request, ...(separate ? {} : { events, offers }) }).then(
      ({ created, run }) => {
        if (!created) {
          this.#inFlight--;
          this.#drop(null, 'The run exists already');
          beginning.created(run);
          return;
        }
        this.#held = false;
        this.#fence = run.fence;
        this.#host.emit({ type: 'run-started', runId: id, workflowId, at });
        beginning.created('created');
        if (separate) {
          this.#held = true;
          const request = { runId: id, fence: run.fence, afterSeq: run.lastSeq, events, wakeAt, offers };
          store.append(request).then((result) => answered(result, stored), failed);
          return;
        }
        answered({ ok: true, lastSeq: run.lastSeq });
        if (this.#causes.length > 0) this.#schedule();
      },
      (error: unknown) => {
        beginning.failed(error);
        failed(error);
      },
    );
  }

  /** What is durable now takes effect. */
  #committed(events: readonly NewRunEvent[], lines: readonly ConsoleLine[]): void {
    const ends = this.#phase === 'ending';
    announce(this.id, events, lines, (event) => this.#host.emit(event));
    let waits = false;
    for (const event of events) {
      switch (event.type) {
        case 'step_scheduled': {
          const step = ends ? undefined : this.#live?.steps.get(event.cid);
          if (step) this.#calls.begin(step, 'first');
          break;
        }
        case 'step_started': {
          const step = ends ? undefined : this.#live?.steps.get(event.cid);
          if (step) this.#calls.begin(step, event.meta.reason);
          // Its timer has gone off; another step's retry may be the next one due.
          waits = true;
          break;
        }
        case 'step_completed':
        case 'step_failed':
        case 'step_attempt_failed':
          this.#unsure.forget(event.cid);
          waits ||= event.type === 'step_attempt_failed';
          break;
        case 'sleep_scheduled':
        case 'sleep_completed':
          waits = true;
          break;
        case 'hook_created':
          this.#held = false;
          break;
        case 'child_scheduled':
          this.#host.wanted(event.meta.runId);
          break;
        case 'child_refused':
          if (!ends) this.#refuseChild(event.cid, event.data);
          break;
        case 'cancel_requested':
          this.#calls.abandon();
          break;
      }
    }
    if (waits || this.#timer.isSet) this.#arm();
    if (this.#causes.length > 0) this.#schedule();
    if (this.idle) this.#host.idle();
  }

  #refused(
    result: Extract<AppendResult, { ok: false }>,
    events: NewRunEvent[],
    consume: number[],
    lines: ConsoleLine[],
  ): void {
    if (result.reason === 'hook-conflict') {
      this.#seq -= events.length;
      this.#live?.lines.unshift(...lines);
      this.#phase = 'conflicted';
      this.#held = false;
      // How the turn ended is found anew.
      const asked = events.filter(({ type }) => !ENDINGS.test(type));
      this.#conflict = { events: asked, consume, token: result.token, owner: result.ownerRunId };
      this.#schedule();
      return;
    }
    // Another owner has the run, or it has ended: nothing of it is ours. Else our picture of the log is wrong: read it again.
    const lost = result.reason === 'fenced' || result.reason === 'finished' || result.reason === 'unknown-run';
    this.#drop(lost ? null : this.#unsure.results, 'Another worker has taken over the run');
  }

  /** The store, or we, failed: whether the append took place is not known. */
  #fail(error: unknown): void {
    this.#host.emit({ type: 'store-failed', runId: this.id, error });
    this.#drop(this.#unsure.results, 'The run is read again');
  }

  // --------------------------------------------------------------- timers

  /** Sets the timer to what comes due first. */
  #arm(): void {
    if (this.#live === null || this.#phase === 'gone') return;
    this.#timer.set(nextDue(this.#live), this.#causes.length > 0);
  }

  #due(): void {
    const live = this.#live;
    if (live === null || this.#phase === 'gone') return;
    const at = this.#host.clock.now();
    for (const event of dueEvents(live, at)) this.#push({ events: [event] });
    // Nothing due: the clock went back.
    if (this.#causes.length === 0) this.#arm();
  }

  // ----------------------------------------------------------------- ends

  /** Drops the run from memory. */
  #drop(again: readonly NewRunEvent[] | null, why: string): void {
    if (this.#phase === 'gone') return;
    this.leave(why);
    this.#host.dropped(this, again);
  }

  /** As a crash would: nothing is written any more. Running attempts are told by their signals. */
  leave(why: string): void {
    this.#phase = 'gone';
    this.#timer.stop();
    this.#calls.leave(why);
    this.#causes = [];
    this.#live = null;
  }
}
