import { refuseActionInAction, withinAction } from '../leaf.ts';
import type { Duration } from '../runtime/duration.ts';
import { currentStep } from '../runtime/step-context.ts';
import type { Credential, CredentialValues } from './define-credential.ts';
import { findMissing, type Values, withCredentials } from './credentials.ts';
import { define, requireOptions } from './define.ts';
import { type InputOf, type OutputOf, parseWith, type Schema } from './schema.ts';

export interface ActionContext {
  /** Aborts when the run is cancelled, when the attempt exceeds its `timeout`, and whenever else its result no longer matters. */
  signal: AbortSignal;
}

/** How an action is executed as a step; the same as those of a step function. Outside of workflows they do nothing. */
export interface ActionSettings {
  /** Attempts after the first one; default 3. */
  maxRetries?: number;
  /** The longest that an attempt may take, ms or a duration such as `'30s'`. Then its `signal` aborts, and it counts as failed. */
  timeout?: Duration;
  /** The longest time between two calls of `getStepMetadata().heartbeat()`, ms or a duration. */
  heartbeatTimeout?: Duration;
  /** The wait before each further attempt, ms or a duration; default growing waits from one second. */
  retryAfter?: Duration;
  /** Attempts that run at once in a worker. */
  concurrency?: number;
}

export interface ActionOptions<I extends Schema, O extends Schema, C extends readonly Credential[]>
  extends ActionSettings {
  /** Id, discovery key, tool name. */
  slug: string;
  /** Parsed before `run`, every time. */
  input: I;
  /** Parsed before the value is handed back. */
  output: O;
  run(input: OutputOf<I>, credentials: CredentialValues<C>, context: ActionContext): Promise<InputOf<O>> | InputOf<O>;
  /** Label for people. */
  name?: string;
  /** What a model reads. */
  description?: string;
  credentials?: C;
}

export interface Action<I = unknown, O = unknown> extends ActionSettings {
  readonly slug: string;
  readonly name?: string;
  readonly description?: string;
  readonly input: Schema;
  readonly output: Schema;
  /**
   * In a workflow a durable step; anywhere else it runs at once.
   *
   * @throws PawlError `PAWL_INPUT_INVALID`, `PAWL_OUTPUT_INVALID`; `PAWL5001` when another action calls it; `PAWL_CREDENTIAL_MISSING`;
   *   what the action's `run` throws
   */
  run(input: I): Promise<O>;
}

/**
 * Defines an action: a step with a name and schemas, which is also a tool for agents. It is a leaf: its `run` calls no other action.
 *
 * @example
 * export const triage = defineAction({
 *   slug: 'triage',
 *   input: z.object({ title: z.string() }),
 *   output: z.object({ severity: z.enum(['low', 'high']) }),
 *   run: async ({ title }) => ({ severity: /down/i.test(title) ? 'high' : 'low' }),
 * });
 */
export function defineAction<I extends Schema, O extends Schema, const C extends readonly Credential[] = readonly []>(
  options: ActionOptions<I, O, C>,
): Action<InputOf<I>, OutputOf<O>> {
  requireOptions('action', options, ['slug', 'input', 'output', 'run']);
  const { slug, name, description, input, output } = options;
  const owner = `action ${slug}`;
  const credentials = options.credentials ?? [];
  const execute = async (value: unknown, context: ActionContext): Promise<OutputOf<O>> => {
    refuseActionInAction(slug);
    const parsed = await parseWith(input, value, owner, 'input');
    const run = (values: Values): unknown =>
      withinAction(slug, () => options.run(parsed, values as CredentialValues<C>, context));
    const result = await withCredentials(credentials, owner, context, run);
    return parseWith(output, result, owner, 'output');
  };
  const action: Action<InputOf<I>, OutputOf<O>> = {
    slug,
    name,
    description,
    input,
    output,
    ...settingsOf(options),
    run: (value) => execute(value, { signal: currentStep()?.step.signal ?? new AbortController().signal }),
  };
  return define(action, {
    kind: 'action',
    execute,
    ...(credentials.length > 0 && { missingCredentials: () => findMissing(credentials, owner) }),
  });
}

function settingsOf({
  maxRetries,
  timeout,
  heartbeatTimeout,
  retryAfter,
  concurrency,
}: ActionSettings): ActionSettings {
  const all = { maxRetries, timeout, heartbeatTimeout, retryAfter, concurrency };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}
