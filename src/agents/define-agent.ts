import { PawlError } from '../errors.ts';
import { outsideAction } from '../leaf.ts';
import { plainHost } from './agent-host.ts';
import { define, requireOptions } from './define.ts';
import { type PromptInput, promptAgent } from './loop/durable-agent.ts';
import type { AgentResult, LoopSettings } from './loop/types.ts';
import type { OutputOf, Schema } from './schema.ts';

/** How an agent generates: as in the AI SDK. */
export interface GenerationSettings {
  maxOutputTokens?: number;
  temperature?: number;
  topP?: number;
  topK?: number;
  presencePenalty?: number;
  frequencyPenalty?: number;
  stopSequences?: string[];
  seed?: number;
  headers?: Record<string, string | undefined>;
  // biome-ignore lint/suspicious/noExplicitAny: providers have options of any kind.
  // oxlint-disable-next-line typescript/no-explicit-any
  providerOptions?: any;
  /** Attempts of a model call after the first; default 3. Each is seen in `pawl inspect`. */
  maxRetries?: number;
  /** Ms for a model call as a whole; or `{ stepMs, chunkMs }`, where `chunkMs` limits the silence (default 5 minutes). */
  timeout?: number | { totalMs?: number; stepMs?: number; chunkMs?: number };
}

export interface AgentOptions extends GenerationSettings {
  slug: string;
  systemPrompt: string;
  /** `vendor/model-id` of a provider in `pawl.config`, a model of the AI SDK, or a function that makes one. */
  model: unknown;
  /** Actions, agents and workflows by their slugs, or tools of the AI SDK by name. */
  tools?: readonly unknown[] | Readonly<Record<string, unknown>>;
  name?: string;
  /** What another agent reads that has this one as a tool. */
  description?: string;
  /** Model calls of one prompt at most; default 20. */
  maxSteps?: number;
  /** What each answer must be: see `PromptOptions`. */
  output?: unknown;
  // biome-ignore lint/suspicious/noExplicitAny: conditions of the AI SDK, whose types pawl does without.
  // oxlint-disable-next-line typescript/no-explicit-any
  stopWhen?: any;
  toolChoice?: unknown;
  activeTools?: readonly string[];
}

export interface PromptOptions<S extends Schema | undefined = undefined> extends GenerationSettings {
  /** What the user says. */
  message: string;
  /** The conversation before it: messages of the AI SDK. */
  messages?: readonly { role: string; content: unknown }[];
  /** A schema that the answer must match: then `output` of the result is an object. */
  output?: S;
  /** Where the answer is streamed to, as `UIMessageChunk`s. */
  writable?: WritableStream;
  /** Leaves the stream open for more. */
  preventClose?: boolean;
  maxSteps?: number;
}

/** What a prompt gives. */
export interface PromptResult<O = string> extends Omit<AgentResult, 'output'> {
  output: O;
}

export interface Agent {
  readonly slug: string;
  readonly name?: string;
  readonly description?: string;
  readonly systemPrompt: string;
  readonly model: unknown;
  readonly tools: AgentOptions['tools'];
  /**
   * Sends a message. In a workflow each model call and each tool that is a step is recorded: after a crash none of them is made again. In an
   * action or a script it runs there.
   *
   * @throws PawlError `PAWL_AGENT_OUTPUT` when the answer does not match `output`; `PAWL_MODEL_…` when the provider fails for good
   */
  prompt<S extends Schema>(input: PromptOptions<S> & { output: S }): Promise<PromptResult<OutputOf<S>>>;
  prompt(input: PromptOptions): Promise<PromptResult>;
}

/** Of Keystroke's agents: without them another agent would answer. */
const NOT_SERVED = ['skills', 'sandbox'] as const;

/**
 * Defines an agent: a model with instructions and tools, which workflows and actions prompt.
 *
 * @param options A literal: the build reads it. `maxSteps` bounds the model calls of a prompt.
 * @throws PawlError `PAWL_DEFINITION` without `slug`, `systemPrompt` or `model`, or with what pawl does not do
 * @example
 * export const support = defineAgent({
 *   slug: 'support',
 *   systemPrompt: 'Answer customers. Be brief.',
 *   model: 'openai/gpt-5',
 *   tools: [triage],
 * });
 * // in a workflow: const { text } = await support.prompt({ message: 'Where is my parcel?' });
 */
export function defineAgent(options: AgentOptions): Agent {
  requireOptions('agent', options, ['slug', 'systemPrompt', 'model']);
  for (const each of NOT_SERVED) {
    if ((options as unknown as Record<string, unknown>)[each] === undefined) continue;
    throw new PawlError('PAWL_DEFINITION', `The agent ${options.slug} has \`${each}\`, which pawl does not do.`, {
      remedy: 'Leave it out; docs/migrating.md has what stands in its place.',
    });
  }
  const { slug, name, description, systemPrompt, model, tools = [], ...rest } = options;
  const settings = { ...rest, instructions: systemPrompt, model, tools } as LoopSettings;
  const prompt = (input: unknown): Promise<never> =>
    outsideAction(() => promptAgent(settings, input as PromptInput, plainHost)) as Promise<never>;
  const agent: Agent = { slug, name, description, systemPrompt, model, tools, prompt };
  // Besides what the runtime asks of a definition: what workflow code does not know of the agent.
  const executable = { kind: 'agent' as const, execute: prompt, settings: rest };
  return define(agent, executable);
}
