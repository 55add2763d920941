/** Agents in plain code: in scripts and apps, where nothing is recorded; and what their types say. */
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { simulateReadableStream, stepCountIs, tool, type UIMessageChunk } from 'ai';
import { MockLanguageModelV3 } from 'ai/test';
import { describe, expect, expectTypeOf, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { type AgentStep, defineAgent, DurableAgent, withoutAbandoned } from '../../src/agents/agent-entry.ts';
import { defineAction, defineCredential, defineWorkflow } from '../../src/index.ts';
import { startModelServer } from './model-server.ts';

type Part = Awaited<ReturnType<MockLanguageModelV3['doStream']>>['stream'] extends ReadableStream<infer P> ? P : never;

const USAGE = {
  inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: 1, text: 1, reasoning: 0 },
};

function model(...answers: (string | { tool: string; input: unknown })[]): MockLanguageModelV3 {
  return new MockLanguageModelV3({
    doStream: async () => {
      const answer = answers.shift() ?? '';
      const isText = typeof answer === 'string';
      const parts: Part[] = isText
        ? [
            { type: 'text-start', id: '0' },
            { type: 'text-delta', id: '0', delta: answer },
            { type: 'text-end', id: '0' },
          ]
        : [{ type: 'tool-call', toolCallId: 'c', toolName: answer.tool, input: JSON.stringify(answer.input) }];
      const reason = isText ? ('stop' as const) : ('tool-calls' as const);
      const finish: Part = { type: 'finish', finishReason: { unified: reason, raw: reason }, usage: USAGE };
      return { stream: simulateReadableStream({ chunks: [{ type: 'stream-start', warnings: [] }, ...parts, finish] }) };
    },
  });
}

const triage = defineAction({
  slug: 'triage',
  description: 'Sorts.',
  input: z.object({ title: z.string() }),
  output: z.object({ severity: z.enum(['low', 'high']) }),
  run: async () => ({ severity: 'low' as const }),
});

describe('DurableAgent', () => {
  test('runs in a script, with tools, a stream and callbacks', async () => {
    const chunks: UIMessageChunk[] = [];
    const seen: AgentStep[] = [];
    const agent = new DurableAgent({
      model: model({ tool: 'add', input: { a: 1, b: 2 } }, 'Three.'),
      tools: {
        triage,
        add: tool({
          description: 'Adds.',
          inputSchema: z.object({ a: z.number(), b: z.number() }),
          execute: async ({ a, b }) => a + b,
        }),
      },
      stopWhen: stepCountIs(5),
    });
    const result = await agent.stream({
      messages: [{ role: 'user', content: 'Add.' }],
      writable: new WritableStream({ write: (chunk) => void chunks.push(chunk) }),
      onStepFinish: (step) => seen.push(step),
    });
    expect(result).toMatchObject({ text: 'Three.', output: 'Three.', steps: [{ toolResults: [{ output: 3 }] }, {}] });
    expect(seen).toHaveLength(2);
    expect(chunks.at(-1)).toEqual({ type: 'finish', finishReason: 'stop' });
    expectTypeOf(result.output).toEqualTypeOf<string>();
  });

  test('gives what the schema says', async () => {
    const agent = new DurableAgent({ model: model('{"n":"7"}') });
    const result = await agent.stream({ prompt: 'n?', output: z.object({ n: z.coerce.number() }) });
    expect(result.output).toEqual({ n: 7 });
    expectTypeOf(result.output).toEqualTypeOf<{ n: number }>();
  });

  test('the key of a provider is masked in what the provider answers, a word in its place is not', async () => {
    const quoted = (sent: string) => ({ status: 401, body: JSON.stringify({ error: { message: `Who is ${sent}?` } }) });
    const key = 'sk-local-0123456789abcdef';
    const server = await startModelServer((_, count) => quoted(count === 1 ? key : 'not-needed-at-home'));
    onTestFinished(() => server.close());
    const refused = async (apiKey: string): Promise<unknown> => {
      const provider = createOpenAICompatible({ name: 'local', baseURL: `${server.url}/v1`, apiKey });
      return new DurableAgent({ model: provider('small') }).stream({ prompt: 'Hi.' }).catch((error: unknown) => error);
    };
    expect(await refused(key)).toMatchObject({
      code: 'PAWL_MODEL_REFUSED',
      message: "The model's provider refuses the call (401): Who is [credential local.apiKey]?",
    });
    expect(await refused('not-needed-at-home')).toMatchObject({
      message: "The model's provider refuses the call (401): Who is not-needed-at-home?",
    });
  });

  test('a name of a model means nothing without a configuration', async () => {
    await expect(new DurableAgent({ model: 'openai/gpt-5' }).stream({ prompt: 'Hi.' })).rejects.toMatchObject({
      code: 'PAWL_AGENT_MODEL',
      message: expect.stringContaining('which pawl.config does not name. It names none.'),
    });
  });
});

describe('a defined agent', () => {
  test('is prompted, with a schema or without', async () => {
    const agent = defineAgent({
      slug: 'clerk',
      systemPrompt: 'Be brief.',
      model: model({ tool: 'triage', input: { title: 'x' } }, 'Low.', '{"severity":"low"}'),
      tools: [triage],
    });
    const plain = await agent.prompt({ message: 'How bad?' });
    expect(plain.output).toBe('Low.');
    expectTypeOf(plain.output).toEqualTypeOf<string>();
    const typed = await agent.prompt({ message: 'How bad?', output: z.object({ severity: z.string() }) });
    expect(typed.output).toEqual({ severity: 'low' });
    expectTypeOf(typed.output).toEqualTypeOf<{ severity: string }>();
    await expect(agent.prompt({ message: '' })).rejects.toMatchObject({ code: 'PAWL_AGENT_MESSAGES' });
  });

  test('calls actions for an action that prompts it; a workflow cannot be called there, and the model is told', async () => {
    const slow = defineWorkflow({
      slug: 'slow',
      description: 'Slow.',
      input: z.object({}),
      output: z.string(),
      run: async () => 'done',
    });
    const agent = defineAgent({
      slug: 'clerk',
      systemPrompt: 'Be brief.',
      model: model({ tool: 'triage', input: { title: 'x' } }, { tool: 'slow', input: {} }, 'Low.'),
      tools: [triage, slow],
    });
    let steps: AgentStep[] = [];
    const ask = defineAction({
      slug: 'ask',
      input: z.string(),
      output: z.string(),
      run: async (message) => {
        const result = await agent.prompt({ message });
        steps = result.steps;
        return result.text;
      },
    });
    expect(await ask.run('How bad?')).toBe('Low.');
    expect(steps[0]).toMatchObject({ toolResults: [{ output: { severity: 'low' } }] });
    expect(steps[1]).toMatchObject({ toolErrors: [{ error: { code: 'PAWL_WORKFLOW_CALLED' } }] });
  });

  test('keeps credentials from the model: in what a tool throws they are masked, a result that holds one is refused', async () => {
    const secret = 'canary-of-a-plain-agent';
    const mail = defineCredential({ key: 'mail', fields: ['password'], resolve: async () => ({ password: secret }) });
    const send = defineAction({
      slug: 'send',
      description: 'Sends.',
      input: z.object({ fails: z.boolean() }),
      output: z.object({ sent: z.string() }),
      credentials: [mail],
      run: async ({ fails }, credentials) => {
        if (fails) throw new Error(`No entry with ${credentials.mail.password}.`);
        return { sent: `by ${credentials.mail.password}` };
      },
    });
    const told = model({ tool: 'send', input: { fails: true } }, { tool: 'send', input: { fails: false } }, 'Done.');
    const chunks: UIMessageChunk[] = [];
    const agent = defineAgent({ slug: 'postman', systemPrompt: 'Be brief.', model: told, tools: [send] });
    const writable = new WritableStream<UIMessageChunk>({ write: (chunk) => void chunks.push(chunk) });
    const { messages } = await agent.prompt({ message: 'Send it.', writable });
    expect(messages.filter(({ role }) => role === 'tool')).toMatchObject([
      { content: [{ output: { type: 'error-text', value: 'No entry with [credential mail.password].' } }] },
      {
        content: [
          {
            output: {
              type: 'error-text',
              value: 'The credential mail.password is in the result of tool send, which would go to the model.',
            },
          },
        ],
      },
    ]);
    expect(JSON.stringify([chunks, told.doStreamCalls.map(({ prompt }) => prompt)])).not.toContain(secret);
  });
});

test('a message without anything left behind is the same', () => {
  const message = { id: '1', role: 'assistant' as const, parts: [{ type: 'text' as const, text: 'Hi.' }] };
  expect(withoutAbandoned(message)).toBe(message);
  const growing = { ...message, parts: [...message.parts, { type: 'step-start' as const }] };
  expect(withoutAbandoned(growing)).toBe(growing);
});

test('of an attempt that was cut off nothing is left, not even where it began', () => {
  const text = (of: string, attempt: number) => ({
    type: 'text' as const,
    text: of,
    providerMetadata: { pawl: { call: 'a', attempt } },
  });
  const start = { type: 'step-start' as const };
  const note = { type: 'data-note' as const, data: 1 };
  const parts = [start, text('Ha', 1), start, start, text('Half', 3), note, start, text('Whole.', 4), start];
  expect(withoutAbandoned({ parts }).parts).toEqual([start, note, start, text('Whole.', 4), start]);
});
