/**
 * A worker: owns runs in a store, keeps them in memory while they are busy, runs their steps.
 *
 * Any number of workers share a store; each run has one owner at a time. A worker takes what is due: new runs, runs whose sleep is
 * over, runs that a dead worker left. It hears of them from the store, and from a timer for those that sleep.
 */
import { PawlError } from '../errors.ts';
import type { NewRunEvent } from '../store/events.ts';
import type { EventStore, InboxMessage, ParkedReason, RunRecord, StoreChange } from '../store/port.ts';
import { admitRun } from './admission.ts';
import { Alarm } from './alarm.ts';
import { baseUrlOf } from './base-url.ts';
import { admitChildren } from './children.ts';
import { type Clock, fullClock, systemClock } from './clock.ts';
import { CredentialCheck } from './credential-check.ts';
import type { Beginning, DrivenRun, DriverHost } from './driving.ts';
import { Gate } from './gate.ts';
import { deliverPayload } from './hook-delivery.ts';
import { Lease } from './lease.ts';
import type { Outcome, RunIdentity } from './live-run.ts';
import { Orphans } from './orphans.ts';
import { Moves } from './moves.ts';
import { lostBundle, unreadable } from './parking.ts';
import { loadProgram, type Program } from './program.ts';
import { tell, type WorkerCrashPoint, type WorkerEvent } from './progress.ts';
import { checkLive } from './payload-check.ts';
import { Quiet } from './quiet.ts';
import { RunDriver } from './run-driver.ts';
import { newRunId, newSeed } from './run-id.ts';
import type { RunEnd } from './run-end.ts';
import { Realms } from './realms.ts';
import { Regaining } from './regaining.ts';
import { isDamage, Retries } from './retries.ts';
import type { Codec } from './serialization/codec.ts';
import { Setbacks } from './setbacks.ts';
import { StepRunner } from './step-runner.ts';
import { Taking, type TakingHost } from './taking.ts';
import { settleUndriven, type Undriven } from './undriven.ts';
import { readClaimed, type Upgrade, upgradeRun } from './upgrade.ts';
import { Waiters } from './waiters.ts';
import type { WorkerOptions } from './worker-options.ts';
import {
  checkKnown,
  parkedThatCanGoOn,
  checkResult,
  checkSettings,
  identityOf,
  manifestText,
  writeArguments,
} from './worker-parts.ts';
import { enterWorld, type StartRequest, type World } from './world.ts';

/**
 * Makes a worker, and lets it begin. What an earlier crash left is resumed at once.
 *
 * It becomes the world of this process: `start`, `getRun` and the others of `pawl/client` use it.
 *
 * @returns The worker; close it when done.
 * @throws PawlError `PAWL_MANIFEST_*`, `PAWL_BUNDLE_*`, `PAWL_STEPS_*`, `PAWL_STORE_*`, `PAWL_CREDENTIAL_*`.
 * @example
 * const worker = await createWorker({ manifest: '.pawl', store: await openStore('sqlite:.pawl/pawl.db') });
 * const run = await start('src/orders.ts#fulfil', [order]);
 * console.log(await run.returnValue);
 * await worker.close();
 */
export async function createWorker(options: WorkerOptions): Promise<Worker> {
  const program = options.program ?? (await loadProgram(options.manifest ?? '.pawl'));
  const worker = new Worker(program, options);
  await worker.credentials.prepare(options);
  await worker.open();
  return worker;
}

export class Worker implements World {
  readonly store: EventStore;
  readonly clock: Clock;
  readonly program: Program;
  readonly #options: WorkerOptions;
  readonly #steps: StepRunner;
  readonly #maxRuns: number;
  readonly #lease: Lease;
  readonly #gate: Gate;
  readonly #runs = new Map<string, RunDriver>();
  /** Runs that are being read, by the newest of their fences. */
  readonly #loading = new Map<string, number>();
  readonly #regaining: Regaining;
  readonly #takes = new Map<string, ReturnType<Worker['take']>>();
  readonly #retries = new Retries();
  readonly #orphans = new Orphans();
  readonly #setbacks: Setbacks;
  readonly #waiters: Waiters;
  readonly #realms: Realms;
  readonly #host: DriverHost & TakingHost;
  readonly #taking: Taking;
  #state: 'new' | 'open' | 'closing' | 'closed' = 'new';
  #unsubscribe: () => void = () => {};
  #leaveWorld: () => void = () => {};
  readonly #alarm: Alarm;
  readonly #moves = new Moves(this.#runs, (driver) => void this.#move(driver));
  #claiming = false;
  #claimAgain = false;
  /** More runs were due than there was room for. */
  #starved = false;
  readonly #quiet = new Quiet(() => this.#isQuiet());
  readonly credentials: CredentialCheck;

  /** @internal Use `createWorker`. */
  constructor(program: Program, options: WorkerOptions) {
    this.program = program;
    this.#options = { ...options, baseUrl: baseUrlOf(options.baseUrl) };
    this.store = options.store;
    this.clock = options.clock ?? systemClock;
    this.#maxRuns = options.maxRuns ?? 1_000;
    this.#alarm = new Alarm(this.clock, () => this.#claim());
    this.#lease = this.#makeLease(options.lease ?? 15_000);
    this.#waiters = new Waiters(this.store, this.#retries, (runId, error) => this.#storeFailed(error, runId));
    this.#regaining = this.#makeRegaining();
    this.#gate = new Gate(options.concurrency ?? 100, fullClock(this.clock));
    this.#steps = new StepRunner(program, options.store);
    this.#realms = new Realms(program.workflows);
    this.credentials = new CredentialCheck(program);
    checkSettings(program, this.#steps);
    this.#host = this.#makeHost();
    this.#taking = new Taking(this.#host);
    const take = options.claim === false ? null : (runId: string) => this.take(runId);
    this.#setbacks = new Setbacks({ store: this.store, clock: this.clock, take, emit: this.#host.emit });
  }

  get codec(): Codec {
    return this.#steps.codec;
  }

  /** Name under which the worker owns runs. */
  get owner(): string {
    return this.#lease.owner;
  }

  now(): number {
    return Math.floor(this.clock.now());
  }

  #makeHost(): DriverHost & TakingHost {
    const worker = this;
    return {
      store: this.store,
      clock: fullClock(this.clock),
      steps: this.#steps,
      gate: this.#gate,
      get owner() {
        return worker.#lease.owner;
      },
      activationTimeout: this.#options.activationTimeout ?? 10_000,
      bundleHash: this.program.workflows.hash,
      get takers() {
        return worker.#taking.others;
      },
      retries: this.#retries,
      baseUrl: this.#options.baseUrl,
      owns: (runId) => this.#has(runId),
      read: (runId) => this.#read({ runId }),
      emit: (event) => this.#emit(event),
      crashes: (point) => this.#crashes(point),
      lease: this.#lease,
      realm: (hash, own) => this.#realms.of(hash, own),
      finish: (workflowId, outcome) => checkResult(this.program, this.codec, workflowId, outcome),
      admit: (events) => admitChildren(this.program, this.codec, events),
      wanted: (runId) => this.#want(runId),
      // It makes room for others, perhaps those that it waits for itself.
      idle: () => {
        if (this.#starved) queueMicrotask(() => this.#claim());
        this.#moves.lookLater();
      },
      dropped: (driver, again) => this.#dropped(driver, again),
      finished: (driver, outcome, at) => this.#finished(driver, outcome, at),
    };
  }

  // ------------------------------------------------------------ lifetime

  /** @internal */
  async open(): Promise<void> {
    const { hash, code, map } = this.program.workflows;
    // A bundle that cannot be loaded is the build's matter, not a run's.
    this.#realms.of(hash, false);
    await Promise.all([
      this.store.putBundle(hash, { code, map, manifest: manifestText(this.program) }),
      this.#lease.open(),
    ]);
    this.#state = 'open';
    this.#unsubscribe = this.store.subscribe((change) => this.#heard(change));
    this.#leaveWorld = enterWorld(this);
    this.#lease.start();
    if (this.#options.claim !== false) {
      this.#taking.open();
      await Promise.all([this.#unpark(), this.#setbacks.beginEarly()]);
      this.#claim();
    }
  }

  /**
   * Takes no more work, lets running attempts end, gives its runs back.
   *
   * @param options.timeout How long attempts may go on, ms; default 5,000. Then their signals abort, and they are made again by the next worker.
   */
  async close(options: { timeout?: number } = {}): Promise<void> {
    if (this.#state !== 'open') return;
    this.#state = 'closing';
    this.#stopListening();
    await this.#quiet.wait(options.timeout ?? 5_000);
    this.#state = 'closed';
    this.#leaveAll('The worker was closed');
    await this.store.removeOwner(this.#lease.owner);
  }

  /** Drops everything as a crash does: nothing is written, nothing is given back. For tests. */
  kill(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#stopListening();
    this.#leaveAll('The worker was killed');
    this.#quiet.tell();
  }

  #leaveAll(why: string): void {
    // Until here: attempts that may end are this worker's for as long as that takes.
    this.#lease.stop();
    this.#gate.close();
    for (const driver of this.#runs.values()) driver.leave(why);
    this.#runs.clear();
    this.#taking.leave(why);
  }

  #stopListening(): void {
    this.#unsubscribe();
    this.#taking.close();
    this.#leaveWorld();
    this.#retries.stop();
    this.#alarm.stop();
  }

  #isQuiet(): boolean {
    for (const driver of this.#runs.values()) if (!driver.idle) return false;
    return this.#taking.size === 0;
  }

  #makeRegaining(): Regaining {
    return new Regaining({
      store: this.store,
      retries: this.#retries,
      waiters: this.#waiters,
      owner: () => this.#lease.owner,
      now: () => this.now(),
      isOpen: () => this.#state === 'open',
      resume: (run) => this.#resume(run),
      take: (runId) => this.take(runId),
      released: (runId) => {
        this.#claim();
        this.#want(runId);
      },
      failed: (error, runId) => this.#storeFailed(error, runId),
    });
  }

  #makeLease(ms: number): Lease {
    return new Lease(this.store, ms, this.#options.claim !== false, {
      renewed: () => {
        if (this.#state !== 'open') return;
        // Nobody tells of a worker that died: its runs are found by looking. Nor is every message sure to be heard of.
        this.#heard({ kind: 'external' });
        this.#taking.renewed();
        this.#setbacks.look();
        const looking = this.#orphans.look(this.store, this.#lease.owner, (id) => this.#has(id));
        looking.then((count) => count > 0 && this.#claim(), this.#storeFailed);
      },
      lost: () => {
        for (const driver of [...this.#runs.values()]) {
          driver.leave('The lease of the worker was lost');
          this.#runs.delete(driver.id);
          this.#waiters.hand(driver.id);
        }
        this.#taking.leave('The lease of the worker was lost');
      },
      failed: this.#storeFailed,
    });
  }

  #crashes(point: WorkerCrashPoint): boolean {
    try {
      if (!this.closed) this.#options.crashPoint?.(point);
    } catch {
      this.kill();
    }
    // The test may have killed the worker without throwing.
    return this.closed;
  }

  #emit(event: WorkerEvent): void {
    tell(this.#options.onEvent, event);
  }

  readonly #storeFailed = (error: unknown, runId: string | null = null): void =>
    this.#emit({ type: 'store-failed', runId, error });

  // ------------------------------------------------------------- starting

  /**
   * Starts a run; resolves to its id when the run, and what it asks for first, are durable.
   *
   * @throws PawlError `PAWL_UNKNOWN_WORKFLOW`, `PAWL_NOT_SERIALIZABLE`, `PAWL_INPUT_INVALID`, `PAWL_CREDENTIAL_*`, `PAWL_WORKER_CLOSED`.
   */
  async startRun(request: StartRequest): Promise<string> {
    if (this.#state !== 'open') throw new PawlError('PAWL_WORKER_CLOSED', 'The worker is closed.');
    const { workflowId } = request;
    checkKnown(this.program.manifest, workflowId);
    const checking = this.credentials.check([workflowId]);
    if (checking !== null) await checking;
    const runId = request.runId ?? this.#options.newId?.() ?? newRunId(this.now());
    const registered = this.program.registry.workflows.get(workflowId);
    const written = writeArguments(this.codec, registered, { ...request, runId });
    const input = typeof written === 'string' ? written : await written;
    const identity: RunIdentity = {
      id: runId,
      workflowId,
      seed: this.#options.newSeed?.() ?? newSeed(),
      createdAt: this.now(),
      input,
      baseUrl: this.#options.baseUrl,
    };
    if (this.#runs.has(identity.id)) return identity.id;
    if (this.#makeRoom() <= 0) {
      const { id, seed, createdAt: at } = identity;
      await this.store.createRun({ id, workflowId, seed, bundleHash: this.program.workflows.hash, input, at });
      return id;
    }
    return new Promise((resolve, reject) => {
      const beginning: Beginning = { kind: 'new', created: () => resolve(identity.id), failed: reject };
      this.#runs.set(identity.id, new RunDriver(this.#host, identity, this.program.workflows.hash, beginning));
    });
  }

  whenEnded(runId: string): Promise<RunEnd> {
    if (this.#has(runId)) return this.#waiters.wait(runId);
    // A worker that takes nothing by itself takes what somebody here waits for: perhaps nobody else would.
    this.#want(runId);
    return this.#waiters.watch(runId);
  }

  #want(runId: string): void {
    if (this.#options.claim === false) void this.#regaining.want(runId);
  }

  #has(runId: string): boolean {
    return this.#runs.has(runId) || this.#loading.has(runId) || this.#regaining.has(runId);
  }

  resumeHook(token: string, payload: unknown): Promise<{ runId: string }> {
    return deliverPayload(this, token, payload);
  }

  checkPayload(runId: string, cid: number, data: string): Promise<string | null> | null {
    return checkLive(this.#runs.get(runId), cid, data);
  }

  upgrade(runId: string): Promise<Upgrade> {
    return upgradeRun(this, runId, { ...this.program.workflows, manifest: manifestText(this.program) });
  }

  #finished(driver: DrivenRun, outcome: Outcome, at: number): void {
    const { id: runId, workflowId } = driver.identity;
    const error = outcome.status === 'completed' ? null : outcome.data;
    this.#emit({ type: 'run-finished', runId, workflowId, status: outcome.status, at, error });
    this.#waiters.tell(runId, outcome);
  }

  // ------------------------------------------------------------- claiming

  #heard(change: StoreChange): void {
    this.#taking.heard(change);
    switch (change.kind) {
      case 'runnable':
        this.#claim();
        return;
      case 'inbox':
        // A run that nobody has in memory is due now.
        if (this.#runs.has(change.runId)) this.#read({ runId: change.runId });
        else this.#claim();
        return;
      case 'external':
        this.#claim();
        this.#read({ owner: this.#lease.owner });
        return;
      case 'events':
      case 'offers':
      case 'chunks':
      case 'status':
        return;
    }
  }

  #read(of: { runId: string } | { owner: string }): void {
    if ('runId' in of && !this.#runs.has(of.runId)) return;
    if (this.#runs.size === 0) return;
    this.store.readInbox(of).then((messages) => {
      for (const [runId, list] of this.#moves.sift(messages)) this.#runs.get(runId)?.receive(list);
    }, this.#storeFailed);
  }

  #claim(): void {
    if (this.#options.claim === false || this.#state !== 'open') return;
    if (this.#claiming) {
      this.#claimAgain = true;
      return;
    }
    this.#claiming = true;
    this.#claimAll()
      .catch(this.#storeFailed)
      .finally(() => {
        this.#claiming = false;
        if (!this.#claimAgain) return;
        this.#claimAgain = false;
        this.#claim();
      });
  }

  async #claimAll(): Promise<void> {
    let now = 0;
    while (this.#state === 'open') {
      const limit = Math.min(this.#makeRoom(), 100);
      this.#starved = limit <= 0;
      if (this.#starved) return;
      now = this.now();
      const records = await this.store.claim({ owner: this.#lease.owner, now, limit });
      if (this.closed) return;
      await Promise.all(records.map((record) => this.#resume(record)));
      if (records.length < limit) break;
    }
    if (this.#state !== 'open') return;
    const next = await this.store.nextWakeAt();
    // It came due in the meantime: no timer is needed.
    if (next !== null && next > now && next <= this.now()) this.#claimAgain = true;
    else if (!this.closed) this.#alarm.set(next);
  }

  /** Reads a claimed run and lets it go on. */
  async #resume(claimed: RunRecord): Promise<void> {
    const { id: runId, fence } = claimed;
    if (Math.max(this.#runs.get(runId)?.fence ?? 0, this.#loading.get(runId) ?? 0) >= fence) return;
    // Claimed twice by this worker: only who has the newer fence may write.
    this.#runs.get(runId)?.leave('The run was claimed again');
    this.#runs.delete(runId);
    this.#loading.set(runId, fence);
    const isOver = (): boolean => this.closed || this.#loading.get(runId) !== fence;
    try {
      const read = await admitRun(this, await readClaimed(this, claimed));
      if (isOver()) return;
      if (read === null || 'event' in read) return this.#tell(runId, read);
      const { record, log, inbox, offers } = read;
      const hash = record.bundleHash ?? this.program.workflows.hash;
      const found = await this.#realms.fetch(this.store, hash);
      if (isOver()) return;
      if (!found) return await this.#settle(record, inbox, lostBundle(hash));
      const carried = this.#regaining.of(runId);
      const beginning: Beginning = { kind: 'claimed', record, log, inbox, offers, carried };
      this.#waiters.readable(runId);
      this.#orphans.mended(runId);
      const identity = identityOf(record, this.#options.baseUrl);
      this.#runs.set(runId, new RunDriver(this.#host, identity, hash, beginning));
      // What came while the bundle was read was told to nobody.
      this.#read({ runId });
    } catch (error) {
      if (this.#orphans.isNews(runId, error)) this.#storeFailed(error, runId);
      if (isOver()) return;
      if (isDamage(error)) return await this.#settleDamaged(claimed, error);
      this.#waiters.hand(runId);
      // Nobody else knows of results that the store did not take.
      const carried = this.#regaining.of(runId);
      if (carried.length > 0) queueMicrotask(() => void this.#regaining.again(runId, carried));
      else void this.#regaining.letGo(runId, fence);
    } finally {
      if (this.#loading.get(runId) === fence) {
        this.#loading.delete(runId);
        this.#regaining.over(runId);
      }
    }
  }

  async #settle(record: RunRecord, inbox: readonly InboxMessage[], reason: ParkedReason): Promise<void> {
    this.#tell(record.id, await settleUndriven(this, record, inbox, reason));
  }

  #tell(runId: string, settled: Undriven | null): void {
    if (settled) this.#emit(settled.event);
    if (settled?.end) this.#waiters.tell(runId, settled.end);
    else this.#waiters.hand(runId);
  }

  /** What cannot be read is parked; where even that fails it stays this worker's for a while, and is tried less and less often. */
  async #settleDamaged(record: RunRecord, error: unknown): Promise<void> {
    this.#waiters.giveUp(record.id, error);
    try {
      await this.#settle(record, await this.store.readInbox({ runId: record.id }), unreadable(error));
      this.#orphans.mended(record.id);
    } catch {
      // The store has said what is wrong with it.
      this.#orphans.keep(record.id, error);
    }
  }

  /** Runs that were parked for a step that is there again go on. */
  async #unpark(): Promise<void> {
    const has = (id: string): boolean => this.#steps.has(id);
    for await (const id of parkedThatCanGoOn(this.store, this.program.manifest, has)) await this.unpark(id);
  }

  /** Lets a parked run try again; false when it is not parked, or another worker has it. What stopped it may do so again. */
  async unpark(runId: string): Promise<boolean> {
    return (await this.store.getRun(runId))?.status === 'parked' && (await this.take(runId)) === 'taken';
  }

  /** Takes one run, due or not, unless another living worker has it. A parked one tries again. */
  take(runId: string): Promise<'taken' | 'owned' | 'finished' | 'unknown-run'> {
    const taking = this.#takes.get(runId) ?? this.#take(runId).finally(() => this.#takes.delete(runId));
    this.#takes.set(runId, taking);
    return taking;
  }

  async #take(runId: string): ReturnType<Worker['take']> {
    const record = this.#has(runId) ? null : await this.store.getRun(runId);
    if (this.#has(runId) || record?.owner === this.#lease.owner) return 'taken';
    const claimed = await this.store.claimRun(runId, { owner: this.#lease.owner, now: this.now() });
    if (!claimed.ok) return claimed.reason;
    // Claiming may have set the status; that it was parked is what the driver must know.
    await this.#resume(record?.status === 'parked' ? { ...claimed.run, status: 'parked' } : claimed.run);
    return 'taken';
  }

  // -------------------------------------------------------------- dropping

  #dropped(driver: DrivenRun, again: readonly NewRunEvent[] | null): void {
    const runId = driver.id;
    if (this.#runs.get(runId) === driver) this.#runs.delete(runId);
    if (again === null) {
      // A run that ended has told those who wait already; this is for one that was parked or taken away.
      queueMicrotask(() => this.#waiters.hand(runId));
      if (this.#starved) this.#claim();
      return;
    }
    if (this.#state === 'open') void this.#regaining.again(runId, again);
  }

  /** How many more runs fit; idle ones are given back when there is no room. */
  #makeRoom(): number {
    const room = this.#maxRuns - this.#runs.size - this.#loading.size - this.#regaining.size;
    if (room > 0) return room;
    for (const driver of this.#runs.values()) {
      if (!driver.idle) continue;
      this.#evict(driver);
      return 1;
    }
    return 0;
  }

  /** Gives an idle run back. It is read again when it is due or gets a message. */
  #evict(driver: RunDriver): void {
    const { id, fence } = driver;
    driver.leave('The run was evicted');
    this.#runs.delete(id);
    this.#waiters.hand(id);
    this.store.release(id, fence).then(
      () => this.#claim(),
      (error: unknown) => this.#storeFailed(error, id),
    );
  }

  /** Lets go of a run, and reads it again: on its way it gets the code that a message asks for. */
  async #move(driver: RunDriver): Promise<void> {
    const { id, fence } = driver;
    driver.leave('The run moves to other code');
    this.#runs.delete(id);
    try {
      await this.store.release(id, fence);
      if ((await this.take(id)) !== 'taken') this.#waiters.hand(id);
    } catch (error) {
      this.#storeFailed(error, id);
      void this.#regaining.letGo(id, fence);
    }
  }

  /** Whether it has been closed or killed. */
  get closed(): boolean {
    return this.#state === 'closed';
  }

  /** Runs in memory. */
  get size(): number {
    return this.#runs.size;
  }
}
