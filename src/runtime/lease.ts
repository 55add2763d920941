/** A worker's lease in its store: kept alive, and known to be held when something begins that nobody else may begin. */
import type { EventStore } from '../store/port.ts';
import { newOwner } from './worker-parts.ts';

export interface LeaseListener {
  /** The lease was extended. */
  renewed(): void;
  /** The worker was declared dead: its runs are others' now. It goes on under another name. */
  lost(): void;
  failed(error: unknown): void;
}

export class Lease {
  readonly #store: EventStore;
  readonly #ms: number;
  readonly #takes: boolean;
  readonly #listener: LeaseListener;
  #owner = newOwner();
  /** When the last extension that came through was asked for, by a clock that never jumps and by the wall clock. */
  #since = { steady: 0, wall: 0 };
  #heartbeat: NodeJS.Timeout | undefined;
  #beating = false;
  #waiting: (() => void)[] = [];

  /**
   * @param ms - how long the lease lasts when the worker is not heard of
   * @param takes - whether the worker takes steps on offer
   */
  constructor(store: EventStore, ms: number, takes: boolean, listener: LeaseListener) {
    this.#store = store;
    this.#ms = ms;
    this.#takes = takes;
    this.#listener = listener;
  }

  /** Name under which the worker owns runs. */
  get owner(): string {
    return this.#owner;
  }

  async open(): Promise<void> {
    await this.#register();
  }

  start(): void {
    this.#heartbeat = setInterval(() => void this.#beat(), this.#ms / 3);
    this.#heartbeat.unref();
  }

  stop(): void {
    clearInterval(this.#heartbeat);
    this.#waiting = [];
  }

  /**
   * Whether nobody can have declared the worker dead. A process that was stopped, a machine that was suspended, may wake up in the
   * middle of anything: what it begins then may be finished elsewhere. The steady clock stands still while a machine is suspended,
   * and a store may go by the wall clock, which jumps: either of them may say that the time is over.
   */
  get holds(): boolean {
    const { steady, wall } = this.#since;
    return performance.now() - steady < this.#ms && Date.now() - wall < this.#ms;
  }

  /** Calls back when the lease is known to be held, or lost. */
  whenKnown(then: () => void): void {
    this.#waiting.push(then);
    void this.#beat();
  }

  async #register(): Promise<void> {
    const asked = moment();
    await this.#store.registerOwner(this.#owner, this.#ms, { takes: this.#takes });
    this.#since = asked;
  }

  async #beat(): Promise<void> {
    if (this.#beating) return;
    this.#beating = true;
    try {
      const asked = moment();
      if (await this.#store.renewOwner(this.#owner, this.#ms)) {
        this.#since = asked;
        this.#listener.renewed();
      } else {
        this.#listener.lost();
        this.#owner = newOwner();
        await this.#register();
        this.#listener.renewed();
      }
      for (const then of this.#waiting.splice(0)) then();
    } catch (error) {
      // Asked again at the next beat; who waits, waits on.
      this.#listener.failed(error);
    } finally {
      this.#beating = false;
    }
  }
}

function moment(): { steady: number; wall: number } {
  return { steady: performance.now(), wall: Date.now() };
}
