import { PawlError } from '../../errors.ts';
import type { EventStore, RunRecord, RunStatus } from '../../store/port.ts';
import { defineCommand, JSON_OPTION } from '../command.ts';
import { count, formatDuration, formatTime, paintStatus } from '../format.ts';
import type { Output } from '../output.ts';
import { allRuns, openProject, readLog, STORE_OPTION, shortName, withStore } from '../project.ts';
import { shortened, visible } from '../visible.ts';

/** An id or a name that is longer is shown by its beginning and its end. */
const WIDEST = 60;

const STATUSES = ['pending', 'running', 'completed', 'failed', 'cancelled', 'parked'] as const satisfies RunStatus[];

/** `pawl runs`: the runs of the store, newest first. */
export const runsCommand = defineCommand({
  name: 'runs',
  positionals: '',
  description: 'List runs, newest first',
  options: {
    status: { type: 'string', value: 'STATUS', multiple: true, description: `Only these: ${STATUSES.join(', ')}` },
    parked: {
      type: 'boolean',
      description: 'Only runs that cannot go on until someone acts: the same as `--status parked`',
    },
    workflow: { type: 'string', value: 'ID', description: 'Only runs of this workflow: id, slug or name' },
    limit: { type: 'string', value: 'N', description: 'At most so many (default: 20; 0 for all)' },
    history: { type: 'boolean', description: 'Print each run as a history, to be replayed: a line of JSON each' },
    ...STORE_OPTION,
    ...JSON_OPTION,
  },
  examples: [
    { line: 'pawl runs', does: 'the twenty newest runs' },
    { line: 'pawl runs --parked', does: 'what waits for a deploy or for a person, and why' },
    { line: 'pawl runs --status parked --status failed', does: 'what needs attention' },
    { line: 'pawl runs --history --limit 0 > all.jsonl', does: 'everything that was recorded, for `pawl replay`' },
    { line: 'pawl runs --json --limit 0', does: 'all runs, for programs' },
  ],
  async run({ options, root, out }) {
    const limit = readLimit(options.limit);
    const named = [...(options.status ?? []), ...(options.parked ? ['parked'] : [])].map(readStatus);
    const status = named.length > 0 ? named : undefined;
    const { storeUrl } = await openProject(root, options.store, out.env);
    const runs = await withStore(storeUrl, false, async (store) => {
      const found: RunRecord[] = [];
      for await (const run of allRuns(store, { status })) {
        const { workflow } = options;
        if (workflow !== undefined && run.workflowId !== workflow && shortName(run.workflowId) !== workflow) continue;
        if (found.length === limit) return { found, more: true };
        found.push(run);
        if (options.history) await printHistory(store, run.id, out);
      }
      return { found, more: false };
    });
    if (options.history) return 0;
    if (out.json) out.printJson(runs.found.map(toJson));
    else print(runs.found, runs.more, out);
    return 0;
  },
});

async function printHistory(store: EventStore, id: string, out: Output): Promise<void> {
  const { formatHistory } = await import('../../runtime/index.ts');
  out.line(formatHistory(id, await readLog(store, id)));
}

function readLimit(value = '20'): number {
  if (!/^\d+$/.test(value)) {
    throw new PawlError('PAWL_USAGE', `\`--limit ${value}\` is no number.`, {
      remedy: 'Write a whole number; 0 lists all.',
    });
  }
  return Number(value) || Number.POSITIVE_INFINITY;
}

function readStatus(value: string): RunStatus {
  const status = STATUSES.find((each) => each === value);
  if (status) return status;
  throw new PawlError('PAWL_USAGE', `There is no status \`${value}\`.`, {
    remedy: `It is one of ${STATUSES.join(', ')}.`,
  });
}

/** A run as JSON: what the record says, without what only the store's machinery needs. */
export function toJson(run: RunRecord) {
  const {
    id,
    workflowId,
    status,
    createdAt,
    startedAt,
    finishedAt,
    wakeAt,
    cancelRequested,
    parkedReason,
    bundleHash,
    parent,
  } = run;
  return {
    id,
    workflow: workflowId,
    status,
    createdAt,
    startedAt,
    finishedAt,
    wakeAt,
    cancelRequested,
    parkedReason,
    bundleHash,
    parent,
    events: run.lastSeq,
  };
}

function print(runs: readonly RunRecord[], more: boolean, out: Output): void {
  const c = out.colors;
  if (runs.length === 0) {
    out.note('There are no such runs.');
    return;
  }
  const width = (texts: string[]): number => Math.max(...texts.map((text) => text.length));
  const rows = runs.map((run) => ({
    run,
    id: shortened(run.id, WIDEST),
    name: shortened(shortName(run.workflowId), WIDEST),
  }));
  const ids = width(rows.map(({ id }) => id));
  const names = width(rows.map(({ name }) => name));
  for (const { run, id, name } of rows) {
    const { status, createdAt, finishedAt } = run;
    const took = finishedAt === null ? '' : formatDuration(finishedAt - createdAt);
    const columns = [
      id.padEnd(ids),
      paintStatus(status, c, status.padEnd(9)),
      name.padEnd(names),
      c.dim(formatTime(createdAt)),
      took || (run.cancelRequested ? c.yellow('cancelling') : ''),
    ];
    out.line(columns.join('  ').trimEnd());
    if (run.parkedReason) out.line(`  ${c.red(run.parkedReason.code)}: ${visible(run.parkedReason.message)}`);
  }
  if (more) out.note(`${count(runs.length, 'run')} shown; \`--limit 0\` lists all.`);
}
