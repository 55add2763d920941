/** The tools of an agent: what they may be, and what the model is told of them. */
import { PawlError } from '../../errors.ts';
import { DEFINITION } from '../../runtime/serialization/symbols.ts';
import { jsonSchemaOf } from './schemas.ts';
import type { Message, ToolDescription } from './types.ts';

/** What `execute` gets besides the input, as in the AI SDK. */
export interface ExecuteOptions {
  toolCallId: string;
  /** The conversation that the model answered to, without its answer. */
  messages: readonly Message[];
  experimental_context?: unknown;
  abortSignal?: AbortSignal;
}

/** A tool of the AI SDK, as far as the loop looks at it. */
interface ToolLike {
  description?: string;
  title?: string;
  inputSchema?: unknown;
  execute?(input: unknown, options: ExecuteOptions): unknown;
  needsApproval?: boolean | ((input: unknown, options: ExecuteOptions) => unknown);
  toModelOutput?(options: { toolCallId: string; input: unknown; output: unknown }): unknown;
  providerOptions?: unknown;
  strict?: boolean;
  inputExamples?: unknown;
  type?: string;
  /** Of tools that the provider runs: `openai.web_search`. */
  id?: string;
  args?: unknown;
  supportsDeferredResults?: boolean;
}

/** `defineAction`, `defineAgent` and `defineWorkflow` give these; in workflow code without schemas. */
interface Definition {
  slug: string;
  description?: string;
  input?: unknown;
  run?(input: unknown): unknown;
  prompt?(input: unknown): Promise<{ output?: unknown; text: string }>;
  workflowId?: unknown;
}

/** A tool that the loop can offer and run. */
export interface Tool {
  name: string;
  description: ToolDescription;
  /** What the input must be; undefined where it is checked by what runs it. */
  inputSchema?: unknown;
  execute?(input: unknown, options: ExecuteOptions): unknown;
  needsApproval?: ToolLike['needsApproval'];
  toModelOutput?: ToolLike['toModelOutput'];
  dynamic: boolean;
}

export type Tools = ReadonlyMap<string, Tool>;

/**
 * @param tools a record of tools by name, or a list of definitions, whose names are their slugs
 * @throws PawlError `PAWL_AGENT_TOOL` for what is no tool, and for two of one name; `PAWL_SCHEMA_JSON`
 */
export async function readTools(tools: unknown): Promise<Tools> {
  const found = new Map<string, Tool>();
  for (const [name, value] of entriesOf(tools)) {
    if (found.has(name)) {
      throw toolError(`Two tools of the agent have the name ${name}.`, 'Take one out, or give it another slug.');
    }
    found.set(name, await readTool(name, value));
  }
  return found;
}

function entriesOf(tools: unknown): [string, unknown][] {
  if (tools === undefined || tools === null) return [];
  if (typeof tools !== 'object') throw toolError('The `tools` of an agent are neither a record nor a list.', NAMES);
  if (!Array.isArray(tools)) return Object.entries(tools).filter(([, tool]) => tool !== undefined);
  return tools.map((tool, index) => {
    if (isDefinition(tool)) return [tool.slug, tool];
    const message = `The tool at [${index}] of the list has no name: it is no action, agent or workflow.`;
    throw toolError(message, NAMES);
  });
}

const NAMES =
  'Write `tools: { name: tool }`; in a list stand actions, agents and workflows, whose names are their slugs.';

function toolError(message: string, remedy: string): PawlError {
  return new PawlError('PAWL_AGENT_TOOL', message, { remedy });
}

function isDefinition(value: unknown): value is Definition {
  if (typeof value !== 'object' || value === null) return false;
  const { slug, run, prompt } = value as Definition;
  return typeof slug === 'string' && (typeof run === 'function' || typeof prompt === 'function');
}

async function readTool(name: string, value: unknown): Promise<Tool> {
  if (isDefinition(value)) return readDefinition(name, value);
  if (typeof value !== 'object' || value === null) {
    const what = typeof value === 'function' ? 'a function' : String(value);
    throw toolError(
      `The tool ${name} is ${what}, and a model has to be told what it is for and what it takes.`,
      'Write `tool({ description, inputSchema, execute })` of `ai`, or pass an action, an agent or a defined workflow.',
    );
  }
  const tool = value as ToolLike;
  const { execute, needsApproval, toModelOutput } = tool;
  const shared = {
    name,
    dynamic: tool.type === 'dynamic',
    ...(typeof execute === 'function' && { execute: execute.bind(tool) }),
    needsApproval,
    ...(typeof toModelOutput === 'function' && { toModelOutput: toModelOutput.bind(tool) }),
  };
  if (tool.type === 'provider' || tool.type === 'provider-defined') {
    const { id = name, args, supportsDeferredResults } = tool;
    const provider = { id, args, ...(supportsDeferredResults && { supportsDeferredResults }) };
    return { ...shared, inputSchema: tool.inputSchema, description: { name, provider } };
  }
  if (tool.inputSchema === undefined) {
    throw toolError(
      `The tool ${name} has no \`inputSchema\`: a model cannot know what to pass.`,
      'Write `tool({ description, inputSchema, execute })` of `ai`.',
    );
  }
  const { description, title, providerOptions, strict, inputExamples } = tool;
  const settings = { description, title, providerOptions, strict, inputExamples };
  const told = Object.fromEntries(Object.entries(settings).filter(([, setting]) => setting !== undefined));
  const inputSchema = await jsonSchemaOf(tool.inputSchema, `the input of the tool ${name}`);
  return { ...shared, inputSchema: tool.inputSchema, description: { name, inputSchema, settings: told } };
}

/** Its own code checks the input. */
async function readDefinition(name: string, definition: Definition): Promise<Tool> {
  const { slug, description, input } = definition;
  const isAgent = typeof definition.prompt === 'function';
  const kind = isAgent ? 'agent' : definition.workflowId === undefined ? 'action' : 'workflow';
  const execute = isAgent
    ? async (value: unknown) => answerOf(await (definition.prompt as NonNullable<Definition['prompt']>)(value))
    : (value: unknown) => (definition.run as NonNullable<Definition['run']>)(value);
  // Where definitions are what they were written as, they can be told of here.
  const told: ToolDescription =
    DEFINITION in definition
      ? {
          name,
          inputSchema: isAgent ? AGENT_INPUT : await jsonSchemaOf(input, `the input of ${kind} ${slug}`),
          settings: description === undefined ? {} : { description },
        }
      : { name, definition: slug, kind };
  return { name, dynamic: false, description: told, execute };
}

function answerOf({ output, text }: { output?: unknown; text: string }): unknown {
  return output ?? text;
}

/** What an agent takes as a tool. */
export const AGENT_INPUT = {
  type: 'object',
  properties: { message: { type: 'string', description: 'What the agent shall do or answer.' } },
  required: ['message'],
  additionalProperties: false,
} as const;
