import { existsSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { PawlError } from '../../src/errors.ts';
import {
  createTestRuntime,
  TestBuildError,
  type TestRuntime,
  type TestRuntimeOptions,
} from '../../src/testing/index.ts';
import { temporaryProject } from '../support/project.ts';

const open: TestRuntime[] = [];
afterEach(async () => {
  for (const runtime of open.splice(0)) await runtime.close();
});

async function runtimeOf(
  sources: Record<string, string> | string,
  options: Partial<TestRuntimeOptions> = {},
): Promise<TestRuntime> {
  const files = typeof sources === 'string' ? { 'src/main.ts': sources } : sources;
  const runtime = await createTestRuntime({ sources: files, ...options } as TestRuntimeOptions);
  open.push(runtime);
  return runtime;
}

async function problem(run: Promise<unknown>): Promise<PawlError> {
  const error = await run.then(
    () => new Error('nothing was thrown'),
    (reason: unknown) => reason,
  );
  if (error instanceof PawlError) return error;
  throw error;
}

describe('a program of texts', () => {
  test('runs, with steps outside of the sandbox', async () => {
    const runtime = await runtimeOf(`
      import { platform } from 'node:os';
      async function where() { 'use step'; return platform(); }
      export async function main(name: string) { 'use workflow'; return name + ' on ' + (await where()); }`);
    const run = await runtime.start('main', ['Ada']);
    expect(await run.returnValue).toBe(`Ada on ${process.platform}`);
    expect(await run.status).toBe('completed');
    expect(runtime.diagnostics).toEqual([]);
  });

  test('imports of pawl, of packages and of other sources resolve', async () => {
    const runtime = await runtimeOf({
      'src/main.ts': `import { defineAction, defineWorkflow } from 'pawl';
        import { z } from 'zod';
        import { twice } from './twice.js';
        const double = defineAction({ slug: 'double', input: z.number(), output: z.number(), run: async (n) => twice(n) });
        export default defineWorkflow({ slug: 'main', input: z.object({ n: z.coerce.number() }), output: z.number(), run: async ({ n }) => double.run(n) });`,
      'src/twice.ts': 'export const twice = (n: number): number => n * 2;',
    });
    const run = await runtime.start('main', [{ n: '21' }]);
    expect(await run.returnValue).toBe(42);
  });

  test('workflows are found by id, by name, by slug and as themselves', async () => {
    const runtime = await runtimeOf({
      'src/a.ts': `export async function one() { 'use workflow'; return 1; } export async function both() { 'use workflow'; return 'a'; }`,
      'src/b.ts': `export async function both() { 'use workflow'; return 'b'; }`,
    });
    const one = Object.assign(async () => 0, { workflowId: 'src/a.ts#one' });
    expect(await (await runtime.start('one')).returnValue).toBe(1);
    expect(await (await runtime.start('src/a.ts#one')).returnValue).toBe(1);
    expect(await (await runtime.start(one)).returnValue).toBe(1);
    expect(await (await runtime.start('src/b.ts#both')).returnValue).toBe('b');
    expect((await problem(runtime.start('both'))).code).toBe('PAWL_UNKNOWN_WORKFLOW');
    expect((await problem(runtime.start('none'))).code).toBe('PAWL_UNKNOWN_WORKFLOW');
  });

  test('a build with errors rejects with its diagnostics, and leaves nothing behind', async () => {
    const before = leftovers();
    const error = await problem(runtimeOf(`export function pay() { 'use step'; }`));
    expect(error).toBeInstanceOf(TestBuildError);
    expect((error as TestBuildError).diagnostics).toMatchObject([{ code: 'PAWL1002', file: 'src/main.ts' }]);
    expect(error.message).toMatch(/^The program does not build:\nsrc\/main\.ts\(1,17\): error PAWL1002/);
    expect(leftovers()).toEqual(before);
  });

  test('warnings are told', async () => {
    const runtime = await runtimeOf(
      `// pawl-ignore PAWL3002 -- nothing\nexport async function main() { 'use workflow'; }`,
    );
    expect(runtime.diagnostics).toMatchObject([{ code: 'PAWL9001', severity: 'warning' }]);
  });

  test('a path out of the program is refused', async () => {
    expect((await problem(runtimeOf({ '../main.ts': '' }))).code).toBe('PAWL_TEST_SOURCE');
  });

  test('what a step throws is what the run failed with, at its place in the source', async () => {
    const runtime = await runtimeOf(`import { FatalError } from 'pawl';
async function pay() {
  'use step';
  throw new FatalError('no money');
}
export async function main() {
  'use workflow';
  await pay();
}`);
    const run = await runtime.start('main');
    const error = await problem(run.returnValue);
    expect(error.code).toBe('PAWL_RUN_FAILED');
    expect((error.cause as Error).message).toBe('no money');
    expect((error.cause as Error).stack).toMatch(/src\/main\.ts:4:9/);
  });

  test('close removes what was written', async () => {
    const before = leftovers();
    const runtime = await createTestRuntime({
      sources: { 'main.ts': `export async function main() { 'use workflow'; }` },
    });
    expect(leftovers().length).toBe(before.length + 1);
    await runtime.close();
    expect(leftovers()).toEqual(before);
  });
});

function leftovers(): string[] {
  return readdirSync(tmpdir()).filter((name) => name.startsWith('pawl-test-'));
}

describe('a project', () => {
  test('is built as its configuration says, and its output folder is left alone', async () => {
    const root = temporaryProject({
      'flows/main.ts': `export async function main() { 'use workflow'; return 7; }`,
      'pawl.config.json': '{ "entries": ["flows/*.ts"] }',
    });
    const runtime = await createTestRuntime({ root });
    open.push(runtime);
    expect(await (await runtime.start('main')).returnValue).toBe(7);
    expect(existsSync(join(root, '.pawl'))).toBe(false);
  });
});

describe('virtual time', () => {
  const SLEEPER = `import { sleep } from 'pawl';
    async function note(text: string) { 'use step'; return text; }
    export async function main() {
      'use workflow';
      const started = Date.now();
      await sleep('1 day');
      await note('a');
      await sleep('2h');
      return [await note('b'), Date.now() - started];
    }
    export async function quick() { 'use workflow'; return note('quick'); }`;

  test('stands still until it is moved', async () => {
    const runtime = await runtimeOf(SLEEPER, { now: new Date('2030-01-01T00:00:00Z') });
    const run = await runtime.start('main');
    expect(await runtime.waitForSleep(run)).toEqual({ runId: run.runId, until: new Date('2030-01-02T00:00:00Z') });
    await runtime.advance('23h');
    expect(await run.status).toBe('running');
    await runtime.advance('1h');
    expect(await runtime.waitForSleep(run)).toMatchObject({ until: new Date('2030-01-02T02:00:00Z') });
    await runtime.advance(2 * 3_600_000);
    expect(await run.returnValue).toEqual(['b', 26 * 3_600_000]);
    expect(runtime.now()).toEqual(new Date('2030-01-02T02:00:00Z'));
  });

  test('one move goes through everything on the way', async () => {
    const runtime = await runtimeOf(SLEEPER);
    const run = await runtime.start('main');
    await runtime.advance('30 days');
    expect(await run.returnValue).toEqual(['b', 26 * 3_600_000]);
  });

  test('finish moves as far as is needed', async () => {
    const runtime = await runtimeOf(SLEEPER);
    const start = runtime.now().getTime();
    expect(await runtime.finish(await runtime.start('main'))).toEqual(['b', 26 * 3_600_000]);
    expect(runtime.now().getTime() - start).toBe(26 * 3_600_000);
  });

  test('retries wait in it', async () => {
    const runtime = await runtimeOf(`import { getStepMetadata } from 'pawl';
      async function flaky() { 'use step'; const { attempt } = getStepMetadata(); if (attempt < 3) throw new Error('again'); return attempt; }
      export async function main() { 'use workflow'; return flaky(); }`);
    const run = await runtime.start('main');
    await runtime.advance(0);
    expect(await run.status).toBe('running');
    expect(await runtime.finish(run)).toBe(3);
  });

  test.each(['soon', -1, Number.NaN])('%s is no duration', async (duration) => {
    const runtime = await runtimeOf(SLEEPER);
    expect((await problem(runtime.advance(duration))).code).toBe('PAWL_DURATION');
  });

  test('a run that ends without a wait is told', async () => {
    const runtime = await runtimeOf(SLEEPER);
    const run = await runtime.start('quick');
    const error = await problem(runtime.waitForSleep(run));
    expect([error.code, error.message]).toEqual([
      'PAWL_TEST_RUN_ENDED',
      'The run is completed; it never waits for a time.',
    ]);
  });
});

describe('hooks', () => {
  const APPROVAL = `import { createHook } from 'pawl';
    export async function main(id: string) {
      'use workflow';
      const hook = createHook<{ ok: boolean }>({ token: 'approval:' + id, metadata: { id } });
      const { ok } = await hook;
      return ok ? 'approved ' + id : 'refused ' + id;
    }`;

  test('wait for a payload, and get it', async () => {
    const runtime = await runtimeOf(APPROVAL);
    const [first, second] = [await runtime.start('main', ['1']), await runtime.start('main', ['2'])];
    const hook = await runtime.waitForHook(second);
    expect(hook).toMatchObject({ runId: second.runId, token: 'approval:2', metadata: { id: '2' } });
    await hook.resume({ ok: true });
    await (await runtime.waitForHook(undefined, 'approval:1')).resume({ ok: false });
    expect(await Promise.all([first.returnValue, second.returnValue])).toEqual(['refused 1', 'approved 2']);
  });

  test('a run that waits for one cannot be finished by time', async () => {
    const runtime = await runtimeOf(APPROVAL);
    const error = await problem(runtime.finish(await runtime.start('main', ['1'])));
    expect([error.code, error.message]).toEqual([
      'PAWL_TEST_STUCK',
      'The run waits for a payload on the hook "approval:1".',
    ]);
  });
});

const HANGING = `
  import { getStepMetadata, sleep } from 'pawl';
  async function slow(): Promise<string> {
    'use step';
    const { signal } = getStepMetadata();
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  }
  export async function raced() {
    'use workflow';
    return Promise.race([slow(), sleep('1s').then(() => 'slept')]);
  }
  export async function cleaned() {
    'use workflow';
    try {
      return await slow();
    } catch {
      await sleep('1 day');
      return 'cleaned up';
    }
  }
  export async function other() {
    'use workflow';
    await sleep('1 day');
    return 'done';
  }`;

test('a step that its run has left does not keep time from passing for others', async () => {
  const runtime = await runtimeOf(HANGING);
  const raced = await runtime.start('raced');
  await runtime.advance('1s', { duringSteps: true });
  expect(await raced.returnValue).toBe('slept');
  expect(await runtime.finish(await runtime.start('other'))).toBe('done');
});

test('a step that was aborted by a cancellation does not keep time from passing for what cleans up', async () => {
  const runtime = await runtimeOf(HANGING);
  const run = await runtime.start('cleaned');
  await runtime.advance(0, { duringSteps: true });
  await run.cancel();
  expect(await runtime.finish(run)).toBe('cleaned up');
});
