/** Heartbeats of long steps: what ends an attempt that hangs, and what the next one learns of it. */
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { getStepMetadata } from '../../src/index.ts';
import type { StepMetadata } from '../../src/runtime/step-context.ts';
import { createTestRuntime } from '../../src/testing/index.ts';
import { LAST_MOMENTS } from '../../src/runtime/gate.ts';
import { closeAll, program, settle, setup } from './support.ts';

afterEach(closeAll);

const CALL = `workflow('w', async () => step('work')());`;

/** A step that tells its metadata and hangs. */
function hanging() {
  const seen: StepMetadata[] = [];
  const finish: ((value: string) => void)[] = [];
  const work = (): Promise<string> => {
    seen.push(getStepMetadata());
    return new Promise((resolve) => finish.push(resolve));
  };
  return { seen, finish, work };
}

describe('a step with a heartbeatTimeout', () => {
  test('that beats often enough goes on; one that does not is aborted, and the next attempt gets its details', async () => {
    const { seen, finish, work } = hanging();
    const { start, clock, store } = await setup({
      workflows: CALL,
      steps: { work },
      options: { work: { heartbeatTimeout: '10s', maxRetries: 2, retryAfter: 1000 } },
    });
    const run = await start('w');
    await settle();
    const [first] = seen as [StepMetadata];
    expect(first.lastHeartbeat).toBeUndefined();
    for (let beat = 1; beat <= 5; beat++) {
      clock.advance(9_000);
      first.heartbeat({ row: beat, at: new Date(beat) });
    }
    clock.advance(9_999);
    expect(first.signal.aborted).toBe(false);
    clock.advance(1);
    expect(first.signal.reason).toMatchObject({
      code: 'PAWL_STEP_HEARTBEAT',
      message: 'The step work gave no heartbeat for 10000 ms, its heartbeatTimeout.',
      remedy: expect.stringMatching(/\.$/),
    });
    await settle();
    first.heartbeat({ row: 'of an attempt that is over' });
    clock.advance(1_000);
    await settle();
    expect(seen[1]).toMatchObject({ attempt: 2, lastHeartbeat: { row: 5, at: new Date(5) } });
    // It beats without details, and keeps those of the attempt before.
    seen[1]?.heartbeat();
    clock.advance(10_000);
    await settle();
    clock.advance(1_000);
    await settle();
    expect(seen[2]).toMatchObject({ attempt: 3, lastHeartbeat: { row: 5 } });
    finish[2]?.('done');
    expect(await run.returnValue).toBe('done');
    // Those that went before still run, and have told nobody.
    clock.advance(LAST_MOMENTS);
    expect(clock.next()).toBe(null);
    expect((await store.readEvents(run.runId)).map(({ type }) => type)).toEqual([
      'run_created',
      'step_scheduled',
      'step_attempt_failed',
      'step_started',
      'step_attempt_failed',
      'step_started',
      'step_completed',
      'run_completed',
    ]);
  });

  test('fails for good after its last attempt', async () => {
    const { start, clock } = await setup({
      workflows: CALL,
      steps: { work: () => new Promise(() => {}) },
      options: { work: { heartbeatTimeout: 100, maxRetries: 0 } },
    });
    const run = await start('w');
    await settle();
    clock.advance(100);
    await expect(run.returnValue).rejects.toMatchObject({ cause: { code: 'PAWL_STEP_HEARTBEAT' } });
  });

  test('is still ended by its timeout, however often it beats', async () => {
    const { seen, work } = hanging();
    const { start, clock } = await setup({
      workflows: CALL,
      steps: { work },
      options: { work: { heartbeatTimeout: 100, timeout: 250, maxRetries: 0 } },
    });
    const run = await start('w');
    await settle();
    for (let n = 0; n < 5; n++) {
      clock.advance(50);
      seen[0]?.heartbeat(n);
    }
    await expect(run.returnValue).rejects.toMatchObject({ cause: { code: 'PAWL_STEP_TIMEOUT' } });
    clock.advance(LAST_MOMENTS);
    expect(clock.next()).toBe(null);
  });
});

describe('details of heartbeats', () => {
  test('of an attempt that failed reach one that another process makes', async () => {
    const first = await setup({
      workflows: CALL,
      steps: {
        work: async () => {
          getStepMetadata().heartbeat(['page', 7]);
          throw new Error('no answer');
        },
      },
      options: { work: { retryAfter: '1h' } },
    });
    const run = await first.start('w');
    await settle();
    await first.close();
    const next = await setup(
      program({ workflows: CALL, steps: { work: async () => getStepMetadata().lastHeartbeat } }),
      { store: first.store, clock: first.clock },
    );
    first.clock.advance(3_600_000);
    expect(await next.worker.whenEnded(run.runId)).toMatchObject({ status: 'completed' });
    expect(next.worker.codec.parse((await first.store.getRun(run.runId))?.output as string)).toEqual(['page', 7]);
  });

  test('need no timeout, and must serialize', async () => {
    const { run } = await setup({
      workflows: CALL,
      steps: {
        work: async () => {
          const { heartbeat, attempt, lastHeartbeat } = getStepMetadata();
          if (attempt > 1) return lastHeartbeat;
          heartbeat('lost');
          heartbeat('kept');
          throw new Error('no answer');
        },
      },
      options: { work: { retryAfter: 0 } },
    });
    expect(await run('w')).toBe('kept');
    const failing = await setup({
      workflows: CALL,
      steps: { work: async () => getStepMetadata().heartbeat({ f() {} }) },
      options: { work: { maxRetries: 0 } },
    });
    await expect(failing.run('w')).rejects.toMatchObject({
      cause: { code: 'PAWL_NOT_SERIALIZABLE', message: 'details.f is the function f.' },
    });
  });
});

test('in a program that is built, heartbeatTimeout is an option of the manifest, and virtual time brings it about', async () => {
  const runtime = await createTestRuntime({
    sources: {
      'src/main.ts': `import { getStepMetadata } from 'pawl';
        async function load() {
          'use step';
          const { heartbeat, lastHeartbeat, signal } = getStepMetadata();
          if (lastHeartbeat !== undefined) return lastHeartbeat;
          heartbeat({ row: 3 });
          await new Promise((resolve) => signal.addEventListener('abort', resolve));
          throw new Error('too late to matter');
        }
        load.heartbeatTimeout = '1 minute';
        load.retryAfter = '1 hour';
        export async function main() { 'use workflow'; return load(); }`,
    },
  });
  onTestFinished(() => runtime.close());
  expect(runtime.diagnostics).toEqual([]);
  expect(runtime.manifest.steps['src/main.ts#load']?.options).toEqual({
    heartbeatTimeout: '1 minute',
    retryAfter: '1 hour',
  });
  const run = await runtime.start('main');
  await runtime.advance('1 minute', { duringSteps: true });
  await runtime.advance('1 hour');
  expect(await run.returnValue).toEqual({ row: 3 });
});
