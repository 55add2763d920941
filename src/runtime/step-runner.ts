/** Runs single attempts of steps: finds the function, brings the input in and the result out. Knows no runs and no retries. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { types } from 'node:util';
import { PawlError } from '../errors.ts';
import type { ManifestStepOptions } from '../manifest/index.ts';
import { redact } from '../secrets.ts';
import type { EventStore } from '../store/port.ts';
import { type Duration, toMilliseconds, toTime } from './duration.ts';
import { brandOf } from './errors.ts';
import { guardSecrets } from './guarded-codec.ts';
import type { MissingCredential } from './missing-credentials.ts';
import { oneLine } from './one-line.ts';
import { type AnyFunction, hasStep, type Program, type StepRegistry } from './program.ts';
import { type Codec, createCodec, type StepReference } from './serialization/codec.ts';
import { isError } from './serialization/error-data.ts';
import { hostPlatform, stringifyWithBodies } from './serialization/http-host.ts';
import { CAPTURES, DEFINITION, SELF } from './serialization/symbols.ts';
import { mapStack } from './source-maps.ts';
import { type StepContext, stepStorage } from './step-context.ts';
import { streamAccess } from './stream-access.ts';
import { answerOfStep } from './webhook-answer.ts';

/** How one attempt ended. Data are serialized. */
export type AttemptResult =
  | { ok: true; data: string }
  | {
      ok: false;
      error: string;
      /** For people: `TypeError: x is not a function`. */
      message: string;
      /** No further attempt shall be made. */
      fatal: boolean;
      /** How long the step itself wants to wait before the next one, ms; null for the usual wait. */
      wait: number | null;
    };

/** A step's options with all defaults filled in, in ms. */
export interface StepSettings {
  maxRetries: number;
  timeout: number | null;
  heartbeatTimeout: number | null;
  retryAfter: number | null;
  concurrency: number | null;
}

/** Retries after the first attempt, unless the step says otherwise. */
const DEFAULT_MAX_RETRIES = 3;

/** What the runtime asks of a definition, whichever copy of pawl made it. */
export interface ExecutableDefinition {
  kind: 'action' | 'workflow' | 'agent';
  /** Of an action or agent: does the work, input and output checked. */
  execute?(input: unknown, options: { signal: AbortSignal }): Promise<unknown>;
  /** Of an action with credentials: those that nobody has set. */
  missingCredentials?(): Promise<MissingCredential[]>;
  /** Of a workflow: the parsed value, or a rejection that names side and path. */
  parseInput?(input: unknown): Promise<unknown>;
  parseOutput?(output: unknown): Promise<unknown>;
}

/** How the runtime works with a definition; undefined for anything else. */
export function definitionOf(value: unknown): ExecutableDefinition | undefined {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return undefined;
  return (value as { [DEFINITION]?: ExecutableDefinition })[DEFINITION];
}

export class StepRunner {
  readonly codec: Codec;
  readonly #program: Program;
  readonly #storage: AsyncLocalStorage<StepContext>;
  readonly #settings = new Map<string, StepSettings>();
  #ids: readonly string[] | null = null;

  /** @param store Where streams are read that steps get. */
  constructor(program: Program, store: EventStore) {
    this.#program = program;
    this.#storage = stepStorage(() => new AsyncLocalStorage());
    this.codec = stepCodec(program.registry, store);
  }

  has(id: string): boolean {
    return hasStep(this.#program.registry, id);
  }

  /** Of all steps and actions. */
  get ids(): readonly string[] {
    const { steps, actions, agents } = this.#program.registry;
    this.#ids ??= [...steps.keys(), ...actions.keys(), ...agents.keys()];
    return this.#ids;
  }

  settings(id: string): StepSettings {
    let settings = this.#settings.get(id);
    if (settings === undefined) {
      const written: ManifestStepOptions = this.#program.manifest.steps[id]?.options ?? {};
      const { steps, actions } = this.#program.registry;
      const fn = (steps.get(id)?.fn ?? actions.get(id) ?? {}) as ManifestStepOptions;
      const duration = (value: Duration | undefined): number | null =>
        value === undefined ? null : toMilliseconds(value);
      settings = {
        maxRetries: written.maxRetries ?? fn.maxRetries ?? DEFAULT_MAX_RETRIES,
        timeout: duration(written.timeout ?? fn.timeout),
        heartbeatTimeout: duration(written.heartbeatTimeout ?? fn.heartbeatTimeout),
        retryAfter: duration(written.retryAfter ?? fn.retryAfter),
        concurrency: written.concurrency ?? fn.concurrency ?? null,
      };
      this.#settings.set(id, settings);
    }
    return settings;
  }

  /** One attempt. Never rejects. */
  run(id: string, input: string | null, context: StepContext, done: (result: AttemptResult) => void): void {
    let pending: unknown;
    try {
      pending = this.#storage.run(context, () => this.#call(id, input, context));
    } catch (error) {
      done(this.failure(error));
      return;
    }
    let promise: Promise<unknown> | null;
    try {
      // Another kind of thenable may settle twice, or throw when asked: a promise in front of it keeps that in order.
      promise = types.isPromise(pending) ? pending : isThenable(pending) ? Promise.resolve(pending) : null;
    } catch (error) {
      done(this.failure(error));
      return;
    }
    if (promise === null) {
      this.#success(id, pending, context, done);
      return;
    }
    promise.then(
      (value) => this.#success(id, value, context, done),
      (error: unknown) => done(this.failure(error)),
    );
  }

  #call(id: string, input: string | null, context: StepContext): unknown {
    const [args = [], captures = [], self] = (input === null ? [] : this.codec.parse(input)) as [
      unknown[]?,
      unknown[]?,
      unknown?,
    ];
    const { steps, actions, agents } = this.#program.registry;
    const entry = steps.get(id);
    if (entry === undefined) {
      const definition = definitionOf(actions.get(id) ?? agents.get(id));
      if (!definition?.execute) {
        throw new PawlError('PAWL_STEP_MISSING', `There is no step ${id}.`, { remedy: 'Run `pawl build`.' });
      }
      return definition.execute(args[0], { signal: context.step.signal });
    }
    const fn = entry.fn ?? (Reflect.apply(entry.factory, self, captures) as AnyFunction);
    return Reflect.apply(fn, self, args);
  }

  #success(id: string, value: unknown, context: StepContext, done: (result: AttemptResult) => void): void {
    let data: string | Promise<string>;
    try {
      const destination = { root: 'result', what: `the result of step ${id}` };
      data = stringifyWithBodies(this.codec, withMappedStack(value), destination, (stream) => context.keep(stream));
    } catch (error) {
      done(this.failure(error));
      return;
    }
    if (typeof data === 'string') {
      done({ ok: true, data });
      return;
    }
    data.then(
      (text) => done({ ok: true, data: text }),
      (error: unknown) => done(this.failure(error)),
    );
  }

  /** What was thrown may be anything, a proxy whose traps throw too: never throws. */
  failure(error: unknown): AttemptResult {
    const brand = brandOf(error);
    return {
      ok: false,
      error: this.codec.stringifyThrown(withMappedStack(error)),
      message: redact(oneLine(error)),
      fatal: brand === 'fatal',
      wait: brand === 'retryable' ? wantedWait(error) : null,
    };
  }
}

/** What a `RetryableError` asks for; null when it asks for nothing, or for nothing sensible. */
function wantedWait(error: unknown): number | null {
  const now = Date.now();
  try {
    const wanted = (error as { retryAfter?: Duration | Date | null }).retryAfter;
    if (wanted === undefined || wanted === null) return null;
    return Math.max(0, toTime(wanted, now) - now);
  } catch {
    return null;
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}

/**
 * Rewrites the stacks of an error and its causes in place: they are about to be recorded.
 */
export function withMappedStack(error: unknown, seen = new Set<unknown>()): unknown {
  // A step's result comes here too: only errors are to be rewritten.
  if (!isError(error) || seen.has(error)) return error;
  seen.add(error);
  const it = error as { stack?: unknown; cause?: unknown; errors?: unknown };
  try {
    if (typeof it.stack === 'string') {
      Object.defineProperty(error, 'stack', {
        value: mapStack(it.stack),
        writable: true,
        enumerable: false,
        configurable: true,
      });
    }
    withMappedStack(it.cause, seen);
    if (Array.isArray(it.errors)) for (const each of it.errors) withMappedStack(each, seen);
  } catch {
    // A frozen error keeps the stack that it has.
  }
  return error;
}

/** How values arrive in steps: references are functions that run in place. */
function stepCodec(registry: StepRegistry, store: EventStore): Codec {
  const codec: Codec = guardSecrets(
    createCodec({
      step: (reference) => localStep(registry, reference),
      workflow: (id) => workflowReference(id),
      class: (id) => registry.classes.get(id),
      platform: hostPlatform(
        answerOfStep,
        streamAccess(() => ({ store, codec })),
      ),
      mapStack,
    }),
  );
  return codec;
}

function localStep(registry: StepRegistry, reference: StepReference): AnyFunction {
  const { id, self } = reference;
  const fn = async function (this: unknown, ...args: unknown[]): Promise<unknown> {
    const owner = self ?? this;
    const entry = registry.steps.get(id);
    if (entry) {
      const target = entry.fn ?? (Reflect.apply(entry.factory, owner, reference.captures ?? []) as AnyFunction);
      return Reflect.apply(target, owner, args);
    }
    const definition = definitionOf(registry.actions.get(id) ?? registry.agents.get(id));
    if (definition?.execute) return definition.execute(args[0], { signal: new AbortController().signal });
    throw new PawlError('PAWL_STEP_MISSING', `There is no step ${id}.`, { remedy: 'Run `pawl build`.' });
  };
  const mark = (key: PropertyKey, value: unknown): void => {
    Object.defineProperty(fn, key, { value, writable: true, configurable: true });
  };
  mark('stepId', id);
  mark(CAPTURES, () => reference.captures);
  if (self !== undefined) mark(SELF, self);
  return fn;
}

/** A workflow as a value: for `start()`. */
export function workflowReference(id: string): AnyFunction {
  const fn = async (): Promise<never> => {
    throw new PawlError('PAWL_WORKFLOW_CALLED', `The workflow ${id} cannot be called directly here.`, {
      remedy: 'Start it: `start(workflow, args)` of pawl/client.',
    });
  };
  Object.defineProperty(fn, 'workflowId', { value: id, writable: true, configurable: true });
  return fn;
}
