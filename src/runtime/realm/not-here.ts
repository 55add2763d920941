import { PawlError } from '../../errors.ts';

/** An error that says what a workflow does instead. */
export function notHere(what: string, remedy: string): PawlError {
  return new PawlError('PAWL_NOT_IN_WORKFLOW', `${what} does not work in workflow code.`, { remedy });
}
