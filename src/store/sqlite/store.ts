/**
 * The store on SQLite: every writing method is a job of the group commit, every reading one waits for locks.
 */
import { StoreError } from '../errors.ts';
import type { RunEvent } from '../events.ts';
import { ownIdentity } from '../process-identity.ts';
import type {
  AppendChunksRequest,
  AppendChunksResult,
  AppendRequest,
  AppendResult,
  Bundle,
  CancelResult,
  ClaimRequest,
  ClaimRunResult,
  CreateRunRequest,
  CreateRunResult,
  DeliverResult,
  EndOfferRequest,
  EventStore,
  HookRecord,
  InboxMessage,
  ReadChunksOptions,
  RunFilter,
  RunPage,
  RunRecord,
  StoreChange,
  StoreOptions,
  StreamPage,
  StreamRecord,
  TakenBack,
  TakenStep,
  TakeRequest,
  UpgradeRequestResult,
  WakeResult,
} from '../port.ts';
import { writeCids } from '../message-row.ts';
import { isFinal } from '../refusals.ts';
import { isStorable, requireStorable } from '../text.ts';
import { append, appendAlone, type KnownLogs } from './append.ts';
import type { Connection } from './connection.ts';
import { createRun } from './create.ts';
import { closed } from './errors.ts';
import { GroupCommit } from './group-commit.ts';
import { endOffer, hasOffer, selectOffers, selectTaken, takeBackOffers, takeOffers } from './offers.ts';
import { claimDue, claimOne, countTakers, deadOwners, isAlive, removeOwner, requireOwner } from './ownership.ts';
import { hasBundle, insertBundle, selectBundle } from './sql/bundles.ts';
import { selectEvents } from './sql/events.ts';
import { selectHook } from './sql/hooks.ts';
import {
  insertCancel,
  insertPayload,
  insertUpgrade,
  insertWake,
  selectMessagesOfOwner,
  selectMessagesOfRun,
} from './sql/inbox.ts';
import { renewLease, upsertOwner } from './sql/owners.ts';
import {
  hasDueRun,
  releaseOrphans,
  releaseRun,
  selectHead,
  selectIdOf,
  selectNextWakeAt,
  selectOwned,
  selectRun,
  selectRuns,
  wakeRunning,
  wakeToCancel,
} from './sql/runs.ts';
import { appendChunks, readChunks, selectStreams } from './streams.ts';
import { Watch } from './watch.ts';

const PAGE = 100;
const LARGEST_PAGE = 1_000;

export class SqliteStore implements EventStore {
  readonly url: string;
  readonly #db: Connection;
  readonly #commits: GroupCommit;
  readonly #watch: Watch;
  readonly #clock: () => number;
  readonly #known: KnownLogs = new Map();
  #closing: Promise<void> | undefined;

  constructor(url: string, db: Connection, inMemory: boolean, options: StoreOptions) {
    this.url = url;
    this.#db = db;
    this.#clock = options.clock ?? Date.now;
    this.#watch = new Watch(db, inMemory ? null : (options.watchInterval ?? 10));
    this.#commits = new GroupCommit(db, (changes) => this.#watch.emit(changes), options.crashPoint);
  }

  createRun(request: CreateRunRequest): Promise<CreateRunResult> {
    return this.#commits.submit((changes) => createRun(this.#db, request, changes));
  }

  getRun(runId: string): Promise<RunRecord | null> {
    return this.#read(() => selectRun(this.#db, runId));
  }

  listRuns(filter: RunFilter = {}): Promise<RunPage> {
    const limit = Math.min(Math.max(1, Math.floor(filter.limit ?? PAGE)), LARGEST_PAGE);
    const before = filter.cursor === undefined ? null : Number(filter.cursor);
    if (before !== null && !Number.isSafeInteger(before)) {
      const message = `'${filter.cursor}' is no cursor of this store.`;
      return Promise.reject(new StoreError('PAWL_STORE_MISUSE', message, { place: this.#db.place }));
    }
    return this.#read(() => {
      const page = selectRuns(this.#db, filter, limit, before);
      return { runs: page.runs, next: page.next === null ? null : String(page.next) };
    });
  }

  readEvents(runId: string, options: { afterSeq?: number; limit?: number } = {}): Promise<RunEvent[]> {
    // SQLite reads a negative limit as none.
    return this.#read(() => selectEvents(this.#db, runId, options.afterSeq ?? 0, options.limit ?? -1));
  }

  append(request: AppendRequest): Promise<AppendResult> {
    return this.#commits.submit(
      (changes) => append(this.#db, request, changes),
      (changes) => appendAlone(this.#db, this.#known, request, changes),
    );
  }

  flush(): void {
    this.#commits.flush();
  }

  registerOwner(owner: string, leaseMs: number, { takes = false }: { takes?: boolean } = {}): Promise<void> {
    return this.#commits.submit(() => {
      requireStorable('owner', owner);
      upsertOwner(this.#db, owner, ownIdentity(), this.#leaseEnd(leaseMs), takes);
      releaseOrphans(this.#db);
    });
  }

  renewOwner(owner: string, leaseMs: number): Promise<boolean> {
    return this.#commits.submit(() => renewLease(this.#db, owner, this.#leaseEnd(leaseMs)));
  }

  #leaseEnd(leaseMs: number): number {
    return Math.ceil(this.#clock() + leaseMs);
  }

  async isAlive(owner: string): Promise<boolean> {
    if (await this.#read(() => isAlive(this.#db, owner, this.#clock()))) return true;
    return this.#commits.submit((changes) => {
      const lives = isAlive(this.#db, owner, this.#clock());
      if (!lives) removeOwner(this.#db, owner, Date.now(), changes);
      return lives;
    });
  }

  removeOwner(owner: string): Promise<void> {
    return this.#commits.submit((changes) => removeOwner(this.#db, owner, Date.now(), changes));
  }

  async claim(request: ClaimRequest): Promise<RunRecord[]> {
    // Most claims find nothing: find that out without a lock.
    const worthIt = await this.#read(
      () => hasDueRun(this.#db, request.now) || deadOwners(this.#db, request.owner, this.#clock()).length > 0,
    );
    if (!worthIt) return [];
    return this.#commits.submit((changes) => claimDue(this.#db, request, this.#clock(), changes));
  }

  claimRun(runId: string, request: { owner: string; now: number }): Promise<ClaimRunResult> {
    return this.#commits.submit((changes) => claimOne(this.#db, runId, request, this.#clock(), changes));
  }

  release(runId: string, fence: number): Promise<boolean> {
    return this.#commits.submit((changes) => {
      const released = releaseRun(this.#db, runId, fence);
      if (released === undefined) return false;
      if (released.due_at !== null) changes.push({ kind: 'runnable', runId });
      return true;
    });
  }

  ownedRuns(owner: string): Promise<{ id: string; fence: number }[]> {
    return this.#read(() => selectOwned(this.#db, owner));
  }

  nextWakeAt(): Promise<number | null> {
    return this.#read(() => selectNextWakeAt(this.#db));
  }

  countTakers(owner: string): Promise<number> {
    return this.#read(() => countTakers(this.#db, owner, this.#clock()));
  }

  async takeOffers(request: TakeRequest): Promise<TakenStep[]> {
    if (!(await this.#read(() => hasOffer(this.#db, request.owner)))) return [];
    return this.#commits.submit(() => {
      requireOwner(this.#db, request.owner);
      return takeOffers(this.#db, request);
    });
  }

  endOffer(request: EndOfferRequest): Promise<boolean> {
    return this.#commits.submit((changes) => endOffer(this.#db, request, changes));
  }

  takeBackOffers(runId: string, fence: number, limit: number): Promise<TakenBack> {
    return this.#commits.submit(() => {
      const head = selectHead(this.#db, runId);
      return head?.fence === fence && head.owner !== null
        ? takeBackOffers(this.#db, head, limit)
        : { cids: [], left: false };
    });
  }

  listOffers(runId: string): Promise<number[]> {
    return this.#read(() => selectOffers(this.#db, runId));
  }

  takenSteps(owner: string): Promise<{ runId: string; cid: number }[]> {
    return this.#read(() => selectTaken(this.#db, owner));
  }

  deliverHook(token: string, payload: string | null, at: number): Promise<DeliverResult> {
    return this.#commits.submit((changes) => {
      requireStorable('payload', payload);
      const found = this.#findHook(token);
      if (found === null) return { ok: false, reason: 'unknown-token' };
      const { hook, no } = found;
      const { runId, cid } = hook;
      const { status } = selectIdOf(this.#db, no);
      if (hook.disposedAt !== null) return { ok: false, reason: 'disposed', runId, status };
      const messageId = insertPayload(this.#db, no, Math.floor(at), cid, token, payload);
      wakeRunning(this.#db, no);
      changes.push({ kind: 'inbox', runId });
      return { ok: true, runId, cid, messageId };
    });
  }

  getHook(token: string): Promise<HookRecord | null> {
    return this.#read(() => this.#findHook(token)?.hook ?? null);
  }

  #findHook(token: string) {
    return isStorable(token) ? selectHook(this.#db, token) : null;
  }

  requestCancel(runId: string, request: { at: number; reason?: string }): Promise<CancelResult> {
    return this.#commits.submit((changes) => {
      requireStorable('reason', request.reason);
      const head = selectHead(this.#db, runId);
      if (head === undefined) return { ok: false, reason: 'unknown-run' };
      const { status } = head;
      if (status === 'completed' || status === 'failed' || status === 'cancelled') {
        return { ok: false, reason: 'finished', status };
      }
      if (head.cancel_requested === 1) return { ok: true, messageId: null };
      const messageId = insertCancel(this.#db, head.no, Math.floor(request.at), request.reason ?? null);
      wakeToCancel(this.#db, head.no);
      changes.push({ kind: 'inbox', runId });
      return { ok: true, messageId };
    });
  }

  requestUpgrade(runId: string, request: { at: number; bundleHash: string }): Promise<UpgradeRequestResult> {
    return this.#commits.submit((changes) => {
      requireStorable('bundleHash', request.bundleHash);
      const head = selectHead(this.#db, runId);
      if (head === undefined) return { ok: false, reason: 'unknown-run' };
      const { status } = head;
      if (isFinal(status)) return { ok: false, reason: 'finished', status };
      const messageId = insertUpgrade(this.#db, head.no, Math.floor(request.at), request.bundleHash);
      wakeRunning(this.#db, head.no);
      changes.push({ kind: 'inbox', runId });
      return { ok: true, messageId };
    });
  }

  requestWake(runId: string, request: { at: number; cids: readonly number[] }): Promise<WakeResult> {
    return this.#commits.submit((changes) => {
      const head = selectHead(this.#db, runId);
      if (head === undefined) return { ok: false, reason: 'unknown-run' };
      const { status } = head;
      if (isFinal(status)) return { ok: false, reason: 'finished', status };
      const messageId = insertWake(this.#db, head.no, Math.floor(request.at), writeCids(request.cids));
      wakeRunning(this.#db, head.no);
      changes.push({ kind: 'inbox', runId });
      return { ok: true, messageId };
    });
  }

  readInbox(of: { runId: string } | { owner: string }, afterId = 0): Promise<InboxMessage[]> {
    return this.#read(() =>
      'runId' in of
        ? selectMessagesOfRun(this.#db, of.runId, afterId)
        : selectMessagesOfOwner(this.#db, of.owner, afterId),
    );
  }

  appendChunks(request: AppendChunksRequest): Promise<AppendChunksResult> {
    return this.#commits.submit((changes) => appendChunks(this.#db, request, changes));
  }

  readChunks(runId: string, stream: string, options: ReadChunksOptions = {}): Promise<StreamPage | null> {
    return this.#read(() => readChunks(this.#db, runId, stream, options));
  }

  listStreams(runId: string): Promise<StreamRecord[]> {
    return this.#read(() => selectStreams(this.#db, runId));
  }

  async putBundle(hash: string, bundle: Bundle): Promise<void> {
    if (await this.#read(() => hasBundle(this.#db, hash, bundle))) return;
    await this.#commits.submit(() => insertBundle(this.#db, hash, bundle));
  }

  getBundle(hash: string): Promise<Bundle | null> {
    return this.#read(() => selectBundle(this.#db, hash));
  }

  subscribe(listener: (change: StoreChange) => void): () => void {
    return this.#watch.subscribe(listener);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#commits.close();
    this.#watch.close();
    this.#db.close();
  }

  #read<T>(work: () => T): Promise<T> {
    if (this.#closing !== undefined) return Promise.reject(closed(this.#db.place));
    return this.#db.patiently(work);
  }
}
