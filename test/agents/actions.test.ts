/** Actions: contracts on both sides, whoever calls; signals; the leaf rule where the build cannot follow. */
import * as v from 'valibot';
import { afterEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type Action, defineAction, defineWorkflow, FatalError } from '../../src/index.ts';
import { direct } from '../../src/internal/step.ts';
import { outsideAction } from '../../src/leaf.ts';
import { start } from '../../src/runtime/client.ts';
import { createTestRuntime, TestBuildError } from '../../src/testing/index.ts';
import { closeAll, settle, setup } from '../runtime/support.ts';

afterEach(closeAll);

const anything = { input: z.any(), output: z.any() };

describe('contracts', () => {
  test('transforms and defaults apply once on each side, by any caller', async () => {
    const seen: unknown[] = [];
    const shout = defineAction({
      slug: 'shout',
      input: z.object({ text: z.string().transform((text) => `${text}!`), times: z.number().default(2) }),
      output: z.object({ text: z.string().transform((text) => `<${text}>`), note: z.string().default('none') }),
      run: async (input) => {
        seen.push(input);
        return { text: input.text.repeat(input.times) };
      },
    });
    const { run } = await setup({
      workflows: `const shout = action('shout');
        workflow('w', async (input) => shout.run(input));
        workflow('in-step', async (input) => step('calls')(input));`,
      steps: { calls: ((input: { text: string }) => shout.run(input)) as never },
      registry: { actions: new Map([['shout', shout]]) },
    });
    const result = { text: '<a!a!>', note: 'none' };
    expect(await run('w', { text: 'a' })).toEqual(result);
    expect(await run('in-step', { text: 'a' })).toEqual(result);
    expect(await shout.run({ text: 'a' })).toEqual(result);
    expect(seen).toEqual(Array.from({ length: 3 }, () => ({ text: 'a!', times: 2 })));
  });

  test('schemas of any library that follows Standard Schema', async () => {
    const price = defineAction({
      slug: 'price',
      input: v.object({ items: v.array(v.object({ sku: v.string(), count: v.optional(v.number(), 1) })) }),
      output: v.pipe(
        v.number(),
        v.transform((cents) => `${cents / 100} €`),
      ),
      run: ({ items }) => items.reduce((sum, { count }) => sum + 250 * count, 0),
    });
    const { run, store } = await setup({
      workflows: `const price = action('price'); workflow('w', async (input) => price.run(input));`,
      registry: { actions: new Map([['price', price]]) },
    });
    expect(await run('w', { items: [{ sku: 'a' }, { sku: 'b', count: 3 }] })).toBe('10 €');
    const failing = run('w', { items: [{ sku: 'a' }, { sku: 5 }] });
    await expect(failing).rejects.toMatchObject({
      cause: {
        code: 'PAWL_INPUT_INVALID',
        message: expect.stringMatching(
          /The input of action price does not match its schema\. input\.items\[1\]\.sku: /,
        ),
      },
    });
    expect(await attempts(store)).toBe(0);
  });

  test('a schema that throws is the fault of the schema, and no further attempt is made', async () => {
    const odd = defineAction({
      slug: 'odd',
      input: z.string().refine(() => {
        throw new TypeError('no such list');
      }),
      output: z.string(),
      run: (text) => text,
    });
    const { run, store } = await setup({
      workflows: `const odd = action('odd'); workflow('w', async (input) => odd.run(input));`,
      registry: { actions: new Map([['odd', odd]]) },
    });
    await expect(run('w', 'a')).rejects.toMatchObject({
      cause: { code: 'PAWL_SCHEMA_FAILED', message: 'The input schema of action odd threw: no such list.' },
    });
    expect(await attempts(store)).toBe(0);
  });
});

describe('settings and signals', () => {
  test('the signal fires when an attempt exceeds its timeout, which makes another one', async () => {
    const signals: AbortSignal[] = [];
    const slow = defineAction({
      slug: 'slow',
      ...anything,
      timeout: '5s',
      maxRetries: 1,
      run: (_input, _credentials, { signal }) => {
        signals.push(signal);
        return signals.length === 2 ? 'second' : new Promise(() => {});
      },
    });
    const { start: begin, clock } = await setup({
      workflows: `const slow = action('slow'); workflow('w', async () => slow.run(null));`,
      registry: { actions: new Map([['slow', slow]]) },
    });
    const run = await begin('w');
    await settle();
    expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
    clock.advanceTo(clock.now() + 5_000);
    await settle();
    expect(signals[0]).toMatchObject({ aborted: true, reason: { code: 'PAWL_STEP_TIMEOUT' } });
    clock.advanceTo(clock.now() + 60_000);
    expect(await run.returnValue).toBe('second');
  });

  test('the signal fires when the run is cancelled', async () => {
    let signal: AbortSignal | undefined;
    const long = defineAction({
      slug: 'long',
      ...anything,
      run: (_input, _credentials, context) => {
        signal = context.signal;
        return new Promise(() => {});
      },
    });
    const { start: begin } = await setup({
      workflows: `const long = action('long'); workflow('w', async () => long.run(null));`,
      registry: { actions: new Map([['long', long]]) },
    });
    const run = await begin('w');
    await settle();
    expect(signal?.aborted).toBe(false);
    await run.cancel();
    await settle();
    expect(signal).toMatchObject({ aborted: true, reason: { name: 'CancelledError' } });
  });

  const source = (settings: string) => ({
    'src/actions/a.ts': `import { defineAction } from 'pawl';
import { z } from 'zod';
const LONG = 90;
export const a = defineAction({ slug: 'a', input: z.null(), output: z.null(), ${settings}, run: async () => null });
`,
    'src/workflows/w.ts': `import { a } from '../actions/a';
export async function w() {
  'use workflow';
  return a.run(null);
}
`,
  });

  test('settings are in the manifest, and wrong ones are findings', async () => {
    const runtime = await createTestRuntime({
      sources: source(`timeout: LONG * 1000, maxRetries: 0, retryAfter: '2m', concurrency: Infinity`),
    });
    expect(runtime.manifest.steps.a?.options).toEqual({
      timeout: 90_000,
      maxRetries: 0,
      retryAfter: '2m',
      concurrency: Number.MAX_SAFE_INTEGER,
    });
    await runtime.close();
    const failed = await createTestRuntime({ sources: source(`timeout: 'soon', maxRetries: -1`) }).catch((e) => e);
    expect(failed).toBeInstanceOf(TestBuildError);
    expect(failed.diagnostics.map(({ code, message }: { code: string; message: string }) => [code, message])).toEqual([
      ['PAWL1008', `'timeout' takes milliseconds or a duration such as '30s', not "soon".`],
      ['PAWL1008', `'maxRetries' takes a whole number from 0, not -1.`],
    ]);
  });
});

describe('an action is a leaf', () => {
  const inner = defineAction({ slug: 'inner', ...anything, run: async (value) => value });
  const words =
    'Action `outer` reaches the action `inner`: an action is a leaf, so the inner one would run without a record and without retries.';

  test.each<[string, (value: unknown) => unknown]>([
    ['itself', (value) => inner.run(value)],
    ['that it got as a value', (value) => [inner as Action].map((each) => each.run(value))[0]],
    [
      'later',
      async (value) => {
        await new Promise((resolve) => setImmediate(resolve));
        return inner.run(value);
      },
    ],
  ])('a call of another one %s is refused in the words of the build', async (_, run) => {
    const outer = defineAction({ slug: 'outer', ...anything, run });
    const refusal = {
      code: 'PAWL5001',
      message: words,
      remedy: 'Call both from a workflow, or share a plain function between the two.',
    };
    await expect(outer.run(1)).rejects.toMatchObject(refusal);
    const { run: runWorkflow, store } = await setup({
      workflows: `const outer = action('outer'); workflow('w', async () => outer.run(1));`,
      registry: { actions: new Map([['outer', outer]]) },
    });
    await expect(runWorkflow('w')).rejects.toMatchObject({ cause: refusal });
    expect(await attempts(store)).toBe(0);
    // Before and beside it, nothing has changed.
    expect(await inner.run(2)).toBe(2);
  });

  test('an action that arrives as a reference is refused likewise', async () => {
    const outer = defineAction({
      slug: 'outer',
      ...anything,
      run: ({ call }: { call: (value: unknown) => Promise<unknown> }) => call(3),
    });
    const { run } = await setup({
      workflows: `const outer = action('outer'); const inner = action('inner');
        workflow('w', async () => outer.run({ call: inner.run }));`,
      registry: {
        actions: new Map([
          ['outer', outer],
          ['inner', inner],
        ]),
      },
    });
    await expect(run('w')).rejects.toMatchObject({ cause: { code: 'PAWL5001', message: words } });
  });

  test('what an agent within it does is not its own', async () => {
    const outer = defineAction({ slug: 'outer', ...anything, run: (value) => outsideAction(() => inner.run(value)) });
    expect(await outer.run(4)).toBe(4);
  });

  test('it begins no workflow', async () => {
    const flow = defineWorkflow({ slug: 'flow', ...anything, run: async (value) => value });
    const because = 'an action is a leaf, and a retry of it would begin the workflow once more.';
    const cases: [name: string, run: () => unknown][] = [
      ['start', () => start(flow, [1])],
      ['flow', () => flow.run(1)],
      [
        'ship',
        () => {
          throw direct('src/ship.ts#ship');
        },
      ],
    ];
    for (const [name, run] of cases) {
      const outer = defineAction({ slug: 'outer', ...anything, run });
      await expect(outer.run(1)).rejects.toMatchObject({
        code: 'PAWL5004',
        message: `Action \`outer\` calls \`${name}\`: ${because}`,
        remedy: 'Call the action from the workflow, or start the workflow from the app or from a step.',
      });
    }
  });

  test('an error that an action throws is its own', async () => {
    const outer = defineAction({
      slug: 'outer',
      ...anything,
      run: () => {
        throw new FatalError('no');
      },
    });
    await expect(outer.run(1)).rejects.toThrow(new FatalError('no'));
  });
});

async function attempts(store: Awaited<ReturnType<typeof setup>>['store']): Promise<number> {
  const { runs } = await store.listRuns();
  const logs = await Promise.all(runs.map(({ id }) => store.readEvents(id)));
  return logs.flat().filter(({ type }) => type === 'step_attempt_failed').length;
}
