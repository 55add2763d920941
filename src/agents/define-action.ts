import { currentStep } from '../runtime/step-context.ts';
import type { Credential, CredentialValues } from './define-credential.ts';
import { resolveCredentials } from './credentials.ts';
import { define, requireOptions } from './define.ts';
import { type InputOf, type OutputOf, parseWith, type Schema } from './schema.ts';

export interface ActionContext {
  /** Aborts when the attempt's result no longer matters. */
  signal: AbortSignal;
}

export interface ActionOptions<I extends Schema, O extends Schema, C extends readonly Credential[]> {
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

export interface Action<I = unknown, O = unknown> {
  readonly slug: string;
  readonly name?: string;
  readonly description?: string;
  readonly input: Schema;
  readonly output: Schema;
  /**
   * In a workflow a durable step; anywhere else it runs at once.
   *
   * @throws PawlError `PAWL_INPUT_INVALID`, `PAWL_OUTPUT_INVALID`
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
  const execute = async (value: unknown, context: ActionContext): Promise<OutputOf<O>> => {
    const parsed = await parseWith(input, value, owner, 'input');
    const credentials = resolveCredentials(options.credentials ?? [], owner) as CredentialValues<C>;
    const result = await options.run(parsed, credentials, context);
    return parseWith(output, result, owner, 'output');
  };
  const action: Action<InputOf<I>, OutputOf<O>> = {
    slug,
    name,
    description,
    input,
    output,
    run: (value) => execute(value, { signal: currentStep()?.step.signal ?? new AbortController().signal }),
  };
  return define(action, { kind: 'action', execute });
}
