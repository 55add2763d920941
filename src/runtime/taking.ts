/**
 * A worker's share of the steps that other workers' runs have on offer: takes them, makes the attempts, and sends how they ended to
 * the runs.
 *
 * The store says who has taken what. An attempt whose offer has ended there is aborted: its run has ended, or was cancelled, or holds
 * this worker for dead. Whatever an attempt comes to is told until the store has an answer.
 */
import type { NewRunEvent } from '../store/events.ts';
import type { StoreChange, TakenStep } from '../store/port.ts';
import type { PendingStep, RunIdentity } from './live-run.ts';
import type { Retries } from './retries.ts';
import { type CallHost, StepCalls } from './step-calls.ts';
import { endOf, OFFERED_ATTEMPT } from './taken-step.ts';

/** So many are taken at once: others hear of the same offers at the same time. */
const TAKEN_AT_ONCE = 8;

export interface TakingHost extends CallHost {
  /** The worker's name. */
  readonly owner: string;
  readonly retries: Retries;
  readonly baseUrl: string | undefined;
  /** Whether the run is one of the worker's own. */
  owns(runId: string): boolean;
}

interface Taken {
  calls: StepCalls;
  /** Null once the attempt has ended. */
  step: PendingStep | null;
}

export class Taking {
  readonly #host: TakingHost;
  readonly #taken = new Map<string, Taken>();
  #others = 0;
  #looking = false;
  #lookAgain = false;
  /** A request to take steps has no answer. */
  #unsure = false;
  /** There was no room for more. */
  #full = false;
  /** Off while the worker is closed, or is one that takes nothing. */
  #open = false;

  constructor(host: TakingHost) {
    this.#host = host;
  }

  /** Other workers that take steps on offer. */
  get others(): number {
    return this.#others;
  }

  /** Steps that were taken and whose runs do not know yet how they ended. */
  get size(): number {
    return this.#taken.size;
  }

  open(): void {
    this.#open = true;
    this.renewed();
  }

  /** Takes no more. */
  close(): void {
    this.#open = false;
  }

  /** Drops everything, as a crash or a lost lease does. */
  leave(why: string): void {
    for (const { calls } of this.#taken.values()) calls.leave(why);
    this.#taken.clear();
  }

  /** The lease was extended: nobody tells of a worker that has come or gone. */
  renewed(): void {
    if (!this.#open) return;
    this.#host.store.countTakers(this.#host.owner).then(
      (count) => {
        this.#others = count;
        this.#look();
      },
      (error: unknown) => this.#failed(error),
    );
  }

  heard(change: StoreChange): void {
    if (change.kind === 'external' || (change.kind === 'offers' && !this.#host.owns(change.runId))) this.#look();
  }

  #failed(error: unknown): void {
    this.#host.emit({ type: 'store-failed', runId: null, error });
  }

  #look(): void {
    if (!this.#open && this.size === 0) return;
    if (this.#looking) {
      this.#lookAgain = true;
      return;
    }
    this.#looking = true;
    this.#lookAround()
      .catch((error: unknown) => this.#failed(error))
      .finally(() => {
        this.#looking = false;
        if (!this.#lookAgain) return;
        this.#lookAgain = false;
        this.#look();
      });
  }

  async #lookAround(): Promise<void> {
    const { store, gate, steps } = this.#host;
    if (this.size > 0 || this.#unsure) await this.#compare();
    const ids = steps.ids;
    for (;;) {
      const { owner } = this.#host;
      const limit = Math.min(gate.room, TAKEN_AT_ONCE);
      this.#full = limit <= 0;
      if (!this.#open || this.#full || !this.#host.lease.holds) return;
      // Until there is an answer, what was taken is not known.
      this.#unsure = true;
      const taken = await store.takeOffers({ owner, steps: ids, limit });
      this.#unsure = false;
      if (owner !== this.#host.owner) return;
      for (const each of taken) this.#begin(owner, each);
      if (taken.length < limit) return;
    }
  }

  #begin(owner: string, taken: TakenStep): void {
    const { runId, cid, stepId, data, scheduledAt, workflowId, seed, createdAt } = taken;
    const key = keyOf(taken);
    const identity: RunIdentity = { id: runId, workflowId, seed, createdAt, input: null, baseUrl: this.#host.baseUrl };
    const calls = new StepCalls(this.#host, identity, {
      fence: () => 0,
      writer: () => ({ runId, offer: { cid, taker: owner }, by: key }),
      step: () => (this.#taken.get(key) === entry ? (entry.step ?? undefined) : undefined),
      ended: (event) => {
        entry.step = null;
        void this.#tell(entry, owner, taken, event);
      },
      read: () => {},
    });
    const attempt = OFFERED_ATTEMPT;
    const begun = { attempt, failures: 0, pardoned: 0, heartbeat: null, retryAt: null };
    const entry: Taken = { calls, step: { cid, stepId, data, scheduledAt, ...begun } };
    this.#taken.set(key, entry);
    calls.begin(entry.step as PendingStep, 'first');
  }

  /** Tells the run how the attempt ended. */
  async #tell(entry: Taken, owner: string, { runId, cid }: TakenStep, event: NewRunEvent): Promise<void> {
    const { store, retries } = this.#host;
    const key = keyOf({ runId, cid });
    while (this.#taken.get(key) === entry) {
      try {
        await store.endOffer({ owner, runId, cid, ...endOf(event) });
        break;
      } catch (error) {
        this.#failed(error);
        await retries.pause(retries.next(runId));
        if (retries.stopped) return;
      }
    }
    if (this.#taken.get(key) === entry) this.#taken.delete(key);
    if (this.#full) this.#look();
  }

  /** Aborts what is no longer ours, and gives back what was taken without our hearing of it. */
  async #compare(): Promise<void> {
    const { store, owner, clock } = this.#host;
    const before = [...this.#taken.keys()];
    const held = await store.takenSteps(owner);
    if (owner !== this.#host.owner) return;
    const keys = new Set(held.map(keyOf));
    for (const key of before) {
      const taken = this.#taken.get(key);
      if (taken === undefined || keys.has(key)) continue;
      this.#taken.delete(key);
      taken.calls.leave('The run waits for this step no more');
    }
    if (!this.#unsure) return;
    for (const step of held) {
      if (before.includes(keyOf(step))) continue;
      await store.endOffer({ owner, ...step, at: clock.now(), status: 'lost', meta: null, data: null });
    }
    this.#unsure = false;
  }
}

function keyOf({ runId, cid }: { runId: string; cid: number }): string {
  return `${runId} ${cid}`;
}
