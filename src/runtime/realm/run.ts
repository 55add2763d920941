/**
 * One run inside the realm: its commands, what it waits for, its clock and its randomness.
 *
 * Workflow code runs only while the host delivers something, and all of it that can run has run when the delivery ends.
 * So one variable, the current run, tells the shared globals (`Date`, `Math.random`, `console`, …) for whom they answer.
 */
import { PawlError } from '../../errors.ts';
import { CancelledError } from '../errors.ts';
import { COMMAND, type CommandKind } from '../protocol.ts';
import type { Codec } from '../serialization/codec.ts';
import type { AnyClass } from '../serialization/symbols.ts';
import type { HookState } from './hook.ts';
import { type Random, seededRandom } from './random.ts';

export interface Command {
  kind: CommandKind;
  cid: number;
  name: string | null;
  data: string | null;
  until: number;
  /** Where it was asked for, while the run is traced. */
  stack: string | null;
}

/** What a command's outcome settles. */
export interface Waiter {
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

export interface RegisteredWorkflow {
  fn: (...args: unknown[]) => unknown;
  /** What stands for it where it is passed as a value. */
  value: object;
}

export let current: Run | undefined;

export function enter(run: Run | undefined): void {
  current = run;
}

/** The run for which code runs right now. */
export function currentRun(): Run {
  if (current === undefined) throw new PawlError('PAWL_NO_RUN', 'No workflow runs at the moment.');
  return current;
}

export class Run {
  readonly id: string;
  readonly workflowId: string;
  readonly startedAt: number;
  /** Time of the event that is being delivered. */
  now: number;
  readonly workflows = new Map<string, RegisteredWorkflow>();
  readonly waiters = new Map<number, Waiter>();
  readonly hooks = new Map<number, HookState>();
  readonly lines: string[] = [];
  /** Reasons of rejections that nobody has handled so far. */
  readonly unhandled: unknown[] = [];
  cancelRequested = false;
  /** The bundle is being evaluated: not all modules have run. */
  loading = true;
  /** The workflow function returned or threw: nothing more is asked for. */
  settled = false;
  traced = false;
  /** Source of all that is random here; workflow code must not see it. */
  readonly seed: string;
  #commands: Command[] = [];
  #taken = 0;
  #nextCid = 1;
  #classes: Map<string, AnyClass> | undefined;
  #random: Random | undefined;
  #ids: Random | undefined;
  #codec: Codec | undefined;
  readonly #makeCodec: (run: Run) => Codec;

  constructor(id: string, workflowId: string, seed: string, now: number, makeCodec: (run: Run) => Codec) {
    this.id = id;
    this.workflowId = workflowId;
    this.seed = seed;
    this.startedAt = now;
    this.now = now;
    this.#makeCodec = makeCodec;
  }

  get codec(): Codec {
    this.#codec ??= this.#makeCodec(this);
    return this.#codec;
  }

  get classes(): Map<string, AnyClass> {
    this.#classes ??= new Map();
    return this.#classes;
  }

  /** Of `Math.random`. */
  get random(): Random {
    this.#random ??= seededRandom(this.seed, 'random');
    return this.#random;
  }

  /** Of ids and `crypto`: a stream of its own, so that neither disturbs the other. */
  get ids(): Random {
    this.#ids ??= seededRandom(this.seed, 'crypto');
    return this.#ids;
  }

  /** Asks for something whose outcome the promise tells. */
  request(kind: CommandKind, name: string | null, data: string | null, until = 0): Promise<unknown> {
    if (this.settled) return new Promise(() => {});
    const cid = this.command(kind, name, data, until);
    return new Promise((resolve, reject) => {
      this.waiters.set(cid, { resolve, reject });
    });
  }

  /** Asks for something; returns its number. */
  command(kind: CommandKind, name: string | null, data: string | null, until = 0): number {
    const cid = this.#nextCid++;
    this.#push(kind, cid, name, data, until);
    return cid;
  }

  /** Says something about an earlier command, or about the run. */
  tell(kind: CommandKind, cid: number, name: string | null, data: string | null): void {
    this.#push(kind, cid, name, data, 0);
  }

  #push(kind: CommandKind, cid: number, name: string | null, data: string | null, until: number): void {
    const stack = this.traced ? (new Error('trace').stack ?? null) : null;
    this.#commands.push({ kind, cid, name, data, until, stack });
  }

  /**
   * Asks something on the side: what the code asks for or draws at random meanwhile leaves no trace.
   *
   * @returns what ends that
   */
  aside(): () => void {
    const commands = this.#commands;
    const [taken, nextCid, random, ids, settled] = [this.#taken, this.#nextCid, this.#random, this.#ids, this.settled];
    const [lines, unhandled] = [this.lines.length, this.unhandled.length];
    this.#commands = [];
    this.#taken = 0;
    this.#random = seededRandom(this.seed, 'random aside');
    this.#ids = seededRandom(this.seed, 'crypto aside');
    // No promise of what it asks for is ever settled.
    this.settled = true;
    return () => {
      this.#commands = commands;
      this.#taken = taken;
      this.#nextCid = nextCid;
      this.#random = random;
      this.#ids = ids;
      this.settled = settled;
      this.lines.length = lines;
      this.unhandled.length = unhandled;
    };
  }

  /** The next command that the host has not taken yet. */
  take(): Command | undefined {
    if (this.#taken < this.#commands.length) return this.#commands[this.#taken++];
    if (this.#taken > 0) {
      // Setting the length of an array takes the engine longer than making one.
      this.#commands = [];
      this.#taken = 0;
    }
    return undefined;
  }

  /** Ends the wait for a command. */
  settle(cid: number): Waiter | undefined {
    const waiter = this.waiters.get(cid);
    if (waiter !== undefined) this.waiters.delete(cid);
    return waiter;
  }

  /** Rejects all that the workflow waits for. What it asks for afterwards works as before. */
  cancel(reason: string | null): void {
    this.cancelRequested = true;
    const error = (): CancelledError => new CancelledError(reason ?? undefined);
    const waiters = [...this.waiters.values()];
    this.waiters.clear();
    for (const waiter of waiters) waiter.reject(error());
    for (const hook of this.hooks.values()) hook.interrupt(error());
  }

  /** Ends the run: what comes out of the workflow function becomes the last command. */
  finish(kind: typeof COMMAND.complete | typeof COMMAND.fail, value: unknown): void {
    if (this.settled) return;
    if (kind === COMMAND.complete) {
      try {
        const data = this.codec.stringify(value, { root: 'result', what: `the result of workflow ${this.workflowId}` });
        this.settled = true;
        this.tell(COMMAND.complete, 0, null, data);
        return;
      } catch (error) {
        this.finish(COMMAND.fail, error);
        return;
      }
    }
    this.settled = true;
    const cancelled = this.cancelRequested && CancelledError.is(value);
    this.tell(cancelled ? COMMAND.cancelled : COMMAND.fail, 0, null, this.codec.stringifyThrown(value));
  }
}
