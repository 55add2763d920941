import type { NewRunEvent } from '../store/events.ts';
import type { WorkerListener } from './progress.ts';
import type { ConsoleLine } from './sandbox.ts';

/** Tells a listener what has become durable: console lines first, then waits, hooks, children and cancellations in their order. */
export function announce(
  runId: string,
  events: readonly NewRunEvent[],
  lines: readonly ConsoleLine[],
  emit: WorkerListener,
): void {
  for (const { level, text } of lines) emit({ type: 'console', runId, level, text });
  for (const event of events) {
    const { at } = event;
    switch (event.type) {
      case 'sleep_scheduled':
        emit({ type: 'sleep-started', runId, cid: event.cid, at, until: event.meta.until });
        break;
      case 'sleep_completed':
        emit({ type: 'sleep-completed', runId, cid: event.cid, at });
        break;
      case 'hook_created':
        emit({ type: 'hook-created', runId, cid: event.cid, at, token: event.name });
        break;
      case 'hook_received':
        emit({ type: 'hook-received', runId, cid: event.cid, at });
        break;
      case 'child_scheduled': {
        const { cid, name: workflowId } = event;
        emit({ type: 'child-started', runId, cid, at, workflowId, childId: event.meta.runId });
        break;
      }
      case 'child_completed':
      case 'child_failed':
        emit({ type: 'child-finished', runId, cid: event.cid, at, ok: event.type === 'child_completed' });
        break;
      case 'cancel_requested':
        emit({ type: 'cancel-requested', runId, at, reason: event.meta?.reason ?? null });
        break;
    }
  }
}
