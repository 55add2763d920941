import { expect, test } from 'vitest';
import { StoreTrouble } from '../../src/cli/store-trouble.ts';
import { StoreError } from '../../src/store/errors.ts';

function trouble() {
  const printed: string[] = [];
  const clock = { now: 0 };
  const it = new StoreTrouble(
    (text) => printed.push(text),
    () => clock.now,
  );
  let error: unknown = null;
  it.gaveUp.catch((reason: unknown) => {
    error = reason;
  });
  const full = new StoreError('PAWL_STORE_FULL', 'The disk is full.', { place: '.pawl/pawl.db' });
  const fail = async (after: number, thrown: Error = full, runId: string | null = null): Promise<unknown> => {
    clock.now += after;
    it.heard({ type: 'store-failed', runId, error: thrown });
    await Promise.resolve();
    return error;
  };
  return { it, printed, full, fail };
}

test('a store that fails is told of once, with code, place and remedy, and given up after 30 s', async () => {
  const { printed, full, fail } = trouble();
  for (let second = 0; second < 30; second += 5) expect(await fail(second === 0 ? 0 : 5_000)).toBe(null);
  expect(await fail(5_000)).toBe(full);
  expect(printed).toEqual([
    `the store does not answer, trying again: PAWL_STORE_FULL: The disk is full.\n  at .pawl/pawl.db\n  ${full.remedy}`,
  ]);
});

test('a success, or a long time without a failure, counts anew', async () => {
  const { it, fail } = trouble();
  await fail(0);
  await fail(14_000);
  await fail(14_000);
  it.heard({ type: 'sleep-completed', runId: 'r', cid: 1, at: 1 });
  expect(await fail(14_000)).toBe(null);
  expect(await fail(14_000)).toBe(null);
  expect(await fail(60_000)).toBe(null);
});

test('a damaged run is no reason to give up the others', async () => {
  const { printed, fail } = trouble();
  const damage = new StoreError('PAWL_STORE_CORRUPT', 'The event is damaged.', { place: 'pawl.db, run r, event 1' });
  for (let times = 0; times < 10; times++) expect(await fail(5_000, damage, 'r')).toBe(null);
  expect(printed).toEqual([
    `the run r cannot be read: PAWL_STORE_CORRUPT: The event is damaged.\n  at pawl.db, run r, event 1\n  ${damage.remedy}`,
  ]);
});
