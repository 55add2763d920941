/** `defineAgent`: what of it is workflow code, and what is known where the model is called. */
import { expect, test } from 'vitest';
import { agentProgram, asked, kinds, watch } from './support.ts';

const MAIN = `import { readFileSync } from 'node:fs';
import { defineAgent, getWritable, sleep } from 'pawl';
import { hasToolCall, stepCountIs, tool, type UIMessageChunk } from 'ai';
import { z } from 'zod';
import { scripted } from './model';

const shared = z.object({ name: z.string() });

export const clerk = defineAgent({
  slug: 'clerk',
  name: 'Clerk',
  systemPrompt: 'You know of ' + JSON.parse(readFileSync('package.json', 'utf8')).name + '.',
  model: scripted([
    [{ tool: 'look', input: { name: 'a' } }, { tool: 'wait', input: { name: 'b' } }],
    ({ temperature }: { temperature?: number }) => '{"name":"t' + temperature + '"}',
  ]),
  temperature: 0.25,
  maxOutputTokens: 100,
  tools: {
    look: tool({
      description: 'Looks.',
      inputSchema: shared,
      execute: async ({ name }, { toolCallId }) => {
        'use step';
        return readFileSync('package.json', 'utf8').length > 0 ? name + toolCallId : '';
      },
    }),
    wait: tool({
      description: 'Waits.',
      inputSchema: shared,
      execute: async ({ name }) => {
        await sleep('1h');
        return name;
      },
    }),
  },
  stopWhen: [stepCountIs(4), hasToolCall('never')],
  output: shared,
});

export async function ask(temperature?: number) {
  'use workflow';
  const { output, steps, messages } = await clerk.prompt({
    message: 'Look.',
    messages: [{ role: 'user', content: 'Earlier.' }],
    writable: getWritable<UIMessageChunk>(),
    temperature,
  });
  return { output, results: steps[0].toolResults.map(({ output }) => output), roles: messages.map(({ role }) => role) };
}

async function inPlace() {
  'use step';
  const { output } = await clerk.prompt({ message: 'Look.', maxSteps: 1 }).catch((error) => ({ output: error.message }));
  return output;
}

export async function askInStep() {
  'use workflow';
  return inPlace();
}
`;

test('its tools and conditions are workflow code; model, prompt and settings stay with the steps', async () => {
  const runtime = await agentProgram(MAIN);
  expect(runtime.diagnostics).toEqual([]);
  const { agents, steps, workflows } = runtime.manifest;
  expect(agents.clerk).toMatchObject({ name: 'Clerk', file: 'src/main.ts' });
  expect(Object.keys(steps).sort()).toEqual([
    'clerk',
    'pawl/agent#callModel',
    'pawl/agent#write',
    'src/main.ts#clerk.tools.look.execute',
    'src/main.ts#inPlace',
  ]);
  expect(workflows['src/main.ts#ask']?.steps).toEqual([
    'pawl/agent#callModel',
    'pawl/agent#write',
    'src/main.ts#clerk.tools.look.execute',
  ]);
  const run = await runtime.start('ask');
  await runtime.waitForSleep(run);
  expect(await runtime.finish(run)).toEqual({
    output: { name: 't0.25' },
    results: ['acall-0-0', 'b'],
    roles: ['user', 'user', 'assistant', 'tool', 'assistant'],
  });
  expect(asked()[0]).toMatchObject({
    temperature: 0.25,
    maxOutputTokens: 100,
    responseFormat: { type: 'json', schema: { required: ['name'] } },
    prompt: [{ role: 'system', content: 'You know of pawl.' }, { role: 'user' }, { role: 'user' }],
  });
  expect(kinds((await watch(run)).chunks).at(-1)).toBe('finish');
  expect(await runtime.finish(await runtime.start('ask', [0.5]))).toMatchObject({ output: { name: 't0.5' } });
});

test('in a step its tools run there too, and one that waits ends that', async () => {
  const runtime = await agentProgram(MAIN);
  expect(await runtime.finish(await runtime.start('askInStep'))).toBe(
    'The tool `wait` is a step and waits durably (`sleep`), which only workflow code can.',
  );
});
