import type { LoadedManifest } from '../../manifest/index.ts';
import type { CredentialSources, Worker, WorkerEvent } from '../../runtime/index.ts';
import type { EventStore, RunRecord } from '../../store/port.ts';
import { AbortNotices } from '../abort-notice.ts';
import { clockNotice } from '../clock-notice.ts';
import { defineCommand, type ExitCode, JSON_OPTION } from '../command.ts';
import { count } from '../format.ts';
import { type Output, printError } from '../output.ts';
import { openProject, readLog, readProjectManifest, STORE_OPTION, withStore } from '../project.ts';
import type { ForeignRuns } from '../foreign-runs.ts';
import type { RunPlan, RunRequest } from '../run-plan.ts';
import type { LiveProgress } from '../run-session.ts';
import type { StoreTrouble } from '../store-trouble.ts';
import { visibleLine } from '../visible.ts';

/** How long running attempts may go on after Ctrl-C, ms. Those that do not end are made again by whoever resumes the run. */
const PATIENCE = 1_000;

/** Loading a program that takes longer than this is worth a word, ms. */
const LOADING_IS_LONG = 5_000;

/** `pawl run`: one workflow to its end, in this process; or what an earlier process left of it. */
export const runCommand = defineCommand({
  name: 'run',
  positionals: '<workflow>',
  description: 'Run a workflow to its end, or what a crash left of it',
  details:
    'The workflow is named by id, slug or name. A run that an earlier process left unfinished goes on where it stopped: the one\nthat --id names, the one with the same input, or, without any input, all of this workflow. Ctrl-C leaves the run to be resumed.',
  options: {
    input: { type: 'string', value: 'JSON', description: 'The argument: JSON, @FILE, or - for standard input' },
    args: { type: 'string', value: 'JSON', description: 'Several arguments, as a JSON array' },
    id: { type: 'string', value: 'ID', description: 'Id of the run; if it exists it is resumed, or its result shown' },
    new: { type: 'boolean', description: 'Start a new run even if an unfinished one has the same input' },
    ...STORE_OPTION,
    ...JSON_OPTION,
  },
  examples: [
    { line: `pawl run fulfil --input '{ "id": "A-1004" }'`, does: 'start it, or resume it after a crash' },
    { line: 'pawl run fulfil --input @order.json --json', does: 'input from a file, result for programs' },
    { line: 'pawl run fulfil', does: 'resume what is unfinished; if nothing is, start it without input' },
  ],
  async run({ args, options, root, out }) {
    const { chooseWorkflow, readArguments } = await import('../workflow-input.ts');
    const { outDir, storeUrl, credentials } = await openProject(root, options.store, out.env);
    const manifest = await readProjectManifest(outDir);
    const { id: workflowId } = await chooseWorkflow(manifest, args[0] as string);
    const given = await readArguments(options, root);
    const request = { workflowId, args: given, id: options.id, alwaysNew: options.new === true };
    const { watchPresence } = await import('../store-presence.ts');
    return await withStore(storeUrl, true, async (store) => {
      const presence = watchPresence(storeUrl);
      const code = await execute(store, manifest, { ...request, credentials }, out);
      const lost = presence();
      if (lost === null) return code;
      printError(lost, out);
      return 2;
    });
  },
});

async function execute(
  store: EventStore,
  manifest: LoadedManifest,
  request: RunRequest & { credentials: CredentialSources },
  out: Output,
): Promise<ExitCode> {
  const { createWorker } = await import('../../runtime/index.ts');
  const { planRuns } = await import('../run-plan.ts');
  const { interruption, redirectConsole } = await import('../run-session.ts');
  const { Accidents } = await import('../accidents.ts');
  const { ForeignRuns } = await import('../foreign-runs.ts');
  const { StoreTrouble } = await import('../store-trouble.ts');
  const { ParkedChildren } = await import('../parked-children.ts');
  let progress: LiveProgress | null = null;
  const print = (text: string): void => (progress ? progress.print(text) : out.aside(text));
  const restoreConsole = redirectConsole(print, out);
  const interrupted = interruption();
  const trouble = new StoreTrouble(print);
  const aborts = new AbortNotices();
  const parked = new ParkedChildren(store, print);
  const accidents = await Accidents.watch(print, () => interrupted.asked, out);
  const lost = Promise.race([trouble.gaveUp, accidents.stray]);
  lost.catch(() => {});
  let worker: Worker | null = null;
  let failed = false;
  let foreign: ForeignRuns | null = null;
  try {
    const onEvent = (event: WorkerEvent): void => {
      accidents.heard(event);
      tell(event, print, { trouble, aborts });
      parked.heard(event);
    };
    const made = await Promise.race([
      // What else is unfinished in the store is not this command's: begun here, it would be cut short when the run ends.
      patiently(createWorker({ manifest, store, onEvent, claim: false, credentials: request.credentials }), print),
      interrupted.code,
      lost,
    ]);
    if (typeof made === 'number') return made;
    worker = made;
    const checked = await Promise.race([worker.credentials.check([request.workflowId]), interrupted.code, lost]);
    if (typeof checked === 'number') return checked;
    const plan = await Promise.race([planRuns(store, worker, request), lost]);
    if (plan.ended) {
      out.note(`the run ${visibleLine(plan.ended.id)} has ended before; this is how`);
      return await report(store, [plan.ended.id], out);
    }
    foreign = new ForeignRuns(worker, out);
    const ids = await Promise.race([begin(foreign, plan, request, out), lost]);
    parked.watch(ids);
    const [only, second] = ids;
    if (only !== undefined && second === undefined) progress = await follow(store, only, request.workflowId, out);
    const code = await Promise.race([ended(ids), interrupted.code, lost]);
    if (code === null) {
      await stop(progress, store, ids, out);
      progress = null;
      return await report(store, ids, out);
    }
    await progress?.stop();
    progress = null;
    const again = ids.length === 1 ? `pawl run ${request.workflowId} --id ${only}` : `pawl run ${request.workflowId}`;
    out.note(`interrupted; nothing is lost: \`${visibleLine(again)}\` goes on`);
    return code;
  } catch (error) {
    failed = true;
    throw error;
  } finally {
    interrupted.stop();
    parked.stop();
    foreign?.stop();
    await progress?.stop();
    await Promise.resolve(worker?.close({ timeout: PATIENCE }))
      .catch((error: unknown) => {
        // A store that failed cannot take the runs back; its lease will end. The first error is the one to tell.
        if (!failed && !interrupted.asked) throw error;
      })
      .finally(() => {
        accidents.stop();
        restoreConsole();
      });
  }
}

/** Says what it waits for when loading takes long: user code runs, and may wait for anything. */
async function patiently<T>(loading: Promise<T>, print: (text: string) => void): Promise<T> {
  const timer = setTimeout(() => {
    print('the steps are still being loaded: the top-level code of a module, or a top-level `await`, takes its time');
  }, LOADING_IS_LONG);
  timer.unref();
  return await loading.finally(() => clearTimeout(timer));
}

/** Starts or takes up what the plan says. Returns the ids of the runs to wait for. */
async function begin(
  foreign: ForeignRuns,
  plan: RunPlan,
  { workflowId, id }: RunRequest,
  out: Output,
): Promise<string[]> {
  const { start } = await import('../../runtime/index.ts');
  const { resume, others } = plan;
  for (const { id: runId, lastSeq } of resume) {
    if (await foreign.take(runId))
      out.note(`resuming run ${visibleLine(runId)}, which was left unfinished after ${count(lastSeq, 'event')}`);
  }
  if (others > 0)
    out.note(`${count(others, 'other run')} of ${workflowId} unfinished; \`pawl run ${workflowId}\` waits for all`);
  if (plan.start === null) return resume.map((run) => run.id);
  const { runId } = await start(workflowId, plan.start, { runId: id });
  // Another process may have started it in the same moment.
  if (id !== undefined) await foreign.take(runId);
  return [runId];
}

/** What the worker tells besides what the log does. */
function tell(
  event: WorkerEvent,
  print: (text: string) => void,
  { trouble, aborts }: { trouble: StoreTrouble; aborts: AbortNotices },
): void {
  if (event.type === 'console') print(event.text);
  const notice = aborts.of(event);
  if (notice !== null) print(notice);
  if (event.type === 'clock-went-back') print(clockNotice(event.ms));
  trouble.heard(event);
}

async function ended(ids: readonly string[]): Promise<null> {
  const { getRun } = await import('../../runtime/index.ts');
  // One that cannot be read does not keep the others from their ends.
  for (const end of await Promise.allSettled(ids.map((id) => getRun(id).end())))
    if (end.status === 'rejected') throw end.reason;
  return null;
}

async function follow(store: EventStore, id: string, workflowId: string, out: Output): Promise<LiveProgress | null> {
  if (!out.showsProgress) return null;
  const { LiveProgress } = await import('../run-session.ts');
  const progress = new LiveProgress(store, id, workflowId, out);
  await progress.catchUp();
  return progress;
}

async function stop(
  progress: LiveProgress | null,
  store: EventStore,
  ids: readonly string[],
  out: Output,
): Promise<void> {
  const { endLine } = await import('../run-session.ts');
  const run = progress && (await store.getRun(ids[0] as string));
  await progress?.stop(run ? endLine(run, out) : undefined);
}

async function report(store: EventStore, ids: readonly string[], out: Output): Promise<ExitCode> {
  const runs = (await Promise.all(ids.map((id) => store.getRun(id)))).filter((run): run is RunRecord => run !== null);
  if (out.json) {
    const { describeRun } = await import('./inspect.ts');
    const described = await Promise.all(
      runs.map(async (run) => describeRun(run, await readLog(store, run.id), await store.listStreams(run.id))),
    );
    out.printJson(described.length === 1 ? described[0] : described);
    return runs.every(({ status }) => status === 'completed') ? 0 : 1;
  }
  const { reportEnd } = await import('../run-session.ts');
  let code: ExitCode = 0;
  for (const run of runs) {
    await tellOfStreams(store, run.id, out);
    if ((await reportEnd(run, runs.length, out)) === 1) code = 1;
  }
  return code;
}

/** What steps wrote for others is not part of the result. */
async function tellOfStreams(store: EventStore, runId: string, out: Output): Promise<void> {
  const streams = await store.listStreams(runId);
  if (streams.length === 0) return;
  const { describeStream } = await import('../streams.ts');
  for (const stream of streams) out.note(`stream ${visibleLine(describeStream(stream))}`);
}
