import { StoreError } from '../errors.ts';
import type { RunEvent } from '../events.ts';
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
import { append } from './append.ts';
import { lockHead, type RunHead } from './head.ts';
import type { Connections, Executor } from './connection.ts';
import { createRun } from './create.ts';
import { closed } from './errors.ts';
import { selectEvents } from './events.ts';
import { hasBundle, insertBundle, selectBundle } from './bundles.ts';
import { GroupCommit } from './group-commit.ts';
import { endOffer, hasOffer, selectOffers, selectTaken, takeBackOffers, takeOffers } from './offers.ts';
import {
  claimDue,
  claimOne,
  countTakers,
  deadOwners,
  hasDueRun,
  isAlive,
  type LeaseClock,
  leaseOf,
  registerOwner,
  removeOwner,
  renewOwner,
  serverTime,
} from './ownership.ts';
import { selectHooks, selectMessages, selectRun, selectRuns } from './records.ts';
import { appendChunks, readChunks, selectStreams } from './streams.ts';
import { Watch } from './watch.ts';

/** Runs a page, unless asked otherwise, and at most. */
const PAGE = 100;
const LARGEST_PAGE = 1_000;

/** The store in PostgreSQL: for more than one machine. */
export class PostgresStore implements EventStore {
  readonly url: string;
  readonly #connections: Connections;
  readonly #commits: GroupCommit;
  readonly #watch: Watch;
  readonly #reader: Executor;
  readonly #time: LeaseClock;
  #closing: Promise<void> | undefined;

  constructor(url: string, connections: Connections, schema: string, { clock, crashPoint }: StoreOptions) {
    this.url = url;
    this.#connections = connections;
    this.#reader = { rows: (statement, values) => connections.read(statement, values) };
    this.#time = clock ? async () => clock() : serverTime;
    this.#watch = new Watch(connections, schema);
    this.#commits = new GroupCommit(connections, this.#watch, crashPoint);
  }

  createRun(request: CreateRunRequest): Promise<CreateRunResult> {
    const learn = (no: number, lastSeq: number): void => this.#commits.learn(request.id, no, lastSeq);
    return this.#commits.submit((on, changes) => createRun(on, this.#connections.place, request, changes, learn));
  }

  getRun(runId: string): Promise<RunRecord | null> {
    return this.#read(async (on) => (isStorable(runId) ? selectRun(on, runId) : null));
  }

  listRuns(filter: RunFilter = {}): Promise<RunPage> {
    const limit = Math.min(Math.max(1, Math.floor(filter.limit ?? PAGE)), LARGEST_PAGE);
    const before = filter.cursor === undefined ? null : Number(filter.cursor);
    if (before !== null && !Number.isSafeInteger(before)) {
      const message = `'${filter.cursor}' is no cursor of this store.`;
      return Promise.reject(new StoreError('PAWL_STORE_MISUSE', message, { place: this.#connections.place }));
    }
    return this.#read(async (on) => {
      const { runs, next } = await selectRuns(on, filter, limit, before);
      return { runs, next: next === null ? null : String(next) };
    });
  }

  readEvents(runId: string, { afterSeq = 0, limit }: { afterSeq?: number; limit?: number } = {}): Promise<RunEvent[]> {
    return this.#read(async (on) =>
      isStorable(runId) ? selectEvents(on, this.#connections.place, runId, afterSeq, limit ?? null) : [],
    );
  }

  append(request: AppendRequest): Promise<AppendResult> {
    const { runId } = request;
    return this.#commits.submit(async (on, changes) => {
      if (!isStorable(runId)) return { ok: false, reason: 'unknown-run' };
      return append(on, request, changes, (no, lastSeq) => this.#commits.learn(runId, no, lastSeq));
    }, request);
  }

  flush(): void {
    this.#commits.flush();
  }

  registerOwner(owner: string, leaseMs: number, { takes = false }: { takes?: boolean } = {}): Promise<void> {
    return this.#commits.submit(async (on) => {
      requireStorable('owner', owner);
      await registerOwner(on, owner, await this.#leaseEnd(on, leaseMs), takes);
    });
  }

  renewOwner(owner: string, leaseMs: number): Promise<boolean> {
    return this.#commits.submit(async (on) => renewOwner(on, owner, await this.#leaseEnd(on, leaseMs)));
  }

  async #leaseEnd(on: Executor, leaseMs: number): Promise<number> {
    return Math.ceil((await this.#time(on)) + leaseMs);
  }

  async isAlive(owner: string): Promise<boolean> {
    if (await this.#read(async (on) => isAlive(on, owner, await this.#time(on)))) return true;
    return this.#commits.submit(async (on, changes) => {
      if (await isAlive(on, owner, await this.#time(on))) return true;
      for (const runId of await removeOwner(on, owner, changes)) changes.push({ kind: 'runnable', runId });
      return false;
    });
  }

  async removeOwner(owner: string): Promise<void> {
    await this.#commits.submit(async (on, changes) => {
      for (const runId of await removeOwner(on, owner, changes)) changes.push({ kind: 'runnable', runId });
    });
  }

  async claim(request: ClaimRequest): Promise<RunRecord[]> {
    // Most claims find nothing: find that out without a lock.
    const worthIt = await this.#read(
      async (on) =>
        (await hasDueRun(on, request.now)) || (await deadOwners(on, request.owner, await this.#time(on))).length > 0,
    );
    if (!worthIt) return [];
    return this.#commits.submit(async (on, changes) =>
      claimDue(on, this.#connections.place, request, await this.#time(on), changes),
    );
  }

  claimRun(runId: string, request: { owner: string; now: number }): Promise<ClaimRunResult> {
    return this.#commits.submit(async (on, changes) =>
      claimOne(on, this.#connections.place, runId, request, await this.#time(on), changes),
    );
  }

  release(runId: string, fence: number): Promise<boolean> {
    return this.#commits.submit(async (on, changes) => {
      const [row] = await on.rows<{ due_at: number | null }>(
        'UPDATE runs SET owner = NULL WHERE id = $1 AND fence = $2 AND owner IS NOT NULL RETURNING due_at',
        [runId, fence],
      );
      if (row === undefined) return false;
      if (row.due_at !== null) changes.push({ kind: 'runnable', runId });
      return true;
    });
  }

  ownedRuns(owner: string): Promise<{ id: string; fence: number }[]> {
    return this.#read((on) => on.rows('SELECT id, fence FROM runs WHERE owner = $1', [owner]));
  }

  nextWakeAt(): Promise<number | null> {
    return this.#read(async (on) => {
      const [row] = await on.rows<{ due_at: number | null }>(
        'SELECT min(due_at) AS due_at FROM runs WHERE owner IS NULL AND due_at IS NOT NULL',
      );
      return row?.due_at ?? null;
    });
  }

  countTakers(owner: string): Promise<number> {
    return this.#read(async (on) => countTakers(on, owner, await this.#time(on)));
  }

  async takeOffers(request: TakeRequest): Promise<TakenStep[]> {
    if (!(await this.#read((on) => hasOffer(on, request.owner)))) return [];
    return this.#commits.submit(async (on) => {
      await leaseOf(on, this.#connections.place, request.owner);
      return takeOffers(on, request);
    });
  }

  endOffer(request: EndOfferRequest): Promise<boolean> {
    return this.#commits.submit((on, changes) => endOffer(on, request, changes));
  }

  takeBackOffers(runId: string, fence: number, limit: number): Promise<TakenBack> {
    return this.#commits.submit((on) => takeBackOffers(on, runId, fence, limit));
  }

  listOffers(runId: string): Promise<number[]> {
    return this.#read(async (on) => (isStorable(runId) ? selectOffers(on, runId) : []));
  }

  takenSteps(owner: string): Promise<{ runId: string; cid: number }[]> {
    return this.#read((on) => selectTaken(on, owner));
  }

  deliverHook(token: string, payload: string | null, at: number): Promise<DeliverResult> {
    return this.#commits.submit(async (on, changes): Promise<DeliverResult> => {
      requireStorable('payload', payload);
      const hook = await this.#findHook(on, token);
      if (hook === null) return { ok: false, reason: 'unknown-token' };
      // Locked, the run cannot end meanwhile; what is read then is how it stands.
      const head = (await lockHead(on, hook.runId)) as RunHead;
      const now = await this.#findHook(on, token);
      if (now === null || now.runId !== hook.runId || now.disposedAt !== null)
        return { ok: false, reason: 'disposed', runId: hook.runId, status: head.status };
      const [row] = await on.rows<{ id: number }>(
        `INSERT INTO inbox (run, kind, at, cid, token, data) VALUES ($1, 'hook', $2, $3, $4, $5) RETURNING id`,
        [head.no, Math.floor(at), now.cid, token, payload],
      );
      await on.rows(`UPDATE runs SET woken = true WHERE no = $1 AND status = 'running' AND NOT woken`, [head.no]);
      changes.push({ kind: 'inbox', runId: hook.runId });
      return { ok: true, runId: hook.runId, cid: now.cid, messageId: row?.id as number };
    });
  }

  getHook(token: string): Promise<HookRecord | null> {
    return this.#read((on) => this.#findHook(on, token));
  }

  async #findHook(on: Executor, token: string): Promise<HookRecord | null> {
    return isStorable(token) ? ((await selectHooks(on, [token])).get(token) ?? null) : null;
  }

  requestCancel(runId: string, request: { at: number; reason?: string }): Promise<CancelResult> {
    return this.#commits.submit(async (on, changes): Promise<CancelResult> => {
      requireStorable('reason', request.reason);
      const head = isStorable(runId) ? await lockHead(on, runId) : undefined;
      if (head === undefined) return { ok: false, reason: 'unknown-run' };
      if (isFinal(head.status)) return { ok: false, reason: 'finished', status: head.status };
      if (head.cancel_requested) return { ok: true, messageId: null };
      const [row] = await on.rows<{ id: number }>(
        `INSERT INTO inbox (run, kind, at, data) VALUES ($1, 'cancel', $2, $3) RETURNING id`,
        [head.no, Math.floor(request.at), request.reason ?? null],
      );
      await on.rows('UPDATE runs SET woken = true, cancel_requested = true WHERE no = $1', [head.no]);
      changes.push({ kind: 'inbox', runId });
      return { ok: true, messageId: row?.id as number };
    });
  }

  requestUpgrade(runId: string, request: { at: number; bundleHash: string }): Promise<UpgradeRequestResult> {
    return this.#commits.submit(async (on, changes): Promise<UpgradeRequestResult> => {
      requireStorable('bundleHash', request.bundleHash);
      const head = isStorable(runId) ? await lockHead(on, runId) : undefined;
      if (head === undefined) return { ok: false, reason: 'unknown-run' };
      if (isFinal(head.status)) return { ok: false, reason: 'finished', status: head.status };
      const [row] = await on.rows<{ id: number }>(
        `INSERT INTO inbox (run, kind, at, data) VALUES ($1, 'upgrade', $2, $3) RETURNING id`,
        [head.no, Math.floor(request.at), request.bundleHash],
      );
      await on.rows(`UPDATE runs SET woken = true WHERE no = $1 AND status = 'running' AND NOT woken`, [head.no]);
      changes.push({ kind: 'inbox', runId });
      return { ok: true, messageId: row?.id as number };
    });
  }

  requestWake(runId: string, request: { at: number; cids: readonly number[] }): Promise<WakeResult> {
    return this.#commits.submit(async (on, changes): Promise<WakeResult> => {
      const head = isStorable(runId) ? await lockHead(on, runId) : undefined;
      if (head === undefined) return { ok: false, reason: 'unknown-run' };
      if (isFinal(head.status)) return { ok: false, reason: 'finished', status: head.status };
      const [row] = await on.rows<{ id: number }>(
        `INSERT INTO inbox (run, kind, at, data) VALUES ($1, 'wake', $2, $3) RETURNING id`,
        [head.no, Math.floor(request.at), writeCids(request.cids)],
      );
      await on.rows(`UPDATE runs SET woken = true WHERE no = $1 AND status = 'running' AND NOT woken`, [head.no]);
      changes.push({ kind: 'inbox', runId });
      return { ok: true, messageId: row?.id as number };
    });
  }

  readInbox(of: { runId: string } | { owner: string }, afterId = 0): Promise<InboxMessage[]> {
    return this.#read((on) => selectMessages(on, of, afterId));
  }

  appendChunks(request: AppendChunksRequest): Promise<AppendChunksResult> {
    return this.#commits.submit((on, changes) => appendChunks(on, request, changes));
  }

  readChunks(runId: string, stream: string, options: ReadChunksOptions = {}): Promise<StreamPage | null> {
    return this.#read(async (on) =>
      isStorable(runId) && isStorable(stream) ? readChunks(on, this.#connections.place, runId, stream, options) : null,
    );
  }

  listStreams(runId: string): Promise<StreamRecord[]> {
    return this.#read(async (on) => (isStorable(runId) ? selectStreams(on, runId) : []));
  }

  async putBundle(hash: string, bundle: Bundle): Promise<void> {
    if (await this.#read((on) => hasBundle(on, hash, bundle))) return;
    await this.#commits.submit((on) => insertBundle(on, hash, bundle));
  }

  getBundle(hash: string): Promise<Bundle | null> {
    return this.#read((on) => selectBundle(on, hash));
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
    await this.#watch.close();
    await this.#connections.close();
  }

  #read<T>(work: (on: Executor) => Promise<T>): Promise<T> {
    if (this.#closing !== undefined) return Promise.reject(closed(this.#connections.place));
    return work(this.#reader);
  }
}
