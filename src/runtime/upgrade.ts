/**
 * Moves a run to other workflow code, which its history must fit: it is replayed there first, and where it parts from the log nothing
 * is changed.
 *
 * A run that nobody works on is claimed for the moment. One that a worker has is moved by that worker: it gets a message, reads the
 * run again as soon as none of its steps runs, and replays it once more, for the log may have grown.
 */
import { randomUUID } from 'node:crypto';
import { PawlError } from '../errors.ts';
import type { NewRunEvent, RunEvent } from '../store/events.ts';
import { TERMINAL_EVENTS } from '../store/events.ts';
import type { EventStore, InboxMessage, ParkedReason, RunRecord } from '../store/port.ts';
import { historyOf } from './history.ts';
import { replayHistory } from './replay.ts';
import { unknownRun } from './run-end.ts';
import type { WorkflowCode } from './sandbox.ts';
import { checkRecord } from './undriven.ts';
import { readLog } from './worker-parts.ts';

/** What a run is moved to. */
export interface UpgradeCode extends WorkflowCode {
  /** The manifest that it was built with, as JSON. */
  manifest: string | null;
}

export type Upgrade =
  | { outcome: 'upgraded'; from: string | null; to: string }
  /** It is on this code already, or no worker has taken it yet. */
  | { outcome: 'current'; to: string }
  /** Its history does not fit. Nothing was changed. */
  | { outcome: 'refused'; problem: ParkedReason }
  /** The worker that has it was asked and has not answered yet. */
  | { outcome: 'asked'; owner: string };

/** The answer in the log to a request that changes nothing but what was asked before. */
const CURRENT = 'PAWL_UPGRADE_CURRENT';

export interface UpgradeHost {
  readonly store: EventStore;
  now(): number;
}

/** How long the worker that has the run gets to answer, ms: a step of it may run. */
const PATIENCE = 30_000;

/** Long enough to write two events, ms. */
const LEASE = 30_000;

/**
 * @param options.timeout How long to wait for the worker that has the run, ms; default 30,000.
 * @throws PawlError `PAWL_UNKNOWN_RUN`, `PAWL_RUN_FINISHED`
 */
export async function upgradeRun(
  host: UpgradeHost,
  runId: string,
  code: UpgradeCode,
  options: { timeout?: number } = {},
): Promise<Upgrade> {
  const { store } = host;
  // Before the run: what comes into the inbox later was asked later.
  const waiting = upgradesIn(await store.readInbox({ runId })).at(-1)?.bundleHash;
  const run = await store.getRun(runId);
  if (run === null) throw unknownRun(runId, store.url);
  if (run.finishedAt !== null) throw finished(run);
  const { hash, map, manifest } = code;
  // On this code, but about to leave it: the last word counts.
  const isLeaving = waiting !== undefined && waiting !== hash;
  if (run.bundleHash === null || (run.bundleHash === hash && !isLeaving)) return { outcome: 'current', to: hash };
  const log = await readLog(store, runId);
  const problem = run.bundleHash === hash ? null : await replayHistory(historyOf(runId, log), code);
  if (problem !== null) return { outcome: 'refused', problem };
  await store.putBundle(hash, { code: code.code, map, manifest });
  const owner = `upgrade-${process.pid}-${randomUUID()}`;
  await store.registerOwner(owner, LEASE);
  try {
    const claimed = await store.claimRun(runId, { owner, now: host.now() });
    if (claimed.ok) {
      const result = await move(host, { ...claimed.run, status: run.status }, log.length, code);
      await store.release(runId, claimed.run.fence);
      return result;
    }
    if (claimed.reason === 'unknown-run') throw unknownRun(runId, store.url);
    if (claimed.reason === 'finished') throw finished(claimed.run);
    const answer = await ask(host, run, claimed.owner, hash, options.timeout ?? PATIENCE);
    if (answer !== 'parked') return answer;
  } finally {
    await store.removeOwner(owner);
  }
  // Nobody has it any more.
  return await upgradeRun(host, runId, code, options);
}

/** @param seen as much of the log as was replayed */
async function move(host: UpgradeHost, run: RunRecord, seen: number, code: UpgradeCode): Promise<Upgrade> {
  const { store } = host;
  const { id: runId, fence, lastSeq: afterSeq, bundleHash: from } = run;
  const log = await readLog(store, runId);
  const stays = from === code.hash;
  const problem = stays || log.length === seen ? null : await replayHistory(historyOf(runId, log), code);
  if (problem !== null) return { outcome: 'refused', problem };
  const at = Math.max(host.now(), log.at(-1)?.at ?? 0);
  // What was asked of a worker that did not come to it would move the run away again.
  const asked = upgradesIn(await store.readInbox({ runId }));
  const events = superseded(asked, code.hash, at);
  if (!stays) events.push({ type: 'run_upgraded', at, meta: { bundleHash: code.hash, from } });
  // What parked it may be gone.
  const goesOn = !stays && run.status === 'parked';
  if (goesOn) events.push({ type: 'run_unparked', at });
  const wake = goesOn ? { wakeAt: at } : {};
  const result = await store.append({ runId, fence, afterSeq, events, consume: asked.map(({ id }) => id), ...wake });
  if (result.ok) return stays ? { outcome: 'current', to: code.hash } : { outcome: 'upgraded', from, to: code.hash };
  throw new PawlError('PAWL_UPGRADE_FAILED', `The run was taken over while it was moved (${result.reason}).`, {
    place: `run ${runId}`,
    remedy: 'Nothing was changed. Try again.',
  });
}

/** Asks the worker that has the run, and waits for what the log says of it. */
async function ask(
  host: UpgradeHost,
  run: RunRecord,
  owner: string,
  bundleHash: string,
  timeout: number,
): Promise<Upgrade | 'parked'> {
  const { store } = host;
  // Somebody else may have asked for the same since the run was read: that answer is this one's too.
  const { id: runId } = run;
  let afterSeq = run.lastSeq;
  const asked = await store.requestUpgrade(runId, { at: host.now(), bundleHash });
  if (!asked.ok) throw asked.reason === 'finished' ? finished(run) : unknownRun(runId, store.url);
  return await new Promise((resolve, reject) => {
    let reading: Promise<void> = Promise.resolve();
    const settle = (done: () => void): void => {
      unsubscribe();
      clearTimeout(timer);
      done();
    };
    const look = async (): Promise<void> => {
      for (const event of await store.readEvents(runId, { afterSeq })) {
        afterSeq = event.seq;
        const found = answerOf(event, bundleHash);
        if (found !== null) settle(() => resolve(found));
        else if (event.type === 'run_parked') settle(() => resolve('parked'));
        else if (event.type in TERMINAL_EVENTS) settle(() => reject(finished(run)));
      }
    };
    const again = (): void => {
      reading = reading.then(look).catch((error: unknown) => settle(() => reject(error as Error)));
    };
    const timer = setTimeout(() => settle(() => resolve({ outcome: 'asked', owner })), timeout);
    const unsubscribe = store.subscribe(again);
    again();
  });
}

function answerOf(event: RunEvent, bundleHash: string): Upgrade | null {
  if (event.type === 'run_upgraded' && event.meta.bundleHash === bundleHash)
    return { outcome: 'upgraded', from: event.meta.from, to: bundleHash };
  if (event.type !== 'run_upgrade_refused' || event.meta.bundleHash !== bundleHash) return null;
  const { code, message } = event.meta;
  if (code === CURRENT) return { outcome: 'current', to: bundleHash };
  return { outcome: 'refused', problem: { code, message } };
}

function finished({ id, status }: RunRecord): PawlError {
  return new PawlError('PAWL_RUN_FINISHED', `The run ${id} has ended: there is nothing to move.`, {
    place: `run ${id} (${status})`,
    remedy: 'Runs that begin now begin on the newest code by themselves.',
  });
}

export interface Claimed {
  record: RunRecord;
  log: RunEvent[];
  inbox: InboxMessage[];
  /** Steps on offer. */
  offers: number[];
}

/**
 * Reads a run that was just claimed, and moves it where it is asked to go.
 *
 * @throws PawlError `PAWL_STORE_CORRUPT`
 */
export async function readClaimed(host: UpgradeHost, record: RunRecord): Promise<Claimed | null> {
  const { store } = host;
  // A taken step may end meanwhile: what is on offer no more by then is a message.
  const offers = await store.listOffers(record.id);
  const [log, inbox] = await Promise.all([readLog(store, record.id), store.readInbox({ runId: record.id })]);
  checkRecord(record, log, store.url);
  return await takeUpgrades(host, { record, log, inbox, offers });
}

/**
 * Does, for a run that was just claimed, what its messages ask.
 *
 * @returns the run as it is then; null when another worker has taken it
 */
async function takeUpgrades(host: UpgradeHost, claimed: Claimed): Promise<Claimed | null> {
  const { record, log, inbox } = claimed;
  const asked = upgradesIn(inbox);
  const wanted = asked.at(-1)?.bundleHash;
  if (wanted === undefined) return claimed;
  const { store } = host;
  const { id: runId, fence, lastSeq: afterSeq, bundleHash: from } = record;
  const at = Math.max(host.now(), log.at(-1)?.at ?? 0);
  const events = superseded(asked, wanted, at);
  if (wanted === from) {
    // Whoever asked waits for an answer in the log.
    events.push(refusal(at, wanted, { code: CURRENT, message: 'The run is on this code already.' }));
  } else {
    const bundle = await store.getBundle(wanted);
    const problem =
      bundle === null ? notKept(wanted) : await replayHistory(historyOf(runId, log), { hash: wanted, ...bundle });
    if (problem === null) events.push({ type: 'run_upgraded', at, meta: { bundleHash: wanted, from } });
    else events.push(refusal(at, wanted, problem));
  }
  const result = await store.append({ runId, fence, afterSeq, events, consume: asked.map(({ id }) => id) });
  if (!result.ok) return null;
  const bundleHash = events.at(-1)?.type === 'run_upgraded' ? wanted : from;
  return {
    ...claimed,
    record: { ...record, bundleHash, lastSeq: result.lastSeq },
    log: await readLog(store, runId),
    inbox: inbox.filter(({ kind }) => kind !== 'upgrade'),
  };
}

type UpgradeMessage = Extract<InboxMessage, { kind: 'upgrade' }>;

function upgradesIn(inbox: readonly InboxMessage[]): UpgradeMessage[] {
  return inbox.flatMap((message) => (message.kind === 'upgrade' ? [message] : []));
}

/** The answers to those who asked for other code before somebody asked for `wanted`. */
function superseded(asked: readonly UpgradeMessage[], wanted: string, at: number): NewRunEvent[] {
  const others = new Set(asked.map(({ bundleHash }) => bundleHash));
  others.delete(wanted);
  const message = `Before the run could be moved to it, somebody asked for other code, ${wanted}: the last word counts.`;
  return [...others].map((hash) => refusal(at, hash, { code: 'PAWL_UPGRADE_SUPERSEDED', message }));
}

function notKept(hash: string): ParkedReason {
  return {
    code: 'PAWL_BUNDLE_LOST',
    message: `The store has no workflow bundle ${hash}, to which the run was to be moved.`,
  };
}

/** That a run stays on its code. */
function refusal(at: number, bundleHash: string, { code, message }: ParkedReason): NewRunEvent {
  return { type: 'run_upgrade_refused', at, meta: { bundleHash, code, message } };
}
