/** The tool calls of one answer: what is wrong with them is told to the model, what is right is run, all side by side. */
import { PawlError } from '../../errors.ts';
import { brandOf } from '../../runtime/errors.ts';
import { toolDoesIo, toolWaits } from '../../tool-levels.ts';
import { jsonOf, messageOf, modelOutput } from './model-output.ts';
import { validate } from './schemas.ts';
import type { ExecuteOptions, Tool, Tools } from './tools.ts';
import type { LoopHost, Message, RawCall, ToolCall, ToolFailure, ToolResult } from './types.ts';

/** Asks the user's code to put a call right, as in the AI SDK. */
export type Repair = (options: Record<string, unknown>) => unknown;

export interface CallContext {
  /** Those that the model was told of. */
  tools: Tools;
  host: LoopHost;
  /** The conversation without the answer. */
  messages: readonly Message[];
  system: unknown;
  repair?: Repair;
  experimental_context: unknown;
  abortSignal?: AbortSignal;
  /** Sends chunks to the stream, if there is one. */
  tell(chunks: readonly unknown[]): Promise<void>;
}

/** A call that can be run, or what is wrong with it. */
export interface CheckedCall {
  call: ToolCall;
  tool?: Tool;
  problem?: string;
  /** The user's code has put it right. */
  repaired?: boolean;
}

/** What came of a call; null of one that nobody here runs. */
export interface CallOutcome {
  call: ToolCall;
  result: ToolResult | ToolFailure | null;
  /** `tool-result` part of the message that goes back to the model. */
  part: unknown;
}

/** Checks a call's name and input; asks the repair function about one that is wrong. */
export async function checkCall(raw: RawCall, context: CallContext): Promise<CheckedCall> {
  const first = await judge(raw, context.tools);
  if (first.problem === undefined || !context.repair) return first;
  const repaired = await repair(raw, first.problem, context);
  if (repaired === null) return first;
  const second = await judge({ ...raw, ...repaired, error: undefined }, context.tools);
  return { ...second, repaired: true };
}

async function judge(raw: RawCall, tools: Tools): Promise<CheckedCall> {
  const { toolCallId, toolName, input } = raw;
  const tool = tools.get(toolName);
  const call: ToolCall = { type: 'tool-call', toolCallId, toolName, input };
  if (raw.providerMetadata !== undefined) call.providerMetadata = raw.providerMetadata;
  if (tool?.dynamic) call.dynamic = true;
  const refuse = (problem: string): CheckedCall => ({
    call: { ...call, dynamic: true, invalid: true, error: problem },
    problem,
  });
  if (!tool) {
    const names = [...tools.keys()].join(', ');
    return refuse(`There is no tool ${toolName}. ${names === '' ? 'There are none.' : `Available tools: ${names}.`}`);
  }
  if (raw.error !== undefined) return refuse(`The input of the tool ${toolName} is invalid: ${raw.error}`);
  const result = await validate(tool.inputSchema, input, 'input');
  if (!result.ok) return refuse(`The input of the tool ${toolName} is invalid: ${result.message}`);
  return { call: { ...call, input: result.value }, tool };
}

/** Marks by which the AI SDK knows its errors: `NoSuchToolError.isInstance(error)`. */
const MARK = 'vercel.ai.error';

async function repair(
  raw: RawCall,
  problem: string,
  { repair, tools, system, messages }: CallContext,
): Promise<{ toolName: string; input: unknown } | null> {
  const name = tools.has(raw.toolName) ? 'AI_InvalidToolInputError' : 'AI_NoSuchToolError';
  const text = typeof raw.input === 'string' && raw.error !== undefined ? raw.input : JSON.stringify(raw.input);
  const error = Object.assign(new Error(problem), {
    toolName: raw.toolName,
    toolInput: text,
    availableTools: [...tools.keys()],
    [Symbol.for(MARK)]: true,
    [Symbol.for(`${MARK}.${name}`)]: true,
  });
  Object.defineProperty(error, 'name', { value: name });
  const { toolCallId, toolName } = raw;
  const inputSchema = async ({ toolName }: { toolName: string }): Promise<unknown> => {
    const told = tools.get(toolName)?.description;
    return told && 'inputSchema' in told ? told.inputSchema : {};
  };
  const toolCall = { type: 'tool-call', toolCallId, toolName, input: text };
  const answer = (await repair?.({
    toolCall,
    tools: Object.fromEntries([...tools].map(([each, { description }]) => [each, description])),
    inputSchema,
    system,
    messages,
    error,
  })) as { toolName?: string; input?: unknown } | null | undefined;
  if (!answer) return null;
  const { input } = answer;
  try {
    return { toolName: answer.toolName ?? toolName, input: typeof input === 'string' ? JSON.parse(input) : input };
  } catch {
    return null;
  }
}

/** Runs a call. A tool that throws gives the model an error; only the end of the run goes on up. */
export async function runCall({ call, tool, problem }: CheckedCall, context: CallContext): Promise<CallOutcome> {
  if (problem !== undefined || !tool) return failed(call, problem ?? 'There is no such tool.');
  const { execute } = tool;
  const { messages, experimental_context, abortSignal, tell } = context;
  const options: ExecuteOptions = { toolCallId: call.toolCallId, messages };
  if (experimental_context !== undefined) options.experimental_context = experimental_context;
  if (abortSignal) options.abortSignal = abortSignal;
  if (!execute && !tool.needsApproval) return { call, result: null, part: null };
  try {
    if (!(await isAllowed(call, tool, options, context))) {
      await tell([{ type: 'tool-output-denied', toolCallId: call.toolCallId }]);
      return failed(call, 'A person has refused this tool call.', 'execution-denied');
    }
    if (!execute) return { call, result: null, part: null };
    const output = await lastOf(execute(call.input, options), (value) =>
      tell([chunkOf(call, { type: 'tool-output-available', output: jsonOf(value), preliminary: true })]),
    );
    const told = await modelOutput(tool, call, output);
    context.host.secrets?.refuse(told, tool.name);
    const part = resultPart(call, told);
    await tell([chunkOf(call, { type: 'tool-output-available', output: jsonOf(output) })]);
    const { toolCallId, toolName, input } = call;
    return { call, result: { type: 'tool-result', toolCallId, toolName, input, output }, part };
  } catch (error) {
    if (brandOf(error) === 'cancelled') throw error;
    const mistake = levelMistake(tool.name, error);
    if (mistake) throw mistake;
    const said = messageOf(error);
    const message = context.host.secrets?.redact(said) ?? said;
    await tell([chunkOf(call, { type: 'tool-output-error', errorText: message })]);
    return failed(call, message, 'error-text', error);
  }
}

/**
 * A tool at the wrong level is a mistake in the program, which no other input would mend: it ends the run, in the words of the rule that finds
 * it at build time where it can.
 */
function levelMistake(name: string, error: unknown): PawlError | null {
  const { code, message } = readError(error);
  const words =
    code === 'PAWL_ONLY_IN_WORKFLOW'
      ? toolWaits(name, apiOf(message))
      : code === 'PAWL_NOT_IN_WORKFLOW'
        ? toolDoesIo(name, apiOf(message))
        : null;
  return words && new PawlError('PAWL7003', words.message, { remedy: words.remedy, cause: error });
}

function readError(error: unknown): { code?: unknown; message: string } {
  try {
    const { code, message } = error as { code?: unknown; message?: unknown };
    return { code, message: String(message) };
  } catch {
    // What was thrown lets nobody look.
    return { message: '' };
  }
}

/** What was called: `sleep() works …`, `fetch does not …`, `Writing to a stream (getWriter) does not …`. */
function apiOf(message: string): string {
  const name = /^(\w+)(?:\(\)| does not work in )/.exec(message) ?? /\((\w+)\)/.exec(message);
  return name?.[1] ?? message;
}

/** Of a tool that yields, what it yields last; the others are progress. */
async function lastOf(output: unknown, progress: (value: unknown) => Promise<void>): Promise<unknown> {
  const iterator = (output as AsyncIterable<unknown> | null | undefined)?.[Symbol.asyncIterator];
  if (typeof iterator !== 'function' || isStream(output)) return output;
  let last: unknown;
  for await (const value of output as AsyncIterable<unknown>) {
    last = value;
    await progress(value);
  }
  return last;
}

function isStream(value: unknown): boolean {
  return Object.prototype.toString.call(value) === '[object ReadableStream]';
}

async function isAllowed(call: ToolCall, tool: Tool, options: ExecuteOptions, context: CallContext): Promise<boolean> {
  const { needsApproval } = tool;
  const isNeeded = typeof needsApproval === 'function' ? await needsApproval(call.input, options) : needsApproval;
  if (!isNeeded) return true;
  const { approval } = context.host;
  if (!approval) {
    throw new PawlError(
      'PAWL_ONLY_IN_WORKFLOW',
      `needsApproval() of the tool ${tool.name} works in workflow code only.`,
      { remedy: 'Call the agent in a workflow.' },
    );
  }
  const token = approvalToken(call.toolCallId);
  const waiting = approval(token);
  await context.tell([{ type: 'tool-approval-request', approvalId: token, toolCallId: call.toolCallId }]);
  const answer = await waiting;
  return answer === true || (answer as { approved?: unknown } | null | undefined)?.approved === true;
}

/** What a person answers to a request for approval: anything else is refused before it is kept. */
export const approvalSchema = {
  '~standard': {
    version: 1,
    vendor: 'pawl',
    validate(value: unknown) {
      const approved =
        typeof value === 'boolean' ? value : (value as { approved?: unknown } | null | undefined)?.approved;
      if (typeof approved === 'boolean') return { value };
      return { issues: [{ message: 'Answer true or false, or { approved: true } or { approved: false }.' }] };
    },
  },
};

/** Nobody can guess it who does not see the stream. */
function approvalToken(toolCallId: string): string {
  return `approval:${toolCallId}:${crypto.randomUUID()}`;
}

function failed(call: ToolCall, message: string, type = 'error-text', error: unknown = message): CallOutcome {
  const { toolCallId, toolName, input } = call;
  const output = type === 'execution-denied' ? { type, reason: message } : { type, value: message };
  return { call, result: { type: 'tool-error', toolCallId, toolName, input, error }, part: resultPart(call, output) };
}

function resultPart({ toolCallId, toolName }: ToolCall, output: unknown): unknown {
  return { type: 'tool-result', toolCallId, toolName, output };
}

function chunkOf({ toolCallId, dynamic }: ToolCall, chunk: Record<string, unknown>): unknown {
  return { ...chunk, toolCallId, ...(dynamic && { dynamic }) };
}
