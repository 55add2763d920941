/**
 * `pawl/client`: starts runs and looks after them, from any program.
 *
 * It speaks with the worker of this process if there is one, or else with the store that `PAWL_STORE` names; then some worker
 * of another process does the work.
 */
import { PawlError } from '../errors.ts';
import { refuseWorkflowInAction } from '../leaf.ts';
import { openStore } from '../store/index.ts';
import type { EventStore, RunFilter, RunRecord } from '../store/port.ts';
import { clientCodec } from './client-codec.ts';
import { type KeepStream, startWithStreams } from './given-streams.ts';
import { deliverPayload } from './hook-delivery.ts';
import { readMetadata } from './payload-schema.ts';
import { Run, type RunSource } from './run-handle.ts';
import { newRunId, newSeed } from './run-id.ts';
import { stringifyWithBodies } from './serialization/http-host.ts';
import { workflowIdOf } from './serialization/symbols.ts';
import { definitionOf } from './step-runner.ts';
import { receiveWebhook } from './webhook-requests.ts';
import { isWebhookToken } from './webhook-token.ts';
import { defaultWorld, type StartRequest } from './world.ts';

export type { ReadableOptions, Run, RunStream } from './run-handle.ts';
export { RunCancelledError, type RunEnd, RunFailedError, RunParkedError } from './run-end.ts';

/** A workflow: a compiled function, a definition, or its id. */
export type WorkflowLike<A extends unknown[] = never[], T = unknown> =
  | ((...args: A) => Promise<T> | T)
  | { slug: string; run(input: never): Promise<T> | T }
  | string;

type ArgumentsOf<W> = W extends (...args: infer A) => unknown
  ? A
  : W extends { run(input: infer I, ...rest: never[]): unknown }
    ? [I]
    : unknown[];

type ResultOf<W> = W extends (...args: never[]) => infer R
  ? Awaited<R>
  : W extends { run(...args: never[]): infer R }
    ? Awaited<R>
    : unknown;

export interface StartOptions {
  /**
   * The run's id, for starting once: a run of that id that exists is returned instead of started again.
   */
  runId?: string;
}

/**
 * Starts a run. It goes on whatever becomes of this program.
 *
 * @param workflow A workflow function or definition as imported from compiled code, or its id (`src/orders.ts#fulfil`, a slug). Where there is no
 *   worker in the process, an input that a definition refuses is refused here; of a slug the worker that takes the run parses it, and
 *   the run fails with the same error.
 * @param args Its arguments; a definition has one, its input. May be left out when there are none. What a `ReadableStream` among them
 *   gives is sent while the run goes on already, for as long as this program lives.
 * @returns The run, which is durable now.
 * @throws PawlError `PAWL_UNKNOWN_WORKFLOW`, `PAWL_NOT_SERIALIZABLE`, `PAWL_INPUT_INVALID`, `PAWL_NOT_A_WORKFLOW`, `PAWL_NO_STORE`.
 * @example
 * const run = await start(fulfil, [order]);
 * const receipt = await run.returnValue;
 */
export async function start<W extends WorkflowLike>(
  workflow: W,
  ...rest: [] extends ArgumentsOf<W>
    ? [args?: ArgumentsOf<W>, options?: StartOptions]
    : [args: ArgumentsOf<W>, options?: StartOptions]
): Promise<Run<ResultOf<W>>> {
  refuseWorkflowInAction('start');
  const [args = [], options = {}] = rest;
  const workflowId = idOf(workflow);
  if (!Array.isArray(args)) {
    throw new PawlError('PAWL_ARGUMENTS', 'The arguments of a workflow are passed as an array.', {
      remedy: 'Write start(workflow, [a, b]).',
    });
  }
  const world = defaultWorld();
  const source = world ?? (await storeSource());
  const request = { workflowId, args, definition: workflow, runId: options.runId };
  const id = await startWithStreams(source, (keep) =>
    world === undefined ? createIn(source, { ...request, keep }) : world.startRun({ ...request, keep }),
  );
  return new Run(id, () => source);
}

/** Makes a run that the worker of another process takes. */
async function createIn(
  source: RunSource,
  { workflowId, args, definition: workflow, runId, keep }: StartRequest & { keep: KeepStream },
): Promise<string> {
  const definition = definitionOf(workflow);
  // Only to refuse it here: the worker that takes the run parses it, for whoever started it.
  await definition?.parseInput?.((args as unknown[])[0]);
  const what = `the arguments of workflow ${workflowId}`;
  const at = source.now();
  const id = runId ?? newRunId(at);
  const data = await stringifyWithBodies(source.codec, args, { root: 'args', what }, (stream) => keep(stream, id));
  await source.store.createRun({ id, workflowId, seed: newSeed(), bundleHash: null, input: data, at });
  return id;
}

/**
 * A run by its id. That it exists is seen when it is asked for something.
 *
 * @example
 * const status = await getRun(id).status;
 */
export function getRun<T = unknown>(runId: string): Run<T> {
  // The world at this moment; a store is opened when the run is asked for something.
  const world = defaultWorld();
  return new Run<T>(runId, () => world ?? storeSource());
}

/**
 * Runs, newest first.
 *
 * @param filter By status, workflow and time; `limit` a page, `cursor` for the next one.
 */
export async function listRuns(filter: RunFilter = {}): Promise<{ runs: RunRecord[]; next: string | null }> {
  const { store } = defaultWorld() ?? (await storeSource());
  return store.listRuns(filter);
}

/**
 * Sends a payload to a hook. When this resolves, the payload is kept: the workflow gets it, whatever happens.
 *
 * @param hook The hook's token, or what `getHookByToken` gave.
 * @returns The id of the run.
 * @throws PawlError `PAWL_UNKNOWN_HOOK`, `PAWL_HOOK_CLOSED` (disposed, or its run has ended), `PAWL_PAYLOAD_INVALID` (the hook has a
 *   schema, and nothing was kept), `PAWL_PAYLOAD_TOO_LARGE` (of more than 32 MiB), `PAWL_NOT_SERIALIZABLE`.
 * @example
 * await resumeHook(`approval:${order.id}`, { approved: true });
 */
export async function resumeHook(hook: string | { token: string }, payload: unknown): Promise<{ runId: string }> {
  // What is neither is named for what it is.
  const own = (hook as { token?: unknown } | null | undefined)?.token;
  const token = (typeof own === 'string' ? own : hook) as string;
  return deliverPayload(defaultWorld() ?? (await storeSource()), token, payload);
}

/**
 * The same, in a store at hand. For tools.
 *
 * @internal
 */
export function resumeHookIn(store: EventStore, token: string, payload: unknown): Promise<{ runId: string }> {
  return deliverPayload(sourceOf(store), token, payload);
}

/**
 * Sends a request to a webhook, and gives what it answers: for a route of your own. `createHandler` of pawl/runtime is such a route.
 *
 * @param token The webhook's token.
 * @param request The request as it came in. Its body is read; what only concerns the way here (`Cookie`, …) is left out.
 * @param options.timeout How long to wait for a step that answers, ms; default 30,000.
 * @returns 202 without a body, or what the webhook's `respondWith` says, when the request is kept.
 * @throws PawlError `PAWL_UNKNOWN_WEBHOOK`, `PAWL_HOOK_CLOSED`, `PAWL_BODY_TOO_LARGE`, `PAWL_WEBHOOK_TIMEOUT`, `PAWL_WEBHOOK_UNANSWERED`.
 * @example
 * app.all('/callbacks/:token', (context) => resumeWebhook(context.req.param('token'), context.req.raw));
 */
export async function resumeWebhook(
  token: string,
  request: Request,
  options: { timeout?: number } = {},
): Promise<Response> {
  return receiveWebhook(defaultWorld() ?? (await storeSource()), token, request, options);
}

/** The hook of a token: its run and its metadata. */
export async function getHookByToken(
  token: string,
): Promise<{ token: string; runId: string; metadata: unknown; open: boolean } | null> {
  const { store, codec } = defaultWorld() ?? (await storeSource());
  const hook = await store.getHook(token);
  if (hook === null) return null;
  const { runId, metadata, disposedAt } = hook;
  const own = isWebhookToken(token) ? undefined : readMetadata(codec, metadata);
  return { token, runId, metadata: own, open: disposedAt === null };
}

function idOf(workflow: unknown): string {
  if (typeof workflow === 'string' && workflow !== '') return workflow;
  const id = workflowIdOf(workflow);
  if (id !== undefined) return id;
  const name = typeof workflow === 'function' && workflow.name ? ` ${workflow.name}` : '';
  throw new PawlError('PAWL_NOT_A_WORKFLOW', `The value${name} that was passed to start() is not a workflow.`, {
    remedy:
      "Give the function the directive 'use workflow', and see that this program is compiled too (a pawl plugin, or the id as text).",
  });
}

let opened: Promise<EventStore> | undefined;

/** The store of the environment, opened once. */
function environmentStore(): Promise<EventStore> {
  const url = process.env.PAWL_STORE;
  if (!url) {
    throw new PawlError('PAWL_NO_STORE', 'There is no worker in this process, and PAWL_STORE names no store.', {
      remedy: 'Make a worker with createWorker(), or set PAWL_STORE, for example to sqlite:.pawl/pawl.db.',
    });
  }
  const store = opened ?? openStore(url);
  opened = store;
  store.catch(() => {
    opened = undefined;
  });
  return store;
}

async function storeSource(): Promise<RunSource> {
  return sourceOf(await environmentStore());
}

function sourceOf(store: EventStore): RunSource {
  return { store, codec: clientCodec(store), now: () => Date.now() };
}
