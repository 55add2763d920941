/** A run's timeline as a tree of lines: commands with durations, attempts below those that needed several. */
import type { RunRecord } from '../store/port.ts';
import { count, formatDuration } from './format.ts';
import type { Colors } from './output.ts';
import { shortName } from './project.ts';
import type { Attempt, Timeline, TimelineEntry } from './timeline.ts';
import { placeOf, readValue, titleOf } from './values.ts';
import { shortened, visible, visibleLine } from './visible.ts';

const NAME_WIDTH = 28;
const WIDEST = 80;

/** Lines for all commands of a run, with the time since its creation in front. */
export function timelineLines(timeline: Timeline, run: Pick<RunRecord, 'createdAt'>, c: Colors): string[] {
  return timeline.entries.flatMap((entry) => {
    const offset = `+${formatDuration(entry.scheduledAt - run.createdAt)}`.padStart(10);
    return entryLines(entry, c).map((line, index) => `${index === 0 ? c.dim(offset) : ' '.repeat(10)}  ${line}`);
  });
}

/** The line of a command, and one for each attempt when there was more to it than one that succeeded. */
export function entryLines(entry: TimelineEntry, c: Colors): string[] {
  const head = `${symbolOf(entry, c)} ${nameOf(entry, c)} ${c.dim(outcomeOf(entry))}`.trimEnd();
  const { attempts, refused } = entry;
  if (refused.length > 0)
    return [head, ...refused.map((error) => `  ${c.dim('└─')} ${c.red('refused')}: ${titleOf(readValue(error))}`)];
  const simple =
    attempts.length <= 1 && attempts.every(({ outcome }) => outcome === 'completed' || outcome === 'running');
  if (simple) return [head];
  return [head, ...attempts.map((attempt, index) => attemptLine(attempt, index === attempts.length - 1, c))];
}

function symbolOf({ state }: TimelineEntry, c: Colors): string {
  switch (state) {
    case 'completed':
    case 'disposed':
      return c.green('✔');
    case 'failed':
    case 'conflicted':
      return c.red('✖');
    case 'retrying':
      return c.yellow('↻');
    case 'running':
      return c.cyan('●');
    case 'waiting':
      return c.cyan('◷');
  }
}

/** Padded before it is coloured. */
function nameOf(entry: TimelineEntry, c: Colors): string {
  if (entry.kind === 'step') return c.bold(nameOfEntry(entry).padEnd(NAME_WIDTH));
  return nameOfEntry(entry).padEnd(NAME_WIDTH);
}

/** What a command is called; tokens of hooks may be long. */
export function nameOfEntry({ kind, name }: Pick<TimelineEntry, 'kind' | 'name'>): string {
  if (kind === 'sleep') return 'sleep';
  if (kind === 'child') return `run ${shortened(shortName(name), WIDEST)}`;
  return kind === 'step' ? shortened(shortName(name), WIDEST) : `hook ${shortened(name, WIDEST)}`;
}

function outcomeOf(entry: TimelineEntry): string {
  const { state, attempts, endedAt, scheduledAt, until, received } = entry;
  const parts: string[] = [];
  if (endedAt !== null) parts.push(formatDuration(endedAt - scheduledAt));
  else if (state === 'waiting' && until !== null) parts.push(`until ${new Date(until).toISOString()}`);
  else if (state === 'retrying') parts.push('waits for the next attempt');
  else parts.push(state);
  if (attempts.length > 1) parts.push(count(attempts.length, 'attempt'));
  if (entry.kind === 'hook') parts.push(count(received, 'payload'));
  if (entry.kind === 'child') parts.push(entry.runId === null ? 'its input was refused' : visibleLine(entry.runId));
  return parts.join('  ');
}

function attemptLine(
  { number, startedAt, endedAt, outcome, error, retryAt }: Attempt,
  last: boolean,
  c: Colors,
): string {
  const branch = c.dim(last ? '└─' : '├─');
  const took = endedAt === null ? '' : ` after ${formatDuration(endedAt - startedAt)}`;
  const verb = { completed: c.green, failed: c.red, interrupted: c.yellow, running: c.cyan }[outcome](outcome);
  const wait = retryAt !== null && endedAt !== null ? c.dim(`; next after ${formatDuration(retryAt - endedAt)}`) : '';
  if (error === null) return `  ${branch} ${number}: ${verb}${took}${wait}`;
  const thrown = readValue(error);
  const place = placeOf(thrown);
  return `  ${branch} ${number}: ${verb}${took}: ${titleOf(thrown)}${place ? c.dim(` (${visible(place)})`) : ''}${wait}`;
}
