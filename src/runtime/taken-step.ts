/** How the attempt of a step that another worker made comes to its run: as a message, which stands for an event. */
import type { PendingStep } from './live-run.ts';
import { oneLine } from './one-line.ts';
import type { WorkerEvent } from './progress.ts';
import type { Codec } from './serialization/codec.ts';
import { type NewRunEvent, parseEvent } from '../store/events.ts';
import type { EndOfferRequest, InboxMessage, OfferEnd } from '../store/port.ts';

/** Offers are first attempts. */
export const OFFERED_ATTEMPT = 1;

export type TakenStepMessage = Extract<InboxMessage, { kind: 'step' }>;

/** The event that the message stands for. A taker that was lost, or a message that makes no sense, has the step made again. */
export function takenStepEvent({ at, cid, status, meta, data }: TakenStepMessage): NewRunEvent {
  const attempt = OFFERED_ATTEMPT;
  const parsed =
    status === 'lost'
      ? null
      : parseEvent({ seq: 1, type: status, at, cid, name: null, attempt, data, meta: json(meta) });
  if (parsed === null || 'problem' in parsed)
    return { type: 'step_started', at, cid, attempt: attempt + 1, meta: { reason: 'recovered' } };
  const { seq: _, ...event } = parsed.event;
  return event as NewRunEvent;
}

/** What the run's own worker tells of it; null of one that is made again. */
export function toldOf(
  message: TakenStepMessage,
  { cid, stepId, scheduledAt }: PendingStep,
  codec: Codec,
): WorkerEvent | null {
  const { runId, at } = message;
  const event = takenStepEvent(message);
  const startedAt = (event.meta as { startedAt?: number } | null)?.startedAt ?? scheduledAt;
  const about = { runId, cid, stepId, attempt: OFFERED_ATTEMPT, at, durationMs: at - startedAt };
  switch (event.type) {
    case 'step_completed':
      return { type: 'step-completed', ...about };
    case 'step_failed':
      return { type: 'step-failed', ...about, error: lineOf(event.data, codec) };
    case 'step_attempt_failed':
      return { type: 'step-retrying', ...about, error: lineOf(event.data, codec), retryAt: event.meta.retryAt };
    default:
      return null;
  }
}

function lineOf(data: string, codec: Codec): string {
  try {
    return oneLine(codec.parse(data));
  } catch (error) {
    return oneLine(error);
  }
}

function json(text: string | null): unknown {
  try {
    return text === null ? null : JSON.parse(text);
  } catch {
    return text;
  }
}

/** What a taker tells, from the event that its attempt came to. */
export function endOf(event: NewRunEvent): Pick<EndOfferRequest, 'at' | 'status' | 'meta' | 'data'> {
  const { type, at, data = null, meta = null } = event as Extract<NewRunEvent, { type: OfferEnd }>;
  return { at, status: type, data, meta: meta === null ? null : JSON.stringify(meta) };
}
