/**
 * Real kills, on SQLite and on PostgreSQL: three worker processes at a time, killed by SIGKILL and paused for longer than their
 * lease, again and again, until all runs are at their end.
 */
import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { openStore } from '../../src/store/open.ts';
import type { EventStore, RunRecord } from '../../src/store/port.ts';
import { Random } from '../sim/random.ts';
import { postgresUrl } from '../store/support/postgres.ts';
import { Fleet, type LedgerLine, STEPS, sumOf } from '../support/fleet.ts';

const WORKERS = 3;
/** How often somebody is killed, or paused, in a test. */
const BLOWS = Number(process.env.PAWL_FLEET_BLOWS ?? 6);
/** Runs are started whenever fewer are left. */
const RUNS = 30;
const LEASE = 500;
/** ms */
const TIMEOUT = 120_000 + BLOWS * 5_000;

const open: { fleet: Fleet; store: EventStore }[] = [];
afterAll(async () => {
  for (const { fleet, store } of open) {
    await store.close();
    await fleet.close();
  }
});

async function begin(url: (root: string) => string, lease = LEASE): Promise<{ fleet: Fleet; store: EventStore }> {
  const fleet = await Fleet.make(url, lease);
  const store = await openStore(fleet.url);
  open.push({ fleet, store });
  await Promise.all(Array.from({ length: WORKERS }, () => fleet.hire()));
  return { fleet, store };
}

const soon = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function left(store: EventStore): Promise<number> {
  return (await store.listRuns({ limit: 1_000, status: ['pending', 'running'] })).runs.length;
}

/** Deals blows while there is work, and lets all of it come to its end. Returns how many runs there were. */
async function endure(fleet: Fleet, store: EventStore, seed: number, blow: (victim: ChildProcess) => Promise<void>) {
  const chance = new Random(seed);
  let started = 0;
  for (let blows = 0; blows < BLOWS; blows++) {
    const lines = fleet.ledger().length + 1 + chance.below(25);
    while (fleet.ledger().length < lines) {
      if ((await left(store)) < RUNS) started = await fleet.start(store, started, RUNS);
      await soon(5);
    }
    await blow(chance.pick(fleet.workers));
  }
  while ((await left(store)) > 0) await soon(5);
  return started;
}

/** The run that each run has called. */
async function childrenOf(store: EventStore): Promise<Map<string, RunRecord>> {
  const children = new Map<string, RunRecord>();
  let cursor: string | undefined;
  do {
    const { runs, next } = await store.listRuns({ limit: 1_000, cursor });
    for (const run of runs) {
      if (run.parent === null) continue;
      expect(children.has(run.parent.runId), run.parent.runId).toBe(false);
      children.set(run.parent.runId, run);
    }
    cursor = next ?? undefined;
  } while (cursor !== undefined);
  return children;
}

/** What has to be true whatever happened. */
async function verify(fleet: Fleet, store: EventStore, runs: number): Promise<void> {
  const ledger = fleet.ledger();
  const late: LedgerLine[] = [];
  const finished = async (id: string, steps: number): Promise<void> => {
    const log = await store.readEvents(id);
    const results = log.filter(({ type }) => type === 'step_completed' || type === 'step_failed');
    expect(results.map(({ cid }) => cid)).toEqual([...new Set(results.map(({ cid }) => cid))]);
    expect(results, id).toHaveLength(steps);
    for (const { cid, attempt } of results) {
      const own = ledger.filter(({ key }) => key === `${id}-${cid}`);
      const end = own.findIndex(({ event, attempt: number }) => event === 'ended' && number === attempt);
      expect(end, `step ${cid} of ${id}`).toBeGreaterThan(0);
      late.push(...own.slice(end).filter(({ event }) => event === 'began'));
    }
  };
  const children = await childrenOf(store);
  expect(children.size).toBe(runs);
  for (let n = 0; n < runs; n++) {
    const run = await store.getRun(`r${n}`);
    expect(run).toMatchObject({ status: 'completed', output: `1[${sumOf(n)}]`, error: null });
    await finished(`r${n}`, STEPS.run);
    const child = children.get(`r${n}`);
    expect(child).toMatchObject({ status: 'completed', output: `1[${n + 6 + 3}]` });
    await finished(child?.id as string, STEPS.child);
  }
  // Nothing of a step begins once it is finished. One case is out of everybody's hands: a process that is stopped between the
  // question whether its lease holds and the act. What it was about to do is the first thing that it does when it goes on.
  expect(late.filter((line) => !fleet.isFirstAfterPause(line, ledger))).toEqual([]);
}

describe.each<[string, (root: string) => string]>([
  ['SQLite', (root) => `sqlite:${join(root, 'pawl.db')}`],
  ['PostgreSQL', () => postgresUrl()],
])('%s', (_name, url) => {
  test('workers are killed: every run ends, and no finished step begins again', { timeout: TIMEOUT }, async () => {
    const { fleet, store } = await begin(url);
    const runs = await endure(fleet, store, 7, async (victim) => {
      await fleet.kill(victim);
      await fleet.hire();
    });
    await verify(fleet, store, runs);
  });

  test('workers are paused for longer than their lease: their runs move on, what they commit then is refused', {
    timeout: TIMEOUT,
  }, async () => {
    const { fleet, store } = await begin(url);
    const runs = await endure(fleet, store, 11, async (victim) => {
      await fleet.pause(victim, LEASE * 1.5);
    });
    await verify(fleet, store, runs);
  });

  test('steps of one run that are pending together are made by several processes, each once', {
    timeout: TIMEOUT,
  }, async () => {
    // Nobody may take a slow machine's worker for dead.
    const { fleet, store } = await begin(url, 60_000);
    const STEPS_EACH = 9;
    const ids = await fleet.startWide(store, 6, STEPS_EACH);
    while ((await left(store)) > 0) await soon(5);
    const ledger = fleet.ledger();
    let spread = 0;
    for (const id of ids) {
      const run = await store.getRun(id);
      expect(run).toMatchObject({ status: 'completed', output: `1[${STEPS_EACH}]` });
      const began = ledger.filter(({ key, event }) => key.startsWith(`${id}-`) && event === 'began');
      expect(new Set(began.map(({ key }) => key)).size).toBe(STEPS_EACH);
      expect(began).toHaveLength(STEPS_EACH);
      // One that had one owner all the time.
      if (run?.fence === 1 && new Set(began.map(({ pid }) => pid)).size > 1) spread++;
    }
    expect(spread).toBeGreaterThan(0);
  });
});
