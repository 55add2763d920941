import { formatDuration } from './format.ts';

/** What a person reads when the clock of the machine goes back while runs wait for it. */
export function clockNotice(ms: number): string {
  const by = formatDuration(ms);
  return [
    `PAWL_CLOCK_WENT_BACK: the clock of this machine went back by ${by}; sleeps and retries go by it, so those under way end ${by} later`,
    '  See to the clock. `pawl wake RUN` ends the sleeps of a run now.',
  ].join('\n');
}
