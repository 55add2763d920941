/**
 * Where workflow code runs: each piece of work in a turn of the event loop of its own, entered by a message port.
 *
 * - A termination by the watchdog unwinds the turn and drops what waits in the host's microtask queue at that moment. In a turn
 *   of our own nothing of anyone else's waits there.
 * - At the end of the turn Node reports rejections that nobody handled, so that it is clear whose they are.
 * - The turn has no async context of whoever caused the work: Node 20 would hang its `AsyncLocalStorage` stores on every promise
 *   of the realm, where workflow code could find them.
 */
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { resumePromiseHooks } from './promise-hooks.ts';
import { startWatchdog, unwatchTerminated, whenStopped } from './watchdog.ts';

export interface Job {
  /** Must not throw. */
  run(): void;
  /** Called in a later turn instead of the rest of `run`, which was terminated. */
  terminated(): void;
  /** Called after `run` when no other job waits. Must not throw. */
  last(): void;
}

/** How long the process lives on after the last job, at least, ms. */
const HOLD_MS = 10;

/** How often the last job of the queue may hurry what follows from it before the event loop has its turn. */
const LONGEST_CHAIN = 8;

class JobQueue {
  #jobs: Job[] = [];
  #next = 0;
  #running: Job | undefined;
  #busy = false;
  #chain = 0;
  #holding: NodeJS.Timeout | undefined;
  #ports: { receive: MessagePort; send: MessagePort } | undefined;

  add(job: Job): void {
    const { send } = this.#open();
    this.#hold();
    this.#jobs.push(job);
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port, no window
    send.postMessage(null);
  }

  #open(): { receive: MessagePort; send: MessagePort } {
    if (this.#ports === undefined) {
      const { port1: receive, port2: send } = new MessageChannel();
      removeStores(receive);
      receive.on('message', this.#turn);
      receive.unref();
      send.unref();
      this.#ports = { receive, send };
      startWatchdog();
      whenStopped(this.#recover);
    }
    return this.#ports;
  }

  /** Jobs keep the process alive. Asked for at each of them that would cost more than the turn itself. */
  #hold(): void {
    this.#busy = true;
    if (this.#holding !== undefined) return;
    this.#ports?.receive.ref();
    this.#holding = setInterval(() => {
      this.#recover();
      if (!this.#busy && this.#jobs.length === 0) {
        clearInterval(this.#holding);
        this.#holding = undefined;
        this.#ports?.receive.unref();
      }
      this.#busy = false;
    }, HOLD_MS);
    this.#holding.unref();
  }

  readonly #turn = (): void => {
    this.#recover();
    const job = this.#jobs[this.#next];
    if (job === undefined) return;
    this.#next++;
    if (this.#next === this.#jobs.length) {
      this.#jobs = [];
      this.#next = 0;
    }
    this.#running = job;
    job.run();
    this.#running = undefined;
    if (this.#jobs.length === 0 && !this.#yields()) job.last();
  };

  /**
   * Whether the event loop's turn should come to its end before more is done. What `last` brings about may be the next job, which
   * the port hands out at once: without a break, such a chain would let no timer and no socket have its turn.
   */
  #yields(): boolean {
    this.#chain = this.#chain === LONGEST_CHAIN ? 0 : this.#chain + 1;
    return this.#chain === 0;
  }

  /** A job that still counts as running when another turn begins was terminated. */
  readonly #recover = (): void => {
    const job = this.#running;
    if (job === undefined) return;
    this.#running = undefined;
    unwatchTerminated();
    resumePromiseHooks();
    (process as { domain?: unknown }).domain = undefined;
    job.terminated();
  };
}

/** Node 20 keeps the stores of the async context in which a port was made on the port itself. */
function removeStores(port: MessagePort): void {
  for (const key of Object.getOwnPropertySymbols(port)) {
    if (key.description === 'kResourceStore') (port as unknown as Record<symbol, unknown>)[key] = undefined;
  }
}

const queue = new JobQueue();

/** Runs the job in a turn of its own, after those that were added before. */
export function addJob(job: Job): void {
  queue.add(job);
}
