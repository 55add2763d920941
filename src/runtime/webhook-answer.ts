/**
 * Answers to requests that a webhook leaves to a step.
 *
 * The step and whoever holds the HTTP request may be different processes; both know the store. So an answer is a payload to a
 * second hook of the run, which no code listens to: when `respondWith` resolves, the answer is durable, and when the run's owner has
 * taken it over, it stands in the event log, where the holder of the request finds it.
 */
import { PawlError } from '../errors.ts';
import type { RunEvent } from '../store/events.ts';
import type { EventStore } from '../store/port.ts';
import { ERROR_BRAND } from './errors.ts';
import type { Codec } from './serialization/codec.ts';
import type { AnswerAddress } from './serialization/http.ts';
import { currentStep } from './step-context.ts';

/** The payload of the second hook. */
interface Answer {
  id: string;
  response: Response;
}

/** `request.respondWith(response)` in a step. */
export async function answerOfStep({ token, id }: AnswerAddress, response: Response): Promise<void> {
  const context = currentStep();
  if (context === undefined) {
    const error = new PawlError('PAWL_ONLY_IN_STEP', 'respondWith() works while a step runs.', {
      remedy: 'Call it, and await it, in the step itself or in what it calls.',
    });
    throw Object.defineProperty(error, ERROR_BRAND, { value: 'fatal' });
  }
  await context.deliver(token, { id, response } satisfies Answer);
}

/** An answer that somebody waits for. */
export interface AwaitedAnswer {
  runId: string;
  /** Of the second hook. */
  cid: number;
  /** Of the request. */
  id: string;
  /** The newest event before the request was sent. */
  afterSeq: number;
}

/**
 * Waits until a step has answered. Told by the store, never polled.
 *
 * @returns null when the run has ended without an answer
 */
export function waitForAnswer(
  store: EventStore,
  codec: Codec,
  { runId, cid, id, afterSeq }: AwaitedAnswer,
  signal: AbortSignal,
): Promise<Response | null> {
  return new Promise((resolve, reject) => {
    let seen = afterSeq;
    let looking = false;
    let again = false;
    const finish = (settle: () => void): void => {
      unsubscribe();
      signal.removeEventListener('abort', aborted);
      settle();
    };
    const aborted = (): void => finish(() => reject(signal.reason));
    const look = async (): Promise<void> => {
      if (looking) {
        again = true;
        return;
      }
      looking = true;
      do {
        again = false;
        // The record first: what stands in the log when the run ends is seen by the reading that follows.
        const record = await store.getRun(runId);
        const events = await store.readEvents(runId, { afterSeq: seen });
        seen = events.at(-1)?.seq ?? seen;
        if (record !== null && seen < record.lastSeq && events.length > 0) again = true;
        const response = answerIn(events, codec, cid, id);
        if (response !== undefined) finish(() => resolve(response));
        else if (record === null || (record.finishedAt !== null && seen >= record.lastSeq)) finish(() => resolve(null));
      } while (again);
      looking = false;
    };
    const hear = (): void => {
      look().catch((error: unknown) => finish(() => reject(error)));
    };
    const unsubscribe = store.subscribe((change) => {
      if (change.kind === 'external' || (change.kind === 'events' && change.runId === runId)) hear();
    });
    signal.addEventListener('abort', aborted, { once: true });
    if (signal.aborted) aborted();
    else hear();
  });
}

function answerIn(events: readonly RunEvent[], codec: Codec, cid: number, id: string): Response | undefined {
  for (const event of events) {
    if (event.type !== 'hook_received' || event.cid !== cid || !event.data?.includes(id)) continue;
    const answer = codec.parse(event.data) as Answer;
    if (answer.id === id) return answer.response;
  }
  return undefined;
}
