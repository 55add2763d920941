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

const SUSPICION = 250;
const LONGEST_SUSPICION = 8_000;

/**
 * How long to wait before an attempt is made again that the process did not survive more than once, ms. Of the steps that were under
 * way together one may be what kills it: at times that chance decides, the others get through before it does.
 *
 * @param crashes Attempts of it that the process did not survive.
 * @param seed Different for each step call.
 */
export function suspicion(crashes: number, seed: string): number {
  if (crashes < 2) return 0;
  const longest = Math.min(LONGEST_SUSPICION, SUSPICION * 2 ** (crashes - 2));
  return Math.round(longest * fraction(seededRandom(seed, `crash ${crashes}`)));
}
