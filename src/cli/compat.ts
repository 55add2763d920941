import { resolve } from 'node:path';
import type { InFlight } from '../bundler/index.ts';
import type { Diagnostic } from '../diagnostics/index.ts';
import type { Manifest } from '../manifest/index.ts';
import type { RunEvent } from '../store/events.ts';
import type { EventStore } from '../store/port.ts';
import { count } from './format.ts';
import { absoluteUrl, allRuns, readLog, withStore } from './project.ts';

export interface CompatFindings {
  diagnostics: Diagnostic[];
  /** What could not be looked at, for people. */
  notices: string[];
}

/**
 * Builds the project in memory, writes nothing, and says what a deploy of it would do to runs that are in flight on another build.
 *
 * @param deployed - the URL of a store, whose runs are looked at; or the deployed manifest, or the folder that it stands in; paths are
 *   relative to the root
 * @returns findings of the build when it has errors, else those of the comparison
 * @throws PawlError what `readManifest`, `createBuildSession` and `openStore` throw
 */
export async function compatFindings(root: string, deployed: string): Promise<CompatFindings> {
  const { loadConfig } = await import('../config/index.ts');
  const { checkCompat, checkInFlight, createBuildSession } = await import('../bundler/index.ts');
  const notices: string[] = [];
  let before: Manifest | InFlight[];
  if (/^[a-z]+:/.test(deployed) && !/^[a-z]:[\\/]/i.test(deployed)) {
    before = await withStore(await absoluteUrl(deployed, root), false, (store) => inFlight(store, notices));
  } else {
    const { readManifest } = await import('../manifest/index.ts');
    before = readManifest(resolve(root, deployed));
  }
  const { config, source: configSource } = await loadConfig(root);
  const session = createBuildSession({ root, config, configSource: configSource ?? undefined, write: false });
  try {
    const { output, diagnostics } = await session.build();
    if (output === null) return { diagnostics: diagnostics.filter(({ severity }) => severity === 'error'), notices };
    const source = (file: string): string | null => session.source(file);
    const found = Array.isArray(before)
      ? checkInFlight(before, output.manifest, config, source)
      : checkCompat(before, output.manifest, config, source);
    return { diagnostics: found, notices };
  } finally {
    session.close();
  }
}

const UNFINISHED = ['pending', 'running', 'parked'] as const;

/** The runs of a store that are not at their end, by the build that they are on. */
async function inFlight(store: EventStore, notices: string[]): Promise<InFlight[]> {
  const { parseManifest } = await import('../manifest/index.ts');
  const groups = new Map<string | null, { deployed: Manifest | null; runs: InFlight['runs'][number][] }>();
  for await (const { id, workflowId, bundleHash } of allRuns(store, { status: UNFINISHED })) {
    let group = groups.get(bundleHash);
    if (group === undefined) {
      const text = bundleHash === null ? null : ((await store.getBundle(bundleHash))?.manifest ?? null);
      group = { deployed: text === null ? null : parseManifest(text, `${store.url}, bundle ${bundleHash}`), runs: [] };
      groups.set(bundleHash, group);
    }
    const fresh = bundleHash === null;
    group.runs.push({ id, workflowId, pending: fresh ? [] : pendingSteps(await readLog(store, id)), fresh });
  }
  for (const [hash, { deployed, runs }] of groups) {
    if (deployed !== null || hash === null) continue;
    notices.push(
      `of ${count(runs.length, 'run')} the store does not know the build (${hash}): only the steps that they wait for were looked at`,
    );
  }
  return [...groups.values()];
}

/** Steps that were asked for and have no result. */
function pendingSteps(log: readonly RunEvent[]): string[] {
  const pending = new Map<number, string>();
  for (const event of log) {
    if (event.type === 'step_scheduled') pending.set(event.cid, event.name);
    else if (event.type === 'step_completed' || event.type === 'step_failed') pending.delete(event.cid);
    else if (event.type === 'cancel_requested') pending.clear();
  }
  return [...new Set(pending.values())];
}
