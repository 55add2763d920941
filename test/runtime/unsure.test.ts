/** What is taken along of attempts that have ended when a run is read again. */
import { expect, test } from 'vitest';
import type { PendingStep } from '../../src/runtime/live-run.ts';
import { Unsure } from '../../src/runtime/unsure.ts';
import type { NewRunEvent } from '../../src/store/events.ts';

const completed = (cid: number): NewRunEvent => ({ type: 'step_completed', at: 1, cid, attempt: 1, data: '1' });
const retried = (cid: number, attempt: number): NewRunEvent => {
  const meta = { retryAt: 5, startedAt: 0 };
  return { type: 'step_attempt_failed', at: 1, cid, attempt, data: '1', meta };
};

/** Steps as the log has them. */
function pending(...steps: [cid: number, attempt: number, retryAt: number | null][]): Map<number, PendingStep> {
  const begun = { stepId: 's', data: null, scheduledAt: 0, failures: 0, pardoned: 0, heartbeat: null };
  return new Map(steps.map(([cid, attempt, retryAt]) => [cid, { ...begun, cid, attempt, retryAt }]));
}

test('only how attempts ended is noted, the last of each step', () => {
  const unsure = new Unsure([completed(1), { type: 'sleep_completed', at: 1, cid: 2 }, retried(3, 1)]);
  const scheduled: NewRunEvent = { type: 'step_scheduled', at: 1, cid: 4, name: 's', data: null };
  expect(unsure.note(scheduled)).toBe(scheduled);
  unsure.note(retried(3, 2));
  expect(unsure.results).toEqual([completed(1), retried(3, 2)]);
  unsure.forget(1);
  expect(unsure.results).toEqual([retried(3, 2)]);
});

test('a result is kept while the log has none, and dropped when it has', () => {
  const unsure = new Unsure([completed(1), completed(2), completed(3)]);
  // The first is made again, the second waits to be: their results are there all the same.
  const steps = pending([1, 2, null], [2, 1, 9]);
  expect(unsure.keep(steps)).toEqual([completed(1), completed(2)]);
  expect(unsure.results).toEqual([completed(1), completed(2)]);
});

test.each<[string, Map<number, PendingStep>, boolean]>([
  ['runs in the log as if nothing had been', pending([1, 2, null]), true],
  ['waits for its next attempt: the failure is in the log', pending([1, 2, 9]), false],
  ['has begun another attempt', pending([1, 3, null]), false],
  ['has ended', pending(), false],
])('a failed attempt of a step that %s', (_, steps, isKept) => {
  const unsure = new Unsure([retried(1, 2)]);
  expect(unsure.keep(steps)).toEqual(isKept ? [retried(1, 2)] : []);
  expect(unsure.results).toHaveLength(isKept ? 1 : 0);
});
