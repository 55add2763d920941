import { PawlError } from '../../errors.ts';
import { brandOf } from '../../runtime/errors.ts';
import { stepIdOf } from '../../runtime/serialization/symbols.ts';
import { type CallContext, type CallOutcome, checkCall, type CheckedCall, runCall } from './calls.ts';
import { jsonOf, messageOf } from './model-output.ts';
import { parseOutput, responseFormatOf } from './output.ts';
import { readTools, type Tools } from './tools.ts';
import type {
  AgentResult,
  AgentStep,
  LoopHost,
  LoopOptions,
  LoopSettings,
  Message,
  ModelAnswer,
  ModelReference,
  PreparedStep,
  RawCall,
  ResponseFormat,
  ToolFailure,
  ToolResult,
  Usage,
} from './types.ts';

/** Model calls of one `stream()` unless `maxSteps` or `stopWhen` say otherwise: a model that calls tools for ever ends here. */
export const DEFAULT_MAX_STEPS = 20;

/** Settings of the generation, which go to the model call as they are. */
export const GENERATION = [
  'maxOutputTokens',
  'temperature',
  'topP',
  'topK',
  'presencePenalty',
  'frequencyPenalty',
  'stopSequences',
  'seed',
  'headers',
  'providerOptions',
  'maxRetries',
  'timeout',
] as const;

/**
 * Asks the model until it calls no more tools.
 *
 * @param settings of the agent
 * @param options of this call; they go before the agent's
 * @throws what `PawlError`s say of wrong settings; what the last model call failed with
 */
export async function runLoop(settings: LoopSettings, options: LoopOptions, host: LoopHost): Promise<AgentResult> {
  const loop = new Loop(withOutput({ ...settings, ...defined(options) }), host);
  try {
    return await loop.run();
  } catch (error) {
    await loop.failed(error);
    throw error;
  }
}

/** Of the Workflow SDK's agents: what a program that asks for it would miss. */
const NOT_SERVED = [
  'collectUIMessages',
  'experimental_transform',
  'experimental_download',
  'includeRawChunks',
] as const;

function refuseNotServed(options: LoopOptions): void {
  const name = NOT_SERVED.find((each) => options[each] !== undefined && options[each] !== false);
  if (name === undefined) return;
  throw new PawlError('PAWL_AGENT_SETTING', `The agent was given \`${name}\`, which pawl does not do.`, {
    remedy: 'Leave it out; docs/migrating.md has what stands in its place.',
  });
}

/** Programs for the Workflow SDK and for Keystroke give the schema of the answer under other names. */
function withOutput({ outputSchema, ...options }: LoopOptions): LoopOptions {
  const { output = options.experimental_output ?? outputSchema } = options;
  return output === undefined ? options : { ...options, output };
}

function defined(options: LoopOptions): LoopOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

class Loop {
  readonly #options: LoopOptions;
  readonly #host: LoopHost;
  readonly #steps: AgentStep[] = [];
  /** Of this `stream()`: prefix of what names its model calls. */
  readonly #id: string;
  /** Chunks that go before the next ones. */
  #before: unknown[] = [];
  /** The client was told of the message's beginning. */
  #begun = false;
  #ended = false;

  constructor(options: LoopOptions, host: LoopHost) {
    this.#options = options;
    this.#host = host;
    this.#id = options.writable ? crypto.randomUUID() : '';
  }

  async run(): Promise<AgentResult> {
    const { output, writable, sendStart = true } = this.#options;
    refuseNotServed(this.#options);
    checkWritable(writable);
    const tools = await readTools(this.#options.tools);
    const responseFormat = await responseFormatOf(output);
    const stops = stopsOf(this.#options);
    const messages = conversation(this.#options);
    if (writable && sendStart) this.#before.push({ type: 'start', messageId: this.#id });
    for (;;) {
      const { step, answer, goesOn } = await this.#step(messages, tools, responseFormat);
      this.#steps.push(step);
      await this.#options.onStepFinish?.(step);
      if (!goesOn || (await isStopped(stops, this.#steps))) return this.#finish(messages, step, answer);
    }
  }

  /** One model call, and the tools that it calls. */
  async #step(
    messages: Message[],
    all: Tools,
    responseFormat: ResponseFormat | undefined,
  ): Promise<{ step: AgentStep; answer: ModelAnswer; goesOn: boolean }> {
    const options = this.#options;
    const stepNumber = this.#steps.length;
    const prepared = await this.#prepare(messages, stepNumber);
    const tools = activeOf(all, prepared.activeTools ?? options.activeTools);
    const model = prepared.model ?? options.model;
    const system = prepared.system ?? options.instructions ?? options.system;
    const sent = [...(prepared.messages ?? messages)];
    const toolChoice = prepared.toolChoice ?? options.toolChoice;
    checkChoice(toolChoice, tools);
    const { writable, sendReasoning = true, sendSources = false } = options;
    const answer = await this.#host.callModel({
      model: checkModel(model, options.agent, this.#host),
      ...(options.agent !== undefined && { agent: options.agent }),
      ...(system !== undefined && { system }),
      messages: sent,
      tools: [...tools.values()].map(({ description }) => description),
      ...(toolChoice !== undefined && { toolChoice }),
      ...(responseFormat && { responseFormat }),
      settings: generationOf(options, prepared),
      ...(writable && {
        stream: {
          writable,
          call: `${this.#id}.${stepNumber}`,
          before: this.#before,
          reasoning: sendReasoning,
          sources: sendSources,
        },
      }),
    });
    this.#begun = true;
    this.#before = writable ? [{ type: 'finish-step' }] : [];
    const context: CallContext = {
      tools,
      host: this.#host,
      messages: sent,
      system,
      repair: options.experimental_repairToolCall,
      experimental_context: prepared.experimental_context ?? options.experimental_context,
      ...(options.abortSignal ? { abortSignal: options.abortSignal as AbortSignal } : {}),
      tell: (chunks) => this.#write(chunks),
    };
    const own = answer.toolCalls.filter(({ providerExecuted }) => !providerExecuted);
    const checked = await Promise.all(own.map((call) => checkCall(call, context)));
    await this.#tellChecked(own, checked, tools);
    const outcomes = await Promise.all(checked.map((call) => runCall(call, context)));
    const added = responseMessages(answer, outcomes);
    messages.push(...added);
    // A call that nobody here has run is for whoever asked.
    const goesOn = outcomes.length > 0 && outcomes.every(({ result }) => result !== null);
    return { step: stepOf(stepNumber, answer, outcomes, added), answer, goesOn };
  }

  async #prepare(messages: readonly Message[], stepNumber: number): Promise<PreparedStep> {
    const { prepareStep, model, experimental_context } = this.#options;
    if (!prepareStep) return {};
    const given = { model, stepNumber, steps: this.#steps, messages: [...messages], experimental_context };
    return (await prepareStep(given)) ?? {};
  }

  /** The model call has told of calls that look right; what checking has found besides is told here. */
  async #tellChecked(raw: readonly RawCall[], checked: readonly CheckedCall[], tools: Tools): Promise<void> {
    const chunks = checked.flatMap(({ call, problem, repaired }, index) => {
      const { toolCallId, toolName, input } = call;
      const tool = tools.get(toolName);
      const isDynamic = tool ? tool.dynamic : true;
      const about = { toolCallId, toolName, input: jsonOf(input), ...(isDynamic && { dynamic: true }) };
      if (problem !== undefined) return [{ type: 'tool-input-error', ...about, errorText: problem }];
      return repaired || raw[index]?.error !== undefined ? [{ type: 'tool-input-available', ...about }] : [];
    });
    if (chunks.length > 0) await this.#write(chunks);
  }

  async #write(chunks: readonly unknown[], close = false): Promise<void> {
    const { writable } = this.#options;
    if (writable && (chunks.length > 0 || close)) await this.#host.write({ writable, chunks, close });
  }

  async #finish(messages: Message[], step: AgentStep, answer: ModelAnswer): Promise<AgentResult> {
    const { writable, output, sendFinish = true, preventClose = false, onFinish } = this.#options;
    const { text, reasoningText, finishReason, usage, toolCalls, toolResults } = step;
    const parsed =
      finishReason === 'tool-calls' && output !== undefined ? undefined : await parseOutput(output, answer);
    if (writable) {
      const finish = sendFinish ? [{ type: 'finish', finishReason }] : [];
      this.#ended = true;
      await this.#write([...this.#before, ...finish], !preventClose);
    }
    const steps = this.#steps;
    const totalUsage = steps.map((each) => each.usage).reduce(addUsage, {});
    const result: AgentResult = {
      messages,
      steps,
      toolCalls,
      toolResults,
      text,
      ...(reasoningText !== undefined && { reasoningText }),
      output: parsed,
      ...(this.#options.experimental_output !== undefined && { experimental_output: parsed }),
      usage,
      totalUsage,
      finishReason,
    };
    await onFinish?.({ ...step, ...result });
    return result;
  }

  /** Tells whom it concerns; the error itself goes on. */
  async failed(error: unknown): Promise<void> {
    const { writable, onError, preventClose = false, sendStart = true } = this.#options;
    const isCancelled = brandOf(error) === 'cancelled';
    if (!isCancelled) await onError?.({ error });
    if (!writable || this.#ended) return;
    this.#ended = true;
    const last = isCancelled ? { type: 'abort' } : { type: 'error', errorText: messageOf(error) };
    const start = sendStart && !this.#begun ? [{ type: 'start', messageId: this.#id }] : [];
    try {
      await this.#write([...start, last], !preventClose);
    } catch {
      // Of two errors the first one counts: perhaps it was the stream.
    }
  }
}

function conversation({ messages, prompt }: LoopOptions): Message[] {
  if (Array.isArray(messages)) return [...messages];
  if (typeof prompt === 'string') return [{ role: 'user', content: prompt }];
  if (Array.isArray(prompt)) return [...prompt];
  throw new PawlError('PAWL_AGENT_MESSAGES', 'The agent was given no messages.', {
    remedy:
      "Pass `messages: [{ role: 'user', content: '…' }]`; those of a client go through `convertToModelMessages` of `ai`.",
  });
}

function checkModel(model: ModelReference | undefined, agent: string | undefined, host: LoopHost): ModelReference {
  if (typeof model === 'string') return model;
  const crosses = typeof model === 'function' && stepIdOf(model) !== undefined;
  if (crosses || (!host.isDurable && (typeof model === 'function' || isObject(model)))) return model as object;
  if (typeof model === 'function' || isObject(model)) {
    const what = typeof model === 'function' ? 'function that makes the model' : 'model';
    throw new PawlError('PAWL_AGENT_MODEL', `The ${what} cannot be passed to the model call, which is a step.`, {
      remedy: MODELS,
    });
  }
  if (agent !== undefined) return { agent };
  throw new PawlError('PAWL_AGENT_MODEL', 'The agent has no model.', {
    remedy: MODELS,
  });
}

const MODELS =
  "Give it `model: 'vendor/model-id'`, or a step that makes one: `async () => { 'use step'; return openai('gpt-5'); }`.";

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function activeOf(tools: Tools, active: readonly string[] | undefined): Tools {
  if (!active) return tools;
  const unknown = active.find((name) => !tools.has(name));
  if (unknown !== undefined) {
    throw new PawlError('PAWL_AGENT_TOOL', `\`activeTools\` names ${unknown}, and the agent has no such tool.`, {
      remedy: `It has: ${[...tools.keys()].join(', ') || 'none'}.`,
    });
  }
  return new Map([...tools].filter(([name]) => active.includes(name)));
}

/** A provider would refuse it, or never come to an end. */
function checkChoice(choice: unknown, tools: Tools): void {
  const { type, toolName } = (isObject(choice) ? choice : {}) as { type?: unknown; toolName?: unknown };
  if (type !== 'tool' || tools.has(toolName as string)) return;
  throw new PawlError('PAWL_AGENT_TOOL', `\`toolChoice\` names ${String(toolName)}, and the agent has no such tool.`, {
    remedy: `It has: ${[...tools.keys()].join(', ') || 'none'}.`,
  });
}

function checkWritable(writable: unknown): void {
  if (writable === undefined || (isObject(writable) && typeof (writable as WritableStream).getWriter === 'function'))
    return;
  throw new PawlError('PAWL_AGENT_WRITABLE', 'The `writable` of the agent is no stream that can be written.', {
    remedy: 'Give it `getWritable<UIMessageChunk>()`, or leave it out.',
  });
}

function generationOf(options: LoopOptions, prepared: PreparedStep): Record<string, unknown> {
  const settings: Record<string, unknown> = {};
  for (const name of GENERATION) {
    const value = prepared[name] ?? options[name];
    if (value !== undefined) settings[name] = value;
  }
  return settings;
}

type Stops = readonly ((options: { steps: readonly AgentStep[] }) => unknown)[];

function stopsOf({ maxSteps, stopWhen }: LoopOptions): Stops {
  const own = stopWhen === undefined ? [] : Array.isArray(stopWhen) ? stopWhen : [stopWhen];
  const bound = maxSteps ?? (own.length > 0 ? undefined : DEFAULT_MAX_STEPS);
  if (bound === undefined) return own as Stops;
  if (typeof bound !== 'number' || !(bound >= 1)) {
    throw new PawlError(
      'PAWL_AGENT_STEPS',
      `\`maxSteps\` is ${String(bound)}: an agent makes at least one model call.`,
      {
        remedy: `Pass a number from 1 on, or leave it out: then it is ${DEFAULT_MAX_STEPS}.`,
      },
    );
  }
  return [...own, ({ steps }) => steps.length >= bound] as Stops;
}

async function isStopped(stops: Stops, steps: readonly AgentStep[]): Promise<boolean> {
  for (const stop of stops) if (await stop({ steps })) return true;
  return false;
}

/** The answer, with the inputs that its calls were run with, and the results. */
function responseMessages(answer: ModelAnswer, outcomes: readonly CallOutcome[]): Message[] {
  const inputs = new Map(outcomes.map(({ call }) => [call.toolCallId, call]));
  const added: Message[] = [];
  if (answer.message) {
    const { content } = answer.message;
    const parts = Array.isArray(content)
      ? content.map((part: { type?: string; toolCallId?: string }) => {
          const call = part.type === 'tool-call' ? inputs.get(part.toolCallId ?? '') : undefined;
          if (!call) return part;
          const input =
            call.invalid && (typeof call.input !== 'object' || call.input === null) ? {} : jsonOf(call.input);
          return { ...part, toolName: call.toolName, input };
        })
      : content;
    added.push({ ...answer.message, content: parts });
  }
  const results = outcomes.flatMap(({ part }) => (part ? [part] : []));
  if (results.length > 0) added.push({ role: 'tool', content: results });
  return added;
}

function stepOf(
  stepNumber: number,
  answer: ModelAnswer,
  outcomes: readonly CallOutcome[],
  added: Message[],
): AgentStep {
  const { message: _, providerResults, toolCalls, response, ...rest } = answer;
  const calls = new Map(outcomes.map(({ call }) => [call.toolCallId, call]));
  const all = toolCalls.map((raw) => calls.get(raw.toolCallId) ?? { type: 'tool-call' as const, ...raw });
  const results = outcomes.flatMap(({ result }) => (result ? [result] : []));
  const toolResults = results.filter((each): each is ToolResult => each.type === 'tool-result');
  const toolErrors = results.filter((each): each is ToolFailure => each.type === 'tool-error');
  const text = rest.text === '' ? [] : [{ type: 'text', text: rest.text }];
  return {
    ...rest,
    stepNumber,
    content: [...rest.reasoning, ...text, ...all, ...providerResults, ...results],
    toolCalls: all,
    toolResults: [...(providerResults as ToolResult[]), ...toolResults],
    toolErrors,
    response: { ...response, messages: added },
  };
}

const TOKENS = ['inputTokens', 'outputTokens', 'totalTokens', 'reasoningTokens', 'cachedInputTokens'] as const;

function addUsage(sum: Usage, usage: Usage): Usage {
  const total: Usage = { ...sum };
  for (const key of TOKENS) {
    const value = usage[key];
    if (typeof value === 'number') total[key] = ((sum[key] as number | undefined) ?? 0) + value;
  }
  return total;
}
