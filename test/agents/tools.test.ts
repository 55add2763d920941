/** Tools that go wrong, tools that wait for people, and definitions as tools. */
import type { UIMessage } from 'ai';
import { expect, test } from 'vitest';
import { toolDoesIo, toolWaits } from '../../src/tool-levels.ts';
import { agentProgram, asked, kinds, watch } from './support.ts';

const HEAD = `import { createHook, defineAction, fetch, defineAgent, defineWorkflow, FatalError, getWritable, sleep } from 'pawl';
import { DurableAgent } from 'pawl/agent';
import { jsonSchema, NoSuchToolError, tool, type UIMessageChunk } from 'ai';
import { z } from 'zod';
import { scripted } from './model';
`;

interface Ended {
  text: string;
  steps: { toolErrors: { error: unknown; toolName: string }[]; toolCalls: object[]; toolResults: object[] }[];
}

/** Tool parts of a message in the order of their calls. */
function byCall(message: UIMessage | undefined): unknown[] {
  const parts = (message?.parts ?? []) as { type: string; toolCallId: string }[];
  return parts.filter(({ type }) => /tool/.test(type)).sort((a, b) => a.toolCallId.localeCompare(b.toolCallId));
}

/** What the model was told of the tools that it called last. */
function told(): unknown[] {
  const last = asked().at(-1)?.prompt.at(-1)?.content as { output: unknown }[];
  return last.map(({ output }) => output);
}

test('an unknown tool, text that is no JSON and input that does not match go back to the model', async () => {
  const runtime = await agentProgram(`${HEAD}
async function model() {
  'use step';
  return scripted([
    [{ tool: 'serach', input: { n: 1 } }, { tool: 'count', raw: '{"n":' }, { tool: 'count', input: { n: 'x' } }, { tool: 'count', input: { n: 2 } }],
    'Sorry.',
  ]);
}
export async function main() {
  'use workflow';
  const agent = new DurableAgent({ model, tools: {
    count: tool({ description: 'Counts.', inputSchema: z.object({ n: z.number() }), execute: async ({ n }) => n + 1 }),
  } });
  return agent.stream({ prompt: 'Count.', writable: getWritable<UIMessageChunk>() });
}`);
  const run = await runtime.start<Ended>('main');
  const { text, steps } = await runtime.finish(run);
  expect(text).toBe('Sorry.');
  expect(told()).toMatchObject([
    { type: 'error-text', value: 'There is no tool serach. Available tools: count.' },
    { type: 'error-text', value: expect.stringMatching(/^The input of the tool count is invalid: .*JSON/) },
    { type: 'error-text', value: expect.stringMatching(/^The input of the tool count is invalid: input\.n: /) },
    { type: 'json', value: 3 },
  ]);
  expect(steps[0]).toMatchObject({
    toolErrors: [{ toolName: 'serach' }, { toolName: 'count' }, { toolName: 'count' }],
    toolResults: [{ output: 3 }],
    toolCalls: [{ invalid: true, dynamic: true }, { invalid: true }, { invalid: true }, { input: { n: 2 } }],
  });
  const { chunks, message } = await watch(run);
  expect(kinds(chunks).filter((kind) => kind === 'tool-input-error')).toHaveLength(3);
  expect(byCall(message)).toMatchObject([
    { type: 'dynamic-tool', state: 'output-error', errorText: 'There is no tool serach. Available tools: count.' },
    { type: 'tool-count', state: 'output-error' },
    { type: 'tool-count', state: 'output-error' },
    { type: 'tool-count', state: 'output-available', output: 3 },
  ]);
});

test('a repair function puts calls right before the model hears of them', async () => {
  const runtime = await agentProgram(`${HEAD}
async function model() {
  'use step';
  return scripted([[{ tool: 'cuont', input: { n: 1 } }, { tool: 'count', raw: 'n=2' }, { tool: 'count', input: {} }], 'Done.']);
}
export async function main() {
  'use workflow';
  const seen: unknown[] = [];
  const agent = new DurableAgent({ model, tools: {
    count: tool({ description: 'Counts.', inputSchema: z.object({ n: z.number() }), execute: async ({ n }) => n + 1 }),
  } });
  const { steps } = await agent.stream({
    prompt: 'Count.',
    experimental_repairToolCall: async ({ toolCall, error, inputSchema }) => {
      const isUnknown = NoSuchToolError.isInstance(error);
      const { required } = await inputSchema({ toolName: 'count' });
      seen.push([toolCall.toolName, toolCall.input, isUnknown, error.name, required]);
      if (isUnknown) return { ...toolCall, toolName: 'count' };
      return toolCall.input === 'n=2' ? { ...toolCall, input: '{"n":2}' } : null;
    },
    writable: getWritable<UIMessageChunk>(),
  });
  return { seen, outputs: steps[0].toolResults.map(({ output }) => output), errors: steps[0].toolErrors.length };
}`);
  const run = await runtime.start('main');
  expect(await runtime.finish(run)).toEqual({
    seen: [
      ['cuont', '{"n":1}', true, 'AI_NoSuchToolError', ['n']],
      ['count', 'n=2', false, 'AI_InvalidToolInputError', ['n']],
      ['count', '{}', false, 'AI_InvalidToolInputError', ['n']],
    ],
    outputs: [2, 3],
    errors: 1,
  });
  // The conversation goes on with what was run.
  expect(asked().at(-1)?.prompt.at(-2)?.content).toMatchObject([
    { toolName: 'count', input: { n: 1 } },
    { toolName: 'count', input: { n: 2 } },
    { toolName: 'count', input: {} },
  ]);
  const { message } = await watch(run);
  expect(byCall(message)).toMatchObject([
    { type: 'tool-count', input: { n: 1 }, output: 2 },
    { type: 'tool-count', input: { n: 2 }, output: 3 },
    { state: 'output-error' },
  ]);
});

test('what a tool throws is told to the model, whatever it is', async () => {
  const runtime = await agentProgram(`${HEAD}
const NAMES = ['error', 'text', 'object', 'nothing', 'fatal', 'proxy', 'step'];
async function model() {
  'use step';
  return scripted([NAMES.map((name) => ({ tool: 'fail', input: { name } })), 'Oh.']);
}
async function failing() {
  'use step';
  throw new FatalError('the step gave up');
}
export async function main() {
  'use workflow';
  const thrown: Record<string, () => unknown> = {
    error: () => new TypeError('broken'),
    text: () => 'just a text',
    object: () => ({ why: 'because' }),
    nothing: () => undefined,
    fatal: () => new FatalError('no further'),
    proxy: () => new Proxy({}, { get() { throw new Error('hands off'); } }),
  };
  const agent = new DurableAgent({ model, tools: {
    fail: tool({
      description: 'Fails.',
      inputSchema: z.object({ name: z.string() }),
      execute: async ({ name }): Promise<string> => {
        if (name === 'step') await failing();
        throw thrown[name]!();
      },
    }),
  } });
  const { text } = await agent.stream({ prompt: 'Fail.', writable: getWritable<UIMessageChunk>() });
  return text;
}`);
  const run = await runtime.start('main');
  expect(await runtime.finish(run)).toBe('Oh.');
  expect(told().map((output) => (output as { value: string }).value)).toEqual([
    'broken',
    'just a text',
    '{"why":"because"}',
    'an unknown error',
    'no further',
    'an unknown error',
    'the step gave up',
  ]);
  const { message } = await watch(run);
  expect(byCall(message).map((part) => (part as { errorText: string }).errorText)).toEqual(
    told().map((output) => (output as { value: string }).value),
  );
});

test('a mistake in the level of a tool ends the run, in the words of the level table', async () => {
  const runtime = await agentProgram(`${HEAD}
const hidden: Record<string, () => Promise<unknown>> = { wait: () => sleep('1s'), look: () => globalThis.fetch('https://x.example') };
async function wait() {
  'use step';
  await hidden['wa' + 'it']!();
}
export async function main(name: string) {
  'use workflow';
  const agent = new DurableAgent({
    model: async () => { 'use step'; return scripted([{ tool: name }, 'Never.']); },
    tools: {
      wait: tool({ description: 'Waits.', inputSchema: z.object({}), execute: wait }),
      look: tool({ description: 'Looks.', inputSchema: z.object({}), execute: async () => String(await hidden['lo' + 'ok']!()) }),
    },
  });
  await agent.stream({ prompt: 'Go.' });
}`);
  const end = async (tool: string) => runtime.finish(await runtime.start('main', [tool]));
  await expect(end('wait')).rejects.toMatchObject({
    cause: { code: 'PAWL7003', ...toolWaits('wait', 'sleep') },
  });
  await expect(end('look')).rejects.toMatchObject({
    cause: { code: 'PAWL7003', ...toolDoesIo('look', 'fetch') },
  });
});

test('a person approves: by a hook of the tool, or where a tool needs approval', async () => {
  const runtime = await agentProgram(`${HEAD}
async function model() {
  'use step';
  return scripted([[{ tool: 'pay', input: { amount: 900 } }, { tool: 'pay', input: { amount: 5 } }, { tool: 'drop' }], 'So be it.']);
}
const approval = z.object({ approved: z.boolean() });
export async function main() {
  'use workflow';
  const agent = new DurableAgent({ model, tools: {
    pay: tool({
      description: 'Pays.',
      inputSchema: z.object({ amount: z.number() }),
      needsApproval: ({ amount }) => amount > 100,
      execute: async ({ amount }) => 'paid ' + amount,
    }),
    drop: tool({
      description: 'Drops the table.',
      inputSchema: z.object({}),
      execute: async (_input, { toolCallId }) => {
        const { approved } = await createHook({ schema: approval, token: 'drop:' + toolCallId });
        return approved ? 'dropped' : 'refused';
      },
    }),
  } });
  const { steps } = await agent.stream({ prompt: 'Pay, and drop it.', writable: getWritable<UIMessageChunk>() });
  return steps[0].toolResults.map(({ output }) => output);
}`);
  const approve = async (answer: boolean) => {
    const run = await runtime.start('main');
    const own = await runtime.waitForHook(run, 'drop:call-0-2');
    const reader = run.getReadable<{ type: string; approvalId: string }>().getReader();
    let approvalId: string | undefined;
    while (approvalId === undefined) {
      const { value } = await reader.read();
      if (value?.type === 'tool-approval-request') approvalId = value.approvalId;
    }
    await reader.cancel();
    const asked = await runtime.waitForHook(run, approvalId);
    for (const malformed of [{ approved: 'yes' }, 'x', null])
      await expect(asked.resume(malformed)).rejects.toMatchObject({ code: 'PAWL_PAYLOAD_INVALID' });
    await asked.resume({ approved: answer });
    await own.resume({ approved: answer });
    const outputs = await runtime.finish(run);
    return { outputs, message: (await watch(run)).message };
  };
  const yes = await approve(true);
  expect(yes.outputs).toEqual(['paid 900', 'paid 5', 'dropped']);
  const no = await approve(false);
  expect(no.outputs).toEqual(['paid 5', 'refused']);
  expect(told()[0]).toMatchObject({ type: 'execution-denied' });
  expect(no.message?.parts.find(({ type }) => type === 'tool-pay')).toMatchObject({ state: 'output-denied' });
});

test('a tool without execute is for the client: the agent stops with its call', async () => {
  const runtime = await agentProgram(`${HEAD}
async function model() {
  'use step';
  return scripted([[{ tool: 'ask', input: { question: 'Which?' } }, { tool: 'here' }], 'Never.']);
}
export async function main() {
  'use workflow';
  const agent = new DurableAgent({ model, tools: {
    ask: tool({ description: 'Asks.', inputSchema: jsonSchema<{ question: string }>({ type: 'object', properties: { question: { type: 'string' } } }) }),
    here: tool({ description: 'Here.', inputSchema: z.object({}), execute: async function* () { yield 'half'; yield 'whole'; } }),
  } });
  const { finishReason, toolCalls, toolResults, messages } = await agent.stream({ prompt: 'Ask.', writable: getWritable<UIMessageChunk>() });
  return { finishReason, toolCalls, toolResults, messages };
}`);
  const run = await runtime.start('main');
  expect(await runtime.finish(run)).toMatchObject({
    finishReason: 'tool-calls',
    toolCalls: [{ toolName: 'ask', input: { question: 'Which?' } }, { toolName: 'here' }],
    toolResults: [{ toolName: 'here', output: 'whole' }],
  });
  const outputs = (await watch(run)).chunks.filter(({ type }) => type === 'tool-output-available');
  expect(outputs).toMatchObject([
    { output: 'half', preliminary: true },
    { output: 'whole', preliminary: true },
    { output: 'whole' },
  ]);
});

test('actions, agents and workflows are tools; an action prompts an agent', async () => {
  const runtime = await agentProgram(
    `${HEAD}
import { triage } from './triage';

export const clerk = defineAgent({
  slug: 'clerk',
  systemPrompt: 'You are a clerk.',
  description: 'Answers about boxes.',
  model: scripted([{ tool: 'triage', input: { title: 'box' } }, 'In box 7.']),
  tools: [triage],
});

export const count = defineWorkflow({
  slug: 'count',
  description: 'Counts, by and by.',
  input: z.object({ to: z.number().max(9) }),
  output: z.array(z.number()),
  run: async ({ to }, ctx) => {
    await ctx.sleep('1h');
    return Array.from({ length: to }, (_, index) => index);
  },
});

export const ask = defineAction({
  slug: 'ask',
  description: 'Asks the clerk.',
  input: z.object({ what: z.string() }),
  output: z.string(),
  run: async ({ what }) => (await clerk.prompt({ message: what })).text,
});

async function model() {
  'use step';
  return scripted([
    [
      { tool: 'triage', input: { title: 'down' } },
      { tool: 'clerk', input: { message: 'Where?' } },
      { tool: 'count', input: { to: 2 } },
      { tool: 'ask', input: { what: 'Which?' } },
      { tool: 'triage', input: {} },
    ],
    'All asked.',
  ]);
}

export async function main() {
  'use workflow';
  const agent = new DurableAgent({ model, tools: [triage, clerk, count, ask] });
  const { steps, text } = await agent.stream({ prompt: 'Ask them all.' });
  return { text, outputs: steps[0].toolResults.map(({ output }) => output), errors: steps[0].toolErrors.map(({ error }) => (error as Error).message) };
}

export async function prompt() {
  'use workflow';
  const { text, steps } = await clerk.prompt({ message: 'Where is it?' });
  return { text, calls: steps.length };
}`,
    {
      'src/triage.ts': `import { defineAction } from 'pawl';
import { z } from 'zod';
export const triage = defineAction({
  slug: 'triage',
  description: 'Sorts a report.',
  input: z.object({ title: z.string() }),
  output: z.object({ severity: z.enum(['low', 'high']) }),
  run: async ({ title }) => ({ severity: title === 'down' ? 'high' as const : 'low' as const }),
});
`,
    },
  );
  expect(runtime.diagnostics).toEqual([]);
  const { steps, workflows } = runtime.manifest;
  expect(Object.keys(steps).sort()).toEqual(
    ['ask', 'clerk', 'pawl/agent#callModel', 'pawl/agent#write', 'src/main.ts#model', 'triage'].sort(),
  );
  expect(workflows['src/main.ts#prompt']?.steps).toEqual(['pawl/agent#callModel', 'pawl/agent#write', 'triage']);
  const result = await runtime.finish(await runtime.start('main'));
  expect(result).toEqual({
    text: 'All asked.',
    outputs: [{ severity: 'high' }, 'In box 7.', [0, 1], 'In box 7.'],
    errors: [expect.stringMatching(/^The input of action triage does not match its schema\. input\.title: /)],
  });
  const offered = asked().find(({ tools }) => tools?.length === 4)?.tools;
  expect(offered).toMatchObject([
    {
      name: 'triage',
      description: 'Sorts a report.',
      inputSchema: { required: ['title'], additionalProperties: false },
    },
    { name: 'clerk', description: 'Answers about boxes.', inputSchema: { required: ['message'] } },
    { name: 'count', inputSchema: { properties: { to: { maximum: 9 } } } },
    { name: 'ask' },
  ]);
  expect(asked().filter(({ prompt }) => prompt[0]?.content === 'You are a clerk.')).toHaveLength(4);
  expect(await runtime.finish(await runtime.start('prompt'))).toEqual({ text: 'In box 7.', calls: 2 });
});
