/** One running attempt of a step. */
import { CancelledError } from './errors.ts';
import type { Heartbeat } from './heartbeat.ts';
import type { PendingStep, RunIdentity } from './live-run.ts';
import type { StepContext, StepMetadata, WorkflowMetadata } from './step-context.ts';
import type { StreamAddress } from './stream-address.ts';
import { attemptOver, type StepStreams } from './step-streams.ts';

export class Attempt {
  readonly step: PendingStep;
  readonly number: number;
  readonly startedAt: number;
  /** When it began, by the steady clock. */
  begunAt = 0;
  /** Whether its result no longer matters. */
  over = false;
  /** Gives up the timer of its timeout. */
  cancelTimeout: (() => void) | undefined;
  readonly heartbeat: Heartbeat;
  /** Ends it with an error from outside of its promise. */
  fail: (error: unknown) => void = () => {};
  /** Called once when its signal aborts. */
  whenAborted: () => void = () => {};
  /** What it writes; null while it has written nothing. */
  streams: StepStreams | null = null;
  #controller: AbortController | undefined;
  #reason: unknown;

  constructor(step: PendingStep, number: number, startedAt: number, heartbeat: Heartbeat) {
    this.heartbeat = heartbeat;
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

  abort(why: string): void {
    this.abortWith(new CancelledError(why));
  }

  abortWith(reason: unknown): void {
    this.cancelTimeout?.();
    this.heartbeat.stop();
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    this.streams?.stop(reason);
    this.whenAborted();
    this.#controller?.abort(reason);
  }

  /** @param open Makes what the attempt writes to streams with. */
  context(run: RunIdentity, url: string, deliver: StepContext['deliver'], open: () => StepStreams): StepContext {
    return new AttemptContext(this, run, url, deliver, open);
  }

  /** Its streams, made when a step asks for them: most never do. */
  streamsOf(open: () => StepStreams): StepStreams {
    this.streams ??= open();
    if (this.over || this.#reason !== undefined) this.streams.stop(this.#reason ?? attemptOver());
    return this.streams;
  }
}

/** Built only as far as a step asks: most never do. */
class AttemptContext implements StepContext {
  readonly #attempt: Attempt;
  readonly #run: RunIdentity;
  readonly #url: string;
  readonly #open: () => StepStreams;
  readonly deliver: StepContext['deliver'];

  constructor(
    attempt: Attempt,
    run: RunIdentity,
    url: string,
    deliver: StepContext['deliver'],
    open: () => StepStreams,
  ) {
    this.deliver = deliver;
    this.#open = open;
    this.#attempt = attempt;
    this.#run = run;
    this.#url = url;
  }

  get step(): StepMetadata {
    const attempt = this.#attempt;
    const { step, number, startedAt } = attempt;
    const key = `${this.#run.id}-${step.cid}`;
    return {
      stepId: key,
      stepName: step.stepId,
      attempt: number,
      stepStartedAt: new Date(startedAt),
      idempotencyKey: key,
      get signal() {
        return attempt.signal;
      },
      heartbeat: (details) => attempt.heartbeat.beat(details),
      get lastHeartbeat() {
        return attempt.heartbeat.last;
      },
    };
  }

  fail(error: unknown): boolean {
    if (this.#attempt.over) return false;
    this.#attempt.fail(error);
    return true;
  }

  writable(address: StreamAddress): WritableStream {
    return this.#attempt.streamsOf(this.#open).writable(address);
  }

  keep(stream: ReadableStream): Promise<void> {
    return this.#attempt.streamsOf(this.#open).keep(stream);
  }

  get workflow(): WorkflowMetadata {
    const { id, workflowId, createdAt } = this.#run;
    return {
      workflowRunId: id,
      workflowName: workflowId,
      workflowStartedAt: new Date(createdAt),
      url: this.#url,
    };
  }
}
