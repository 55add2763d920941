/**
 * One attempt of a model call: asks the model by the AI SDK, streams its answer to whoever watches, and gives what the loop goes on with.
 * The AI SDK is looked for when the first call is made: pawl works without it.
 */
import { PawlError } from '../errors.ts';
import { markChunk, ownId, type PartMark } from './loop/abandoned.ts';
import type { ModelAnswer, ModelRequest, RawCall, ToolDescription, WriteRequest } from './loop/types.ts';
import { keepKeys } from './model-keys.ts';
import { cutOff, lastly, modelFailure, timedOut } from './model-errors.ts';
import { resolveModel } from './models.ts';

type Ai = typeof import('ai');
type StreamOptions = Parameters<Ai['streamText']>[0];
type Result = ReturnType<Ai['streamText']>;
type FinalStep = Awaited<Result['steps']>[number];

type DefinitionTool = Extract<ToolDescription, { definition: string }>;
/** What a model is told of a tool, besides its name. */
export type ToldTool = Omit<Extract<ToolDescription, { inputSchema: unknown }>, 'name'>;

/** Of the attempt. */
export interface AttemptContext {
  /** 1 for the first. */
  attempt: number;
  signal?: AbortSignal;
  /** Of a definition whose slug is all that workflow code knows: description and JSON Schema of the input. */
  describe(tool: DefinitionTool): Promise<ToldTool>;
}

/**
 * A call in which nothing at all arrives for that long has failed. Reasoning models may be silent for minutes.
 */
const SILENCE = 5 * 60_000;

export async function loadAi(): Promise<Ai> {
  try {
    return await import('ai');
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw lastly(
      new PawlError('PAWL_AI_MISSING', 'Agents need the AI SDK, and the package `ai` is not installed.', {
        remedy: 'Run `npm install ai`.',
      }),
    );
  }
}

/**
 * @throws PawlError `PAWL_AI_MISSING`, `PAWL_AGENT_MODEL`, and what `modelFailure` makes of an error of the provider
 */
export async function callModel(request: ModelRequest, context: AttemptContext): Promise<ModelAnswer> {
  const ai = await loadAi();
  const { maxRetries, timeout, ...settings } = request.settings;
  const again = context.attempt <= (typeof maxRetries === 'number' ? maxRetries : DEFAULT_MAX_RETRIES);
  const model = await resolveModel(request.model).catch((error: unknown) => {
    throw again ? error : lastly(error);
  });
  const limit = new Limit(timeout, context.signal);
  let failure: { error: unknown } | null = null;
  try {
    await Promise.race([keepKeys(model), limit.end]);
    const result = ai.streamText({
      ...settings,
      model: model as StreamOptions['model'],
      messages: request.messages as never,
      ...(request.system !== undefined && { system: request.system as string }),
      tools: await toolsOf(ai, request.tools, context),
      ...(request.toolChoice !== undefined && { toolChoice: request.toolChoice as never }),
      ...(request.responseFormat && { output: outputOf(request.responseFormat) }),
      // Attempts are the step's: they are recorded, and survive a crash.
      maxRetries: 0,
      abortSignal: limit.signal,
      experimental_include: { requestBody: false },
      onError: ({ error }) => {
        failure ??= { error };
      },
    } as StreamOptions);
    await forward(result, request, context.attempt, limit);
    if (failure !== null) throw (failure as { error: unknown }).error;
    context.signal?.throwIfAborted();
    if (limit.exceeded !== null) throw timedOut(limit.exceeded);
    const [step] = await Promise.race([result.steps, limit.end]);
    if (!step || isCut(step)) throw cutOff();
    return answerOf(step);
  } catch (thrown) {
    if (context.signal?.aborted) throw context.signal.reason;
    const error = limit.exceeded === null ? thrown : timedOut(limit.exceeded);
    throw modelFailure(error, again);
  } finally {
    limit.clear();
  }
}

/** Attempts after the first, unless the agent's `maxRetries` says otherwise. */
const DEFAULT_MAX_RETRIES = 3;

/** The provider ended the stream without saying why: the connection was closed in the middle. */
function isCut({ finishReason, rawFinishReason }: FinalStep): boolean {
  return finishReason === 'error' || (finishReason === 'other' && rawFinishReason === undefined);
}

/** Ends a call that takes too long, as a whole or between two parts of the answer. */
class Limit {
  readonly signal: AbortSignal;
  /** Rejects when the call shall end: not every provider hears the signal. */
  readonly end: Promise<never>;
  /** Ms that it was allowed; null while it is within. */
  exceeded: number | null = null;
  readonly #controller = new AbortController();
  readonly #silence: number;
  readonly #total: NodeJS.Timeout | undefined;
  #quiet: NodeJS.Timeout | undefined;

  constructor(timeout: unknown, outer: AbortSignal | undefined) {
    const own = this.#controller.signal;
    this.signal = outer ? AbortSignal.any([own, outer]) : own;
    this.end = new Promise((_resolve, reject) => {
      if (this.signal.aborted) reject(this.signal.reason);
      this.signal.addEventListener('abort', () => reject(this.signal.reason), { once: true });
    });
    this.end.catch(() => {});
    const { totalMs, stepMs, chunkMs } = (typeof timeout === 'object' && timeout !== null ? timeout : {}) as Record<
      string,
      number | undefined
    >;
    const total = typeof timeout === 'number' ? timeout : (stepMs ?? totalMs);
    if (total !== undefined) this.#total = setTimeout(() => this.#exceed(total), total);
    this.#silence = chunkMs ?? SILENCE;
    this.heard();
  }

  /** A part has arrived. */
  heard(): void {
    clearTimeout(this.#quiet);
    this.#quiet = setTimeout(() => this.#exceed(this.#silence), this.#silence);
  }

  clear(): void {
    clearTimeout(this.#quiet);
    clearTimeout(this.#total);
  }

  #exceed(after: number): void {
    this.exceeded ??= after;
    this.#controller.abort(timedOut(after));
  }
}

async function toolsOf(
  ai: Ai,
  described: readonly ToolDescription[],
  context: AttemptContext,
): Promise<Record<string, unknown> | undefined> {
  if (described.length === 0) return undefined;
  const tools: Record<string, unknown> = {};
  for (const tool of described) {
    if ('provider' in tool) {
      tools[tool.name] = { ...tool.provider, type: 'provider', inputSchema: ai.jsonSchema({ type: 'object' }) };
      continue;
    }
    const { inputSchema, settings } = 'definition' in tool ? await context.describe(tool) : tool;
    tools[tool.name] = { ...settings, inputSchema: ai.jsonSchema(inputSchema as never) };
  }
  return tools;
}

/** What the model is told of the answer's form; the loop makes something of its text. */
function outputOf(format: NonNullable<ModelRequest['responseFormat']>): unknown {
  return {
    name: 'pawl',
    responseFormat: Promise.resolve(format),
    parseCompleteOutput: async ({ text }: { text: string }) => text,
    parsePartialOutput: async () => undefined,
    createElementStreamTransform: () => undefined,
  };
}

/** Reads the answer to its end, and tells the stream of it. */
async function forward(result: Result, { stream }: ModelRequest, attempt: number, limit: Limit): Promise<void> {
  const chunks = result.toUIMessageStream({
    sendStart: false,
    sendFinish: false,
    sendReasoning: stream?.reasoning ?? false,
    sendSources: stream?.sources ?? false,
  });
  const reader = chunks.getReader();
  const writer = stream?.writable.getWriter();
  try {
    for (const chunk of stream?.before ?? []) await writer?.write(chunk);
    for (;;) {
      const { done, value: chunk } = await Promise.race([reader.read(), limit.end]);
      if (done) break;
      limit.heard();
      // The loop ends the step when the tools have answered, and tells of calls that are wrong when nobody mends them.
      if (HELD.has(chunk.type) || !stream) continue;
      const mark: PartMark = { call: stream.call, attempt };
      await writer?.write(ownId(markChunk(chunk, mark), mark));
    }
  } catch (error) {
    reader.cancel(error).catch(() => {});
    throw error;
  } finally {
    writer?.releaseLock();
  }
}

const HELD: ReadonlySet<string> = new Set(['finish-step', 'error', 'abort', 'tool-input-error', 'tool-output-error']);

function answerOf(step: FinalStep): ModelAnswer {
  const { id, modelId, timestamp, messages } = step.response;
  const providerResults = step.content.filter(
    (part) => (part.type === 'tool-result' || part.type === 'tool-error') && part.providerExecuted,
  );
  const message = messages.find(({ role }) => role === 'assistant');
  return plain(
    {
      text: step.text,
      reasoning: step.reasoning,
      reasoningText: step.reasoningText,
      toolCalls: step.toolCalls.map(rawCall),
      providerResults,
      sources: step.sources,
      files: step.files.map(({ base64, mediaType }) => ({ base64, mediaType })),
      finishReason: step.finishReason,
      rawFinishReason: step.rawFinishReason,
      usage: { ...step.usage, raw: undefined },
      warnings: step.warnings ?? [],
      response: { id, modelId },
      providerMetadata: step.providerMetadata,
      message: message ?? null,
    } as unknown as ModelAnswer,
    timestamp,
  );
}

function rawCall(call: FinalStep['toolCalls'][number]): RawCall {
  const { toolCallId, toolName, input, providerExecuted, providerMetadata } = call;
  const error = call.invalid ? parseProblem(call.error) : undefined;
  return { toolCallId, toolName, input, error, providerExecuted, providerMetadata } as RawCall;
}

/** Of an input that is no JSON: why. */
function parseProblem(error: unknown): string {
  const { cause, message } = (error ?? {}) as {
    cause?: { cause?: { message?: unknown }; message?: unknown };
    message?: unknown;
  };
  return String(cause?.cause?.message ?? cause?.message ?? message ?? 'it is no JSON');
}

/** Without what is undefined and without classes: it goes into the event log. */
function plain(answer: ModelAnswer, timestamp: Date | undefined): ModelAnswer {
  const made = JSON.parse(JSON.stringify(answer)) as ModelAnswer;
  if (timestamp) made.response.timestamp = new Date(timestamp);
  return made;
}

/** Tells the stream of something that no model call says. */
export async function writeChunks({ writable, chunks, close }: WriteRequest): Promise<void> {
  const writer = writable.getWriter();
  try {
    for (const chunk of chunks) await writer.write(chunk);
    if (close) await writer.close();
  } finally {
    writer.releaseLock();
  }
}
