/**
 * `pawl/agent`: agents whose model calls are durable, shaped like those of the AI SDK (`ai` 6, which a program with agents installs).
 */
import type {
  FinishReason,
  LanguageModelUsage,
  ModelMessage,
  PrepareStepFunction,
  StopCondition,
  SystemModelMessage,
  ToolCallRepairFunction,
  ToolChoice,
  ToolSet,
  UIMessageChunk,
} from 'ai';
import { outsideAction } from '../leaf.ts';
import { plainHost } from './agent-host.ts';
import type { GenerationSettings } from './define-agent.ts';
import { durableAgentClass } from './loop/durable-agent.ts';
import { promptLlmWith } from './loop/prompt-llm.ts';
import type { AgentStep, ToolCall, ToolResult } from './loop/types.ts';
import type { OutputOf, Schema } from './schema.ts';

export { type Agent, type AgentOptions, defineAgent, type PromptOptions, type PromptResult } from './define-agent.ts';
export { type PartMark, withoutAbandoned } from './loop/abandoned.ts';
export type { AgentStep, ToolCall, ToolFailure, ToolResult, Usage } from './loop/types.ts';
export type { Provider } from './models.ts';

/** An action, an agent or a defined workflow: as a tool it is known by its slug. */
export interface DefinitionTool {
  readonly slug: string;
  readonly description?: string;
}

/** Tools of the AI SDK and definitions by name, or definitions alone. */
export type AgentTools =
  | ToolSet
  | Readonly<Record<string, ToolSet[string] | DefinitionTool>>
  | readonly DefinitionTool[];

/**
 * A model: `vendor/model-id` of a provider in `pawl.config`; a function that makes one, which in a workflow is a step
 * (`async () => { 'use step'; return openai('gpt-5'); }`); in plain code also a model of the AI SDK.
 */
export type AgentModel = string | (() => unknown) | object;

/** `Output.object({ schema })` of the AI SDK. */
interface OutputSpecification<O> {
  parseCompleteOutput(options: { text: string }, context: never): Promise<O>;
}

/** A schema of zod or another library, or `Output.object({ schema })` of the AI SDK. */
export type AgentOutput = Schema | OutputSpecification<unknown>;

type OutputValue<O> = O extends OutputSpecification<infer V> ? V : O extends Schema ? OutputOf<O> : string;

interface SharedSettings extends GenerationSettings {
  /** What the model may do with the tools. */
  toolChoice?: ToolChoice<ToolSet>;
  /** Names of the tools that the model is told of; all if left out. */
  activeTools?: readonly string[];
  /**
   * Model calls at most. Without it and without `stopWhen` an agent stops after 20: a model that calls tools for ever ends there, with
   * `finishReason: 'tool-calls'`.
   */
  maxSteps?: number;
  /** Conditions of the AI SDK, such as `stepCountIs(5)`, asked after each step whose tools have all answered. */
  stopWhen?: StopCondition<ToolSet> | StopCondition<ToolSet>[];
  /** Other settings for a step: `model`, `system`, `messages`, `toolChoice`, `activeTools` and those of the generation. */
  prepareStep?: PrepareStepFunction<ToolSet> | ((options: never) => unknown);
  /** Tools get it too. In a workflow it must serialize where a tool is a step. */
  experimental_context?: unknown;
  /** Puts a tool call right whose name or input is wrong, before the model is told of it. */
  experimental_repairToolCall?: ToolCallRepairFunction<ToolSet> | ((options: never) => unknown);
  onStepFinish?(step: AgentStep): unknown;
  onFinish?(
    event: AgentStep & { steps: AgentStep[]; messages: ModelMessage[]; totalUsage: LanguageModelUsage },
  ): unknown;
  /** Told of the error that `stream` then rejects with. */
  onError?(event: { error: unknown }): unknown;
}

export interface DurableAgentSettings extends SharedSettings {
  model: AgentModel;
  /** The system prompt. */
  instructions?: string | SystemModelMessage | SystemModelMessage[];
  /** The same, as older programs write it. */
  system?: string;
  tools?: AgentTools;
}

export interface StreamOptions<O = undefined> extends SharedSettings {
  /** The conversation; messages of a client go through `convertToModelMessages` of `ai`. */
  messages?: ModelMessage[];
  /** Instead of messages: what the user says. */
  prompt?: string;
  /** Where the answer and the results of tools go, while they come: `getWritable<UIMessageChunk>()`. */
  writable?: WritableStream<UIMessageChunk>;
  /** Leaves `writable` open for more. */
  preventClose?: boolean;
  /** Whether the stream begins a message (`start`), and ends it (`finish`). Default: both. */
  sendStart?: boolean;
  sendFinish?: boolean;
  sendReasoning?: boolean;
  sendSources?: boolean;
  system?: string;
  /** The answer must match: `output` of the result is what the schema makes of it. */
  output?: O;
  /** Ends tools that run in plain code. */
  abortSignal?: AbortSignal;
}

export interface StreamResult<O = undefined> {
  /** The whole conversation, those messages included that it began with. */
  messages: ModelMessage[];
  steps: AgentStep[];
  /** Of the last step. Calls without a result are those of tools without `execute`: they are for the client. */
  toolCalls: ToolCall[];
  toolResults: ToolResult[];
  /** Of the last step. */
  text: string;
  reasoningText?: string;
  /** The text, or what the schema made of it. */
  output: OutputValue<O>;
  /** Of the last step. */
  usage: LanguageModelUsage;
  /** Of all steps. */
  totalUsage: LanguageModelUsage;
  finishReason: FinishReason;
}

export interface DurableAgent {
  readonly tools: AgentTools;
  /**
   * Asks the model, runs the tools that it calls, and asks again until it calls none.
   *
   * In a workflow each model call is a step, and so is each tool whose `execute` begins with `'use step'`: after a crash those that were done
   * are not done again. A call that was cut off is made again; its parts bear a mark by which `withoutAbandoned` takes the others out.
   *
   * A tool that throws, an unknown tool and an invalid input go back to the model as errors.
   *
   * @throws PawlError `PAWL_MODEL_RATE_LIMIT`, `PAWL_MODEL_FAILED`, `PAWL_MODEL_TIMEOUT` when attempts have run out; `PAWL_MODEL_REFUSED`;
   *   `PAWL_AGENT_OUTPUT` when the answer does not match; `PAWL_AGENT_…` for settings that cannot be; `PAWL_AI_MISSING`
   */
  stream<const O extends AgentOutput | undefined = undefined>(options: StreamOptions<O>): Promise<StreamResult<O>>;
}

/**
 * An agent that is made where it is used, most often in a workflow.
 *
 * @example
 * export async function chat(messages: ModelMessage[]) {
 *   'use workflow';
 *   const agent = new DurableAgent({ model: 'openai/gpt-5', instructions: 'Be brief.', tools: { search } });
 *   const { text } = await agent.stream({ messages, writable: getWritable<UIMessageChunk>() });
 *   return text;
 * }
 */
export const DurableAgent = durableAgentClass(plainHost, outsideAction) as unknown as new (
  settings: DurableAgentSettings,
) => DurableAgent;

/**
 * One question to a model, without an agent: for programs that were written for Keystroke. In pawl prompt an agent.
 *
 * @internal
 */
export const promptLlm = promptLlmWith(durableAgentClass(plainHost, outsideAction)) as <S extends Schema | undefined>(
  prompt: string,
  options: { model: AgentModel; outputSchema?: S } & GenerationSettings,
) => Promise<S extends Schema ? OutputOf<S> : string>;
