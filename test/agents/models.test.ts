/** Which model answers, and what becomes of a call that fails. */
import { fileURLToPath } from 'node:url';
import { readUIMessageStream, type UIMessage, type UIMessageChunk } from 'ai';
import { expect, test } from 'vitest';
import { withoutAbandoned } from '../../src/agents/agent-entry.ts';
import { createTestRuntime } from '../../src/testing/index.ts';
import { agentProgram, asked, watch } from './support.ts';

const HEAD = `import { getWritable } from 'pawl';
import { DurableAgent } from 'pawl/agent';
import { jsonSchema, tool, type UIMessageChunk } from 'ai';
import { apiError, scripted } from './model';
`;

const FAILING = `${HEAD}
const answers: Record<string, (attempt: number) => unknown> = {
  limited: (attempt) => attempt < 3 ? { fail: apiError(429, { 'retry-after': '30' }) } : 'Now.',
  always: () => ({ fail: apiError(429) }),
  down: (attempt) => attempt === 1 ? { fail: apiError(503) } : 'Up again.',
  key: () => ({ fail: apiError(401) }),
  odd: () => ({ fail: new Error('socket hang up') }),
  empty: () => '',
  cut: (attempt) => attempt === 1 ? [{ tool: 'a', input: {} }, { text: 'Half', cut: true }] : ['Whole.'],
};

export async function main(kind: string, maxRetries?: number) {
  'use workflow';
  const agent = new DurableAgent({
    model: async () => { 'use step'; return scripted([() => answers[kind]!((count[kind] = (count[kind] ?? 0) + 1))]); },
    tools: { a: tool({ description: 'A.', inputSchema: jsonSchema({ type: 'object' }) }) },
    maxRetries,
  });
  let told = '';
  try {
    const { text, finishReason } = await agent.stream({
      prompt: 'Go.',
      writable: getWritable<UIMessageChunk>(),
      onError: ({ error }) => { told = (error as Error).message; },
    });
    return { text, finishReason };
  } catch (error) {
    const { code, message, remedy } = error as { code: string; message: string; remedy: string };
    return { code, message, remedy, isTold: told === message };
  }
}
const count: Record<string, number> = {};
`;

test('a call that fails is made again, or not, as its error says', async () => {
  const runtime = await agentProgram(FAILING);
  const end = async (...args: unknown[]) => {
    const run = await runtime.start('main', args);
    const before = runtime.now().getTime();
    const value = await runtime.finish(run);
    const { chunks } = await watch(run).catch(() => ({ chunks: [] as UIMessageChunk[] }));
    return { value, waited: runtime.now().getTime() - before, last: chunks.at(-1) };
  };
  // Twice refused, twice half a minute.
  expect(await end('limited')).toMatchObject({ value: { text: 'Now.', finishReason: 'stop' }, waited: 60_000 });
  expect((await end('always', 1)).value).toEqual({
    code: 'PAWL_MODEL_RATE_LIMIT',
    message: "The model's provider limits requests (429): no",
    remedy: expect.stringContaining('maxRetries'),
    isTold: true,
  });
  expect(asked()).toHaveLength(3 + 2);
  expect((await end('down')).value).toMatchObject({ text: 'Up again.' });
  expect((await end('key')).value).toMatchObject({
    code: 'PAWL_MODEL_REFUSED',
    message: "The model's provider refuses the call (401): no",
    remedy: 'Check the API key, and what it may do.',
  });
  expect(asked()).toHaveLength(8);
  expect((await end('odd', 0)).value).toMatchObject({
    code: 'PAWL_MODEL_FAILED',
    message: "The connection to the model's provider failed: socket hang up",
  });
  expect((await end('empty')).value).toEqual({ text: '', finishReason: 'stop' });
});

test('an answer that broke off is made again, and a client can tell what was left behind', async () => {
  const runtime = await agentProgram(FAILING);
  const run = await runtime.start('main', ['cut']);
  expect(await runtime.finish(run)).toMatchObject({ text: 'Whole.' });
  const { chunks, message } = await watch(run);
  expect(chunks.filter(({ type }) => type === 'text-start')).toMatchObject([
    { id: '1', providerMetadata: { pawl: { attempt: 1 } } },
    { id: '0.2', providerMetadata: { pawl: { attempt: 2 } } },
  ]);
  // A client that knows nothing of it reads it, and shows the half part too.
  expect(message?.parts.map(({ type }) => type)).toEqual(['step-start', 'tool-a', 'text', 'step-start', 'text']);
  const clean = withoutAbandoned(message as UIMessage);
  expect(clean.parts).toMatchObject([{ type: 'step-start' }, { type: 'text', text: 'Whole.', state: 'done' }]);
  // While the second attempt has said nothing, the first one is what there is to see.
  const early = chunks.slice(
    0,
    chunks.findIndex((chunk) => chunk.type === 'text-start' && chunk.id === '0.2'),
  );
  const stream = new ReadableStream<UIMessageChunk>({
    start(controller) {
      for (const chunk of early) controller.enqueue(chunk);
      controller.close();
    },
  });
  let growing: UIMessage | undefined;
  for await (const each of readUIMessageStream({ stream })) growing = each;
  expect(withoutAbandoned(growing as UIMessage)).toBe(growing);
});

test('a model by its name comes from the providers of pawl.config', async () => {
  const root = fileURLToPath(new URL('../../fixtures/programs/models', import.meta.url));
  const runtime = await createTestRuntime({ root });
  try {
    const ask = async (name: string, ...args: unknown[]) => runtime.finish(await runtime.start(name, args));
    expect(await ask('ask', 'local/llama-3/8b')).toBe('I am llama-3/8b.');
    expect(await ask('ask', 'plain/x')).toBe('Plainly x.');
    expect(await ask('askClerk')).toBe('Plainly clerk.');
    expect(await ask('askInStep')).toBe('Plainly clerk.');
    await expect(ask('ask', 'openai/gpt-5')).rejects.toMatchObject({
      cause: {
        code: 'PAWL_AGENT_MODEL',
        message:
          'The model `openai/gpt-5` needs the provider openai, which pawl.config does not name. It has: local, plain.',
        remedy: expect.stringContaining('`providers: { openai: … }`'),
      },
    });
    await expect(ask('ask', 'gpt-5')).rejects.toMatchObject({ cause: { message: '`gpt-5` names no model.' } });
    await expect(ask('object')).rejects.toMatchObject({
      cause: { code: 'PAWL_AGENT_MODEL', message: expect.stringContaining('cannot be passed to the model call') },
    });
  } finally {
    await runtime.close();
  }
});
