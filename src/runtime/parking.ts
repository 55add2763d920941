/** Why a run cannot go on until someone acts, in words. A parked run loses nothing. */
import type { ParkedReason } from '../store/port.ts';
import type { Divergence, PendingStep, Refusal } from './live-run.ts';
import { REFUSAL } from './protocol.ts';
import type { SourcePlace } from './source-maps.ts';

export function missingSteps(steps: readonly PendingStep[]): ParkedReason {
  const ids = [...new Set(steps.map((step) => step.stepId))];
  return {
    code: 'PAWL_STEP_MISSING',
    message:
      `The code at hand has no step ${ids.join(', ')}. ` +
      'Deploy code that has it, or pin the id of the renamed function (`fn.stepId = …`); the run then goes on.',
    details: { steps: ids, neverBegan: steps.map((step) => step.cid) },
  };
}

/** @param changed the code is another one than that which recorded the log */
export function divergence(found: Divergence, place: SourcePlace | null, changed = false): ParkedReason {
  const { seq, recorded, requested } = found;
  const at = place ? ` at ${place.file}:${place.line}:${place.column}` : '';
  const message =
    recorded === null
      ? `On replay the workflow asks for ${requested}${at}, and the event log has nothing there (event ${seq}).`
      : requested === null
        ? `On replay the workflow asks for nothing where the event log has ${recorded} (event ${seq}).`
        : `On replay the workflow asks for ${requested}${at}, and the event log has ${recorded} there (event ${seq}).`;
  return {
    code: 'PAWL_REPLAY_DIVERGED',
    message: `${message} ${
      changed
        ? 'The code has changed since the run began.'
        : 'Its code is not deterministic: something other than its input and its steps decided.'
    }`,
    details: { seq, recorded, requested, ...(place && { place }) },
  };
}

export function tooSlow(limit: number): ParkedReason {
  return {
    code: 'PAWL_WORKFLOW_TIMEOUT',
    message:
      `Workflow code ran for more than ${limit} ms without waiting for anything. ` +
      'Look for an endless loop, and move heavy computation into a step.',
    details: { limit },
  };
}

export function crashedTooOften(step: PendingStep, crashes: number): ParkedReason {
  return {
    code: 'PAWL_STEP_CRASHES',
    message:
      `The process died ${crashes} times while the step ${step.stepId} ran: the step may be what kills it. ` +
      'Mend it and build; the run then goes on when someone resumes it.',
    details: { step: step.stepId, cid: step.cid, crashes },
  };
}

export function lostBundle(hash: string): ParkedReason {
  return {
    code: 'PAWL_BUNDLE_LOST',
    message: `The store has no workflow bundle ${hash}, on which the run started.`,
    details: { hash },
  };
}

/** The store cannot read the run. */
export function unreadable(error: unknown): ParkedReason {
  const { message, place } = error as { message?: unknown; place?: unknown };
  return {
    code: 'PAWL_STORE_CORRUPT',
    message: `The run cannot be read: ${String(message)} Restore it from a backup, or cancel it.`,
    ...(typeof place === 'string' && { details: { place } }),
  };
}

/** The code of the run cannot be loaded, or we failed: nothing that a retry would change. */
export function broken(error: unknown): ParkedReason {
  const { code, message } = error as { code?: unknown; message?: unknown };
  const known = typeof code === 'string' && code.startsWith('PAWL_');
  return known
    ? { code, message: String(message) }
    : { code: 'PAWL_INTERNAL', message: `A defect of pawl: ${String(message ?? error)}` };
}

export function refused(refusal: Refusal, workflowId: string, message: string): ParkedReason {
  return refusal.reason === REFUSAL.unknownWorkflow
    ? {
        code: 'PAWL_WORKFLOW_MISSING',
        message: `The workflow bundle of the run has no workflow ${workflowId}.`,
        details: { workflow: workflowId },
      }
    : { code: 'PAWL_WORKFLOW_EVALUATION', message: `The workflow bundle threw while it was loaded: ${message}` };
}
