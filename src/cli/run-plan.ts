/**
 * What `pawl run` is about to do. The same command line, given again after a crash, goes on with the run that the first one
 * began: an order is not fulfilled twice because somebody pressed the up arrow.
 */
import { PawlError } from '../errors.ts';
import type { Worker } from '../runtime/index.ts';
import { DEFINITION } from '../runtime/serialization/symbols.ts';
import type { EventStore, RunRecord } from '../store/port.ts';
import { allRuns } from './project.ts';

export interface RunRequest {
  workflowId: string;
  /** Arguments as given; null when none were. */
  args: unknown[] | null;
  /** Of `--id`. */
  id: string | undefined;
  /** `--new`: whatever is unfinished, start another one. */
  alwaysNew: boolean;
}

export interface RunPlan {
  /** Unfinished runs to go on with. */
  resume: RunRecord[];
  /** The run to start, with its arguments. */
  start: unknown[] | null;
  /** The run that `--id` names, when it has ended already. */
  ended: RunRecord | null;
  /** Unfinished runs of the workflow that this command does not wait for. */
  others: number;
}

const UNFINISHED = ['pending', 'running', 'parked'] as const;

/**
 * @param worker knows how a definition reads its input, and how values are recorded
 * @throws PawlError `PAWL_RUN_OTHER_WORKFLOW`, `PAWL_RUN_OTHER_INPUT`: `--id` names a run that is not the one that was meant
 */
export async function planRuns(store: EventStore, worker: Worker, request: RunRequest): Promise<RunPlan> {
  const { workflowId, args, id, alwaysNew } = request;
  const plan: RunPlan = { resume: [], start: null, ended: null, others: 0 };
  if (id !== undefined) {
    const run = await store.getRun(id);
    if (!run) return { ...plan, start: args ?? [] };
    await checkIdentity(run, worker, request, store.url);
    return isUnfinished(run) ? { ...plan, resume: [run] } : { ...plan, ended: run };
  }
  const unfinished: RunRecord[] = [];
  for await (const run of allRuns(store, { workflowId, status: UNFINISHED })) unfinished.push(run);
  if (alwaysNew) return { ...plan, start: args ?? [], others: unfinished.length };
  if (args === null) return unfinished.length > 0 ? { ...plan, resume: unfinished.reverse() } : { ...plan, start: [] };
  const data = await recorded(worker, workflowId, args);
  const same = unfinished.filter(({ input }) => data.includes(input)).at(-1);
  if (same) return { ...plan, resume: [same], others: unfinished.length - 1 };
  return { ...plan, start: args, others: unfinished.length };
}

function isUnfinished({ status }: RunRecord): boolean {
  return UNFINISHED.some((each) => each === status);
}

/**
 * The arguments as the event log may have them: parsed, or as they are, where a program without a worker started the run. None when the workflow
 * would refuse them.
 */
async function recorded(worker: Worker, workflowId: string, args: unknown[]): Promise<(string | null)[]> {
  const registered = worker.program.registry.workflows.get(workflowId) as
    | { [DEFINITION]?: { parseInput?(input: unknown): unknown } }
    | undefined;
  const definition = registered?.[DEFINITION];
  try {
    const values = definition?.parseInput ? [[await definition.parseInput(args[0])], args] : [args];
    return values.map((each) => worker.codec.stringify(each, { root: 'args', what: 'the arguments' }));
  } catch {
    // Starting says what is wrong with them.
    return [];
  }
}

async function checkIdentity(run: RunRecord, worker: Worker, request: RunRequest, place: string): Promise<void> {
  const { workflowId, args } = request;
  if (run.workflowId !== workflowId) {
    throw new PawlError('PAWL_RUN_OTHER_WORKFLOW', `The run \`${run.id}\` is one of \`${run.workflowId}\`.`, {
      place,
      remedy: `Name that workflow, or choose another id.`,
    });
  }
  if (args !== null && !(await recorded(worker, workflowId, args)).includes(run.input)) {
    throw new PawlError('PAWL_RUN_OTHER_INPUT', `The run \`${run.id}\` exists, and has another input.`, {
      place,
      remedy: `\`pawl inspect ${run.id}\` shows it. Leave the input away to go on with it, or choose another id.`,
    });
  }
}
