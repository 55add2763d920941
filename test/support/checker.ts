import { type CheckResult, createSession, type SessionStats } from '../../src/checker/index.ts';
import { temporaryProject } from './project.ts';

/** Checks a project that is given as texts; `pawl.config.json` is its configuration. */
export async function checkSources(files: Record<string, string>): Promise<CheckResult<SessionStats>> {
  const root = temporaryProject(files);
  const text = files['pawl.config.json'];
  const session = createSession({
    root,
    config: text === undefined ? undefined : JSON.parse(text),
    configSource: text === undefined ? undefined : { file: 'pawl.config.json', text },
  });
  const result = await session.check();
  session.dispose();
  return result;
}
