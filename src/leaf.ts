/**
 * An action is a leaf: its `run` calls no other action and begins no workflow. The checker follows the calls (PAWL5001, PAWL5004); what it
 * cannot follow, an action that arrives as a value say, is refused when it happens, in the same words.
 */
import { PawlError } from './errors.ts';

/** @param other - `the action`, `an action of 'x/actions',` */
export function actionInAction(action: string, other: string, name: string, through = ''): string {
  return `Action \`${action}\` reaches ${other} \`${name}\`${through}: an action is a leaf, so the inner one would run without a record and without retries.`;
}

export const ACTION_IN_ACTION_REMEDY = 'Call both from a workflow, or share a plain function between the two.';

export const WORKFLOW_IN_ACTION = {
  because: 'an action is a leaf, and a retry of it would begin the workflow once more',
  remedy: 'Call the action from the workflow, or start the workflow from the app or from a step.',
} as const;

interface Storage {
  getStore(): string | undefined;
  run<T>(action: string | undefined, work: () => T): T;
}

/** pawl exists in several copies in a process: bundles carry their own. */
const KEY = Symbol.for('pawl.action.1');
const BRAND = Symbol.for('pawl.error');

function storage(): Storage | undefined {
  const holder = globalThis as unknown as Record<symbol, Storage | undefined>;
  if (holder[KEY] === undefined && typeof process === 'object') {
    // Asked for here, for an app may bundle `pawl` for places that have no such module.
    const hooks = process.getBuiltinModule?.('node:async_hooks');
    if (hooks) holder[KEY] = new hooks.AsyncLocalStorage<string | undefined>() as Storage;
  }
  return holder[KEY];
}

/** Runs an action's code, so that what it calls can tell. */
export function withinAction<T>(slug: string, work: () => T): T {
  const actions = storage();
  return actions === undefined ? work() : actions.run(slug, work);
}

/** Runs what an action may call and what may call actions itself: an agent with its tools. */
export function outsideAction<T>(work: () => T): T {
  return runningAction() === undefined ? work() : (storage() as Storage).run(undefined, work);
}

/** The slug of the action whose code calls; undefined elsewhere. */
export function runningAction(): string | undefined {
  return (globalThis as unknown as Record<symbol, Storage | undefined>)[KEY]?.getStore();
}

/**
 * @param name - of the action that is about to run
 * @throws PawlError `PAWL5001` within another action
 */
export function refuseActionInAction(name: string): void {
  const action = runningAction();
  if (action !== undefined)
    throw refusal('PAWL5001', actionInAction(action, 'the action', name), ACTION_IN_ACTION_REMEDY, action);
}

/**
 * @param name - of the workflow, or `start`
 * @throws PawlError `PAWL5004` within an action
 */
export function refuseWorkflowInAction(name: string): void {
  const action = runningAction();
  if (action === undefined) return;
  const { because, remedy } = WORKFLOW_IN_ACTION;
  throw refusal('PAWL5004', `Action \`${action}\` calls \`${name}\`: ${because}.`, remedy, action);
}

/** Another attempt would come to the same. */
function refusal(code: string, message: string, remedy: string, action: string): PawlError {
  const error = new PawlError(code, message, { place: `action ${action}`, remedy });
  return Object.defineProperty(error, BRAND, { value: 'fatal' });
}
