import { simulateReadableStream } from 'ai';
import { MockLanguageModelV3 } from 'ai/test';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { defineAction, defineAgent, defineCredential, defineWorkflow } from '../../src/index.ts';
import { start } from '../../src/runtime/client.ts';
import { closeAll, setup } from './support.ts';

afterEach(closeAll);
afterEach(() => vi.unstubAllEnvs());

const triage = defineAction({
  slug: 'triage',
  input: z.object({ title: z.string(), items: z.array(z.object({ price: z.number() })).default([]) }),
  output: z.object({ severity: z.enum(['low', 'high']), count: z.number() }),
  run: async ({ title, items }) => ({
    severity: /down/.test(title) ? ('high' as const) : ('odd' as 'low'),
    count: items.length,
  }),
});

describe('an action', () => {
  test('is a step in a workflow, parsed on both sides', async () => {
    const { run, store } = await setup({
      workflows: `const triage = action('triage'); workflow('w', async (input) => triage.run(input));`,
      registry: { actions: new Map([['triage', triage]]) },
    });
    expect(await run('w', { title: 'down' })).toEqual({ severity: 'high', count: 0 });
    await expect(run('w', { title: 'down', items: [{ price: 'x' }] })).rejects.toMatchObject({
      cause: {
        code: 'PAWL_INPUT_INVALID',
        message: expect.stringMatching(
          /^The input of action triage does not match its schema\. input\.items\[0\]\.price: /,
        ),
      },
    });
    await expect(run('w', { title: 'fine' })).rejects.toMatchObject({
      cause: {
        code: 'PAWL_OUTPUT_INVALID',
        message: expect.stringMatching(/The output of action triage .* output\.severity: /),
      },
    });
    // Not tried again.
    for (const { id } of (await store.listRuns()).runs) {
      expect((await store.readEvents(id)).filter((event) => event.type === 'step_attempt_failed')).toEqual([]);
    }
  });

  test('runs at once anywhere else', async () => {
    expect(await triage.run({ title: 'down' })).toEqual({ severity: 'high', count: 0 });
    await expect(triage.run({ title: 5 } as never)).rejects.toMatchObject({ code: 'PAWL_INPUT_INVALID' });
  });

  test('gets its credentials from the environment, and an error that names what is missing', async () => {
    const linear = defineCredential({ key: 'linear', fields: ['apiKey', 'team_id'] });
    const call = defineAction({
      slug: 'call',
      input: z.null(),
      output: z.string(),
      credentials: [linear] as const,
      run: async (_input, credentials, { signal }) =>
        `${credentials.linear.apiKey} ${credentials.linear.team_id} ${signal.aborted}`,
    });
    await expect(call.run(null)).rejects.toMatchObject({
      code: 'PAWL_CREDENTIAL_MISSING',
      message: '2 values of credentials are not set: linear.apiKey of action call; linear.team_id of action call.',
      remedy: 'Set LINEAR_API_KEY, LINEAR_TEAM_ID in the environment or in .env.',
    });
    vi.stubEnv('LINEAR_API_KEY', 'secret');
    vi.stubEnv('LINEAR_TEAM_ID', 't1');
    expect(await call.run(null)).toBe('secret t1 false');
  });

  test('without its required options is refused', () => {
    expect(() => defineAction({ slug: 'x' } as never)).toThrow('The action x has no `input`.');
  });
});

describe('a defined workflow', () => {
  const schema = { input: z.object({ n: z.coerce.number() }), output: z.object({ doubled: z.number() }) };
  const double = defineWorkflow({ slug: 'double', ...schema, run: async ({ n }) => ({ doubled: n * 2 }) });
  const CODE = `defineWorkflow('double', { run: async ({ n }, ctx) => { await ctx.sleep(0); return n === 13 ? { doubled: 'x' } : { doubled: n * 2, extra: ctx.run.workflowName }; } });`;

  test('has its input parsed before the run, its output when it completes', async () => {
    const { store } = await setup({ workflows: CODE, registry: { workflows: new Map([['double', double]]) } });
    const run = await start(double, [{ n: '21' } as never]);
    expect(await run.returnValue).toEqual({ doubled: 42 });
    await expect(start(double, [{ n: 'no' } as never])).rejects.toMatchObject({
      code: 'PAWL_INPUT_INVALID',
      message: expect.stringContaining('workflow double'),
    });
    expect((await store.listRuns()).runs).toHaveLength(1);
    const bad = await start('double', [{ n: 13 }]);
    await expect(bad.returnValue).rejects.toMatchObject({
      cause: { code: 'PAWL_OUTPUT_INVALID', message: expect.stringContaining('output.doubled') },
    });
  });

  test('cannot be called like a function outside of workflows', async () => {
    await expect(double.run({ n: 1 })).rejects.toMatchObject({ code: 'PAWL_WORKFLOW_CALLED' });
  });

  test('runs as a part of another workflow', async () => {
    const { run } = await setup({
      workflows: `const inner = defineWorkflow('inner', { run: async (x) => x + 1 }); workflow('outer', async (x) => inner.run(x));`,
    });
    expect(await run('outer', 1)).toBe(2);
  });
});

test('an agent in code of a version that made a step of the whole prompt', async () => {
  const model = new MockLanguageModelV3({
    doStream: async () => ({
      stream: simulateReadableStream({
        chunks: [
          { type: 'stream-start', warnings: [] },
          { type: 'text-start', id: '0' },
          { type: 'text-delta', id: '0', delta: 'Hello.' },
          { type: 'text-end', id: '0' },
          { type: 'finish', finishReason: { unified: 'stop', raw: 'stop' }, usage: USAGE },
        ],
      }),
    }),
  });
  const agent = defineAgent({ slug: 'support', systemPrompt: 'Be brief.', model });
  const { run } = await setup({
    workflows: `const support = agent('support'); workflow('w', async () => (await support.prompt({ message: 'hi' })).text);`,
    registry: { agents: new Map([['support', agent]]) },
  });
  expect(await run('w')).toBe('Hello.');
});

const USAGE = {
  inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: 1, text: 1, reasoning: 0 },
};
