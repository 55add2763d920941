/** Replays histories against code: what a deploy, or a change of workflow code, would do to runs that began before it. */
import type { RunEvent } from '../store/events.ts';
import type { ParkedReason } from '../store/port.ts';
import { endingOf } from './due.ts';
import { recordedError } from './endings.ts';
import type { History } from './history.ts';
import { LiveRun, type Outcome, type RunIdentity } from './live-run.ts';
import { broken, divergence, refused } from './parking.ts';
import { registerBundle } from './program.ts';
import { REFUSAL } from './protocol.ts';
import { Realm, type RealmBundle, type WorkflowCode } from './sandbox.ts';
import { mapStack, placeOf, type SourcePlace } from './source-maps.ts';
import { inTurn } from './turns.ts';
import { sharedRealm } from './worker-parts.ts';

/**
 * Replays a run. Steps are not called: their results come from the log.
 *
 * @param code the workflow bundle that is to take the history
 * @param limit how long workflow code may run without waiting, ms
 * @returns null when the code asks for what was recorded, in the order in which it was, and ends as the run did; else the reason for
 *   which a run with this log would be parked
 * @example
 * const problem = await replayHistory(history, program.workflows);
 * if (problem) console.error(problem.message);
 */
export async function replayHistory(
  { id, events: all }: History,
  code: WorkflowCode,
  limit = 10_000,
): Promise<ParkedReason | null> {
  const events = heardBy(all);
  return await ending(await standing({ id, events }, code, limit), events, limit);
}

/**
 * Replays a run as far as its log goes.
 *
 * @returns the run as it stands then, or the reason for which it would be parked
 */
export async function standing(
  { id, events }: History,
  code: WorkflowCode,
  limit: number,
): Promise<LiveRun | ParkedReason> {
  registerBundle(code);
  const [{ name: workflowId, meta, at: createdAt, data: input }] = events;
  const identity: RunIdentity = { id, workflowId, seed: meta.seed, createdAt, input };
  const realm = sharedRealm();
  const shared = await inTurn(realm, limit, () => replayIn(identity, events, realm, code, limit));
  if (shared !== 'frozen') return shared;
  // A bundle that changes intrinsics gets a realm of its own.
  const own = new Realm(false);
  const replayed = await inTurn(own, limit, () => replayIn(identity, events, own, code, limit));
  return replayed === 'frozen' ? broken(new Error('a realm is frozen')) : replayed;
}

function replayIn(
  identity: RunIdentity,
  log: readonly RunEvent[],
  realm: Realm,
  code: WorkflowCode,
  limit: number,
): ParkedReason | LiveRun | 'frozen' {
  const live = new LiveRun(identity, realm, realm.load(code), limit);
  const { divergence: found } = live.replay(log, true);
  const { refusal } = live;
  if (refusal) {
    if (refusal.reason === REFUSAL.frozen && realm.shared) return 'frozen';
    return refused(refusal, identity.workflowId, refusal.data === null ? '' : recordedError(refusal.data).text);
  }
  if (!found) return live;
  return divergence(found, found.stack ? placeOf(mapStack(found.stack)) : null, codeOf(log) !== code.hash);
}

/** Where the code asks for what is not in the log: replays once more, noting where each command comes from. */
export function placeOfDivergence(
  { realm, bundle }: { realm: Realm; bundle: RealmBundle },
  identity: RunIdentity,
  limit: number,
  log: readonly RunEvent[],
): SourcePlace | null {
  const traced = new LiveRun(identity, realm, bundle, limit).replay(log, true).divergence;
  return traced?.stack ? placeOf(mapStack(traced.stack)) : null;
}

/** The bundle on which a run is, by its log. */
function codeOf(log: readonly RunEvent[]): string | null {
  let hash: string | null = null;
  for (const { type, meta } of log)
    if (type === 'run_created' || type === 'bundle_bound' || type === 'run_upgraded') hash = meta.bundleHash;
  return hash;
}

/** What a run that could not run may be told of. */
const UNHEARD: readonly RunEvent['type'][] = [
  'run_unparked',
  'run_upgraded',
  'run_upgrade_refused',
  'cancel_requested',
  'hook_received',
  'child_completed',
  'child_failed',
];

/** As much of the log as the code has seen: one that was cancelled while it was parked could not run. */
function heardBy(log: History['events']): History['events'] {
  if (log.at(-1)?.type !== 'run_cancelled') return log;
  const parked = log.findLastIndex(({ type }) => type === 'run_parked');
  const after = log.slice(parked + 1, -1);
  const ran = after.some(({ type }) => !UNHEARD.includes(type));
  if (parked < 0 || ran) return log;
  const [created, ...rest] = log;
  return [created, ...rest.slice(0, parked - 1)];
}

/** Whether the code ends as the run did. Only in a later turn it is known which rejections were never handled. */
async function ending(
  replayed: ParkedReason | LiveRun,
  log: readonly RunEvent[],
  limit: number,
): Promise<ParkedReason | null> {
  if (!(replayed instanceof LiveRun)) return replayed;
  const live = replayed;
  const recorded = recordedEnd(log);
  if (recorded === null) return null;
  const found = await inTurn(live.realm, limit, (): { outcome: Outcome | null } => ({
    outcome: live.outcome || live.stuck ? endingOf(live.outcome, live.unhandled()) : null,
  }));
  if (!('outcome' in found)) return found;
  const { outcome } = found;
  const same =
    outcome?.status === recorded.status &&
    // What a definition returns is parsed before it is recorded; stacks of errors are those of the code that ran.
    (recorded.status !== 'completed' || recorded.parsed || outcome.data === recorded.data);
  if (same) return null;
  const how = outcome === null ? 'does not end there' : `${outcome.status}${describe(outcome)}`;
  return {
    code: 'PAWL_REPLAY_DIVERGED',
    message: `The run ended as ${recorded.status} (event ${log.length}); on replay the workflow ${
      outcome === null ? how : `ends as ${how}`
    }.`,
    details: { seq: log.length, recorded: recorded.status, requested: outcome?.status ?? null },
  };
}

function describe(outcome: Outcome): string {
  if (outcome.status === 'completed') return ' with another result';
  return outcome.data === null ? '' : ` with ${recordedError(outcome.data).text}`;
}

/** How the log ends; null when it does not, or when the code was not asked. */
function recordedEnd(
  log: readonly RunEvent[],
): { status: Outcome['status']; data: string | null; parsed: boolean } | null {
  const last = log.at(-1);
  const parsed = !(log[0]?.name ?? '').includes('#');
  switch (last?.type) {
    case 'run_completed':
      return { status: 'completed', data: last.data, parsed };
    case 'run_failed':
      // The result was one that the definition refuses.
      return parsed ? null : { status: 'failed', data: last.data, parsed };
    case 'run_cancelled':
      return { status: 'cancelled', data: last.data, parsed };
    default:
      return null;
  }
}
