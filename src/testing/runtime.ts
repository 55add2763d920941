import { parse as parseDuration } from '@lukeed/ms';
import type { Diagnostic } from '../diagnostics/index.ts';
import { PawlError } from '../errors.ts';
import type { Manifest } from '../manifest/index.ts';
import {
  type CredentialSources,
  createHandler,
  createVirtualClock,
  createWorker,
  openStore,
  readMetadata,
  Run,
  startWithStreams,
  webhookPath,
} from '../runtime/index.ts';
import { Activity } from './activity.ts';
import { buildForTest, type ProjectOptions } from './project.ts';

export type TestRuntimeOptions = ProjectOptions & {
  /** Where virtual time begins; default 2026-01-01. */
  now?: Date;
  /**
   * Values of credentials by key: `{ linear: { apiKey: 'x' } }`, of OAuth ones `{ crm: { accessToken: 'x' } }`. What is not here comes from
   * where it does in production.
   */
  credentials?: Readonly<Record<string, Readonly<Record<string, string>>>>;
};

/** Where webhooks seem to be. */
const ORIGIN = 'http://localhost';

/** A durable wait of a run. */
export interface PendingSleep {
  runId: string;
  until: Date;
}

/** A hook that waits for payloads. */
export interface PendingHook {
  runId: string;
  token: string;
  metadata: unknown;
  /** Of a webhook: where `fetch` of the runtime reaches it. */
  url: string | null;
  /**
   * Sends a payload; resolves when it is kept.
   *
   * @throws PawlError `PAWL_HOOK_CLOSED`, `PAWL_HOOK_IS_WEBHOOK`, `PAWL_PAYLOAD_INVALID`
   */
  resume(payload: unknown): Promise<void>;
}

/** A worker with virtual time and a store in memory. Time stands still until it is moved. */
export interface TestRuntime {
  /** What the build found besides errors. */
  readonly diagnostics: readonly Diagnostic[];
  readonly manifest: Manifest;
  /** Virtual time. */
  now(): Date;
  /**
   * Starts a run.
   *
   * @param workflow - its id (`src/orders.ts#fulfil`), its slug, its name where only one workflow has it, or the workflow itself
   * @param args - its arguments
   * @throws PawlError `PAWL_UNKNOWN_WORKFLOW`, `PAWL_NOT_SERIALIZABLE`, `PAWL_INPUT_INVALID`
   */
  start<T = unknown>(workflow: WorkflowReference, args?: readonly unknown[]): Promise<Run<T>>;
  /**
   * Resolves when a run waits for a time.
   *
   * @param run - that run; any run when left out
   * @throws PawlError `PAWL_TEST_RUN_ENDED` when the run ends without such a wait
   */
  waitForSleep(run?: Run): Promise<PendingSleep>;
  /**
   * Resolves when a hook waits for a payload.
   *
   * @param run - of that run; of any run when left out
   * @param token - with that token
   * @throws PawlError `PAWL_TEST_RUN_ENDED` when the run ends without such a hook
   */
  waitForHook(run?: Run, token?: string): Promise<PendingHook>;
  /**
   * Sends an HTTP request to a webhook, and gives what it answers.
   *
   * @example
   * const { url } = await runtime.waitForHook(run);
   * await runtime.fetch(new Request(url, { method: 'POST', body: '{"approved":true}' }));
   */
  fetch(request: Request): Promise<Response>;
  /**
   * Moves time on. What comes due on the way happens at its own time and in order, with all that follows from it.
   *
   * @param duration - milliseconds, or a duration such as `90s`, `1h`, `2 days`
   * @param options.duringSteps - moves time on while steps run, which else take none of it: their `timeout` and `heartbeatTimeout`
   *   come due then
   */
  advance(duration: number | string, options?: { duringSteps?: boolean }): Promise<void>;
  /**
   * Moves time on as far as a run needs to end, and gives what it returns.
   *
   * @throws What `run.returnValue` rejects with, or PawlError `PAWL_TEST_STUCK` when the run waits for a payload
   */
  finish<T>(run: Run<T>): Promise<T>;
  /** Ends the worker and removes what was written. */
  close(): Promise<void>;
}

/** A compiled workflow function or a definition may stand for its id. */
// biome-ignore lint/suspicious/noExplicitAny: workflows of any signature
// oxlint-disable-next-line typescript/no-explicit-any
export type WorkflowReference = string | ((...args: any[]) => unknown) | { slug: string };

/**
 * Builds a program and makes a worker for it.
 *
 * @param options - `root` of a project, or `sources`: texts by relative path; imports of `pawl` and of packages that this project
 *   has installed resolve
 * @returns the runtime; close it when the test is done
 * @throws TestBuildError with `diagnostics` when the build has errors; PawlError as `build` and `createWorker`
 * @example
 * const runtime = await createTestRuntime({
 *   sources: {
 *     'src/main.ts': `import { sleep } from 'pawl';
 *       async function greet(name) { 'use step'; return 'Hello ' + name; }
 *       export async function main(name) { 'use workflow'; await sleep('1 day'); return greet(name); }`,
 *   },
 * });
 * const run = await runtime.start('main', ['Ada']);
 * await runtime.advance('1 day');
 * await run.returnValue; // 'Hello Ada'
 * await runtime.close();
 */
export async function createTestRuntime(options: TestRuntimeOptions): Promise<TestRuntime> {
  const project = await buildForTest(options);
  const clock = createVirtualClock(options.now?.getTime());
  const activity = new Activity();
  const store = await openStore('sqlite::memory:');
  const onEvent = activity.listen;
  const given = options.credentials ?? {};
  const credentials: CredentialSources = {
    ...(options.root !== undefined && { root: options.root }),
    given,
  };
  const worker = await createWorker({
    manifest: project.outDir,
    store,
    clock,
    onEvent,
    baseUrl: ORIGIN,
    credentials,
  }).catch(async (error: unknown) => {
    await store.close();
    project.remove();
    throw error;
  });
  const handle = <T>(runId: string): Run<T> => new Run<T>(runId, () => worker);

  const runtime: TestRuntime = {
    diagnostics: project.diagnostics,
    manifest: project.manifest,
    now: () => new Date(clock.now()),
    async start<T>(workflow: WorkflowReference, args: readonly unknown[] = []) {
      const workflowId = idOf(workflow, project.manifest);
      const request = { workflowId, args: [...args], definition: workflow };
      return handle<T>(await startWithStreams(worker, (keep) => worker.startRun({ ...request, keep })));
    },
    async waitForSleep(run) {
      const { runId, until } = await activity.wait(run?.runId, 'waits for a time', (state) => state.sleep());
      return { runId, until: new Date(until) };
    },
    async waitForHook(run, token) {
      const what = token === undefined ? 'waits for a payload' : `waits for a payload on ${JSON.stringify(token)}`;
      const found = await activity.wait(run?.runId, what, (state) => state.hook(token));
      const path = webhookPath(found.token);
      const hook = path === null ? await store.getHook(found.token) : null;
      return {
        ...found,
        metadata: hook === null ? undefined : readMetadata(worker.codec, hook.metadata),
        url: path === null ? null : ORIGIN + path,
        async resume(payload) {
          await worker.resumeHook(found.token, payload);
        },
      };
    },
    fetch: createHandler({ worker }),
    async advance(duration, { duringSteps = false } = {}) {
      const target = clock.now() + milliseconds(duration);
      await activity.settle(duringSteps);
      for (let next = clock.next(); next !== null && next <= target; next = clock.next()) {
        clock.advanceTo(next);
        await activity.settle(duringSteps);
      }
      clock.advanceTo(target);
      await activity.settle(duringSteps);
    },
    async finish(run) {
      for (;;) {
        await activity.settle();
        const status = await run.status;
        if (status !== 'pending' && status !== 'running') return run.returnValue;
        const next = clock.next();
        if (next === null) throw stuck(run.runId, activity.hookOf(run.runId));
        clock.advanceTo(next);
      }
    },
    async close() {
      await worker.close();
      await store.close();
      project.remove();
    },
  };
  return runtime;
}

function idOf(workflow: WorkflowReference, { workflows }: Manifest): string {
  const { slug, workflowId, name } = workflow as { slug?: unknown; workflowId?: unknown; name?: unknown };
  const wanted = typeof workflow === 'string' ? workflow : (workflowId ?? slug ?? name);
  if (typeof wanted !== 'string') return String(wanted);
  if (Object.hasOwn(workflows, wanted)) return wanted;
  const named = Object.entries(workflows).filter(([, each]) => each.name === wanted);
  // What is not known, or not known for sure, the worker refuses with suggestions.
  return named.length === 1 && named[0] ? named[0][0] : wanted;
}

function milliseconds(duration: number | string): number {
  const found = typeof duration === 'number' ? duration : parseDuration(duration);
  if (found !== undefined && Number.isFinite(found) && found >= 0) return found;
  throw new PawlError('PAWL_DURATION', `\`${duration}\` is no duration.`, {
    remedy: 'Pass milliseconds, or a text such as `90s`, `1h` or `2 days`.',
  });
}

function stuck(runId: string, token: string | null): PawlError {
  const what = token === null ? 'nothing that time could bring' : `a payload on the hook ${JSON.stringify(token)}`;
  return new PawlError('PAWL_TEST_STUCK', `The run waits for ${what}.`, {
    place: `run ${runId}`,
    remedy: 'Send the payload first: `(await runtime.waitForHook(run)).resume(payload)`.',
  });
}
