/**
 * The store port: what the runtime asks of a place that keeps runs. One interface, one shared test suite
 * (`test/store/suite.ts`), any number of stores.
 *
 * Glossary
 *
 * - **event log**: the append-only history of a run; `seq` counts from 1 without gaps. It is the truth.
 * - **run record**: the row that describes a run; a projection of its log, kept by the store in the same transaction as the
 *   events (`run_completed` makes it `completed`, `run_parked` makes it `parked`, …). Nobody else writes it.
 * - **owner**: one worker of one process. It holds a **lease** for all its runs together, which it renews in time.
 *   An owner is dead when its lease is over, or, on the same host, as soon as its process is gone.
 * - **fence**: a number that grows each time a run is claimed. A write with an older fence is refused: its writer no
 *   longer owns the run, even if it believes so.
 * - **claim**: an owner takes runs that nobody owns. **release**: it gives one back.
 * - **wakeAt**: the time from which somebody must look at a run; only the owner sets it. It also holds, as a note for
 *   successors, while the run is owned: that is what is left when the owner dies. `null`: only a message wakes the run.
 * - **runnable**: a run that nobody owns, and whose `wakeAt` has come or for which a message waits.
 * - **child**: a run that another one, its parent, waits for. The append of `child_scheduled` makes it, and the append that ends it
 *   puts a message into its parent's inbox, so that no crash leaves one without the other; the append of `cancel_requested` asks the
 *   children that have not ended to stop as well.
 * - **inbox**: messages to a run from outside (hook payloads, ends of children and of offered steps, cancellation, moves to other code, ends of sleeps), in the order in which they were
 *   acknowledged. Only the owner writes the log, so only it turns messages into events: it appends the events and
 *   **consumes** the messages in one transaction. An acknowledged message is never lost and never logged twice.
 * - **offer**: a step that a run has scheduled and whose owner lets any worker make the first attempt. The **taker** is the worker that
 *   does; how the attempt ended is a message to the run, put in its inbox in the transaction that ends the offer. The offers of a run
 *   end when it ends or is cancelled; those that a dead taker held come back as messages, too.
 * - **stream**: chunks that steps write and others read while it grows, under a name of the run's. They stand beside the log: replay
 *   does not see them. A **chunk** has an index, from 0 without gaps, and is kept as long as its run.
 * - **bundle**: the workflow code that a run started with, kept once by hash.
 * - **group commit**: all writes that are handed in during one turn of the event loop become durable with one sync.
 *
 * Times named `at`, `now`, `wakeAt` are ms since the epoch by the clock of the runs (virtual in tests); those of events and of new
 * runs are whole numbers, or the request is refused as `PAWL_STORE_MISUSE`. Leases are measured by the store's own clock.
 */
import type { NewRunEvent, RunEvent } from './events.ts';

export type RunStatus = 'pending' | 'running' | 'completed' | 'failed' | 'cancelled' | 'parked';

/** How a run has ended. */
export type FinalStatus = Extract<RunStatus, 'completed' | 'failed' | 'cancelled'>;

/** What is known of a run without reading its log. */
export interface RunRecord {
  id: string;
  workflowId: string;
  /**
   * `pending`: created, never claimed. `running`: claimed at least once, also while it waits. `parked`: cannot go on until
   * someone acts (see `parkedReason`). The other three are final.
   */
  status: RunStatus;
  /** Hash of the workflow bundle that the run replays on; null until the first worker binds one (`bundle_bound`). */
  bundleHash: string | null;
  /** Source of the run's randomness and ids. */
  seed: string;
  /** Serialized arguments, as in `run_created`. */
  input: string | null;
  createdAt: number;
  startedAt: number | null;
  finishedAt: number | null;
  wakeAt: number | null;
  /** Who works on it now. */
  owner: string | null;
  /** When the owner's lease is over, ms by the store's clock; null when nobody owns the run. */
  leaseUntil: number | null;
  fence: number;
  /** `seq` of the newest event. */
  lastSeq: number;
  /** Serialized result of a completed run. */
  output: string | null;
  /** Serialized error of a failed or cancelled run. */
  error: string | null;
  parkedReason: ParkedReason | null;
  /** A cancellation was asked for (perhaps not yet seen by the owner). */
  cancelRequested: boolean;
  /** Which command of which run made it; null for a run that was started by itself. */
  parent: { runId: string; cid: number } | null;
}

export interface ParkedReason {
  code: string;
  message: string;
  details?: Record<string, unknown>;
}

export interface CreateRunRequest {
  /** Chosen by the caller, unique in the store. */
  id: string;
  workflowId: string;
  seed: string;
  bundleHash: string | null;
  /** Serialized arguments. */
  input: string | null;
  /** Becomes `createdAt` and the time of `run_created`. */
  at: number;
  /** When the run may start (`at` if left out); with `events`, when the run is to be looked at next, as in an append. */
  wakeAt?: number | null;
  /** Claims the run in the same transaction, for this registered owner: it starts with fence 1 and status `running`. */
  owner?: string;
  /**
   * Further first events, after `run_created` (which the store writes itself as seq 1). Only together with `owner`. When they
   * are refused (see `CreateRunResult.refusal`) the run is made all the same, without them.
   */
  events?: readonly NewRunEvent[];
  /** As in an append. */
  offers?: readonly number[];
}

export interface CreateRunResult {
  /** False when a run of that id existed already: then nothing was written, and `run` is the one that exists. */
  created: boolean;
  run: RunRecord;
  /** Why the first events were not written: a hook token is in use. Append others. */
  refusal?: AppendRefusal;
}

export interface AppendRequest {
  runId: string;
  /** The fence of the claim under which the caller owns the run. */
  fence: number;
  /** `seq` of the newest event that the caller knows; the first new event gets the number after it. */
  afterSeq: number;
  /** May be empty when only `wakeAt` or `consume` matter. */
  events: readonly NewRunEvent[];
  /**
   * Sets the run's `wakeAt`. Leave it out when nothing changed: it costs an update of the run record. Messages do not touch it: a run
   * for which one waits is due whatever its `wakeAt`. Parking clears it; an append with `run_unparked` sets it anew.
   */
  wakeAt?: number | null;
  /** Ids of inbox messages that these events take over; they are deleted in the same transaction. */
  consume?: readonly number[];
  /** Numbers of steps that these events schedule and that other workers may take. */
  offers?: readonly number[];
}

/**
 * Why a write was refused. Nothing of it was written; its neighbours in the group are not affected.
 *
 * - `fenced`: another owner has the run, or none; the caller must drop the run from memory.
 * - `conflict`: `afterSeq` is not the newest event. The caller's picture of the log is wrong; drop it and read again.
 * - `consumed`: a message in `consume` is gone already.
 * - `finished`: the run has ended; nothing follows.
 * - `hook-conflict`: `token` is in use by the run `ownerRunId`. Append `hook_conflicted` instead.
 * - `unread`: the events would end the run while `messages` wait in its inbox. Turn them into events first (in front of
 *   the ending one, in one request), so that the log holds every payload that was acknowledged.
 * - `unknown-run`: no such run.
 */
export type AppendRefusal =
  | { ok: false; reason: 'fenced'; owner: string | null; fence: number }
  | { ok: false; reason: 'conflict'; lastSeq: number }
  | { ok: false; reason: 'consumed' }
  | { ok: false; reason: 'finished'; status: RunStatus }
  | { ok: false; reason: 'hook-conflict'; token: string; ownerRunId: string }
  | { ok: false; reason: 'unread'; messages: InboxMessage[] }
  | { ok: false; reason: 'unknown-run' };

export type AppendResult = { ok: true; lastSeq: number } | AppendRefusal;

/** A message to a run that waits for the run's owner. Ids grow in the order of acknowledgement. */
export type InboxMessage =
  | { id: number; runId: string; kind: 'hook'; at: number; cid: number; token: string; payload: string | null }
  | { id: number; runId: string; kind: 'child'; at: number; cid: number; status: FinalStatus; data: string | null }
  | { id: number; runId: string; kind: 'cancel'; at: number; reason: string | null }
  | { id: number; runId: string; kind: 'upgrade'; at: number; bundleHash: string }
  /** The sleeps of these numbers are over before their time. */
  | { id: number; runId: string; kind: 'wake'; at: number; cids: number[] }
  /** How the attempt of an offered step ended; `lost`: its taker died, or gave it back. */
  | {
      id: number;
      runId: string;
      kind: 'step';
      at: number;
      cid: number;
      status: OfferEnd | 'lost';
      /** As `meta` of the event of that name, as JSON. */
      meta: string | null;
      /** As `data` of the event of that name. */
      data: string | null;
    };

/** How the attempt of an offered step may end: the event that it becomes. */
export type OfferEnd = 'step_completed' | 'step_failed' | 'step_attempt_failed';

/** An offered step, as its taker gets it. */
export interface TakenStep {
  runId: string;
  cid: number;
  stepId: string;
  /** Serialized arguments. */
  data: string | null;
  scheduledAt: number;
  workflowId: string;
  /** The run's seed, and when it was made. */
  seed: string;
  createdAt: number;
}

export interface TakeRequest {
  /** A registered owner; offers of its own runs are passed over. */
  owner: string;
  /** Ids of steps that it has. */
  steps: readonly string[];
  /** At most so many; those offered first come first. */
  limit: number;
}

export interface TakenBack {
  /** Numbers of the steps whose offers have ended. */
  cids: number[];
  /** Others of the run are still on offer: more than `limit`, or somebody is about to take them, which may yet come to nothing. */
  left: boolean;
}

export interface EndOfferRequest {
  /** The taker. */
  owner: string;
  runId: string;
  cid: number;
  at: number;
  /** `lost`: it was not made. */
  status: OfferEnd | 'lost';
  meta: string | null;
  data: string | null;
}

export interface ClaimRequest {
  /** A registered owner. */
  owner: string;
  /** Runs with `wakeAt <= now` are due. */
  now: number;
  /** At most so many; those that have waited longest first. */
  limit: number;
}

export type ClaimRunResult =
  | { ok: true; run: RunRecord }
  | { ok: false; reason: 'owned'; owner: string }
  | { ok: false; reason: 'finished'; run: RunRecord }
  | { ok: false; reason: 'unknown-run' };

export interface RunFilter {
  status?: readonly RunStatus[];
  workflowId?: string;
  /** Only runs that were created at or after this time. */
  createdSince?: number;
  /** Runs a page, 1 to 1,000; default 100. */
  limit?: number;
  /** `next` of the page before. */
  cursor?: string;
}

export interface RunPage {
  /** Newest first. */
  runs: RunRecord[];
  /** Cursor of the next page; null on the last. */
  next: string | null;
}

export interface HookRecord {
  token: string;
  runId: string;
  cid: number;
  /** Serialized metadata given at creation. */
  metadata: string | null;
  createdAt: number;
  /** Set once the hook takes no more payloads: disposed by its workflow, or its run has ended. */
  disposedAt: number | null;
}

/** `unknown-token`: no such hook was ever made. `disposed`: it takes no more payloads. */
export type DeliverResult =
  | { ok: true; runId: string; cid: number; messageId: number }
  | { ok: false; reason: 'unknown-token' }
  | { ok: false; reason: 'disposed'; runId: string; status: RunStatus };

export type CancelResult =
  | { ok: true; messageId: number | null }
  | { ok: false; reason: 'unknown-run' }
  | { ok: false; reason: 'finished'; status: RunStatus };

export type UpgradeRequestResult =
  | { ok: true; messageId: number }
  | { ok: false; reason: 'unknown-run' }
  | { ok: false; reason: 'finished'; status: RunStatus };

export type WakeResult =
  | { ok: true; messageId: number }
  | { ok: false; reason: 'unknown-run' }
  | { ok: false; reason: 'finished'; status: RunStatus };

export interface Bundle {
  code: string;
  /** Source map as JSON text. */
  map: string | null;
  /** The manifest that it was built with, as JSON text: what workflows call. Null when whoever kept the bundle did not know it. */
  manifest: string | null;
}

/** A piece of a stream: a serialized value, opaque to the store, or bytes as they are. */
export type Chunk = string | Uint8Array;

/**
 * The run whose step writes (that of the stream, or another): by the fence of its owner, or by an offer that was taken. Or who writes to a
 * stream of the run without having it: somebody who is registered as an owner.
 */
export type ChunkWriter =
  | { runId: string; fence: number; by: string }
  | { runId: string; offer: { cid: number; taker: string }; by: string }
  | { runId: string; owner: string; by: string };

export interface AppendChunksRequest {
  /** The run that the stream belongs to, and the stream's name; it is made by the first chunk, or when it is closed. */
  runId: string;
  stream: string;
  /** On whose behalf. `by` is kept by what it closes. */
  writer: ChunkWriter;
  chunks: readonly Chunk[];
  /** Ends the stream behind these chunks. */
  close?: boolean;
}

/**
 * Why chunks were refused; none of them was written.
 *
 * - `fenced`: nobody, or another owner, has the run of the writer, or another taker its step; or the owner is none any more. - `closed`: the stream has ended, `by` whose hand.
 * - `finished`: the run of the stream has ended, and its streams with it. - `unknown-run`: no such run.
 */
export type AppendChunksResult =
  | { ok: true /** Chunks that the stream has now. */; count: number }
  | { ok: false; reason: 'fenced' }
  | { ok: false; reason: 'closed'; by: string }
  | { ok: false; reason: 'finished'; status: RunStatus }
  | { ok: false; reason: 'unknown-run' };

export interface ReadChunksOptions {
  /** Index of the first chunk; a negative one counts from the present end. Default 0. */
  from?: number;
  /** At most so many chunks; default 256. */
  limit?: number;
  /** No further chunk behind so many bytes; default 1 MiB. */
  bytes?: number;
}

export interface StreamPage {
  /** Index of the first of `chunks`, or of the one that comes next. */
  from: number;
  chunks: Chunk[];
  /** Chunks that the stream has so far. */
  count: number;
  /** Nothing follows: it was closed, or its run has ended. */
  ended: boolean;
}

export interface StreamRecord {
  name: string;
  chunks: number;
  /** Bytes, or characters of serialized values, of all chunks together. */
  size: number;
  closed: boolean;
}

/**
 * What listeners hear, after it is durable. `external` says that another process changed something, or may have: ask for what you
 * need. Changes made through this very object are named precisely.
 *
 * - `runnable`: a run waits for an owner (created, released, woken). - `inbox`: a message waits for the run's owner.
 * - `offers`: steps of a run are on offer, or no longer. - `chunks`: a stream grew or was closed. - `events`: the log grew. - `status`: the run record's status changed.
 */
export type StoreChange =
  | { kind: 'runnable'; runId: string }
  | { kind: 'inbox'; runId: string }
  | { kind: 'events'; runId: string; lastSeq: number }
  | { kind: 'offers'; runId: string }
  | { kind: 'chunks'; runId: string; stream: string }
  | { kind: 'status'; runId: string; status: RunStatus }
  | { kind: 'external' };

/**
 * A store. Every promise rejects with a `StoreError` (codes `PAWL_STORE_*`) when the place itself fails: locked for too
 * long, full, read-only, corrupt, closed. After a rejected write its outcome is unknown to the caller: drop the run from memory
 * and read the log again. Refusals are results, not rejections.
 */
export interface EventStore {
  /** The URL it was opened with, for messages. */
  readonly url: string;

  // Runs

  /** Makes a run, durable when the promise resolves. An id that exists is no error: see `CreateRunResult.created`. */
  createRun(request: CreateRunRequest): Promise<CreateRunResult>;
  getRun(runId: string): Promise<RunRecord | null>;
  listRuns(filter?: RunFilter): Promise<RunPage>;
  /** Events with `seq > afterSeq` (default 0) in order, at most `limit`; empty when there are none. Checked: see `parseEvent`. */
  readEvents(runId: string, options?: { afterSeq?: number; limit?: number }): Promise<RunEvent[]>;

  // Writing, as the owner of a run

  /**
   * Appends events, consumes messages and updates the run record, in one transaction; all or nothing. Requests of
   * one turn share one commit. Requests for one run are done in the order in which they were handed in, so the next one may be
   * handed in before the first is durable.
   */
  append(request: AppendRequest): Promise<AppendResult>;
  /**
   * Says that nothing more will be handed in for now: a store that waits for the end of the turn to gather requests need not
   * wait. A hint; a store that gathers otherwise has no such method.
   */
  flush?(): void;

  // Owning

  /**
   * Announces an owner: this process, a lease from now. Must come before its first claim.
   *
   * @param options.takes it takes steps of others' runs that are on offer
   */
  registerOwner(owner: string, leaseMs: number, options?: { takes?: boolean }): Promise<void>;
  /** Extends the lease. False when the owner was declared dead meanwhile: all its runs are lost to it; register a new name. */
  renewOwner(owner: string, leaseMs: number): Promise<boolean>;
  /** Whether an owner is registered and alive. One that is not is declared dead: it will write nothing more under this name. */
  isAlive(owner: string): Promise<boolean>;
  /** Releases all runs of the owner and forgets it. */
  removeOwner(owner: string): Promise<void>;
  /** Takes runnable runs; first frees the runs of dead owners. `pending` runs become `running`. */
  claim(request: ClaimRequest): Promise<RunRecord[]>;
  /** Takes this run, due or not, parked too, unless it is finished or a live owner has it (the same owner: a new fence). */
  claimRun(runId: string, request: { owner: string; now: number }): Promise<ClaimRunResult>;
  /** Gives a run back. It becomes runnable by its `wakeAt`. False when the fence is stale (then there is nothing to do). */
  release(runId: string, fence: number): Promise<boolean>;
  /** The runs of an owner: for one that does not know whether an answer to a claim got lost. */
  ownedRuns(owner: string): Promise<{ id: string; fence: number }[]>;
  /** Earliest `wakeAt` of the runs that nobody owns; null when none has one. For a worker's timer. */
  nextWakeAt(): Promise<number | null>;

  // Steps on offer

  /** Living owners, other than this one, that take steps on offer. */
  countTakers(owner: string): Promise<number>;
  /** Takes steps that are on offer. */
  takeOffers(request: TakeRequest): Promise<TakenStep[]>;
  /** Puts how a taken step's attempt ended into the inbox of its run. False when the offer has ended: nobody waits for it. */
  endOffer(request: EndOfferRequest): Promise<boolean>;
  /**
   * Ends offers that nobody has taken: their owner makes the attempts itself.
   *
   * @param limit at most so many
   * @returns none when the fence is stale
   */
  takeBackOffers(runId: string, fence: number, limit: number): Promise<TakenBack>;
  /** Steps of a run that are on offer, taken or not, by number. */
  listOffers(runId: string): Promise<number[]>;
  /** What a taker has taken. */
  takenSteps(owner: string): Promise<{ runId: string; cid: number }[]>;

  // Messages from outside

  /** Puts a payload into the inbox of the hook's run; acknowledged when the promise resolves. */
  deliverHook(token: string, payload: string | null, at: number): Promise<DeliverResult>;
  getHook(token: string): Promise<HookRecord | null>;
  /** Asks a run to stop. Asking again changes nothing (`messageId: null`). Also wakes parked runs. */
  requestCancel(runId: string, request: { at: number; reason?: string }): Promise<CancelResult>;
  /** Asks whoever owns a run to move it to a bundle that is kept here. A parked run is not woken. */
  requestUpgrade(runId: string, request: { at: number; bundleHash: string }): Promise<UpgradeRequestResult>;
  /** Ends sleeps of a run before their time, those of these numbers. A parked run is not woken. */
  requestWake(runId: string, request: { at: number; cids: readonly number[] }): Promise<WakeResult>;
  /** Messages not yet consumed, in order: of one run, or of all runs of an owner; with `afterId` only newer ones. */
  readInbox(of: { runId: string } | { owner: string }, afterId?: number): Promise<InboxMessage[]>;

  // Streams

  /** Appends chunks to a stream, durable when the promise resolves; requests of one turn share a commit, those for one stream keep their order. */
  appendChunks(request: AppendChunksRequest): Promise<AppendChunksResult>;
  /** A page of a stream, which need not exist yet. Null when there is no such run. */
  readChunks(runId: string, stream: string, options?: ReadChunksOptions): Promise<StreamPage | null>;
  /** The streams of a run, by name. */
  listStreams(runId: string): Promise<StreamRecord[]>;

  // Code

  /** Keeps a bundle; a hash that is known already is left as it is, but for a manifest that was missing. */
  putBundle(hash: string, bundle: Bundle): Promise<void>;
  getBundle(hash: string): Promise<Bundle | null>;

  // Listening

  /** Calls the listener after each change, until the returned function is called. Listeners must not throw. */
  subscribe(listener: (change: StoreChange) => void): () => void;

  /** Finishes what was handed in, then closes. Further calls reject with `PAWL_STORE_CLOSED`. */
  close(): Promise<void>;
}

/** Opens stores: what drivers export, and what the runtime gets injected. */
export type OpenStore = (url: string, options?: StoreOptions) => Promise<EventStore>;

/** Where a test may stop the process, or throw, around a commit. */
export type CrashPoint = 'before-begin' | 'before-commit' | 'after-commit';

export interface StoreOptions {
  /** Make the place when it does not exist (default true). With false a missing one is `PAWL_STORE_MISSING`. */
  create?: boolean;
  /** Clock for leases, ms since the epoch; default `Date.now`. */
  clock?: () => number;
  /** How long a write waits for other processes before it rejects with `PAWL_STORE_LOCKED`, ms; default 10,000. */
  lockTimeout?: number;
  /** How often changes by other processes are looked for while someone listens, ms; default 10. */
  watchInterval?: number;
  /** For tests of crashes: called at the named points of every commit. */
  crashPoint?: (point: CrashPoint) => void;
}
