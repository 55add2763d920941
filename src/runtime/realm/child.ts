import { COMMAND } from '../protocol.ts';
import { currentRun } from './run.ts';

/** What calling a workflow from a workflow does: it starts a run of its own, whose outcome the promise tells. */
export function child(id: string, args: unknown[]): Promise<unknown> {
  const run = currentRun();
  try {
    const data = run.codec.stringify(args, { root: 'args', what: `the arguments of workflow ${id}` });
    return run.request(COMMAND.child, id, data);
  } catch (error) {
    return run.loading ? childWhenLoaded(id, args) : Promise.reject(error);
  }
}

/** An argument may be of a class whose module has not run yet. */
async function childWhenLoaded(id: string, args: unknown[]): Promise<unknown> {
  await undefined;
  return child(id, args);
}
