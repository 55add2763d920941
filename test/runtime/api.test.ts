import { afterEach, expect, test } from 'vitest';
import * as pawl from '../../src/index.ts';
import { COMPILED_API, VIRTUAL_GLOBALS, WORKFLOW_API } from '../../src/manifest/index.ts';
import { closeAll, setup } from './support.ts';

afterEach(closeAll);

test('`pawl` has the same names in steps, in apps and in workflow code', async () => {
  const { run } = await setup({
    workflows: `workflow('w', async () => [Object.keys(__pawl.api), Object.keys(__pawl.compiled)]);`,
  });
  const [api, compiled] = await run<[string[], string[]]>('w');
  expect(Object.keys(pawl).sort()).toEqual([...WORKFLOW_API].sort());
  expect(api.sort()).toEqual([...WORKFLOW_API].sort());
  // Bundles of older versions have more.
  expect(compiled.sort()).toEqual([...COMPILED_API, 'agent', 'defineWorkflow'].sort());
});

test('the sandbox knows the virtual globals that a bundle asks for, and puts nothing else into their place', async () => {
  const { run } = await setup({
    workflows: `workflow('w', async () => { const seen = []; for (const k in __pawl.globals) seen.push(k); return seen; });`,
  });
  const names = await run<string[]>('w');
  expect(names.filter((name) => !(VIRTUAL_GLOBALS as readonly string[]).includes(name))).toEqual([]);
});

const functions = new Map<string, unknown>(Object.entries(pawl));

test.each(['sleep', 'createHook', 'createWebhook', 'getWritable', 'getStepMetadata', 'getWorkflowMetadata'] as const)(
  '%s() says where it works',
  async (name) => {
    const call = async (): Promise<unknown> => (functions.get(name) as (argument?: unknown) => unknown)(1);
    await expect(call()).rejects.toMatchObject({ code: expect.stringMatching(/^PAWL_/), remedy: expect.any(String) });
  },
);

test('durable calls in a step say that they belong in the workflow, and are not retried', async () => {
  let calls = 0;
  const { run } = await setup({
    workflows: `workflow('w', async () => step('wait')());`,
    steps: {
      wait: async () => {
        calls++;
        await pawl.sleep('1s');
      },
    },
  });
  await expect(run('w')).rejects.toMatchObject({ cause: { code: 'PAWL_ONLY_IN_WORKFLOW' } });
  expect(calls).toBe(1);
});
