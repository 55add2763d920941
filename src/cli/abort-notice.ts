import type { WorkerEvent } from '../runtime/index.ts';
import { formatDuration } from './format.ts';
import { visibleLine } from './visible.ts';

/** What a person reads of steps that go on after their signals have aborted: once of each step. */
export class AbortNotices {
  readonly #told = new Set<string>();

  /** @returns null when there is nothing to say */
  of(event: WorkerEvent): string | null {
    if (event.type !== 'step-ignores-abort' || this.#told.has(event.stepId)) return null;
    const { stepId, runId, attempt, afterMs } = event;
    this.#told.add(stepId);
    return [
      `PAWL_STEP_IGNORES_ABORT: the step ${visibleLine(stepId)} still runs ${formatDuration(afterMs)} after its signal has aborted ` +
        `(run ${visibleLine(runId)}, attempt ${attempt}); its place is given to others`,
      '  Pass `getStepMetadata().signal` on to what it waits for.',
    ].join('\n');
  }
}
