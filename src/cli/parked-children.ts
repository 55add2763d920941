/** Runs that one of `pawl run` waits for and that cannot go on: without a word it would seem to hang. */
import type { WorkerEvent } from '../runtime/index.ts';
import type { EventStore } from '../store/port.ts';
import { shortName } from './project.ts';
import { visible, visibleLine } from './visible.ts';

/** Says of a run that was parked who waits for it, and what to do. Runs that nobody called are told of when the command ends. */
export async function tellParked(store: EventStore, event: WorkerEvent, print: (text: string) => void): Promise<void> {
  if (event.type !== 'run-parked') return;
  const { runId, workflowId, code, message } = event;
  const called = await store.getRun(runId);
  if (!called?.parent) return;
  // The topmost caller is the one that a person started.
  let caller = await store.getRun(called.parent.runId);
  while (caller?.parent) caller = await store.getRun(caller.parent.runId);
  if (caller === null) return;
  const again = `pawl run ${caller.workflowId} --id ${caller.id}`;
  print(
    `the run ${visibleLine(runId)} of ${visibleLine(shortName(workflowId))} is parked, and its caller waits for it. ${code}: ${visible(message)}\n` +
      `When that is mended, \`pawl build\`, and \`${visibleLine(again)}\` lets both go on; \`pawl cancel ${visibleLine(runId)}\` gives it up`,
  );
}
