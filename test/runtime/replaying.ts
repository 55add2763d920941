/** Ways in which a program is run again, and has to go as it went the first time. */
import { expect } from 'vitest';
import { createVirtualClock } from '../../src/runtime/clock.ts';
import { LiveRun, type RunIdentity } from '../../src/runtime/live-run.ts';
import { Realm } from '../../src/runtime/sandbox.ts';
import type { NewRunEvent, RunEvent } from '../../src/store/events.ts';
import { type Ledger, sourcesOf } from './programs.ts';
import { program, type Setup, settle, setup, type Sources } from './support.ts';

/** Turns without a word from the worker after which it has nothing to do; more where runs wait for a place in memory. */
const STILL = 5;
const STILL_WAITING = 40;

/** Lets everything happen that can happen at this time. */
async function settleAll({ store, clock, events }: Setup): Promise<void> {
  const isDue = async (): Promise<boolean> => {
    const { runs } = await store.listRuns({ status: ['pending', 'running'] });
    return runs.some(({ owner, wakeAt }) => owner === null && wakeAt !== null && wakeAt <= clock.now());
  };
  for (let still = 0; still < STILL || (still < STILL_WAITING && (await isDue())); ) {
    const before = events.length;
    await settle(1);
    still = events.length === before ? still + 1 : 0;
  }
}

/** Lets a run come to its end: moves the clock on whenever nothing else happens, and feeds its hook. */
async function finish(made: Setup, runId: string): Promise<void> {
  for (let turn = 0; turn < 200; turn++) {
    await settleAll(made);
    const record = await made.store.getRun(runId);
    if (record && !['pending', 'running'].includes(record.status)) return;
    const hook = await made.store.getHook('h');
    if (hook && hook.disposedAt === null) {
      const log = await made.store.readEvents(runId);
      const received = log.filter((event) => event.type === 'hook_received').length;
      if (received < 2 && (await made.store.readInbox({ runId })).length === 0) {
        await made.worker.resumeHook('h', received);
        continue;
      }
    }
    const next = made.clock.next();
    if (next !== null) made.clock.advanceTo(next);
  }
  throw new Error('The run does not end.');
}

export async function recorded(code: string, args: unknown[] = []) {
  const clock = createVirtualClock();
  const ledger: Ledger = { calls: [] };
  const sources = sourcesOf(code, ledger, clock);
  const made = await setup(sources, { clock, newId: () => 'run', newSeed: () => 'seed' });
  const run = await made.start('w', ...args);
  await finish(made, run.runId);
  const log = await made.store.readEvents(run.runId);
  const record = await made.store.getRun(run.runId);
  return { sources, log, record, ledger, made };
}

const COMMANDS = [
  'step_scheduled',
  'sleep_scheduled',
  'hook_created',
  'hook_disposed',
  'hook_refused',
  'child_scheduled',
  'run_completed',
  'run_failed',
  'run_cancelled',
];
const isCommand = (event: { type: string }): boolean => COMMANDS.includes(event.type);

/** Making one takes longer than most replays. */
let realm: Realm | undefined;

export function load(sources: Sources, log: readonly RunEvent[]): LiveRun {
  const created = log[0];
  if (created?.type !== 'run_created') throw new Error('no run');
  const identity: RunIdentity = {
    id: 'run',
    workflowId: 'w',
    seed: created.meta.seed,
    createdAt: created.at,
    input: created.data,
  };
  realm ??= new Realm(true);
  return new LiveRun(identity, realm, realm.load(program(sources).workflows), 10_000);
}

const withoutSeq = (events: readonly RunEvent[]): unknown[] => events.map(({ seq: _, ...event }) => clean(event));
/** Null columns may be left out when events are written. Ends are made elsewhere. */
const clean = (event: object): unknown =>
  Object.fromEntries(Object.entries(event).filter(([, value]) => value !== null && value !== undefined));

/** Every beginning of the log that a crash may leave is followed by the rest of it. */
export async function goesOnFromEveryPrefix(code: string, args?: unknown[]): Promise<void> {
  const { sources, log } = await recorded(code, args);
  const end = log.findIndex((event) => event.type.startsWith('run_') && event.type !== 'run_created');
  const events = log.slice(0, end);
  for (let cut = 1; cut <= events.length; cut++) {
    const next = log[cut];
    if (next && isCommand(next)) continue;
    const run = load(sources, log);
    const { divergence, asked } = run.replay(events.slice(0, cut));
    expect(divergence, `after ${cut} events`).toBe(null);
    expect(asked.map(clean)).toEqual([]);
    const causes = withoutSeq(events.slice(cut)).filter((event) => !isCommand(event as RunEvent)) as NewRunEvent[];
    const out: NewRunEvent[] = [];
    run.deliver(causes, out);
    expect(out.map(clean), `after ${cut} events`).toEqual(withoutSeq(events.slice(cut)));
    expect(run.outcome).not.toBe(null);
  }
}

export async function asksTheSameAgain(code: string, args?: unknown[]): Promise<void> {
  const { sources, log } = await recorded(code, args);
  const run = load(sources, log);
  const { divergence, asked } = run.replay(log.slice(0, 1));
  expect(divergence).toBe(null);
  const commands = log.slice(1, 1 + asked.length);
  expect(asked.map(clean)).toEqual(withoutSeq(commands));
}

/** With others that take its place in memory whenever it is idle. */
export async function survivesEviction(code: string, args: unknown[] = []): Promise<void> {
  const { record } = await recorded(code, args);
  const clock = createVirtualClock();
  const ledger: Ledger = { calls: [] };
  const made = await setup(sourcesOf(code, ledger, clock), {
    clock,
    maxRuns: 1,
    newId: ids('run'),
    newSeed: () => 'seed',
  });
  const run = await made.start('w', ...args);
  await made.start('w', ...args);
  await finish(made, run.runId);
  const evicted = await made.store.getRun('run');
  expect(evicted?.status).toBe(record?.status);
  expect(evicted?.output).toBe(record?.output);
}

function ids(first: string): () => string {
  let count = 0;
  return () => (count++ === 0 ? first : `${first}${count}`);
}
