/** Looks for credentials that are missing before a run starts: every action that its workflow can reach is asked. */
import type { Manifest } from '../manifest/index.ts';
import { setCredentialSources } from './credential-sources.ts';
import { missingCredentials } from './missing-credentials.ts';
import type { Program } from './program.ts';
import { definitionOf } from './step-runner.ts';
import type { WorkerOptions } from './worker-options.ts';

/** Ids of the steps that workflows may come to, through other workflows too. */
function reachable({ workflows }: Manifest, ids: readonly string[]): Set<string> {
  const found = new Set<string>();
  const seen = new Set<string>(ids);
  for (const id of seen) {
    const { steps = [], workflows: called = [] } = workflows[id] ?? {};
    for (const step of steps) found.add(step);
    for (const workflow of called) seen.add(workflow);
  }
  return found;
}

/** Checks the credentials of workflows once; what was there is not asked for again. */
export class CredentialCheck {
  readonly #program: Program;
  readonly #checked = new Set<string>();

  constructor(program: Program) {
    this.#program = program;
  }

  /** Takes the sources of a worker that is about to begin, and looks at all workflows if it wants that. */
  async prepare({
    credentials,
    requireCredentials,
  }: Pick<WorkerOptions, 'credentials' | 'requireCredentials'>): Promise<void> {
    if (credentials) setCredentialSources(credentials);
    if (requireCredentials) await this.check(Object.keys(this.#program.manifest.workflows));
  }

  /**
   * @param workflowIds - of the workflows that are about to run
   * @returns null when there is nothing to ask for
   * @throws PawlError `PAWL_CREDENTIAL_MISSING` with all that is missing, `PAWL_CREDENTIAL_UNRESOLVED`
   */
  check(workflowIds: readonly string[]): Promise<void> | null {
    const wanted = workflowIds.filter((id) => !this.#checked.has(id));
    if (wanted.length === 0) return null;
    const { manifest, registry } = this.#program;
    const asks = [...reachable(manifest, wanted)].flatMap(
      (id) => definitionOf(registry.actions.get(id))?.missingCredentials ?? [],
    );
    const done = (): void => wanted.forEach((id) => void this.#checked.add(id));
    if (asks.length === 0) {
      done();
      return null;
    }
    return Promise.all(asks.map((ask) => ask())).then((found) => {
      const missing = found.flat();
      if (missing.length > 0) throw missingCredentials(missing);
      done();
    });
  }
}
