/**
 * The steps of one run that other workers may make: which are put on offer, and when they are taken back.
 *
 * Steps that are pending together are shared out among the workers that take offers; at least one stays where the run lives, so that
 * a single step never makes a detour. What nobody has taken after a moment the owner makes itself, as far as it has room.
 */
import type { NewRunEvent } from '../store/events.ts';
import type { EventStore } from '../store/port.ts';
import type { FullClock } from './clock.ts';
import type { WorkerEvent } from './progress.ts';

/** How long others get to take a step, ms: several times what it takes to hear of one. */
const GRACE = 25;

export interface OfferHost {
  readonly store: EventStore;
  readonly clock: Pick<FullClock, 'after'>;
  /** Other workers that take steps on offer. */
  readonly takers: number;
  readonly gate: { /** How many more attempts may run here. */ readonly room: number };
  emit(event: WorkerEvent): void;
}

/** What the offers have from their run. */
interface Offerer {
  readonly runId: string;
  fence(): number;
  /** Makes the first attempt here. */
  begin(cid: number): void;
  /** Messages for the run may have been missed. */
  read(): void;
}

export class Offering {
  readonly #host: OfferHost;
  readonly #run: Offerer;
  /** Steps that are, or are about to be, on offer; and whether that is durable. */
  readonly #cids = new Map<number, boolean>();
  #cancel: (() => void) | null = null;
  #asking = false;
  /** Something was put on offer in the meantime. */
  #again = false;
  #left = false;
  /** An answer got lost: what is on offer has to be asked for. */
  #unsure = false;

  constructor(host: OfferHost, run: Offerer) {
    this.#host = host;
    this.#run = run;
  }

  /** Steps on offer, taken or not. */
  get size(): number {
    return this.#cids.size;
  }

  has(cid: number): boolean {
    return this.#cids.has(cid);
  }

  /**
   * Which of the steps that are about to be scheduled others may make.
   *
   * @param busy attempts of the run that run here or wait for room
   * @param pending whether the run waits for a step: what the same turn cancelled again is nobody's to make
   */
  choose(events: readonly NewRunEvent[], busy: number, pending: (cid: number) => boolean): number[] {
    const asked = events.flatMap((event) => (event.type === 'step_scheduled' ? [event.cid] : []));
    for (const cid of asked) this.#cids.delete(cid);
    const scheduled = asked.filter(pending);
    const { takers } = this.#host;
    if (takers === 0 || scheduled.length + busy < 2) return [];
    const share = Math.ceil((scheduled.length + busy) / (takers + 1));
    const offered = scheduled.slice(Math.max(share - busy, busy === 0 ? 1 : 0));
    for (const cid of offered) this.#cids.set(cid, false);
    return offered;
  }

  /** The run was read from its log: these of its steps are on offer. */
  resume(cids: readonly number[]): void {
    for (const cid of cids) this.wait(cid);
  }

  /** What was chosen is on offer now: gives others a moment. */
  wait(cid: number): void {
    this.#cids.set(cid, true);
    this.#wait();
  }

  #wait(): void {
    if (this.#asking) this.#again = true;
    if (this.#cancel !== null || this.#asking || this.#left || this.size === 0) return;
    const { clock } = this.#host;
    this.#cancel = clock.after(GRACE, () => {
      this.#cancel = null;
      void this.#takeBack();
    });
  }

  /** The attempt of a step is known to have ended, or its run waits for it no more. */
  over(cid: number): void {
    this.#cids.delete(cid);
    if (this.size === 0) this.#stop();
  }

  /** Forgets the steps that the run waits for no more. */
  keep(pending: (cid: number) => boolean): void {
    for (const cid of this.#cids.keys()) if (!pending(cid)) this.over(cid);
  }

  leave(): void {
    this.#left = true;
    this.#stop();
    this.#cids.clear();
  }

  #stop(): void {
    this.#cancel?.();
    this.#cancel = null;
  }

  async #takeBack(): Promise<void> {
    const { store, gate } = this.#host;
    const { runId } = this.#run;
    const limit = Math.max(gate.room, 0);
    this.#asking = true;
    this.#again = false;
    let more = true;
    try {
      if (this.#unsure) await this.#find();
      if (limit > 0) {
        const { cids, left } = await store.takeBackOffers(runId, this.#run.fence(), limit);
        for (const cid of cids) this.#begin(cid);
        more = left;
      }
    } catch (error) {
      this.#unsure = true;
      this.#host.emit({ type: 'store-failed', runId, error });
    } finally {
      this.#asking = false;
    }
    if (more || this.#unsure || this.#again) this.#wait();
  }

  /** What is neither on offer nor told by a message was taken back, and nobody heard of it. */
  async #find(): Promise<void> {
    const { store } = this.#host;
    const { runId } = this.#run;
    const known = [...this.#cids].flatMap(([cid, isDurable]) => (isDurable ? [cid] : []));
    const offered = new Set(await store.listOffers(runId));
    const told = new Set((await store.readInbox({ runId })).map((message) => ('cid' in message ? message.cid : -1)));
    this.#unsure = false;
    if (told.size > 0) this.#run.read();
    for (const cid of known) if (!offered.has(cid) && !told.has(cid)) this.#begin(cid);
  }

  #begin(cid: number): void {
    const isDurable = this.#cids.get(cid);
    this.#cids.delete(cid);
    // Before that it begins as one that is not on offer, when it is known to be scheduled.
    if (isDurable) this.#run.begin(cid);
  }
}
