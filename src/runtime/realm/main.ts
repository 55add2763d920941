/**
 * The realm's entry: what the host calls, with primitives only. Everything here and everything that it imports is bundled into
 * one script, evaluated once in each vm context, in front of any workflow code.
 *
 * A delivery is synchronous: the host calls `start` or `deliver`, lets the context's own microtasks run, and takes the commands.
 * `create` returns an opaque object that stands for a run; the host only hands it back.
 */
import './polyfill.ts';
import { PawlError } from '../../errors.ts';
import { judge } from '../payload-schema.ts';
import { COMMAND, DELIVERY, type DeliveryKind, type HostUrl, REFUSAL } from '../protocol.ts';
import { codecOf, compiledApi } from './compiled.ts';
import { globalsOfRun, installGlobals } from './globals.ts';
import { Hook } from './hook.ts';
import { freezeRealm, guardStacks, removeRegExpStatics, resetStackLimit } from './harden.ts';
import type { SchemaIssue } from '../schema-issues.ts';
import { type Command, enter, Run } from './run.ts';
import { installHostUrl } from './url.ts';
import { Webhook } from './webhook.ts';
import { workflowApi } from './workflow-api.ts';

export type { Run };
export { setBaseUrl } from './webhook.ts';

type Bundle = (pawl: { globals: unknown; api: unknown; compiled: unknown }) => void;

const nativeThen = Promise.prototype.then;

/**
 * @param shared Whether several runs will live here: then the realm is frozen.
 * @param stacks Whether errors may have stacks.
 */
export function setUp(hostUrl: HostUrl, shared: boolean, stacks: boolean): void {
  installHostUrl(hostUrl);
  removeRegExpStatics();
  guardStacks(stacks);
  installGlobals();
  if (shared)
    freezeRealm([workflowApi, compiledApi, PawlError.prototype, Hook.prototype, Webhook.prototype, rejectionSink]);
}

export function create(id: string, workflowId: string, seed: string, now: number): Run {
  return new Run(id, workflowId, seed, now, codecOf);
}

/** Evaluates the bundle for this run and calls its workflow. Runs, as `deliver` does, when microtasks run. */
export function start(run: Run, bundle: Bundle, input: string | null, traced: boolean): void {
  begin(run, run.now);
  run.traced = traced;
  later(() => {
    try {
      bundle({ globals: globalsOfRun(), api: workflowApi, compiled: compiledApi });
    } catch (error) {
      refuse(run, isFrozenRealm(error) ? REFUSAL.frozen : REFUSAL.evaluation, run.codec.stringifyThrown(error));
      return;
    }
    run.loading = false;
    const workflow = run.workflows.get(run.workflowId);
    if (workflow === undefined) {
      refuse(run, REFUSAL.unknownWorkflow, null);
      return;
    }
    Reflect.apply(nativeThen, invoke(run, workflow.fn, input), [
      (value: unknown) => run.finish(COMMAND.complete, value),
      (error: unknown) => run.finish(COMMAND.fail, error),
    ]);
  });
}

const settled = Promise.resolve();

/** All code of users runs in microtasks: only there can it be stopped. */
function later(work: () => void): void {
  Reflect.apply(nativeThen, settled, [work]);
}

function refuse(run: Run, reason: string, data: string | null): void {
  run.settled = true;
  run.tell(COMMAND.refuse, 0, reason, data);
}

async function invoke(run: Run, fn: (...args: unknown[]) => unknown, input: string | null): Promise<unknown> {
  const args = input === null ? [] : run.codec.parse(input);
  return Reflect.apply(fn, undefined, Array.isArray(args) ? args : [args]);
}

/** What TypeErrors say of frozen objects. */
function isFrozenRealm(error: unknown): boolean {
  return (
    error instanceof TypeError &&
    /read[- ]only|not extensible|Cannot (?:add|define|delete|redefine) property/.test(error.message)
  );
}

export function deliver(run: Run, kind: DeliveryKind, cid: number, data: string | null, now: number): void {
  begin(run, now);
  later(() => dispatch(run, kind, cid, data));
}

function dispatch(run: Run, kind: DeliveryKind, cid: number, data: string | null): void {
  switch (kind) {
    case DELIVERY.stepResult: {
      const waiter = run.settle(cid);
      if (waiter === undefined) return;
      let value: unknown;
      try {
        value = data === null ? undefined : run.codec.parse(data);
      } catch (error) {
        waiter.reject(error);
        return;
      }
      waiter.resolve(value);
      return;
    }
    case DELIVERY.stepError: {
      run.settle(cid)?.reject(parseError(run, data));
      return;
    }
    case DELIVERY.sleepOver:
      run.settle(cid)?.resolve(undefined);
      return;
    case DELIVERY.hookPayload:
      receive(run, cid, data);
      return;
    case DELIVERY.hookConflict: {
      const hook = run.hooks.get(cid);
      hook?.fail(
        new PawlError('PAWL_HOOK_CONFLICT', `The token ${hook.token} belongs to a hook of the run ${data}.`, {
          remedy: 'Make tokens unique, for example by an id of what is waited for, or leave the token out.',
        }),
        String(data),
      );
      return;
    }
    case DELIVERY.cancel:
      run.cancel(data);
  }
}

function receive(run: Run, cid: number, data: string | null): void {
  const hook = run.hooks.get(cid);
  if (hook === undefined) return;
  let payload: unknown;
  try {
    payload = data === null ? undefined : run.codec.parse(data);
  } catch (error) {
    if (hook.schema === undefined) hook.interrupt(error);
    else hook.refuse(unreadable(error));
    return;
  }
  hook.receive(payload);
}

function unreadable(error: unknown): SchemaIssue[] {
  return [{ path: 'payload', message: String((error as { message?: unknown } | null)?.message ?? error) }];
}

interface Question {
  issues: SchemaIssue[] | null;
  end(): void;
}

let question: Question | undefined;

/** Asks the schema of a hook about a payload; `checked` has the answer when microtasks have run. */
export function check(run: Run, cid: number, data: string): void {
  begin(run, run.now);
  const undecided = [{ path: 'payload', message: 'its schema waits for something; it must decide by itself' }];
  const asked: Question = { issues: undecided, end: run.aside() };
  question = asked;
  later(() => {
    const schema = run.hooks.get(cid)?.schema;
    if (schema === undefined) {
      asked.issues = null;
      return;
    }
    let payload: unknown;
    try {
      payload = run.codec.parse(data);
    } catch (error) {
      asked.issues = unreadable(error);
      return;
    }
    judge(schema, payload, (found) => {
      asked.issues = 'value' in found ? null : found.issues;
    });
  });
}

/** What is wrong with the payload, as JSON; null when nothing is. */
export function checked(): string | null {
  const asked = question;
  question = undefined;
  asked?.end();
  return asked?.issues ? JSON.stringify(asked.issues) : null;
}

function parseError(run: Run, data: string | null): unknown {
  try {
    return data === null ? new Error('The step failed') : run.codec.parse(data);
  } catch (error) {
    return error;
  }
}

/** The run that was entered last: the turn is over when rejections are told. */
let last: Run | undefined;

function begin(run: Run, now: number): void {
  enter(run);
  last = run;
  run.now = now;
  resetStackLimit();
}

/** Ends the delivery: code that runs from here on, by mistake, has no run. */
export function end(): void {
  enter(undefined);
}

let taken: Command | undefined;

/** Takes the next command: its kind, or `COMMAND.none`. The rest is read by the functions below. */
export function take(run: Run): number {
  taken = run.take();
  return taken === undefined ? COMMAND.none : taken.kind;
}

export function takenCid(): number {
  return taken?.cid ?? 0;
}

export function takenName(): string | null {
  return taken?.name ?? null;
}

export function takenData(): string | null {
  return taken?.data ?? null;
}

export function takenUntil(): number {
  return taken?.until ?? 0;
}

export function takenStack(): string | null {
  return taken?.stack ?? null;
}

/** The next console line, or null. */
export function takeLine(run: Run): string | null {
  return run.lines.length > 0 ? (run.lines.shift() as string) : null;
}

/** Whether a hook could wake the run. */
export function awaitsHook(run: Run): boolean {
  for (const hook of run.hooks.values()) if (hook.awaited) return true;
  return false;
}

/** What Node tells a rejection to that nobody had handled at the end of its turn: the shape of a domain. */
export const rejectionSink = {
  emit(_event: string, reason: unknown): boolean {
    last?.unhandled.push(reason);
    return true;
  },
};

export const promisePrototype: object = Promise.prototype;

/** Forgets it again: somebody handled the promise later. Takes effect when microtasks have run. */
export function noteHandled(run: Run, promise: Promise<unknown>): void {
  Reflect.apply(nativeThen, promise, [
    undefined,
    (reason: unknown) => {
      const index = run.unhandled.indexOf(reason);
      if (index >= 0) run.unhandled.splice(index, 1);
    },
  ]);
}

/** The first rejection that nobody handled, as data; null when there is none. */
export function unhandled(run: Run): string | null {
  const reasons = run.unhandled.filter((reason) => !(run.cancelRequested && isCancellation(reason)));
  return reasons.length > 0 ? run.codec.stringifyThrown(reasons[0]) : null;
}

function isCancellation(reason: unknown): boolean {
  return typeof reason === 'object' && reason !== null && (reason as { name?: unknown }).name === 'CancelledError';
}
