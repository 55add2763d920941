/**
 * Hooks in workflow code: awaitable, iterable, disposable.
 *
 * Payloads that arrive while nobody waits are kept in order. A wait that lost a race is not forgotten: the next `await` joins it,
 * so that its payload reaches whoever still listens.
 */
import { judge, payloadError } from '../payload-schema.ts';
import { COMMAND } from '../protocol.ts';
import type { Schema, SchemaIssue } from '../schema-issues.ts';
import { currentRun, type Run } from './run.ts';

interface Wait {
  promise: Promise<unknown>;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

export class HookState {
  readonly #run: Run;
  readonly cid: number;
  readonly token: string;
  readonly #payloads: unknown[] = [];
  #wait: Wait | undefined;
  #failure: { error: unknown; owner: string } | undefined;
  disposed = false;
  readonly schema: Schema | undefined;

  constructor(run: Run, token: string, metadata: string | null, schema?: Schema) {
    this.#run = run;
    this.schema = schema;
    this.token = token;
    this.cid = run.command(COMMAND.hook, token, metadata);
    run.hooks.set(this.cid, this);
  }

  /** Whether somebody waits for a payload. */
  get awaited(): boolean {
    return this.#wait !== undefined;
  }

  /** The next payload. */
  next(): Promise<unknown> {
    if (this.#payloads.length > 0) return Promise.resolve(this.#payloads.shift());
    if (this.#failure) return Promise.reject(this.#failure.error);
    if (this.#wait === undefined) {
      let resolve!: Wait['resolve'];
      let reject!: Wait['reject'];
      const promise = new Promise((onValue, onError) => {
        resolve = onValue;
        reject = onError;
      });
      this.#wait = { promise, resolve, reject };
    }
    return this.#wait.promise;
  }

  receive(payload: unknown): void {
    if (this.disposed) return;
    if (this.schema === undefined) this.#hand(payload);
    else
      judge(this.schema, payload, (found) => ('value' in found ? this.#hand(found.value) : this.refuse(found.issues)));
  }

  /** The code does not learn of a payload that it must not get; who looks at the run does. */
  refuse(issues: readonly SchemaIssue[]): void {
    if (this.#run.settled) return;
    const error = payloadError(this.token, issues);
    error.stack = `${error.name}: ${error.message}`;
    this.#run.tell(COMMAND.refusePayload, this.cid, null, this.#run.codec.stringifyThrown(error));
  }

  #hand(payload: unknown): void {
    if (this.disposed) return;
    const wait = this.#wait;
    if (wait === undefined) {
      this.#payloads.push(payload);
    } else {
      this.#wait = undefined;
      wait.resolve(payload);
    }
  }

  /** Rejects whoever waits now. */
  interrupt(error: unknown): void {
    const wait = this.#wait;
    this.#wait = undefined;
    wait?.reject(error);
  }

  /**
   * Rejects whoever waits, now and later.
   *
   * @param owner the run that has the token
   */
  fail(error: unknown, owner: string): void {
    this.#failure = { error, owner };
    this.interrupt(error);
  }

  /**
   * The run that has the token; null when it is ours. That it is ours the log does not say to the code; but who sleeps, however shortly,
   * wakes behind what was recorded with the hook.
   */
  async conflict(): Promise<{ runId: string } | null> {
    if (!this.#failure) await this.#run.request(COMMAND.sleep, null, null, this.#run.now);
    return this.#failure ? { runId: this.#failure.owner } : null;
  }

  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.#run.hooks.delete(this.cid);
    if (!this.#failure && !this.#run.settled) this.#run.tell(COMMAND.dispose, this.cid, null, null);
  }
}

/** What `createHook` returns. */
export class Hook<T = unknown> {
  readonly token: string;
  readonly #state: HookState;

  constructor(token: string, metadata: string | null, schema?: Schema) {
    this.token = token;
    this.#state = new HookState(currentRun(), token, metadata, schema);
  }

  // A hook is awaited like a promise.
  // biome-ignore lint/suspicious/noThenProperty: that is its purpose.
  // oxlint-disable-next-line unicorn/no-thenable
  then<A = T, B = never>(
    onValue?: ((value: T) => A | PromiseLike<A>) | null,
    onError?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return (this.#state.next() as Promise<T>).then(onValue, onError);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    while (!this.#state.disposed) yield (await this.#state.next()) as T;
  }

  getConflict(): Promise<{ runId: string } | null> {
    return this.#state.conflict();
  }

  dispose(): void {
    this.#state.dispose();
  }

  static {
    // Absent from some versions of Node; what compilers emit for `using` takes the same registered symbol then.
    const symbol = Symbol.dispose ?? Symbol.for('Symbol.dispose');
    Object.defineProperty(Hook.prototype, symbol, {
      value: function (this: Hook) {
        this.dispose();
      },
      writable: true,
      configurable: true,
    });
  }
}
