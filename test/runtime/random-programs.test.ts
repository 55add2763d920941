import { afterEach, describe, expect, test } from 'vitest';
import { randomProgram } from './random-programs.ts';
import { asksTheSameAgain, goesOnFromEveryPrefix, recorded, survivesEviction } from './replaying.ts';
import { closeAll } from './support.ts';

afterEach(closeAll);

const SEEDS = Number(process.env.PAWL_PROGRAMS ?? 100);
const seeds = Array.from({ length: SEEDS }, (_, index) => index + 1);

/** Names the seed, and shows the program. */
async function each(way: (code: string) => Promise<void>): Promise<void> {
  for (const seed of seeds) {
    const code = randomProgram(seed);
    try {
      await way(code);
    } catch (error) {
      throw new Error(`program ${seed}: ${(error as Error).message}\n${code}`, { cause: error });
    }
    await closeAll();
  }
}

describe(`${SEEDS} random programs`, () => {
  test('have the same result live and replayed after every event', () => each(goesOnFromEveryPrefix), 120_000);

  test('ask the same again when only the beginning was recorded', () => each(asksTheSameAgain), 60_000);

  test('have the same result when they are evicted whenever they wait', () => each(survivesEviction), 120_000);

  test('do all that they are meant to', async () => {
    const seen = new Set<string>();
    for (const seed of seeds) {
      const { log } = await recorded(randomProgram(seed));
      for (const { type } of log) seen.add(type);
      await closeAll();
    }
    for (const type of [
      'step_attempt_failed',
      'step_failed',
      'sleep_completed',
      'hook_received',
      'child_completed',
      'child_failed',
      'run_completed',
      'run_failed',
    ])
      expect([...seen]).toContain(type);
  });
});
