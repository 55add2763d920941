import { fraction, seededRandom } from './realm/random.ts';
import type { StepSettings } from './step-runner.ts';

const FIRST_WAIT = 1000;
const LONGEST_WAIT = 5 * 60_000;
/** A wait is longer by up to this part of it, so that steps that failed together are not tried together. */
const JITTER = 0.25;

/**
 * How long to wait before the next attempt, ms: from one second, doubling, at most five minutes; or what the step wants.
 *
 * @param failures Attempts that have failed so far, at least 1.
 * @param wanted What the thrown error asked for; null when nothing.
 * @param seed Gives the jitter: the same call waits the same.
 */
export function backoff(failures: number, settings: StepSettings, wanted: number | null, seed: string): number {
  if (wanted !== null) return wanted;
  if (settings.retryAfter !== null) return settings.retryAfter;
  const wait = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** (failures - 1));
  return Math.round(wait * (1 + JITTER * fraction(seededRandom(seed, `retry ${failures}`))));
}
