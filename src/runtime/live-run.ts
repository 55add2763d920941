/**
 * A run in memory: workflow code, and what it waits for. Pure and synchronous: events go in, events come out. It does not know
 * stores, timers or steps; `RunDriver` does.
 *
 * Live and replay are one: an event that causes something is delivered, and what the code then asks for becomes events. On replay
 * those are compared with the recorded ones. So the log is always a sequence of a cause and what it brought about, and the order of
 * deliveries is the order of the log.
 */
import type { NewRunEvent, RunEvent } from '../store/events.ts';
import { childOf } from './children.ts';
import { COMMAND, DELIVERY, type DeliveryKind, REFUSAL } from './protocol.ts';
import { recordedBaseUrl } from './base-url.ts';
import type { Command, ConsoleLine, Delivery, Realm, RealmBundle, RealmRun } from './sandbox.ts';

/** A step that was asked for and has no result yet. */
export interface PendingStep {
  cid: number;
  stepId: string;
  /** Serialized input. */
  data: string | null;
  scheduledAt: number;
  /** The newest attempt that began, or may have begun before a crash; 0 when none has. */
  attempt: number;
  /** Attempts that ended in an error. */
  failures: number;
  /** Attempts that the process did not survive before the run was last unparked. */
  pardoned: number;
  /** Details of the last heartbeat of the attempts that failed, serialized. */
  heartbeat: string | null;
  /** When the next attempt is due, after a failed one. */
  retryAt: number | null;
}

/** A run that this one waits for. */
export interface PendingChild {
  runId: string;
  /** Why there is no such run: the serialized error that its caller gets. */
  refused: string | null;
}

/** How the workflow function ended. */
export type Outcome =
  | { status: 'completed'; data: string | null }
  | { status: 'failed'; data: string }
  | { status: 'cancelled'; data: string | null };

/** The bundle could not begin the run. */
export interface Refusal {
  reason: string;
  /** Serialized error, or null. */
  data: string | null;
}

/** On replay the code asked for something else than the log says. */
export interface Divergence {
  /** `seq` of the event where they part. */
  seq: number;
  recorded: string | null;
  requested: string | null;
  /** Where the code asked, if it was traced. */
  stack: string | null;
}

export interface RunIdentity {
  id: string;
  workflowId: string;
  seed: string;
  createdAt: number;
  input: string | null;
  /** Where its webhooks are reached, as its worker knows it. */
  baseUrl?: string;
}

/** Causes, as far as they concern workflow code. */
const DELIVERIES: Partial<Record<RunEvent['type'], DeliveryKind>> = {
  step_completed: DELIVERY.stepResult,
  step_failed: DELIVERY.stepError,
  sleep_completed: DELIVERY.sleepOver,
  hook_received: DELIVERY.hookPayload,
  hook_conflicted: DELIVERY.hookConflict,
  child_completed: DELIVERY.stepResult,
  child_failed: DELIVERY.stepError,
  cancel_requested: DELIVERY.cancel,
};

export class LiveRun {
  readonly identity: RunIdentity;
  readonly steps = new Map<number, PendingStep>();
  /** Ends of sleeps by number. */
  readonly sleeps = new Map<number, number>();
  readonly hooks = new Map<number, string>();
  readonly children = new Map<number, PendingChild>();
  outcome: Outcome | null = null;
  refusal: Refusal | null = null;
  /** Nothing is pending that could make the code go on. */
  stuck = false;
  /** Time of the newest event. */
  now: number;
  /** Lines that code has printed since they were taken last. */
  lines: ConsoleLine[] = [];
  readonly #realm: Realm;
  readonly #bundle: RealmBundle;
  readonly #handle: RealmRun;
  readonly #limit: number;

  /** @param limit Longest time of one delivery, ms. */
  constructor(identity: RunIdentity, realm: Realm, bundle: RealmBundle, limit: number) {
    this.identity = identity;
    this.now = identity.createdAt;
    this.#realm = realm;
    this.#bundle = bundle;
    this.#limit = limit;
    this.#handle = realm.create(identity.id, identity.workflowId, identity.seed, identity.createdAt);
    if (identity.baseUrl) realm.setBaseUrl(this.#handle, identity.baseUrl);
  }

  get realm(): Realm {
    return this.#realm;
  }

  /**
   * A token that the code wanted for a hook belongs to another run.
   *
   * @param events What was to be appended, with the `hook_created` of that token.
   * @returns What to append instead.
   */
  conflict(events: readonly NewRunEvent[], token: string, ownerRunId: string): NewRunEvent[] {
    const index = events.findIndex((event) => event.type === 'hook_created' && event.name === token);
    const created = events[index];
    if (created?.type !== 'hook_created') return [...events];
    const { at, cid, name } = created;
    const conflicted: NewRunEvent = { type: 'hook_conflicted', at, cid, name, meta: { runId: ownerRunId } };
    const result = [...events];
    result[index] = conflicted;
    this.#enter((delivery) => {
      this.#apply(delivery, conflicted);
      this.#collect(delivery, result);
    });
    return result;
  }

  /** Calls the workflow function. Returns the events of what it asked for. */
  start(): NewRunEvent[] {
    const events: NewRunEvent[] = [];
    this.#enter((delivery) => {
      delivery.start(this.#bundle, this.identity.input, false);
      this.#collect(delivery, events);
    });
    return events;
  }

  /**
   * Delivers causes, in order.
   *
   * @param events Gets each cause that still matters, followed by the events of what the code asked for thereupon. When the delivery
   *   is terminated, it ends with the cause that the code did not survive.
   */
  deliver(causes: readonly NewRunEvent[], events: NewRunEvent[]): void {
    this.#enter((delivery) => {
      for (const cause of causes) {
        if (!this.#concerns(cause)) continue;
        if (cause.at < this.now) cause.at = this.now;
        events.push(cause);
        this.#apply(delivery, cause);
        this.#collect(delivery, events);
      }
    });
  }

  /**
   * Whether somebody still waits for what a cause tells. A result that comes after the run ended, or after its command was
   * cancelled, is dropped.
   */
  #concerns(cause: NewRunEvent): boolean {
    switch (cause.type) {
      case 'step_completed':
      case 'step_failed':
        return this.outcome === null && this.steps.has(cause.cid);
      case 'step_attempt_failed':
        return this.outcome === null && this.steps.get(cause.cid)?.retryAt === null;
      case 'step_started': {
        // A retry, once; or the attempt after one whose taker died.
        const step = this.steps.get(cause.cid);
        if (step === undefined || this.outcome !== null) return false;
        return step.retryAt !== null || (cause.meta.reason === 'recovered' && cause.attempt === step.attempt + 1);
      }
      case 'sleep_completed':
        return this.outcome === null && this.sleeps.has(cause.cid);
      default:
        return true;
    }
  }

  /**
   * Rebuilds the run from its log.
   *
   * @param traced Notes where each command was asked for; slower.
   * @returns The first divergence, or null; and, when the log ends before the code was heard for the first time, what it asked for.
   */
  replay(log: readonly RunEvent[], traced = false): { divergence: Divergence | null; asked: NewRunEvent[] } {
    let divergence: Divergence | null = null;
    const open: Command[] = [];
    /** Since the newest cause, nothing that the code asked for was recorded, and that is no wonder. */
    let unheard = false;
    const baseUrl = recordedBaseUrl(log);
    if (baseUrl !== null) this.#realm.setBaseUrl(this.#handle, baseUrl);
    this.#enter((delivery) => {
      for (const event of log) {
        if (this.refusal) return;
        if (event.type === 'run_created') {
          delivery.start(this.#bundle, admittedInput(log) ?? this.identity.input, traced);
          unheard = true;
        } else {
          const recorded = event.type in COMMANDS_OF_EVENTS;
          if (recorded) divergence = this.#meet(event, open);
          else if (event.type in DELIVERIES && open.length > 0) divergence = unrecorded(event.seq, open[0] as Command);
          // A second result, or one of nothing: no pawl writes such a log.
          else if (isResult(event) && !this.#concerns(event)) divergence = diverged(event, undefined);
          if (divergence) return;
          if (event.type === 'run_parked') unheard = true;
          else if (recorded || event.type in DELIVERIES) unheard = false;
          this.#apply(delivery, event);
        }
        for (let command = delivery.take(); command !== undefined; command = delivery.take()) this.#note(command, open);
      }
      this.#takeLines(delivery);
      if (open.length === 0) this.#look(delivery);
    });
    if (!divergence && !unheard) {
      const ended = isEnded(log);
      const next = (log.at(-1)?.seq ?? 0) + (ended ? 0 : 1);
      const [first] = open;
      if (first !== undefined)
        divergence = { ...unrecorded(next, first), ...(ended && { recorded: 'the end of the run' }) };
      else if (this.outcome && !ended)
        divergence = { seq: next, recorded: null, requested: 'the end of the run', stack: null };
    }
    // What a replay prints was printed before.
    this.lines = [];
    const asked: NewRunEvent[] = [];
    if (!divergence) for (const command of open) asked.push(this.#record(command));
    return { divergence, asked };
  }

  /** Compares a recorded command with the one that the code asked for, which is then pending. */
  #meet(event: RunEvent, open: Command[]): Divergence | null {
    const command = open.shift();
    if (command === undefined || !matches(command, event)) return diverged(event, command);
    this.#record(command);
    return null;
  }

  /** A command on replay: endings take effect, the others wait to be met in the log. */
  #note(command: Command, open: Command[]): void {
    if (!this.#end(command)) open.push(command);
  }

  #enter(work: (delivery: Delivery) => void): void {
    this.#realm.enter(this.#handle, this.#limit, work);
  }

  /** Tells the code, and forgets what is no longer pending. */
  #apply(delivery: Delivery, event: NewRunEvent | RunEvent): void {
    this.now = Math.max(this.now, event.at);
    this.#project(event);
    const kind = DELIVERIES[event.type];
    if (kind === undefined || this.outcome !== null) return;
    const { cid, data } = deliveryOf(event);
    delivery.deliver(kind, cid, data, this.now);
  }

  /** What an event means for what is pending. */
  #project(event: NewRunEvent | RunEvent): void {
    switch (event.type) {
      case 'step_started': {
        const step = this.steps.get(event.cid);
        if (step) {
          step.attempt = event.attempt;
          step.retryAt = null;
        }
        return;
      }
      case 'step_attempt_failed': {
        const step = this.steps.get(event.cid);
        if (step) {
          step.attempt = event.attempt;
          step.failures += 1;
          step.retryAt = event.meta.retryAt;
          step.heartbeat = event.meta.heartbeat ?? step.heartbeat;
        }
        return;
      }
      case 'step_completed':
      case 'step_failed':
        this.steps.delete(event.cid);
        return;
      case 'sleep_completed':
        this.sleeps.delete(event.cid);
        return;
      case 'hook_conflicted':
        this.hooks.delete(event.cid);
        return;
      case 'child_scheduled':
        this.children.set(event.cid, { runId: event.meta.runId, refused: null });
        return;
      case 'child_refused':
        this.refuse(event.cid, event.data);
        return;
      case 'child_completed':
      case 'child_failed':
        this.children.delete(event.cid);
        return;
      case 'cancel_requested':
        this.steps.clear();
        this.sleeps.clear();
        this.children.clear();
        return;
      case 'run_unparked':
        for (const step of this.steps.values()) step.pardoned = step.attempt - step.failures;
        return;
      case 'run_parked': {
        const never = event.meta.details?.neverBegan;
        if (Array.isArray(never)) {
          for (const cid of never) {
            const step = this.steps.get(Number(cid));
            if (step) step.attempt -= 1;
          }
        }
      }
    }
  }

  /** Makes nothing of a run that was asked for. */
  refuse(cid: number, error: string): void {
    const child = this.children.get(cid);
    if (child) child.refused = error;
  }

  #collect(delivery: Delivery, events: NewRunEvent[]): void {
    for (let command = delivery.take(); command !== undefined; command = delivery.take()) {
      if (!this.#end(command)) events.push(this.#record(command));
    }
    this.#takeLines(delivery);
    this.#look(delivery);
  }

  #look(delivery: Delivery): void {
    this.stuck =
      this.steps.size === 0 &&
      this.sleeps.size === 0 &&
      this.children.size === 0 &&
      this.outcome === null &&
      this.refusal === null &&
      !(this.hooks.size > 0 && delivery.awaitsHook());
  }

  #takeLines(delivery: Delivery): void {
    for (let line = delivery.takeLine(); line !== undefined; line = delivery.takeLine()) this.lines.push(line);
  }

  /** Commands that end the run, or say that it cannot begin. */
  #end(command: Command): boolean {
    switch (command.kind) {
      case COMMAND.complete:
        this.outcome = { status: 'completed', data: command.data };
        return true;
      case COMMAND.fail:
        this.outcome = { status: 'failed', data: command.data ?? '' };
        return true;
      case COMMAND.cancelled:
        this.outcome = { status: 'cancelled', data: command.data };
        return true;
      case COMMAND.refuse:
        this.refusal = { reason: command.name ?? REFUSAL.evaluation, data: command.data };
        return true;
      default:
        return false;
    }
  }

  /** Makes a command pending, and its event. */
  #record({ kind, cid, name, data, until }: Command): NewRunEvent {
    const at = this.now;
    switch (kind) {
      case COMMAND.step:
        this.steps.set(cid, {
          cid,
          stepId: name ?? '',
          data,
          scheduledAt: at,
          attempt: 1,
          failures: 0,
          pardoned: 0,
          heartbeat: null,
          retryAt: null,
        });
        return { type: 'step_scheduled', at, cid, name: name ?? '', data };
      case COMMAND.sleep:
        this.sleeps.set(cid, until);
        return { type: 'sleep_scheduled', at, cid, meta: { until } };
      case COMMAND.hook:
        this.hooks.set(cid, name ?? '');
        return { type: 'hook_created', at, cid, name: name ?? '', data };
      case COMMAND.child: {
        const meta = childOf(this.identity, cid);
        this.children.set(cid, { runId: meta.runId, refused: null });
        return { type: 'child_scheduled', at, cid, name: name ?? '', data, meta };
      }
      case COMMAND.refusePayload:
        return { type: 'hook_refused', at, cid, data: data ?? '' };
      default:
        this.hooks.delete(cid);
        return { type: 'hook_disposed', at, cid };
    }
  }

  /**
   * Asks the schema of a hook about a payload, of which the code learns nothing.
   *
   * @returns what is wrong with it, as JSON; null when nothing is
   */
  check(cid: number, data: string): string | null {
    let issues: string | null = null;
    this.#enter((delivery) => {
      issues = delivery.check(cid, data);
    });
    return issues;
  }

  /**
   * The first rejection that nobody handled, serialized, or null. To be asked when the turn of the last delivery is over: only
   * then all rejections are known.
   */
  unhandled(): string | null {
    let unhandled: string | null = null;
    this.#enter((delivery) => {
      delivery.settle();
      unhandled = delivery.unhandled();
    });
    return unhandled;
  }
}

/** Events that record what code asked for. `hook_conflicted` stands in place of `hook_created`, and is a cause as well. */
const COMMANDS_OF_EVENTS: Partial<Record<RunEvent['type'], true>> = {
  step_scheduled: true,
  sleep_scheduled: true,
  hook_created: true,
  hook_conflicted: true,
  hook_refused: true,
  hook_disposed: true,
  child_scheduled: true,
  child_refused: true,
};

function deliveryOf(event: NewRunEvent | RunEvent): { cid: number; data: string | null } {
  switch (event.type) {
    case 'step_completed':
    case 'step_failed':
    case 'hook_received':
    case 'child_completed':
    case 'child_failed':
      return { cid: event.cid, data: event.data ?? null };
    case 'sleep_completed':
      return { cid: event.cid, data: null };
    case 'hook_conflicted':
      return { cid: event.cid, data: event.meta.runId };
    case 'cancel_requested':
      return { cid: 0, data: event.meta?.reason ?? null };
    default:
      return { cid: 0, data: null };
  }
}

/** What the schema made of the arguments, where these were recorded before somebody had asked it. */
function admittedInput(log: readonly RunEvent[]): string | null {
  const bound = log.find((event) => event.type === 'bundle_bound');
  return bound?.data ?? null;
}

function isEnded(log: readonly RunEvent[]): boolean {
  const type = log.at(-1)?.type;
  return type === 'run_completed' || type === 'run_failed' || type === 'run_cancelled';
}

function matches(command: Command, event: RunEvent): boolean {
  if (command.cid !== event.cid) return false;
  switch (event.type) {
    case 'step_scheduled':
      return command.kind === COMMAND.step && command.name === event.name;
    case 'sleep_scheduled':
      return command.kind === COMMAND.sleep;
    case 'hook_created':
    case 'hook_conflicted':
      return command.kind === COMMAND.hook && command.name === event.name;
    case 'child_scheduled':
    case 'child_refused':
      return command.kind === COMMAND.child && command.name === event.name;
    case 'hook_refused':
      return command.kind === COMMAND.refusePayload;
    default:
      return command.kind === COMMAND.dispose;
  }
}

function diverged(event: RunEvent, command: Command | undefined): Divergence {
  return {
    seq: event.seq,
    recorded: describeEvent(event),
    requested: command ? describeCommand(command) : null,
    stack: command?.stack ?? null,
  };
}

function unrecorded(seq: number, command: Command): Divergence {
  return { seq, recorded: null, requested: describeCommand(command), stack: command.stack };
}

function describeEvent(event: RunEvent): string {
  switch (event.type) {
    case 'step_scheduled':
      return `step ${event.name} (#${event.cid})`;
    case 'sleep_scheduled':
      return `sleep (#${event.cid})`;
    case 'hook_created':
    case 'hook_conflicted':
      return `hook ${event.name} (#${event.cid})`;
    case 'child_scheduled':
    case 'child_refused':
      return `workflow ${event.name} (#${event.cid})`;
    case 'hook_refused':
      return `the refusal of a payload (#${event.cid})`;
    default:
      return isResult(event) ? `a result of #${event.cid}` : `end of hook (#${event.cid})`;
  }
}

/** What a command gets once. */
function isResult({ type }: RunEvent): boolean {
  return type === 'step_completed' || type === 'step_failed' || type === 'sleep_completed';
}

function describeCommand({ kind, cid, name }: Command): string {
  if (kind === COMMAND.step) return `step ${name} (#${cid})`;
  if (kind === COMMAND.sleep) return `sleep (#${cid})`;
  if (kind === COMMAND.child) return `workflow ${name} (#${cid})`;
  if (kind === COMMAND.refusePayload) return `the refusal of a payload (#${cid})`;
  return kind === COMMAND.hook ? `hook ${name} (#${cid})` : `end of hook (#${cid})`;
}
