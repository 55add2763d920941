/**
 * Whether a hook takes a payload, before that is kept. The schema is part of workflow code, so its run is asked: the one in memory
 * where this process has it, or else a replay of it, on the code that the store keeps with it.
 *
 * Where that cannot be, for want of the code or because the run does not replay, the payload is kept: the schema is asked again when
 * the workflow gets it, and what it refuses then is recorded as refused.
 */
import type { EventStore, HookRecord } from '../store/port.ts';
import { isTimeout } from './driving.ts';
import { historyOf } from './history.ts';
import { addJob } from './job-queue.ts';
import type { LiveRun } from './live-run.ts';
import { payloadError } from './payload-schema.ts';
import { standing } from './replay.ts';
import type { RunSource } from './run-handle.ts';
import type { SchemaIssue } from './schema-issues.ts';
import { inTurn } from './turns.ts';
import { readLog } from './worker-parts.ts';

/** How long workflow code and schema may take on a replay, ms. */
const LIMIT = 10_000;

const ENDLESS = JSON.stringify([
  { path: 'payload', message: 'its schema did not come to an end' },
] satisfies SchemaIssue[]);

/** @throws PawlError `PAWL_PAYLOAD_INVALID` when the hook has a schema that refuses the payload */
export async function checkPayload(source: RunSource, hook: HookRecord, data: string): Promise<void> {
  const { runId, cid, token } = hook;
  const found = await (source.checkPayload?.(runId, cid, data) ?? checkByReplay(source.store, runId, cid, data));
  if (found !== null) throw payloadError(token, JSON.parse(found) as SchemaIssue[]);
}

/** What is wrong with a payload, as JSON; null when nothing is, or nobody can tell. */
async function checkByReplay(store: EventStore, runId: string, cid: number, data: string): Promise<string | null> {
  const run = await store.getRun(runId);
  const hash = run?.bundleHash ?? null;
  const bundle = hash === null ? null : await store.getBundle(hash);
  if (hash === null || bundle === null) return null;
  const replayed = await standing(historyOf(runId, await readLog(store, runId)), { hash, ...bundle }, LIMIT);
  if (!('identity' in replayed)) return null;
  const checked = await inTurn(replayed.realm, LIMIT, () => ({ issues: replayed.check(cid, data) }));
  if ('issues' in checked) return checked.issues;
  return checked.code === 'PAWL_WORKFLOW_TIMEOUT' ? ENDLESS : null;
}

interface Standing {
  /** The run as it is between two turns; null while it is read, ends or is gone. */
  readonly standing: LiveRun | null;
  last(): void;
  terminated(): void;
}

/**
 * Asks a run in memory.
 *
 * @returns null when it cannot be asked just now; resolves to what is wrong, as JSON, or to null
 */
export function checkLive(driver: Standing | undefined, cid: number, data: string): Promise<string | null> | null {
  const live = driver?.standing ?? null;
  if (driver === undefined || live === null) return null;
  return new Promise((resolve, reject) => {
    const endless = (): void => {
      // The run is in the same realm: it cannot go on there.
      driver.terminated();
      resolve(ENDLESS);
    };
    addJob({
      run: () => {
        try {
          resolve(live.check(cid, data));
        } catch (error) {
          if (isTimeout(error)) endless();
          else reject(error as Error);
        }
      },
      last: () => driver.last(),
      terminated: endless,
    });
  });
}
