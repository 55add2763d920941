/** Parked runs that are told to stop, and runs that the store has due in vain: none comes round for ever, none kills for ever. */
import { afterEach, expect, test } from 'vitest';
import { hashText } from '../../src/manifest/index.ts';
import type { Program } from '../../src/runtime/program.ts';
import { upgradeRun } from '../../src/runtime/upgrade.ts';
import type { EventStore } from '../../src/store/port.ts';
import { closeAll, memoryStore, program, settle, setup } from './support.ts';

afterEach(closeAll);

function coded(body: string, steps: Record<string, (...args: never[]) => unknown> = {}): Program {
  const made = program({ workflows: `workflow('w', async () => { ${body} });`, steps });
  return { ...made, workflows: { ...made.workflows, hash: hashText(made.workflows.code) } };
}

const types = async (store: EventStore, runId: string): Promise<string[]> =>
  (await store.readEvents(runId)).map(({ type }) => type);

test('a run that is parked for a step that is not there can be cancelled', async () => {
  const { store, worker, start } = await setup(coded(`await createHook({ token: 'h' }); await step('absent')();`));
  const { runId } = await start('w');
  await settle();
  await worker.resumeHook('h', 1);
  await settle();
  expect((await store.getRun(runId))?.status).toBe('parked');
  await store.requestCancel(runId, { at: 5 });
  await settle();
  expect((await types(store, runId)).slice(-4)).toEqual([
    'run_parked',
    'run_unparked',
    'cancel_requested',
    'run_cancelled',
  ]);
});

test('a run that was parked because a step of it kills the process does not begin that step when it is cancelled', async () => {
  const store = await memoryStore();
  let attempts = 0;
  const deadly = coded(`await step('deadly')();`, {
    deadly: () => {
      attempts++;
      return new Promise(() => {});
    },
  });
  const runId = 'run';
  await store.createRun({ id: runId, workflowId: 'w', seed: 's', bundleHash: null, input: '1[[]]', at: 0 });
  for (let life = 0; (await store.getRun(runId))?.status !== 'parked'; life++) {
    expect(life).toBeLessThan(50);
    const { worker, clock } = await setup(deadly, { store });
    await settle(5);
    // A step that is suspected begins later.
    clock.advance(3_600_000);
    await settle(5);
    worker.kill();
    await store.removeOwner(worker.owner);
  }
  const made = attempts;
  await setup(deadly, { store });
  await store.requestCancel(runId, { at: 5 });
  await settle();
  expect((await store.getRun(runId))?.status).toBe('cancelled');
  expect(attempts).toBe(made);
});

test('a run that was moved to other code while it was parked is not due for ever', async () => {
  const STEPS = { s: async () => 's' };
  const waits = `const hook = createHook({ token: 'h' });`;
  const { store, worker, start, close, clock } = await setup(
    coded(`${waits} const n = await step('s')(); if (n) while (true); await hook;`, STEPS),
    { activationTimeout: 20 },
  );
  const { runId } = await start('w');
  while ((await store.getRun(runId))?.status !== 'parked') await settle(1);
  await close();
  const mended = coded(`${waits} await step('s')(); return await hook;`, STEPS);
  const code = { ...mended.workflows, manifest: null };
  expect(await upgradeRun(worker, runId, code)).toMatchObject({ outcome: 'upgraded' });
  const next = await setup(mended, { store, clock });
  await settle();
  expect(await store.getRun(runId)).toMatchObject({ status: 'running', wakeAt: null });
  await next.worker.resumeHook('h', 'payload');
  expect(await next.worker.whenEnded(runId)).toEqual({ status: 'completed', data: '1["payload"]' });
});
