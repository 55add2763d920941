/** `DurableAgent` in workflows: what it asks, what it gives, what it streams. */
import { expect, test } from 'vitest';
import { agentProgram, asked, kinds, watch } from './support.ts';

const HEAD = `import { getWritable, sleep } from 'pawl';
import { DurableAgent } from 'pawl/agent';
import { jsonSchema, Output, stepCountIs, tool, type UIMessageChunk, zodSchema } from 'ai';
import { z } from 'zod';
import { scripted } from './model';
`;

test('streams an answer and gives it', async () => {
  const runtime = await agentProgram(`${HEAD}
export async function main(question: string) {
  'use workflow';
  const agent = new DurableAgent({
    model: async () => { 'use step'; return scripted([[{ reasoning: 'Let me see.' }, 'Blue.']]); },
    instructions: 'Be brief.',
    temperature: 0.5,
  });
  return agent.stream({ messages: [{ role: 'user', content: question }], writable: getWritable<UIMessageChunk>() });
}`);
  expect(runtime.diagnostics).toEqual([]);
  const run = await runtime.start('main', ['The sky?']);
  const result = await runtime.finish(run);
  expect(result).toMatchObject({
    text: 'Blue.',
    output: 'Blue.',
    reasoningText: 'Let me see.',
    finishReason: 'stop',
    toolCalls: [],
    toolResults: [],
    usage: { inputTokens: 3, outputTokens: 2, totalTokens: 5 },
    totalUsage: { totalTokens: 5 },
    steps: [{ stepNumber: 0, text: 'Blue.', toolErrors: [] }],
    messages: [
      { role: 'user', content: 'The sky?' },
      { role: 'assistant', content: [{ type: 'reasoning' }, { type: 'text', text: 'Blue.' }] },
    ],
  });
  expect(asked()).toMatchObject([
    { temperature: 0.5, prompt: [{ role: 'system', content: 'Be brief.' }, { role: 'user' }] },
  ]);
  const { chunks, message } = await watch(run);
  expect(kinds(chunks)).toEqual([
    'start',
    'start-step',
    'reasoning-start',
    'reasoning-delta',
    'reasoning-end',
    'text-start',
    'text-delta',
    'text-end',
    'finish-step',
    'finish',
  ]);
  expect(message?.parts).toMatchObject([
    { type: 'step-start' },
    { type: 'reasoning', text: 'Let me see.', state: 'done' },
    { type: 'text', text: 'Blue.', state: 'done' },
  ]);
  const { steps } = runtime.manifest;
  expect(steps['pawl/agent#callModel']).toMatchObject({ name: 'callModel', options: { maxRetries: 100 } });
  expect(runtime.manifest.workflows['src/main.ts#main']?.steps).toEqual([
    'pawl/agent#callModel',
    'pawl/agent#write',
    'src/main.ts#main/agent.model',
  ]);
});

test('runs tools as steps and in the workflow, side by side, with the conversation', async () => {
  const runtime = await agentProgram(`${HEAD}
async function tell(toolCallId: string, text: string) {
  const writer = getWritable<UIMessageChunk>().getWriter();
  try {
    await writer.write({ type: 'data-progress', id: toolCallId, data: { text } } as UIMessageChunk);
  } finally {
    writer.releaseLock();
  }
}

async function search({ text }: { text: string }, { toolCallId, messages }: { toolCallId: string; messages: unknown[] }) {
  'use step';
  await tell(toolCallId, 'searching');
  await tell(toolCallId, 'found');
  return { text, heard: messages.length, at: new Date(0) };
}

async function stamp(text: string) {
  'use step';
  return text.toUpperCase();
}

const tools = {
  search: tool({ description: 'Searches.', inputSchema: z.object({ text: z.string() }), execute: search }),
  remind: tool({
    description: 'Reminds after a day.',
    inputSchema: z.object({ what: z.string().default('tea') }),
    execute: async ({ what }, { toolCallId, messages, experimental_context }) => {
      await sleep('1 day');
      return (await stamp(what)) + toolCallId + messages.length + (experimental_context as string);
    },
  }),
};

async function model() {
  'use step';
  return scripted([
    [{ tool: 'search', input: { text: 'pawl' } }, { tool: 'remind' }],
    { tool: 'search', input: { text: 'once more' } },
    'Done.',
  ]);
}

export async function main() {
  'use workflow';
  const agent = new DurableAgent({ model, tools, experimental_context: '!' });
  return agent.stream({ prompt: 'Search, and remind me.', writable: getWritable<UIMessageChunk>() });
}`);
  expect(runtime.diagnostics).toEqual([]);
  expect(runtime.manifest.workflows['src/main.ts#main']?.steps).toEqual([
    'pawl/agent#callModel',
    'pawl/agent#write',
    'src/main.ts#model',
    'src/main.ts#search',
    'src/main.ts#stamp',
  ]);
  const run = await runtime.start<{ steps: unknown[]; messages: unknown[] }>('main');
  await runtime.waitForSleep(run);
  const result = await runtime.finish(run);
  expect(result).toMatchObject({
    text: 'Done.',
    totalUsage: { totalTokens: 15 },
    steps: [
      {
        toolCalls: [
          { toolCallId: 'call-0-0', toolName: 'search', input: { text: 'pawl' } },
          { toolCallId: 'call-0-1', toolName: 'remind', input: { what: 'tea' } },
        ],
        toolResults: [
          { toolCallId: 'call-0-0', output: { text: 'pawl', heard: 1, at: new Date(0) } },
          { toolCallId: 'call-0-1', output: 'TEAcall-0-11!' },
        ],
        finishReason: 'tool-calls',
      },
      { toolResults: [{ output: { heard: 3 } }] },
      { text: 'Done.' },
    ],
  });
  expect(asked()[1]?.prompt.slice(1)).toMatchObject([
    {
      role: 'assistant',
      content: [
        { type: 'tool-call', toolName: 'search', input: { text: 'pawl' } },
        { type: 'tool-call', toolName: 'remind', input: { what: 'tea' } },
      ],
    },
    {
      role: 'tool',
      content: [
        {
          toolCallId: 'call-0-0',
          output: { type: 'json', value: { text: 'pawl', heard: 1, at: '1970-01-01T00:00:00.000Z' } },
        },
        { toolCallId: 'call-0-1', output: { type: 'text', value: 'TEAcall-0-11!' } },
      ],
    },
  ]);
  expect(asked()[0]?.tools).toMatchObject([
    {
      name: 'search',
      description: 'Searches.',
      inputSchema: {
        type: 'object',
        properties: { text: { type: 'string' } },
        required: ['text'],
        additionalProperties: false,
      },
    },
    { name: 'remind', inputSchema: { properties: { what: { type: 'string', default: 'tea' } } } },
  ]);
  const { chunks, message } = await watch(run);
  // Progress in its order, before the result of its call; the quick tool is told of while the slow one sleeps.
  const about = chunks.filter(
    (chunk) =>
      (chunk as { id?: string }).id === 'call-0-0' || (chunk as { toolCallId?: string }).toolCallId === 'call-0-0',
  );
  expect(about).toMatchObject([
    { type: 'tool-input-available' },
    { type: 'data-progress', data: { text: 'searching' } },
    { type: 'data-progress', data: { text: 'found' } },
    { type: 'tool-output-available', output: { text: 'pawl', heard: 1 } },
  ]);
  expect(message?.parts.filter(({ type }) => type.startsWith('tool-'))).toMatchObject([
    { type: 'tool-search', state: 'output-available', output: { text: 'pawl' } },
    { type: 'tool-remind', state: 'output-available', output: 'TEAcall-0-11!' },
    { type: 'tool-search', state: 'output-available' },
  ]);
  expect(kinds(chunks).filter((kind) => /^(?:start|finish)/.test(kind))).toEqual([
    'start',
    ...['start-step', 'finish-step', 'start-step', 'finish-step', 'start-step', 'finish-step'],
    'finish',
  ]);
});

test('stops after twenty model calls, or when it is told to', async () => {
  const runtime = await agentProgram(`${HEAD}
async function model() {
  'use step';
  return scripted([{ tool: 'again' }]);
}

export async function main(settings: { maxSteps?: number; stop?: boolean }) {
  'use workflow';
  const { maxSteps, stop } = settings;
  let ends = 0;
  const agent = new DurableAgent({ model, tools: {
    again: tool({ description: 'Again.', inputSchema: jsonSchema<{}>({ type: 'object' }), execute: async () => 'more' }),
  } });
  const { steps, finishReason, toolResults } = await agent.stream({
    prompt: 'Go.',
    maxSteps,
    ...(stop && { stopWhen: [stepCountIs(3)] }),
    onStepFinish: () => { ends++; },
  });
  return { steps: steps.length, ends, finishReason, results: toolResults.length };
}`);
  const end = async (settings: object) => runtime.finish(await runtime.start('main', [settings]));
  expect(await end({})).toEqual({ steps: 20, ends: 20, finishReason: 'tool-calls', results: 1 });
  expect(await end({ maxSteps: 2 })).toMatchObject({ steps: 2 });
  expect(await end({ stop: true })).toMatchObject({ steps: 3 });
  expect(await end({ stop: true, maxSteps: 1 })).toMatchObject({ steps: 1 });
  await expect(end({ maxSteps: 0 })).rejects.toMatchObject({ cause: { code: 'PAWL_AGENT_STEPS' } });
});

test('asks prepareStep before each step, and tells the model of active tools alone', async () => {
  const runtime = await agentProgram(`${HEAD}
async function model() {
  'use step';
  return scripted([{ tool: 'one' }, { tool: 'two' }, 'End.']);
}
async function other() {
  'use step';
  return scripted(['', '', 'Another end.']);
}
const schema = z.object({});
const tools = {
  one: tool({ description: 'One.', inputSchema: schema, execute: async () => 1 }),
  two: tool({ description: 'Two.', inputSchema: schema, execute: async () => 2 }),
};

export async function odd(options: object) {
  'use workflow';
  const { text } = await new DurableAgent({ model, tools }).stream({ prompt: 'Go.', ...options } as never);
  return text;
}

export async function main(active: string[]) {
  'use workflow';
  const agent = new DurableAgent({ model, tools, toolChoice: 'required', activeTools: active as never });
  const { text, steps } = await agent.stream({
    prompt: 'Go.',
    prepareStep: ({ stepNumber, messages }) => {
      if (stepNumber === 1) return { system: 'Now two.', toolChoice: 'auto' as const, messages: messages.slice(0, 1) };
      return stepNumber === 2 ? { model: other as never, temperature: 1 } : undefined;
    },
  });
  return { text, errors: steps.map(({ toolErrors }) => toolErrors.map(({ error }) => error)) };
}`);
  const run = await runtime.start('main', [['one']]);
  expect(await runtime.finish(run)).toMatchObject({ text: 'Another end.' });
  expect(
    asked().map(({ tools, toolChoice, temperature, prompt }) => [
      tools?.map(({ name }) => name),
      toolChoice,
      temperature,
      prompt[0]?.content,
    ]),
  ).toMatchObject([
    [['one'], { type: 'required' }, undefined, [{ text: 'Go.' }]],
    [['one'], { type: 'auto' }, undefined, 'Now two.'],
    [['one'], { type: 'required' }, 1, [{ text: 'Go.' }]],
  ]);
  await expect(runtime.finish(await runtime.start('main', [['three']]))).rejects.toMatchObject({
    cause: { code: 'PAWL_AGENT_TOOL', message: '`activeTools` names three, and the agent has no such tool.' },
  });
  const odd = async (options: object) => runtime.finish(await runtime.start('odd', [options]));
  await expect(odd({ toolChoice: { type: 'tool', toolName: 'zz' } })).rejects.toMatchObject({
    cause: { code: 'PAWL_AGENT_TOOL', message: '`toolChoice` names zz, and the agent has no such tool.' },
  });
  await expect(odd({ writable: {} })).rejects.toMatchObject({ cause: { code: 'PAWL_AGENT_WRITABLE' } });
});

test('gives an object for a schema, and an error when the answer does not match', async () => {
  const runtime = await agentProgram(`${HEAD}
const person = z.object({ name: z.string(), born: z.string().transform((text) => Number(text)) });
const answers: Record<string, string> = {
  good: '{"name":"Ada","born":"1815"}',
  bad: '{"name":7,"born":"1815"}',
  text: 'Ada, I think',
  none: '',
  list: '{"elements":[{"names":["Ada"]},{"names":["Bob",{}]}]}',
};
const names = z.object({ names: z.array(z.string()) });
const outputs: Record<string, any> = {
  object: Output.object({ schema: z.object({ name: z.string() }) }),
  array: Output.array({ element: names }),
  choice: Output.choice({ options: ['yes', 'no'] }),
  schema: zodSchema(z.object({ elements: z.array(names) })),
};
async function answering(kind: string) {
  'use step';
  return scripted([answers[kind]]);
}
export async function main(kind: string) {
  'use workflow';
  const agent = new DurableAgent({ model: async () => { 'use step'; return scripted([answers[kind]]); } });
  const { output } = await agent.stream({ prompt: 'Who?', output: person });
  return output;
}
export async function sdk(how: string, kind: string) {
  'use workflow';
  const agent = new DurableAgent({ model: async () => { 'use step'; return scripted([answers[kind]]); } });
  const { output } = await agent.stream({ prompt: 'Who?', output: outputs[how] });
  return output;
}`);
  const end = async (...args: [string, unknown[]?]) => runtime.finish(await runtime.start(...args));
  expect(await end('main', ['good'])).toEqual({ name: 'Ada', born: 1815 });
  expect(asked()[0]?.responseFormat).toMatchObject({
    type: 'json',
    schema: { type: 'object', required: ['name', 'born'], additionalProperties: false },
  });
  const problem = async (kind: string) => (await end('main', [kind]).catch((error) => error.cause)) as Error;
  expect(await problem('bad')).toMatchObject({
    code: 'PAWL_AGENT_OUTPUT',
    message: expect.stringContaining('output.name: '),
  });
  expect((await problem('text')).message).toBe(
    "The model's answer does not match the schema of the output: it is no JSON.",
  );
  expect((await problem('none')).message).toBe(
    "The model's answer is empty (finish reason: stop), and an object was asked for.",
  );
  expect(await end('sdk', ['object', 'good'])).toEqual({ name: 'Ada' });
  const judged = async (how: string, kind: string) => {
    const thrown: unknown = await end('sdk', [how, kind]).catch(({ cause }) => cause);
    const error = thrown as Error & { details: { issues: { path: string }[] } };
    expect(error).toMatchObject({ code: 'PAWL_AGENT_OUTPUT' });
    return [error.message.replace(/^.* the output: /, ''), error.details.issues[0]?.path];
  };
  expect(await judged('object', 'bad')).toEqual([expect.stringMatching(/^output\.name: .*[^.]\.$/), 'output.name']);
  expect(await judged('object', 'text')).toEqual(['it is no JSON.', 'output']);
  const place = 'output[1].names[1]';
  expect(await judged('array', 'list')).toEqual([expect.stringContaining(`${place}: `), place]);
  const inElements = 'output.elements[1].names[1]';
  expect(await judged('schema', 'list')).toEqual([expect.stringContaining(`${inElements}: `), inElements]);
  expect(await judged('choice', 'good')).toEqual([
    'output: response must be an object that contains a choice value.',
    'output',
  ]);
});
