/**
 * Runtimes for durable code beside pawl, each on the same shapes of work in the same run.
 *
 * How they are kept fair: `peers/child.ts` drives every one with the same code and checks each result; each has a process of its own, and
 * only one has a process at a time; each process begins with an empty folder and an empty database on the same disk, and is warm before
 * its first figure; rounds go through all of them, in another order each; PostgreSQL is one server for all, reached by its socket, with
 * the settings that survive loss of power. Everything else is as each one's own guide has it.
 *
 * What is unfair to whom, all the same:
 * - Steps do nothing, so the figures are overhead alone. One that calls a model for a second hides the whole difference.
 * - To DBOS and the Workflow SDK on PostgreSQL, against pawl on SQLite: a file in the process has no server to ask. That is the point of
 *   it; pawl on PostgreSQL is compared with those on PostgreSQL.
 * - To Restate: its server is a process of its own that may be a cluster, and every run and step crosses to it and back. For it: that
 *   server is native code and works on another core at the same time.
 * - To the Workflow SDK: its world of files is made for development, its world of PostgreSQL calls itself a reference, and its makers
 *   run it on a platform of their own. For it: the files are not synced, and the wait of its client, which asks once a second, is not
 *   counted (`peers/workflow-sdk.ts`).
 * - To none: who starts a run and who runs it share a process, but for Restate's server.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { startPostgres } from '../test/support/postgres.ts';
import type { PeerName, Reply } from './peers/child.ts';
import type { Figure, Shape } from './peers/peer.ts';
import { peerVersions } from './peers.ts';
import { median, type Row } from './report.ts';

const CACHE = fileURLToPath(new URL('../.cache/', import.meta.url));
const RUN_TS = fileURLToPath(new URL('../scripts/run-ts.mjs', import.meta.url));
const CHILD = fileURLToPath(new URL('./peers/child.ts', import.meta.url));

const ROUNDS = 3;
/** What takes longer is measured once. */
const LONG_MS = 3_000;
const START_MS = 60_000;

interface Form extends Shape {
  what: string;
  unit: 'ms' | 'runs/s';
  /** After this, a peer has not finished. */
  limitMs: number;
  rounds: number;
}

const THOUSAND = 1_000;
const LONGEST = 10_000;
const THOUSAND_LIMIT_MS = 60_000;

const FORMS: readonly Form[] = [
  {
    kind: 'sequential',
    count: 100,
    what: '100 steps one after the other, each',
    unit: 'ms',
    limitMs: 30_000,
    rounds: ROUNDS,
  },
  {
    kind: 'sequential',
    count: THOUSAND,
    what: '1,000 steps one after the other, each',
    unit: 'ms',
    limitMs: THOUSAND_LIMIT_MS,
    rounds: ROUNDS,
  },
  {
    kind: 'late',
    count: LONGEST,
    what: 'the 10,000th step of a run',
    unit: 'ms',
    limitMs: THOUSAND_LIMIT_MS,
    rounds: 1,
  },
  { kind: 'parallel', count: 100, what: '100 parallel steps', unit: 'ms', limitMs: 30_000, rounds: ROUNDS },
  { kind: 'parallel', count: 500, what: '500 parallel steps', unit: 'ms', limitMs: 30_000, rounds: ROUNDS },
  { kind: 'crowd', count: 200, what: '200 runs of one step at once', unit: 'runs/s', limitMs: 30_000, rounds: ROUNDS },
  {
    kind: 'one',
    count: 30,
    what: 'start to result of a run of one step, p50',
    unit: 'ms',
    limitMs: 30_000,
    rounds: ROUNDS,
  },
];

interface System {
  name: PeerName;
  title: string;
  postgres: boolean;
  own: boolean;
}

function systems(): System[] {
  const versions = peerVersions();
  const sdk = `Workflow SDK ${versions.workflow}`;
  const peer = { own: false, postgres: false };
  return [
    { name: 'pawl', title: 'pawl, SQLite', own: true, postgres: false },
    { name: 'pawl-postgres', title: 'pawl, PostgreSQL', own: true, postgres: true },
    { ...peer, name: 'workflow', title: `${sdk}, files` },
    { ...peer, name: 'workflow-postgres', title: `${sdk}, PostgreSQL`, postgres: true },
    { ...peer, name: 'dbos', title: `DBOS ${versions['@dbos-inc/dbos-sdk']}, PostgreSQL`, postgres: true },
    { ...peer, name: 'restate', title: `Restate ${versions['@restatedev/restate-server']}, its server` },
  ];
}

/** A figure for each round, or why there is none. */
type Outcome = { figures: Figure[]; over: boolean; note?: string } | string;
type Outcomes = Map<System, Map<Form, Outcome>>;

/** @param words names of peers: only these beside pawl, if there are any among the words */
export async function benchPeers(words: readonly string[], print: (title: string, rows: Row[]) => void): Promise<void> {
  const chosen = systems().filter(({ name, own }) => own || words.includes(name));
  const all = chosen.some(({ own }) => !own) ? chosen : systems();
  const outcomes: Outcomes = new Map(all.map((system) => [system, new Map()]));
  mkdirSync(CACHE, { recursive: true });
  // What they leave goes when all are done: to remove it is work for the disk, which the next one would wait for.
  const folder = mkdtempSync(join(CACHE, 'peers-'));
  const server = await startPostgres({ durable: true });
  try {
    for (let round = 0; round < ROUNDS; round++)
      for (let i = 0; i < all.length; i++) {
        const system = all[(i + round) % all.length] as System;
        const open = async (): Promise<Session> => {
          await settle(server.url);
          return Session.open(system.name, folder, server.url);
        };
        await roundOf(open, round, outcomes.get(system) as Map<Form, Outcome>);
      }
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
  for (const form of FORMS) print(`Against the peers: ${form.what}`, rowsOf(form, outcomes));
}

/** Every shape that still wants a figure of this round; a process that did not finish one is followed by another. */
async function roundOf(open: () => Promise<Session>, round: number, outcomes: Map<Form, Outcome>): Promise<void> {
  let session: Session | undefined;
  try {
    for (const form of FORMS) {
      const before = outcomes.get(form) ?? { figures: [], over: false };
      if (typeof before === 'string' || before.over || round >= form.rounds) continue;
      const hopeless = form.kind === 'late' ? whyNotLate(outcomes) : undefined;
      if (hopeless !== undefined) {
        outcomes.set(form, hopeless);
        continue;
      }
      try {
        session ??= await open();
        const begun = performance.now();
        const figure = await session.ask(form);
        const over = performance.now() - begun > LONG_MS;
        outcomes.set(form, { figures: [...before.figures, figure], over });
      } catch (error) {
        const why = (error as Error).message;
        // Who does not start gets no second try.
        for (const missing of session ? [form] : FORMS) fail(outcomes, missing, why);
        await session?.close();
        session = undefined;
      }
    }
  } finally {
    await session?.close();
  }
}

/** Figures of rounds before stay, with a word about what came then. */
function fail(outcomes: Map<Form, Outcome>, form: Form, why: string): void {
  const before = outcomes.get(form);
  if (before === undefined) outcomes.set(form, why);
  else if (typeof before !== 'string') outcomes.set(form, { ...before, over: true, note: `then it ${why}` });
}

/** Only those who are done with a thousand steps in time are asked for ten thousand. */
function whyNotLate(outcomes: Map<Form, Outcome>): string | undefined {
  const thousand = outcomes.get(FORMS[1] as Form);
  if (thousand === undefined || typeof thousand === 'string') return 'not tried: see 1,000 steps';
  const expected = median(thousand.figures.map(({ value }) => value)) * LONGEST;
  return expected < THOUSAND_LIMIT_MS
    ? undefined
    : `not tried: ${(expected / 1_000).toFixed(0)} s at the pace of 1,000 steps`;
}

/** A process of a peer, with a folder and a database that nobody used before. */
export class Session {
  #child: ChildProcess;
  #gone: Promise<unknown>;
  #database: Database;
  #said = '';

  static async open(name: PeerName, parent: string, server: string): Promise<Session> {
    const folder = mkdtempSync(join(parent, `${name}-`));
    const database = await createDatabase(server);
    const session = new Session(name, folder, database);
    try {
      await session.#reply(START_MS, 'did not start');
      return session;
    } catch (error) {
      await session.close();
      throw error;
    }
  }

  private constructor(name: PeerName, folder: string, database: Database) {
    this.#database = database;
    // A group of its own: what it starts goes with it.
    this.#child = spawn(process.execPath, [RUN_TS, CHILD, name, folder, database.url], {
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.#gone = once(this.#child, 'close');
    this.#child.stderr?.on('data', (text) => {
      this.#said = `${this.#said}${text}`.slice(-2_000);
    });
    process.on('exit', this.#kill);
  }

  async ask({ kind, count, limitMs }: Shape & { limitMs: number }): Promise<Figure> {
    // It may have ended since its last answer.
    if (!this.#child.connected) throw new Error(this.#ended());
    this.#child.send({ kind, count } satisfies Shape, () => {});
    const reply = await this.#reply(limitMs, 'did not finish');
    if (!('figure' in reply)) throw new Error('the process answered what it was not asked');
    return reply.figure;
  }

  async close(): Promise<void> {
    process.off('exit', this.#kill);
    this.#kill();
    await this.#gone;
    await this.#database.drop();
  }

  #kill = (): boolean => {
    try {
      return this.#child.pid !== undefined && process.kill(-this.#child.pid, 'SIGKILL');
    } catch {
      return false;
    }
  };

  #ended(): string {
    return `ended: ${firstLine(this.#said)}`;
  }

  #reply(limitMs: number, late: string): Promise<Exclude<Reply, { failed: string }>> {
    return new Promise((resolve, reject) => {
      const settle = (act: () => void): void => {
        clearTimeout(timer);
        this.#child.off('message', onMessage).off('exit', onExit);
        act();
      };
      const fail = (why: string): void => settle(() => reject(new Error(why)));
      const timer = setTimeout(() => fail(`${late} within ${limitMs / 1_000} s`), limitMs);
      const onMessage = (reply: Reply): void => {
        if ('failed' in reply) fail(`failed: ${firstLine(reply.failed)}`);
        else settle(() => resolve(reply));
      };
      const onExit = (): void => fail(this.#ended());
      this.#child.on('message', onMessage).once('exit', onExit);
    });
  }
}

function firstLine(text: string): string {
  return text.trim().split('\n')[0]?.slice(0, 120) ?? '';
}

/** So that nobody waits for what was written for the one before. */
async function settle(server: string): Promise<void> {
  await query(server, 'CHECKPOINT');
  // Where there is no such command, the system writes when it likes.
  spawnSync('sync');
}

async function query(server: string, statement: string): Promise<void> {
  const client = new pg.Client(server);
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

interface Database {
  url: string;
  drop(): Promise<void>;
}

async function createDatabase(server: string): Promise<Database> {
  const name = `bench_${randomBytes(6).toString('hex')}`;
  await query(server, `CREATE DATABASE ${name}`);
  const url = new URL(server.replace(':///', '://postgres@localhost/'));
  url.pathname = name;
  // DBOS refuses an address without a user and a host before the question mark; the socket's folder behind it is what counts.
  return { url: url.href, drop: () => query(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`) };
}

/** The figures of one shape, and how pawl compares with the best of the others. */
export function rowsOf(form: Form, outcomes: Outcomes): Row[] {
  const found = [...outcomes].map(([system, all]) => ({ system, ...summary(all.get(form)) }));
  const rows: Row[] = found.map(({ system, value, note }) => ({
    what: system.title,
    unit: form.unit,
    value,
    ...(note ? { note } : {}),
  }));
  const against = (name: PeerName, peers: (system: System) => boolean, what: string, goal: number): Row => {
    const own = found.find(({ system }) => system.name === name)?.value;
    const theirs = found.flatMap(({ system, value }) =>
      !system.own && peers(system) && typeof value === 'number' ? [value] : [],
    );
    // What takes less time: a rate counts by its inverse.
    const times = (value: number): number => (form.unit === 'runs/s' ? 1 / value : value);
    const value =
      typeof own !== 'number'
        ? 'no figure'
        : theirs.length === 0
          ? 'none of them finished'
          : times(own) / Math.min(...theirs.map(times));
    // Where there is nobody to compare with, there is no goal either.
    return { what, unit: '×', value, ...(typeof own === 'number' && theirs.length === 0 ? {} : { goal }) };
  };
  rows.push(against('pawl', () => true, '  pawl on SQLite against the best of them', 0.25));
  rows.push(against('pawl-postgres', (system) => system.postgres, '  pawl on PostgreSQL against the best on it', 1));
  return rows;
}

function summary(outcome: Outcome | undefined): { value: number | string; note?: string } {
  if (outcome === undefined) return { value: 'no figure' };
  if (typeof outcome === 'string') return { value: outcome };
  const { figures } = outcome;
  const notes = [
    figures[0]?.note,
    figures.length < ROUNDS ? `${figures.length} of ${ROUNDS} rounds` : '',
    outcome.note,
  ];
  const note = notes.filter(Boolean).join(', ');
  return { value: median(figures.map(({ value }) => value)), ...(note ? { note } : {}) };
}
