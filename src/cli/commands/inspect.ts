import type { PawlError } from '../../errors.ts';
import type { RunEvent } from '../../store/events.ts';
import type { EventStore, RunRecord, StreamRecord } from '../../store/port.ts';
import { defineCommand, JSON_OPTION } from '../command.ts';
import { count, formatDuration, formatTime, paintStatus } from '../format.ts';
import { isPawlError, type Output, printError } from '../output.ts';
import { findRun, openProject, readLog, STORE_OPTION, shortName, withStore } from '../project.ts';
import { Timeline } from '../timeline.ts';
import { visible, visibleLine } from '../visible.ts';
import { toJson } from './runs.ts';

/** `pawl inspect`: what a run did, when, and how it ended. */
export const inspectCommand = defineCommand({
  name: 'inspect',
  positionals: '<run>',
  description: 'Show the timeline of a run: steps, attempts, durations',
  options: {
    events: { type: 'boolean', description: 'Show the event log as it is' },
    history: { type: 'boolean', description: 'Print the run as a history, to be kept and replayed: a line of JSON' },
    ...STORE_OPTION,
    ...JSON_OPTION,
  },
  examples: [
    { line: 'pawl inspect 01JZ8Q4M7T', does: 'the beginning or end of an id is enough' },
    { line: 'pawl inspect A-1004 --json', does: 'record, arguments, timeline and result for programs' },
    { line: 'pawl inspect A-1004 --events', does: 'every event' },
    { line: 'pawl inspect A-1004 --history > history.jsonl', does: 'to replay it later, or elsewhere' },
  ],
  async run({ args, options, root, out }) {
    const { storeUrl } = await openProject(root, options.store, out.env);
    const { run, events, streams, damage } = await withStore(storeUrl, false, async (store) => {
      const found = await findRun(store, args[0] as string);
      return { run: found, ...(await readSound(store, found.id)) };
    });
    if (options.history) {
      const { formatHistory } = await import('../../runtime/index.ts');
      if (damage !== null) throw damage;
      out.line(formatHistory(run.id, events));
    } else if (options.events) await printEvents(events, out);
    else if (out.json) out.printJson(await describeRun(run, events, streams));
    else await printRun(run, events, streams, out);
    if (damage === null) return 0;
    // What could be read stands above.
    printError(damage, out);
    return 2;
  },
});

/** As much of the log as can be read, and what is wrong with the rest. */
async function readSound(
  store: EventStore,
  runId: string,
): Promise<{ events: RunEvent[]; streams: StreamRecord[]; damage: PawlError | null }> {
  try {
    return { events: await readLog(store, runId), streams: await store.listStreams(runId), damage: null };
  } catch (error) {
    if (!isPawlError(error) || error.code !== 'PAWL_STORE_CORRUPT') throw error;
    const events: RunEvent[] = [];
    for (;;) {
      const [event] = await store.readEvents(runId, { afterSeq: events.length, limit: 1 }).catch(() => []);
      if (event === undefined) return { events, streams: [], damage: error };
      events.push(event);
    }
  }
}

function timelineOf(events: readonly RunEvent[]): Timeline {
  const timeline = new Timeline();
  for (const event of events) timeline.add(event);
  return timeline;
}

/** A run as JSON: record, arguments, timeline, streams, result or error. Times are ms since the epoch. */
export async function describeRun(
  run: RunRecord,
  events: readonly RunEvent[],
  streams: readonly StreamRecord[],
): Promise<Record<string, unknown>> {
  const { readValue, toJsonValue } = await import('../values.ts');
  const { streamToJson } = await import('../streams.ts');
  const value = (data: string | null): unknown => toJsonValue(readValue(data));
  return {
    ...toJson(run),
    args: value(run.input),
    ...(run.output === null ? {} : { result: value(run.output) }),
    ...(run.error === null ? {} : { error: value(run.error) }),
    streams: streams.map(streamToJson),
    timeline: timelineOf(events).entries.map(({ attempts, data, until, received, refused, runId, ...entry }) => ({
      ...entry,
      duration: entry.endedAt === null ? null : entry.endedAt - entry.scheduledAt,
      ...(entry.kind === 'sleep' ? { until } : {}),
      ...(entry.kind === 'hook' ? { received, ...(refused.length > 0 && { refused: refused.map(value) }) } : {}),
      ...(entry.kind === 'child'
        ? {
            runId,
            ...(entry.state === 'completed' ? { result: value(data) } : {}),
            ...(entry.state === 'failed' ? { error: value(data) } : {}),
          }
        : {}),
      ...(entry.kind === 'step'
        ? {
            ...(entry.state === 'completed' ? { result: value(data) } : {}),
            attempts: attempts.map(({ error, ...attempt }) => ({
              ...attempt,
              duration: attempt.endedAt === null ? null : attempt.endedAt - attempt.startedAt,
              ...(error === null ? {} : { error: value(error) }),
            })),
          }
        : {}),
    })),
  };
}

async function printEvents(events: readonly RunEvent[], out: Output): Promise<void> {
  const { readValue, showValue, toJsonValue } = await import('../values.ts');
  if (out.json) {
    out.printJson(
      events.map((event) => ({ ...event, data: event.data === null ? null : toJsonValue(readValue(event.data)) })),
    );
    return;
  }
  const c = out.colors;
  for (const { seq, at, type, cid, name, attempt, data, meta } of events) {
    const about = [
      cid === null ? '' : `#${cid}`,
      visibleLine(name ?? ''),
      attempt === null ? '' : `attempt ${attempt}`,
      meta === null ? '' : visible(JSON.stringify(meta)),
    ];
    out.line(
      `${String(seq).padStart(5)}  ${c.dim(formatTime(at))}  ${c.bold(type.padEnd(19))} ${about.filter(Boolean).join('  ')}`,
    );
    if (data !== null) out.line(indent(showValue(readValue(data), c, out.columns - 9), 9));
  }
}

async function printRun(
  run: RunRecord,
  events: readonly RunEvent[],
  streams: readonly StreamRecord[],
  out: Output,
): Promise<void> {
  const { describeStream } = await import('../streams.ts');
  const { readValue, showThrown, showValue } = await import('../values.ts');
  const { timelineLines } = await import('../tree.ts');
  const c = out.colors;
  const took = run.finishedAt === null ? '' : ` in ${formatDuration(run.finishedAt - run.createdAt)}`;
  out.line(`${c.bold(visibleLine(shortName(run.workflowId)))}  ${paintStatus(run.status, c)}${took}`);
  const facts: [string, string | null][] = [
    ['run', run.id],
    ['workflow', run.workflowId],
    ['called by', run.parent?.runId ?? null],
    ['created', formatTime(run.createdAt)],
    [
      'waits until',
      run.finishedAt === null && run.wakeAt !== null && run.wakeAt > Date.now() ? formatTime(run.wakeAt) : null,
    ],
    ['worker', run.owner],
    ['cancelling', run.cancelRequested && run.finishedAt === null ? 'asked for, not yet carried out' : null],
    ['log', count(run.lastSeq, 'event')],
    ...streams.map((stream): [string, string] => ['stream', describeStream(stream)]),
  ];
  for (const [label, text] of facts) if (text !== null) out.line(`  ${c.dim(label.padEnd(11))} ${visibleLine(text)}`);
  out.line(`  ${c.dim('arguments  ')} ${indent(showValue(readValue(run.input), c, out.columns - 14), 14).trimStart()}`);
  out.line();
  for (const line of timelineLines(timelineOf(events), run, c)) out.line(line);
  if (run.status === 'completed') {
    out.line();
    out.line(`${c.green('result')} ${showValue(readValue(run.output), c, out.columns)}`);
  } else if (run.error !== null) {
    out.line();
    out.line(showThrown(readValue(run.error), c));
  }
  if (run.parkedReason) {
    const { code, message } = run.parkedReason;
    out.line();
    out.line(`${c.red('parked')} ${c.bold(code)}: ${visible(message)}`);
  }
}

function indent(text: string, by: number): string {
  return text.replaceAll(/^/gm, ' '.repeat(by));
}
