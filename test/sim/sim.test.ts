/**
 * Thousands of simulated lives. A seed that fails says how to look at it again: `npm run sim -- --seed N`.
 * Stores and workers with a defect in them show that such a thing would be found.
 */
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Defect } from './faults.ts';
import { EVENTFUL_EVERY, simulate } from './simulate.ts';

const SEEDS = Number(process.env.PAWL_SIM_SEEDS ?? 2_000);
const ONLY = process.env.PAWL_SIM_SEED;

afterEach(() => {
  vi.useRealTimers();
});

const time = {
  toNext: () => void vi.advanceTimersToNextTimer(),
  by: (ms: number) => void vi.advanceTimersByTime(ms),
  jump: (ms: number) => void vi.setSystemTime(Date.now() + ms),
};

function life(seed: number, defect: Defect | null = null) {
  // Time begins anew: nothing is left of the life before.
  vi.useRealTimers();
  vi.useFakeTimers({
    now: Date.UTC(2026, 0, 1),
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance'],
  });
  return simulate({ seed, time, defect });
}

test(`${ONLY === undefined ? `${SEEDS} seeds` : `seed ${ONLY}`}: whatever happens, every run ends as it should`, {
  timeout: 3_600_000,
}, async () => {
  const totals: Record<string, number> = {};
  // A process that has lived before comes to the turns of its event loop in another way: each life that counts has one before it.
  await life(0);
  const [first, last] = ONLY === undefined ? [1, SEEDS] : [Number(ONLY), Number(ONLY)];
  for (let seed = first; seed <= last; seed++) {
    const { problems, happened } = await life(seed);
    expect(problems, `look at it again: npm run sim -- --seed ${seed}`).toEqual([]);
    for (const [what, count] of Object.entries(happened)) totals[what] = (totals[what] ?? 0) + count;
  }
  if (ONLY !== undefined) return;
  // The world was as bad as it should be.
  for (const what of ['kills', 'cuts', 'jumps', 'children', 'chunks', 'taken'])
    expect(totals[what], what).toBeGreaterThan(SEEDS / 2);
  for (const what of ['partial deploys', 'upgrades: upgraded'])
    expect(totals[what], what).toBeGreaterThan(SEEDS / EVENTFUL_EVERY / 8);
});

describe('finds', () => {
  test.each<[Defect, RegExp]>([
    ['forgets-fences', /two results|finished|parked|number/],
    ['acknowledges-early', /begins again/],
    ['loses-payloads', /received/],
    ['appends-twice', /two results|parked/],
    ['lets-zombies-write', /after its result/],
  ])('a store that %s', { timeout: 600_000 }, async (defect, expected) => {
    for (let seed = 1; seed <= 300; seed++) {
      const { problems } = await life(seed, defect);
      if (problems.length === 0) continue;
      expect(problems.join('\n')).toMatch(expected);
      return;
    }
    throw new Error('It was not found.');
  });
});
