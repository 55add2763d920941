import { expect } from 'vitest';
import type { NewRunEvent } from '../../../src/store/events.ts';
import type { AppendRequest, AppendResult, EventStore, RunRecord } from '../../../src/store/port.ts';

export const OWNER = 'worker-1';
export const LEASE = 10_000;

/** A run that nobody owns. */
export async function makeRun(
  store: EventStore,
  id: string,
  more: { at?: number; wakeAt?: number } = {},
): Promise<RunRecord> {
  const request = { id, workflowId: 'src/a.ts#main', seed: `seed of ${id}`, bundleHash: null, input: '[1]', at: 100 };
  const { run } = await store.createRun({ ...request, ...more });
  return run;
}

/** A run that `OWNER` owns, with fence 1 and `lastSeq` 1. */
export async function makeOwnedRun(store: EventStore, id: string): Promise<RunRecord> {
  await store.registerOwner(OWNER, LEASE);
  const request = { id, workflowId: 'src/a.ts#main', seed: 's', bundleHash: null, input: '[1]', at: 100, owner: OWNER };
  const { run } = await store.createRun(request);
  return run;
}

/** An append by the first owner of a run that has only its first event, unless told otherwise. */
export function request(runId: string, events: NewRunEvent[], more: Partial<AppendRequest> = {}): AppendRequest {
  return { runId, fence: 1, afterSeq: 1, events, ...more };
}

/** Appends, and expects that to succeed. Returns the new last number. */
export async function append(
  store: EventStore,
  runId: string,
  events: NewRunEvent[],
  more: Partial<AppendRequest> = {},
): Promise<number> {
  const run = (await store.getRun(runId)) as RunRecord;
  const result = await store.append(request(runId, events, { fence: run.fence, afterSeq: run.lastSeq, ...more }));
  expect(result).toMatchObject({ ok: true });
  return (result as Extract<AppendResult, { ok: true }>).lastSeq;
}

export const scheduled = (cid: number, at = 110): NewRunEvent => ({
  type: 'step_scheduled',
  at,
  cid,
  name: 'src/a.ts#charge',
  data: `"input ${cid}"`,
});

export const completed = (cid: number, at = 120): NewRunEvent => ({
  type: 'step_completed',
  at,
  cid,
  attempt: 1,
  data: `"result ${cid}"`,
  meta: { startedAt: at - 5 },
});

export const finished = (at = 130): NewRunEvent => ({ type: 'run_completed', at, data: '"done"' });

export const child = (cid: number, runId: string, at = 110): NewRunEvent => ({
  type: 'child_scheduled',
  at,
  cid,
  name: 'src/a.ts#child',
  data: '1[[]]',
  meta: { runId, seed: `seed of ${runId}` },
});

export const hook = (cid: number, token: string, at = 110): NewRunEvent => ({
  type: 'hook_created',
  at,
  cid,
  name: token,
  data: '"about"',
});
