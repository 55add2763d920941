/** What a worker needs besides its runs. */
import { randomUUID } from 'node:crypto';
import { PawlError } from '../errors.ts';
import type { RunEvent } from '../store/events.ts';
import { type LoadedManifest, type Manifest, serializeManifest } from '../manifest/index.ts';
import type { EventStore, RunRecord } from '../store/port.ts';
import { errorData } from './endings.ts';
import type { Outcome, RunIdentity } from './live-run.ts';
import type { Program } from './program.ts';
import { Realm } from './sandbox.ts';
import type { Codec } from './serialization/codec.ts';
import { stringifyWithBodies } from './serialization/http-host.ts';
import { definitionOf, type StepRunner } from './step-runner.ts';
import { suggest } from './suggest.ts';
import type { StartRequest } from './world.ts';

/** How many events of a long log are read at once. */
const LOG_PAGE = 5_000;

export async function readLog(store: EventStore, runId: string): Promise<RunEvent[]> {
  const log: RunEvent[] = [];
  for (;;) {
    const page = await store.readEvents(runId, { afterSeq: log.length, limit: LOG_PAGE });
    log.push(...page);
    if (page.length < LOG_PAGE) return log;
  }
}

/** Unique; the process in it is for people who look for who has a run. */
export function newOwner(): string {
  return `worker-${process.pid}-${randomUUID()}`;
}

/** The manifest as it is kept with its bundle: where it was read from is nobody's matter. */
export function manifestText({ manifest }: Program): string {
  const { dir: _, ...rest } = manifest as Manifest & Partial<LoadedManifest>;
  return serializeManifest(rest);
}

let shared: Realm | null = null;

/** One for the process: a bundle is a function there, and each run evaluates it for itself. */
export function sharedRealm(): Realm {
  if (shared === null || shared.broken) shared = new Realm(true);
  return shared;
}

/** @throws PawlError `PAWL_UNKNOWN_WORKFLOW` */
export function checkKnown({ workflows }: Manifest, workflowId: string): void {
  if (!Object.hasOwn(workflows, workflowId)) throw unknownWorkflow(workflowId, Object.keys(workflows));
}

function unknownWorkflow(id: string, known: string[]): PawlError {
  const near = suggest(id, known);
  const list = known.length <= 10 ? known : [...known.slice(0, 10), `… ${known.length - 10} more`];
  return new PawlError('PAWL_UNKNOWN_WORKFLOW', `There is no workflow ${JSON.stringify(id)}.`, {
    remedy: near
      ? `Did you mean ${JSON.stringify(near)}?`
      : known.length === 0
        ? 'The manifest lists no workflow: is there one with the directive, and was the project built?'
        : `The manifest lists: ${list.join(', ')}.`,
  });
}

/**
 * The arguments of a run as they are recorded: parsed where the workflow has a schema, with the bodies of requests and responses read.
 *
 * @returns the text at once where nothing has to be waited for
 * @throws PawlError `PAWL_INPUT_INVALID`, `PAWL_NOT_SERIALIZABLE`
 */
export function writeArguments(
  codec: Codec,
  registered: unknown,
  { workflowId, args, definition, keep, runId = '' }: StartRequest,
): string | Promise<string> {
  const destination = { root: 'args', what: `the arguments of workflow ${workflowId}` };
  const parse = definitionOf(registered ?? definition)?.parseInput;
  const kept = keep && ((stream: ReadableStream) => keep(stream, runId));
  if (!parse) return stringifyWithBodies(codec, args, destination, kept);
  return parse(args[0]).then((input) => stringifyWithBodies(codec, [input], destination, kept));
}

export function identityOf(record: RunRecord, baseUrl: string | undefined): RunIdentity {
  const { id, workflowId, seed, createdAt, input } = record;
  return { id, workflowId, seed, createdAt, input, baseUrl };
}

/** Runs that were parked for steps that are there now. */
export async function* parkedThatCanGoOn(
  store: EventStore,
  manifest: Manifest,
  has: (stepId: string) => boolean,
): AsyncGenerator<string> {
  let cursor: string | undefined;
  do {
    const page = await store.listRuns({ status: ['parked'], limit: 1_000, cursor });
    for (const run of page.runs) if (canGoOn(run, manifest, has)) yield run.id;
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
}

/** Whether a run that was parked for missing steps finds them now. */
function canGoOn(run: RunRecord, manifest: Manifest, has: (stepId: string) => boolean): boolean {
  const { parkedReason, workflowId } = run;
  if (parkedReason?.code !== 'PAWL_STEP_MISSING') return false;
  const steps = parkedReason.details?.steps;
  if (!Array.isArray(steps) || !Object.hasOwn(manifest.workflows, workflowId)) return false;
  return steps.every((id) => typeof id === 'string' && has(id));
}

/** Checks the options of all steps, so that a wrong one is told at once and not in the middle of a run. */
export function checkSettings({ manifest }: Program, steps: StepRunner): void {
  for (const [id, { file }] of Object.entries(manifest.steps)) {
    try {
      steps.settings(id);
    } catch (error) {
      throw new PawlError('PAWL_STEP_OPTIONS', `The options of the step ${id} are wrong: ${(error as Error).message}`, {
        place: file,
        remedy: (error as PawlError).remedy,
        cause: error,
      });
    }
  }
}

/** Checks what a defined workflow returns. */
export function checkResult(
  program: Program,
  codec: Codec,
  workflowId: string,
  outcome: Outcome,
): Outcome | Promise<Outcome> {
  if (outcome.status !== 'completed') return outcome;
  const parse = definitionOf(program.registry.workflows.get(workflowId))?.parseOutput;
  if (!parse) return outcome;
  return (async (): Promise<Outcome> => {
    try {
      const value = await parse(outcome.data === null ? undefined : codec.parse(outcome.data));
      const what = `the result of workflow ${workflowId}`;
      return { status: 'completed', data: codec.stringify(value, { root: 'result', what }) };
    } catch (error) {
      return { status: 'failed', data: errorData(error) };
    }
  })();
}
