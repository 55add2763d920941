/** One running attempt of a step. */
import { CancelledError } from './errors.ts';
import type { PendingStep, RunIdentity } from './live-run.ts';
import type { StepContext, StepMetadata } from './step-context.ts';

export class Attempt {
  readonly step: PendingStep;
  readonly number: number;
  readonly startedAt: number;
  /** Whether its result no longer matters. */
  over = false;
  /** Gives up the timer of its timeout. */
  cancelTimeout: (() => void) | undefined;
  #controller: AbortController | undefined;
  #reason: unknown;

  constructor(step: PendingStep, number: number, startedAt: number) {
    this.step = step;
    this.number = number;
    this.startedAt = startedAt;
  }

  /** Made when a step asks for it: most never do. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#reason !== undefined) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  abort(reason: unknown = new CancelledError()): void {
    this.cancelTimeout?.();
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    this.#controller?.abort(reason);
  }

  context(run: RunIdentity, url: string): StepContext {
    const { step, number, startedAt } = this;
    const key = `${run.id}-${step.cid}`;
    const signal = (): AbortSignal => this.signal;
    const metadata: StepMetadata = {
      stepId: key,
      stepName: step.stepId,
      attempt: number,
      get stepStartedAt() {
        return new Date(startedAt);
      },
      idempotencyKey: key,
      get signal() {
        return signal();
      },
    };
    return {
      step: metadata,
      workflow: {
        workflowRunId: run.id,
        workflowName: run.workflowId,
        get workflowStartedAt() {
          return new Date(run.createdAt);
        },
        url,
      },
    };
  }
}
