/**
 * What `import { … } from 'pawl'` gives outside of workflow code: in steps, and in apps. In workflow code the sandbox gives the
 * same names another meaning (`realm/workflow-api.ts`); what only works there says so here.
 */
import { PawlError } from '../errors.ts';
import type { Duration } from './duration.ts';
import { ERROR_BRAND } from './errors.ts';
import type { Hook, HookDefinition, HookOptions, RequestWithResponse, Webhook, WebhookOptions } from './hook-api.ts';
import { checkSchema } from './payload-schema.ts';
import type { InputOf, OutputOf, Schema } from './schema-issues.ts';
import { currentStep, type StepMetadata, type WorkflowMetadata } from './step-context.ts';
import { streamName, type WritableOptions } from './stream-address.ts';
import { defaultWorld } from './world.ts';

/** Trying again would not help: a step that throws it fails for good. */
function onlyInWorkflow(what: string, remedy: string): PawlError {
  const error = new PawlError('PAWL_ONLY_IN_WORKFLOW', `${what} works in workflow code only.`, { remedy });
  return Object.defineProperty(error, ERROR_BRAND, { value: 'fatal' });
}

/**
 * Waits durably: for as long as you like, across restarts, without holding anything. In workflow code only.
 *
 * @param duration Ms, a duration such as `'2 days'`, or the time to wait for.
 * @throws PawlError `PAWL_DURATION`; `PAWL_ONLY_IN_WORKFLOW` outside of a workflow.
 * @example
 * await sleep('1h');
 */
export function sleep(duration: Duration | Date): Promise<void> {
  void duration;
  return Promise.reject(
    onlyInWorkflow('sleep()', 'Call it in the workflow, between steps. To wait within a step, use a timer of Node.'),
  );
}

/**
 * Makes a hook: a point at which the workflow waits for payloads from outside. In workflow code only.
 *
 * @example
 * const approval = createHook<{ approved: boolean }>({ token: `approval:${order.id}` });
 * const { approved } = await approval; // resumed by resumeHook(token, payload)
 * @example
 * const answer = await createHook({ schema: z.object({ approved: z.boolean() }) }); // other payloads are refused
 */
export function createHook<S extends Schema>(options: HookOptions<S> & { schema: S }): Hook<OutputOf<S>>;
export function createHook<T = unknown>(options?: HookOptions<undefined>): Hook<T>;
export function createHook<T = unknown>(options?: HookOptions): Hook<T> {
  void options;
  throw onlyInWorkflow('createHook()', 'Call it in the workflow, and resumeHook() where the payload comes from.');
}

/**
 * Makes a webhook: a hook that HTTP requests resume. In workflow code only. The requests come in through `createHandler` of
 * pawl/runtime or `pawl worker --port`.
 *
 * @example
 * const webhook = createWebhook();
 * await askForApproval(order, webhook.url); // a step that sends the URL to somebody
 * const request = await webhook;
 * const { approved } = await request.json();
 */
export function createWebhook(options: { respondWith: 'manual' }): Webhook<RequestWithResponse>;
export function createWebhook(options?: WebhookOptions): Webhook;
export function createWebhook(options?: WebhookOptions): Webhook {
  void options;
  throw onlyInWorkflow(
    'createWebhook()',
    'Call it in the workflow, and pass its `url` to a step that tells it to somebody.',
  );
}

/**
 * Gives the payloads of a kind of hook a type, for both ends; with a schema, one that is checked.
 *
 * @param options.schema What payloads must be; see `HookOptions.schema`. The run's own code decides, as it was when the run began.
 * @example
 * export const approval = defineHook<{ approved: boolean }>();
 * // workflow: await approval.create({ token })   ·   app: await approval.resume(token, { approved: true })
 */
export function defineHook<S extends Schema>(options: { schema: S }): HookDefinition<OutputOf<S>, InputOf<S>>;
export function defineHook<T = unknown>(options?: { schema?: undefined }): HookDefinition<T>;
export function defineHook(options: { schema?: Schema } = {}): HookDefinition<unknown> {
  checkSchema(options.schema);
  return {
    create: () => createHook(),
    async resume(token, payload) {
      const world = defaultWorld();
      if (world !== undefined) return world.resumeHook(token, payload);
      throw new PawlError('PAWL_NO_STORE', 'There is no worker in this process that could resume the hook.', {
        remedy: 'Call resumeHook(token, payload) of pawl/client, and set PAWL_STORE.',
      });
    },
  };
}

/**
 * A stream of the run, which is read while it grows: by `run.readable` of pawl/client, by other programs over HTTP. Taken in workflow code
 * it is a handle to pass to steps; in a step it is written.
 *
 * Chunks are values as steps return them, or bytes (`Uint8Array`). They are kept with the run. A write is accepted while there is room
 * (1 MiB), else it waits; everything that was accepted is durable before the step's result is. A step that is made again writes again,
 * behind what is there. Closing takes effect when the step has succeeded; the run's end ends its streams too.
 *
 * @param options.namespace Which of the run's streams; the one without a name if left out.
 * @throws PawlError `PAWL_ONLY_IN_STEP`, `PAWL_STREAM_NAMESPACE`; writing: `PAWL_STREAM_CLOSED`, `PAWL_NOT_SERIALIZABLE`
 * @example
 * async function report(lines: string[]) {
 *   'use step';
 *   const writer = getWritable<string>({ namespace: 'progress' }).getWriter();
 *   for (const line of lines) await writer.write(line);
 *   writer.releaseLock();
 * }
 */
export function getWritable<W = unknown>(options: WritableOptions = {}): WritableStream<W> {
  const context = currentStep();
  const name = streamName(options.namespace);
  if (context !== undefined) return context.writable({ runId: context.workflow.workflowRunId, name });
  throw new PawlError('PAWL_ONLY_IN_STEP', 'getWritable() works in workflow code and while a step runs.', {
    remedy: 'Call it there; elsewhere the streams of a run are read: `run.readable`.',
  });
}

/**
 * What the running step knows about itself. In steps only.
 *
 * @throws PawlError `PAWL_ONLY_IN_STEP`
 * @example
 * const { idempotencyKey, signal } = getStepMetadata();
 * await fetch(url, { method: 'POST', headers: { 'idempotency-key': idempotencyKey }, signal });
 * @example
 * const { heartbeat, lastHeartbeat } = getStepMetadata();
 * for (let row = (lastHeartbeat as number | undefined) ?? 0; row < rows.length; row++) {
 *   await load(rows[row]);
 *   heartbeat(row + 1); // an attempt after this one begins there; `importRows.heartbeatTimeout = '30s'` ends one that hangs
 * }
 */
export function getStepMetadata(): StepMetadata {
  const context = currentStep();
  if (context !== undefined) return context.step;
  throw new PawlError('PAWL_ONLY_IN_STEP', 'getStepMetadata() works while a step runs.', {
    remedy:
      'Call it in the step itself or in what it calls, not in module code; in a workflow use getWorkflowMetadata().',
  });
}

/**
 * What is known of the run: in workflow code and in steps.
 *
 * @throws PawlError `PAWL_ONLY_IN_STEP`
 */
export function getWorkflowMetadata(): WorkflowMetadata {
  const context = currentStep();
  if (context !== undefined) return context.workflow;
  throw new PawlError('PAWL_ONLY_IN_STEP', 'getWorkflowMetadata() works in workflow code and while a step runs.', {
    remedy: 'Call it there; elsewhere a run is known by its handle: `run.record()`.',
  });
}

/**
 * The global `fetch`, which in a step aborts with the step's `signal`.
 *
 * @example
 * const response = await fetch(`https://api.example.com/orders/${id}`);
 */
export function fetch(input: string | URL | Request, init: RequestInit = {}): Promise<Response> {
  const context = currentStep();
  const signal = context === undefined ? null : context.step.signal;
  const signals = [signal, init.signal].filter((each) => each !== null && each !== undefined);
  return globalThis.fetch(input, signals.length === 0 ? init : { ...init, signal: AbortSignal.any(signals) });
}
