import {
  type CheckResult,
  createSession,
  createTypes,
  type SessionStats,
  type TypeBackend,
} from '../../src/checker/index.ts';
import { ROOT } from './dist.ts';
import { temporaryProject } from './project.ts';

/** Checks a project that is given as texts; `pawl.config.json` is its configuration. */
export async function checkSources(
  files: Record<string, string>,
  types: TypeBackend | null = null,
): Promise<CheckResult<SessionStats>> {
  const root = temporaryProject(files);
  const text = files['pawl.config.json'];
  const session = createSession({
    root,
    types,
    config: text === undefined ? undefined : JSON.parse(text),
    configSource: text === undefined ? undefined : { file: 'pawl.config.json', text },
  });
  const result = await session.check();
  session.dispose();
  return result;
}

/** One TypeScript for all tests of a file: reading the declarations of the platform takes a second. */
export const sharedTypes: TypeBackend = createTypes({ root: ROOT });
