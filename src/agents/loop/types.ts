/**
 * Glossary of the agent loop.
 *
 * - **loop**: asks the model, runs the tools that it calls, asks again. It is orchestration: in a workflow it is bundled with the user's
 *   code and replayed; in plain code it runs as it stands. It does no I/O of its own.
 * - **host**: what does the I/O for it: in a workflow steps, elsewhere functions.
 * - **model call**: one answer of a model; in a workflow one step, `pawl/agent#callModel`.
 * - **definition**: an action, an agent or a workflow as a tool. The bundle of workflows knows nothing of it but its slug, so its description
 *   and schema are looked up where the model is called.
 *
 * All that crosses to a model call is plain data, but for the model where a step makes it, and the stream.
 */

export interface Message {
  role: string;
  content: unknown;
  [key: string]: unknown;
}

/** `openai/gpt-5`, a function that makes a model (a step in a workflow), a model, or that of a defined agent. */
export type ModelReference = string | object | (() => unknown) | { agent: string };

/** What a model is told of a tool. */
export type ToolDescription =
  | { name: string; inputSchema: unknown; settings: { description?: string; [setting: string]: unknown } }
  | { name: string; definition: string; kind: 'action' | 'agent' | 'workflow' }
  | { name: string; provider: { id: string; args: unknown; [setting: string]: unknown } };

export interface ResponseFormat {
  type: 'text' | 'json';
  schema?: unknown;
  name?: string;
  description?: string;
}

/** What goes to the stream besides the answer. */
export interface ModelStream {
  writable: WritableStream;
  /** Of this model call among all: the same for all attempts of it. */
  call: string;
  /** Chunks that stand before the answer. */
  before: unknown[];
  reasoning: boolean;
  sources: boolean;
}

/**
 * What a model call is asked. The loop of a run in flight is the one that it began with: whoever answers has to understand what earlier versions
 * of pawl asked, so members may be added here, and none taken away.
 */
export interface ModelRequest {
  model: ModelReference;
  /** Slug of the agent that asks: what it does not say itself its definition says. */
  agent?: string;
  system?: unknown;
  messages: readonly Message[];
  tools: readonly ToolDescription[];
  toolChoice?: unknown;
  responseFormat?: ResponseFormat;
  /** Of the generation: `temperature`, `maxOutputTokens`, … */
  settings: Record<string, unknown>;
  stream?: ModelStream;
}

/** A tool call as the model made it. */
export interface RawCall {
  toolCallId: string;
  toolName: string;
  /** Parsed; the text where it is no JSON. */
  input: unknown;
  /** Why it cannot be taken as it is. */
  error?: string;
  dynamic?: boolean;
  /** The provider has run it, and its result is in the message. */
  providerExecuted?: boolean;
  providerMetadata?: unknown;
}

export interface Usage {
  inputTokens?: number;
  outputTokens?: number;
  totalTokens?: number;
  [detail: string]: unknown;
}

/** What it answers; earlier versions of the loop read it too. */
export interface ModelAnswer {
  text: string;
  reasoning: unknown[];
  reasoningText?: string;
  toolCalls: RawCall[];
  /** Results of tools that the provider ran. */
  providerResults: unknown[];
  sources: unknown[];
  files: unknown[];
  finishReason: string;
  rawFinishReason?: string;
  usage: Usage;
  warnings: unknown[];
  response: { id?: string; modelId?: string; timestamp?: Date };
  providerMetadata?: unknown;
  /** The answer as the conversation goes on with it; null when it is empty. */
  message: Message | null;
}

export interface WriteRequest {
  writable: WritableStream;
  chunks: readonly unknown[];
  close: boolean;
}

export interface LoopHost {
  /** What goes to a model call is recorded, and has to serialize. */
  isDurable: boolean;
  callModel(request: ModelRequest): Promise<ModelAnswer>;
  write(request: WriteRequest): Promise<void>;
  /** Waits for the answer of a person; null where nobody can. */
  approval: ((token: string) => PromiseLike<unknown>) | null;
  /** Keeps credentials from the model where tools are no steps, which keep them from what is recorded. */
  secrets?: {
    redact(text: string): string;
    /** @throws PawlError `PAWL_CREDENTIAL_LEAKED` when it holds one */
    refuse(output: unknown, tool: string): void;
  };
}

export interface ToolCall {
  type: 'tool-call';
  toolCallId: string;
  toolName: string;
  input: unknown;
  dynamic?: boolean;
  invalid?: boolean;
  error?: unknown;
  providerExecuted?: boolean;
  providerMetadata?: unknown;
}

export interface ToolResult {
  type: 'tool-result';
  toolCallId: string;
  toolName: string;
  input: unknown;
  output: unknown;
}

export interface ToolFailure {
  type: 'tool-error';
  toolCallId: string;
  toolName: string;
  input: unknown;
  error: unknown;
}

/** One model call and the tools that it called. */
export interface AgentStep {
  stepNumber: number;
  text: string;
  reasoning: unknown[];
  reasoningText?: string;
  content: unknown[];
  toolCalls: ToolCall[];
  toolResults: ToolResult[];
  toolErrors: ToolFailure[];
  sources: unknown[];
  files: unknown[];
  finishReason: string;
  rawFinishReason?: string;
  usage: Usage;
  warnings: unknown[];
  providerMetadata?: unknown;
  response: ModelAnswer['response'] & { messages: Message[] };
}

export interface AgentResult {
  /** The whole conversation, with what it began with. */
  messages: Message[];
  steps: AgentStep[];
  toolCalls: ToolCall[];
  toolResults: ToolResult[];
  text: string;
  reasoningText?: string;
  output: unknown;
  /** The same, where the program asked for it by that name. */
  experimental_output?: unknown;
  usage: Usage;
  totalUsage: Usage;
  finishReason: string;
}

type Stop = (options: { steps: readonly AgentStep[] }) => unknown;

export interface PreparedStep {
  model?: ModelReference;
  system?: unknown;
  messages?: readonly Message[];
  toolChoice?: unknown;
  activeTools?: readonly string[];
  experimental_context?: unknown;
  [setting: string]: unknown;
}

/** What `new DurableAgent()`, `defineAgent()` and `stream()` take: the later one counts. */
export interface LoopSettings {
  model?: ModelReference;
  agent?: string;
  instructions?: unknown;
  system?: unknown;
  tools?: unknown;
  toolChoice?: unknown;
  activeTools?: readonly string[];
  maxSteps?: number;
  stopWhen?: Stop | readonly Stop[];
  prepareStep?(options: Record<string, unknown>): PreparedStep | undefined | PromiseLike<PreparedStep | undefined>;
  experimental_context?: unknown;
  experimental_repairToolCall?(options: Record<string, unknown>): unknown;
  output?: unknown;
  onStepFinish?(step: AgentStep): unknown;
  onFinish?(event: Record<string, unknown>): unknown;
  onError?(event: { error: unknown }): unknown;
  [setting: string]: unknown;
}

export interface LoopOptions extends LoopSettings {
  messages?: readonly Message[];
  prompt?: string | readonly Message[];
  writable?: WritableStream;
  preventClose?: boolean;
  sendStart?: boolean;
  sendFinish?: boolean;
  sendReasoning?: boolean;
  sendSources?: boolean;
}
