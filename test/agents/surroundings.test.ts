/** Agents where they are made: in steps and actions, in runs that are cancelled, replayed, cut short; with providers that are silent. */
import { expect, test } from 'vitest';
import { agentProgram, asked, kinds, watch } from './support.ts';

const HEAD = `import { defineAction, defineAgent, getWritable, sleep } from 'pawl';
import { DurableAgent } from 'pawl/agent';
import { tool, type UIMessageChunk } from 'ai';
import { z } from 'zod';
import { apiError, scripted } from './model';
`;

test('an agent in a step runs there, with tools that may do I/O, and streams', async () => {
  const runtime = await agentProgram(`${HEAD}
let failed = 0;
async function ask(question: string) {
  'use step';
  const agent = new DurableAgent({
    model: scripted([
      () => (failed++ === 0 ? { fail: apiError(429, { 'retry-after': '0' }) } : { tool: 'read', input: { name: 'x' } }),
      'Read.',
    ]),
    tools: { read: tool({
      description: 'Reads.',
      inputSchema: z.object({ name: z.string() }),
      execute: async ({ name }) => (await import('node:path')).join('a', name),
    }) },
  });
  const { text, steps } = await agent.stream({ prompt: question, writable: getWritable<UIMessageChunk>() });
  return { text, output: steps[0].toolResults[0].output };
}
export async function main() {
  'use workflow';
  return ask('Read it.');
}`);
  const run = await runtime.start('main');
  expect(await runtime.finish(run)).toEqual({ text: 'Read.', output: 'a/x' });
  expect(asked()).toHaveLength(3);
  const { message } = await watch(run);
  expect(message?.parts.at(-1)).toMatchObject({ type: 'text', text: 'Read.' });
});

test('in a step nobody can approve: that ends the run, and says why', async () => {
  const runtime = await agentProgram(`${HEAD}
async function ask() {
  'use step';
  const agent = new DurableAgent({
    model: scripted([{ tool: 'pay' }, 'Paid.']),
    tools: { pay: tool({ description: 'Pays.', inputSchema: z.object({}), needsApproval: true, execute: async () => 'paid' }) },
  });
  return (await agent.stream({ prompt: 'Pay.' })).text;
}
ask.maxRetries = 0;
export async function main() {
  'use workflow';
  return ask();
}`);
  await expect(runtime.finish(await runtime.start('main'))).rejects.toMatchObject({
    cause: { message: 'The tool `pay` is a step and waits durably (`needsApproval`), which only workflow code can.' },
  });
});

test('a cancelled run ends its stream with an abort, and no tool swallows that', async () => {
  const runtime = await agentProgram(`${HEAD}
export async function main() {
  'use workflow';
  const agent = new DurableAgent({
    model: async () => { 'use step'; return scripted([{ tool: 'wait' }, 'Never.']); },
    tools: { wait: tool({ description: 'Waits.', inputSchema: z.object({}), execute: async () => { await sleep('1 day'); return 'done'; } }) },
  });
  let told = false;
  try {
    await agent.stream({ prompt: 'Wait.', writable: getWritable<UIMessageChunk>(), onError: () => { told = true; } });
  } finally {
    if (told) throw new Error('A cancellation is no error.');
  }
}`);
  const run = await runtime.start('main');
  await runtime.waitForSleep(run);
  await run.cancel();
  await expect(runtime.finish(run)).rejects.toMatchObject({ name: 'RunCancelledError' });
  const { chunks } = await watch(run);
  expect(kinds(chunks).at(-1)).toBe('abort');
  expect(asked()).toHaveLength(1);
});

test('a provider that says nothing is given up, by the call and by the silence', async () => {
  const runtime = await agentProgram(
    `${HEAD}
import { silent } from './silent';
export async function main(timeout: number | { chunkMs: number }) {
  'use workflow';
  const agent = new DurableAgent({ model: async () => { 'use step'; return silent(); }, timeout, maxRetries: 1 });
  try {
    await agent.stream({ prompt: 'Hello?', writable: getWritable<UIMessageChunk>() });
  } catch (error) {
    const { code, message } = error as { code: string; message: string };
    return { code, message };
  }
}`,
    {
      'src/silent.ts': `import { MockLanguageModelV3 } from 'ai/test';
const holder = globalThis as { pawlAsked?: unknown[] };
/** Begins to answer, and never goes on. */
export const silent = () => new MockLanguageModelV3({
  doStream: async (options: any) => {
    (holder.pawlAsked ??= []).push(options);
    return { stream: new ReadableStream<any>({ start(controller) { controller.enqueue({ type: 'stream-start', warnings: [] }); } }) };
  },
});
`,
    },
  );
  const end = async (timeout: unknown) => runtime.finish(await runtime.start('main', [timeout]));
  const gaveUp = { code: 'PAWL_MODEL_TIMEOUT', message: "The model's provider did not answer within 20 ms." };
  expect(await end(20)).toEqual(gaveUp);
  expect(await end({ chunkMs: 20 })).toEqual(gaveUp);
  expect(asked()).toHaveLength(4);
});

test('several agents may write to one stream, one after the other', async () => {
  const runtime = await agentProgram(`${HEAD}
export async function main() {
  'use workflow';
  const writable = getWritable<UIMessageChunk>();
  const first = new DurableAgent({ model: async () => { 'use step'; return scripted(['One.']); } });
  const second = defineLike(async () => { 'use step'; return scripted(['Two.']); });
  await first.stream({ prompt: 'Go.', writable, preventClose: true, sendFinish: false });
  await second.stream({ prompt: 'Go.', writable, sendStart: false });
}
function defineLike(model: () => Promise<unknown>) {
  return new DurableAgent({ model });
}`);
  const run = await runtime.start('main');
  await runtime.finish(run);
  const { chunks, message } = await watch(run);
  expect(kinds(chunks).filter((kind) => kind === 'start' || kind === 'finish')).toEqual(['start', 'finish']);
  expect(message?.parts.filter(({ type }) => type === 'text')).toMatchObject([{ text: 'One.' }, { text: 'Two.' }]);
});

test('wrong settings are told at once', async () => {
  const runtime = await agentProgram(`${HEAD}
const cases: Record<string, () => Promise<unknown>> = {
  model: () => new DurableAgent({} as never).stream({ prompt: 'Hi.' }),
  messages: () => new DurableAgent({ model: 'a/b' }).stream({}),
  tool: () => new DurableAgent({ model: 'a/b', tools: { x: (() => 1) as never } }).stream({ prompt: 'Hi.' }),
  schema: () => new DurableAgent({ model: 'a/b', tools: { x: { description: 'X.' } as never } }).stream({ prompt: 'Hi.' }),
  list: () => new DurableAgent({ model: 'a/b', tools: [{ description: 'X.' }] as never }).stream({ prompt: 'Hi.' }),
  output: () => new DurableAgent({ model: 'a/b' }).stream({ prompt: 'Hi.', output: { type: 'object' } as never }),
  form: () => new DurableAgent({ model: 'a/b' }).stream({ prompt: 'Hi.', output: z.object({ at: z[('da' + 'te') as 'date']() }) }),
};
export async function main(name: string) {
  'use workflow';
  try {
    await cases[name]!();
  } catch (error) {
    const { code, message, remedy } = error as { code: string; message: string; remedy: string };
    return [code, message, typeof remedy];
  }
}`);
  const told = async (name: string) => runtime.finish(await runtime.start('main', [name]));
  expect(await told('model')).toEqual(['PAWL_AGENT_MODEL', 'The agent has no model.', 'string']);
  expect(await told('messages')).toEqual(['PAWL_AGENT_MESSAGES', 'The agent was given no messages.', 'string']);
  expect(await told('tool')).toEqual([
    'PAWL_AGENT_TOOL',
    'The tool x is a function, and a model has to be told what it is for and what it takes.',
    'string',
  ]);
  expect(await told('schema')).toEqual([
    'PAWL_AGENT_TOOL',
    'The tool x has no `inputSchema`: a model cannot know what to pass.',
    'string',
  ]);
  expect(await told('list')).toEqual([
    'PAWL_AGENT_TOOL',
    'The tool at [0] of the list has no name: it is no action, agent or workflow.',
    'string',
  ]);
  expect(await told('output')).toEqual([
    'PAWL_AGENT_OUTPUT',
    'The `output` of an agent is neither a schema nor an `Output`.',
    'string',
  ]);
  expect(await told('form')).toEqual([
    'PAWL_SCHEMA_JSON',
    expect.stringMatching(/^The schema of the output has no form in JSON Schema: /),
    'string',
  ]);
});
