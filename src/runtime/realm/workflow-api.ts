/** What `import { … } from 'pawl'` gives in workflow code. */
import { PawlError } from '../../errors.ts';
import type { Duration } from '../duration.ts';
import { toTime } from '../duration.ts';
import { CancelledError, FatalError, RetryableError } from '../errors.ts';
import { checkSchema, stringifyWithSchema } from '../payload-schema.ts';
import { COMMAND } from '../protocol.ts';
import { deserialize, serialize } from '../serialization/symbols.ts';
import { isWebhookToken } from '../webhook-token.ts';
import { Hook } from './hook.ts';
import { notHere } from './not-here.ts';
import { currentRun } from './run.ts';
import { uuid } from './random.ts';
import { getWritable } from './streams.ts';
import { createWebhook } from './webhook.ts';

interface HookOptions {
  token?: string;
  metadata?: unknown;
  schema?: unknown;
}

export function sleep(duration: Duration | Date): Promise<void> {
  const run = currentRun();
  try {
    return run.request(COMMAND.sleep, null, null, toTime(duration, run.now)) as Promise<void>;
  } catch (error) {
    return Promise.reject(error);
  }
}

export function createHook<T = unknown>(options: HookOptions = {}): Hook<T> {
  const run = currentRun();
  const token = options.token ?? uuid(run.ids);
  if (typeof token !== 'string' || token === '') {
    throw new PawlError('PAWL_HOOK_TOKEN', 'The token of a hook must be a text that is not empty.', {
      remedy: 'Pass a string such as `approval:${order.id}`, or leave it out.',
    });
  }
  if (isWebhookToken(token)) {
    throw new PawlError('PAWL_HOOK_TOKEN', 'The token of a hook has the form of one of a webhook.', {
      remedy: 'Begin it with something other than `wh_`.',
    });
  }
  const { metadata, schema } = options;
  checkSchema(schema);
  const what = `the metadata of the hook ${token}`;
  if (schema !== undefined) return new Hook<T>(token, stringifyWithSchema(run.codec, metadata, what), schema);
  return new Hook<T>(token, metadata === undefined ? null : run.codec.stringify(metadata, { root: 'metadata', what }));
}

export function defineHook<T = unknown>({
  schema,
}: {
  schema?: unknown;
} = {}): {
  create(options?: HookOptions): Hook<T>;
  resume(token: string, payload: T): never;
} {
  return {
    create: (options) => createHook<T>({ schema, ...options }),
    resume: () => {
      throw notHere('resume()', 'Call it in a step or in your app.');
    },
  };
}

export function getWorkflowMetadata(): {
  workflowRunId: string;
  workflowName: string;
  workflowStartedAt: Date;
  url: string;
} {
  const run = currentRun();
  return {
    workflowRunId: run.id,
    workflowName: run.workflowId,
    workflowStartedAt: new Date(run.startedAt),
    url: `pawl:${run.id}`,
  };
}

function refuse(what: string, remedy: string): () => never {
  return () => {
    throw notHere(what, remedy);
  };
}

const UNCOMPILED = 'Definitions are compiled: run `pawl build`, and declare them at the top level of a module.';

/** Values of `WORKFLOW_API`. */
export const workflowApi: Record<string, unknown> = {
  sleep,
  createHook,
  createWebhook,
  defineHook,
  getWritable,
  getStepMetadata: refuse('getStepMetadata()', 'Call it in a step; in a workflow use getWorkflowMetadata().'),
  getWorkflowMetadata,
  fetch: refuse('fetch()', "Call it in a step: move it into an async function that begins with 'use step'."),
  FatalError,
  RetryableError,
  CancelledError,
  defineAction: refuse('defineAction()', UNCOMPILED),
  defineWorkflow: refuse('defineWorkflow()', UNCOMPILED),
  defineAgent: refuse('defineAgent()', UNCOMPILED),
  // Inert: only actions, which run elsewhere, look inside.
  defineCredential: (definition: unknown) => definition,
  serialize,
  deserialize,
};
