import type { SessionStats } from '../checker/index.ts';
import type { Output } from './output.ts';

/** Milliseconds that parts of a command took. */
export type Times = Record<'configuration' | 'check' | 'all', number>;

/** What `pawl check --stats` says of each number, in the order in which it says it. */
const LABELS: Record<keyof SessionStats, string> = {
  entries: 'files that `entries` names',
  read: 'files read',
  parsed: 'files parsed',
  cached: 'files known from the cache',
  modules: 'modules followed',
  units: 'functions and definitions',
  workflows: 'workflows',
  steps: 'steps',
  unresolved: 'calls that lead to nothing known',
};

/** Writes the numbers to stderr, where they are in nobody's way; as one line of JSON with `--json`. */
export function printStats(stats: SessionStats, times: Times, out: Output): void {
  const milliseconds = Object.fromEntries(Object.entries(times).map(([name, time]) => [name, Math.round(time)]));
  if (out.json) {
    out.aside(JSON.stringify({ stats: { ...stats, milliseconds } }));
    return;
  }
  const rows: [value: string, label: string][] = [
    ...Object.entries(LABELS).map(([key, label]): [string, string] => [
      String(stats[key as keyof SessionStats]),
      label,
    ]),
    ...Object.entries(milliseconds).map(([name, time]): [string, string] => [`${time} ms`, name]),
  ];
  const width = Math.max(...rows.map(([value]) => value.length));
  for (const [value, label] of rows) out.aside(`${value.padStart(width)}  ${label}`);
}
