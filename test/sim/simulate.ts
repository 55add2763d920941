/**
 * One simulated life of a few runs: workers that are killed and started, lines to the store that fail and are cut, clocks that jump, all
 * by the choices of one seed, in virtual time. What has to be true whatever happened is checked along the way and at the end.
 *
 * The idea is FoundationDB's (Zhou et al., SIGMOD 2021) and TigerBeetle's: everything that could be chance is drawn from the seed, so
 * a failure can be looked at again.
 */
import { getStepMetadata, getWritable } from '../../src/index.ts';
import { hashText } from '../../src/manifest/index.ts';
import { FatalError } from '../../src/runtime/errors.ts';
import type { Program } from '../../src/runtime/program.ts';
import { upgradeRun } from '../../src/runtime/upgrade.ts';
import { createWorker, type Worker } from '../../src/runtime/worker.ts';
import type { AppendChunksRequest, AppendRequest, EventStore, RunRecord } from '../../src/store/port.ts';
import { program } from '../runtime/support.ts';
import { type Defect, faultyStore, type Line } from './faults.ts';
import { randomProgram, type RandomProgram, SHARED } from './programs.ts';
import { Random } from './random.ts';
import { freshStore } from './store.ts';

export interface SimulationOptions {
  seed: number;
  /** Moves virtual time on to the next timer, or by so many ms; sets the wall clock. */
  time: { toNext(): void; by(ms: number): void; jump(ms: number): void };
  defect?: Defect | null;
}

export interface SimulationResult {
  problems: string[];
  /** How often each thing happened. */
  happened: Record<string, number>;
}

/** How long the world is bad, in turns; then it heals, and everything has to come to its end. */
const BAD_TURNS = 60;
const ALL_TURNS = 1_500;
const LEASE = 500;
/** Turns. */
const UNPARK_EVERY = 10;

/** Which lives have deploys, moves to other code and workers with little room: they take twice as long to live. */
export const EVENTFUL_EVERY = Number(process.env.PAWL_SIM_EVENTFUL ?? 20);

/** A build of the program: with all steps, and without one. */
interface Version {
  whole: Program;
  partial: Program;
}

interface SimulatedRun extends RandomProgram {
  id: string;
  /** The turn in which it is told to stop. */
  cancelAt: number | null;
}

interface Node {
  worker: Worker | null;
  line: Line;
  /** Runs a build without one of the steps. */
  isPartial: boolean;
}

export async function simulate({ seed, time, defect = null }: SimulationOptions): Promise<SimulationResult> {
  const random = new Random(seed);
  const problems: string[] = [];
  const happened: Record<string, number> = {};
  const note = (what: string): void => {
    happened[what] = (happened[what] ?? 0) + 1;
  };

  const runs: SimulatedRun[] = Array.from({ length: 1 + random.below(3) }, (_, n) => ({
    id: `r${n}`,
    ...randomProgram(random),
    cancelAt: random.chance(0.15) ? random.below(BAD_TURNS) : null,
  }));
  const finished = new Set<string>();
  const began = (): { key: string; attempt: number } => {
    const { idempotencyKey, attempt } = getStepMetadata();
    if (finished.has(idempotencyKey))
      problems.push(`step ${idempotencyKey} begins again (attempt ${attempt}), finished`);
    note('attempts');
    return { key: idempotencyKey, attempt };
  };
  const pause = (): Promise<void> | undefined => {
    const ms = random.below(30);
    return ms < 15 ? undefined : new Promise((resolve) => setTimeout(resolve, ms));
  };
  const steps = {
    add: async (a: number, b: number) => {
      began();
      await pause();
      return a + b;
    },
    flaky: Object.assign(
      async (a: number, failures: number) => {
        const { attempt } = began();
        await pause();
        if (attempt <= failures) throw new Error(`not yet (${attempt})`);
        return a;
      },
      { maxRetries: 50, retryAfter: 10 },
    ),
    say: Object.assign(
      async (a: number) => {
        const { key } = began();
        const writer = getWritable<string>().getWriter();
        await writer.write(key);
        await pause();
        await writer.write(key);
        writer.releaseLock();
        return a;
      },
      { maxRetries: 50, retryAfter: 10 },
    ),
    fail: async (a: number) => {
      began();
      await pause();
      throw new FatalError(`never ${a}`);
    },
  };
  const code = runs.map(({ id, code: body }) => `workflow('${id}', async () => {\n${body}\n});`).join('\n');
  const { add: _, ...fewer } = steps;
  const isEventful = seed % EVENTFUL_EVERY === 0;
  const versions = (isEventful ? [1, 2, 3] : [1]).map((version): Version => {
    const workflows = `${SHARED}\n${code}\n// version ${version}`;
    const made = program({ workflows, steps });
    // The same code in effect, but code of its own.
    const bundle = { ...made.workflows, hash: hashText(made.workflows.code) };
    const whole = { ...made, workflows: bundle };
    return { whole, partial: isEventful ? { ...program({ workflows, steps: fewer }), workflows: bundle } : whole };
  });

  // Leases go by a clock that does not jump: with the wall clock a jump there and back would end one that its holder trusts in.
  const store = await freshStore(() => performance.now());
  const appended = ({ runId, events }: AppendRequest): void => {
    for (const event of events)
      if (event.type === 'step_completed' || event.type === 'step_failed') finished.add(`${runId}-${event.cid}`);
  };

  const written = ({ writer, chunks }: AppendChunksRequest): void => {
    note('chunks');
    const key = writer.by.replace(' ', '-');
    if (chunks.length > 0 && finished.has(key)) problems.push(`step ${key} writes to a stream after its result`);
  };

  const taken = (key: string): void => {
    note('taken');
    if (finished.has(key)) problems.push(`step ${key} is taken after its result`);
  };

  const nodes: Node[] = Array.from({ length: 1 + random.below(3) }, () => ({
    worker: null,
    line: newLine(random),
    isPartial: false,
  }));
  let names = 0;
  let isBad = true;
  const start = async (node: Node): Promise<void> => {
    node.line = newLine(random);
    const line = node.line;
    const view = faultyStore(store, line, random, { appended, written, taken, defect });
    node.worker = null;
    const version = random.pick(versions);
    const isPartial = isEventful && isBad && random.chance(0.12);
    node.isPartial = isPartial;
    if (isPartial) note('partial deploys');
    try {
      const worker = await createWorker({
        program: isPartial ? version.partial : version.whole,
        store: view,
        lease: LEASE,
        maxRuns: isEventful ? random.pick([1, 1_000, 1_000]) : 1_000,
        newSeed: () => `seed ${names++}`,
      });
      if (line.dead) worker.kill();
      else node.worker = worker;
    } catch {
      // Its store did not answer: somebody starts it again.
      note('failed starts');
    }
  };
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 8; turn++) await new Promise((resolve) => setImmediate(resolve));
  };

  for (const { id } of runs) {
    await store.createRun({
      id,
      workflowId: id,
      seed: `seed of ${id}`,
      bundleHash: null,
      input: '1[[]]',
      at: Date.now(),
    });
  }
  const acknowledged = new Map<string, number[]>();
  const starting = new Set<Node>();
  const upgrade = async (runId: string, { whole }: Version): Promise<void> => {
    const host = { store, now: () => Date.now() };
    try {
      const result = await upgradeRun(host, runId, { ...whole.workflows, manifest: null }, { timeout: 200 });
      note(`upgrades: ${result.outcome}`);
      if (result.outcome !== 'refused' || /_(?:SUPERSEDED|FINISHED)$/.test(result.problem.code)) return;
      problems.push(`${runId} is not moved: ${result.problem.message}`);
    } catch (error) {
      const { code, message } = error as { code?: string; message: string };
      if (!/^PAWL_(?:RUN_FINISHED|UPGRADE_FAILED)$/.test(String(code))) problems.push(`${runId}: ${message}`);
    }
  };
  const begin = (node: Node): void => {
    starting.add(node);
    void start(node).finally(() => starting.delete(node));
  };
  for (const node of nodes) begin(node);

  let turn = 0;
  for (; turn < ALL_TURNS; turn++) {
    await settle();
    isBad = turn < BAD_TURNS;
    if (!isBad) for (const { line } of nodes) Object.assign(line, { cut: false, trouble: 0 });
    // The last deploy is a whole one, also where a partial one was under way when the world healed.
    if (!isBad) for (const node of nodes) if (node.isPartial && node.worker) kill(node);
    if (await allEnded(store, runs)) break;
    if (!isBad && turn % UNPARK_EVERY === 0) await unpark(store, nodes);
    for (const { id, cancelAt } of runs) if (turn === cancelAt) await store.requestCancel(id, { at: Date.now() });
    if (isEventful && isBad && random.chance(0.08)) {
      const { runs: all } = await store.listRuns({ limit: 1_000 });
      void upgrade(random.pick(all).id, random.pick(versions));
    }
    for (const node of nodes) if (!node.worker && !starting.has(node) && (!isBad || random.chance(0.5))) begin(node);
    await deliver(store, runs, acknowledged, random);
    if (!isBad) {
      time.toNext();
      continue;
    }
    const node = random.pick(nodes);
    switch (random.below(12)) {
      case 0:
        if (node.worker) note('kills');
        kill(node);
        break;
      case 1:
        note(node.line.cut ? 'heals' : 'cuts');
        node.line.cut = !node.line.cut;
        break;
      case 2:
        note('jumps');
        time.jump(random.below(4 * LEASE) - LEASE);
        break;
      case 3:
        time.by(random.below(LEASE));
        break;
      default:
        time.toNext();
    }
  }
  if (turn === ALL_TURNS) problems.push(`not all runs have ended after ${turn} turns`);
  await verify(store, runs, acknowledged, problems);
  await verifyChildren(store, problems, note);
  await verifyStreams(store, runs, problems);
  for (const { worker, line } of nodes) {
    line.dead = true;
    worker?.kill();
  }
  await settle();
  await store.close();
  return { problems, happened };
}

function newLine(random: Random): Line {
  return { cut: false, dead: false, trouble: random.pick([0, 0.05, 0.2]) };
}

const ENDED = /^(?:completed|failed|cancelled)$/;

/** Whether it has ended, or cannot go on whatever is deployed. */
function isOver({ status, parkedReason }: RunRecord): boolean {
  return ENDED.test(status) || (parkedReason !== null && parkedReason.code !== 'PAWL_STEP_MISSING');
}

/** Looks at the children only when their callers have ended: to list runs takes longer than most turns. */
async function allEnded(store: EventStore, runs: readonly { id: string }[]): Promise<boolean> {
  for (const { id } of runs) {
    const run = await store.getRun(id);
    if (run && !isOver(run)) return false;
  }
  return (await store.listRuns({ limit: 1_000 })).runs.every(isOver);
}

function kill(node: Node): void {
  if (!node.worker) return;
  node.line.dead = true;
  node.worker.kill();
  node.worker = null;
}

/** As the start of a worker with all steps does. Its line may be slow: nobody waits for it, or time would stand still. */
async function unpark(store: EventStore, nodes: readonly Node[]): Promise<void> {
  const worker = nodes.find((node) => node.worker)?.worker;
  if (!worker) return;
  for (const { id } of (await store.listRuns({ status: ['parked'], limit: 1_000 })).runs)
    worker.unpark(id).catch(() => {});
}

/** Hands in the payloads of a hook, one after the other. */
async function deliver(
  store: EventStore,
  runs: readonly SimulatedRun[],
  acknowledged: Map<string, number[]>,
  random: Random,
): Promise<void> {
  for (const { id, payloads } of runs) {
    const sent = acknowledged.get(id) ?? [];
    const next = payloads[sent.length];
    if (next === undefined || random.chance(0.5)) continue;
    // Most of what a schema refuses is refused at once; here it comes in all the same, as for a run that could not be asked.
    const result = await store.deliverHook(`hook of ${id}`, `1[${next}]`, Date.now());
    if (result.ok) acknowledged.set(id, [...sent, next]);
  }
}

/** Every call has one run, every such run its call; what one ended with is what the other heard, if it still could. */
async function verifyChildren(store: EventStore, problems: string[], note: (what: string) => void): Promise<void> {
  const { runs } = await store.listRuns({ limit: 1_000 });
  for (const { id } of runs) {
    const log = await store.readEvents(id);
    for (const event of log) {
      if (event.type !== 'child_scheduled') continue;
      const child = await store.getRun(event.meta.runId);
      if (child?.parent?.runId !== id || child.parent.cid !== event.cid)
        problems.push(`${event.meta.runId} is not there`);
      const heard = log.find(
        ({ type, cid }) => (type === 'child_completed' || type === 'child_failed') && cid === event.cid,
      );
      if (heard) note('children');
      if (heard && heard.data !== (child?.output ?? child?.error))
        problems.push(`${event.meta.runId} ended with ${child?.output ?? child?.error}, ${id} heard ${heard.data}`);
    }
  }
  for (const { id, parent } of runs) {
    if (parent === null) continue;
    const calls = (await store.readEvents(parent.runId)).filter(
      (event) => event.type === 'child_scheduled' && event.meta.runId === id,
    );
    if (calls.length !== 1) problems.push(`${id} was called ${calls.length} times`);
  }
}

/** What a step wrote that has a result is there, each attempt in its order. */
async function verifyStreams(store: EventStore, runs: readonly { id: string }[], problems: string[]): Promise<void> {
  for (const { id } of runs) {
    const page = await store.readChunks(id, 'w', { limit: 10_000 });
    const log = await store.readEvents(id);
    for (const event of log) {
      if (event.type !== 'step_scheduled' || event.name !== 'say') continue;
      if (!log.some(({ type, cid }) => type === 'step_completed' && cid === event.cid)) continue;
      const count = page?.chunks.filter((chunk) => chunk === `1["${id}-${event.cid}"]`).length ?? 0;
      if (count < 2) problems.push(`step ${id}-${event.cid} has a result, and ${count} of its 2 chunks`);
    }
  }
}

async function verify(
  store: EventStore,
  runs: readonly SimulatedRun[],
  acknowledged: ReadonlyMap<string, number[]>,
  problems: string[],
): Promise<void> {
  for (const { id, expected, cancelAt } of runs) {
    const run = await store.getRun(id);
    const log = await store.readEvents(id);
    // What is told to stop may do what it likes about it, but ends.
    const isStopped = cancelAt !== null && (run?.status === 'cancelled' || run?.status === 'completed');
    if (!isStopped && (run?.status !== 'completed' || run.output !== `1[${expected}]`))
      problems.push(
        `${id} is ${run?.status} with ${run?.output ?? run?.error ?? run?.parkedReason?.message}, not completed with ${expected}`,
      );
    log.forEach(({ seq }, index) => {
      if (seq !== index + 1) problems.push(`${id}: event ${index + 1} has number ${seq}`);
    });
    const results = log.flatMap((event) =>
      'cid' in event && /^(?:step|sleep|child)_(?:completed|failed)$/.test(event.type) ? [event.cid] : [],
    );
    if (new Set(results).size < results.length) problems.push(`${id}: a command has two results`);
    const received = log.flatMap((event) => (event.type === 'hook_received' ? [event.data] : []));
    const sent = (acknowledged.get(id) ?? []).map((payload) => `1[${payload}]`);
    if (received.join() !== sent.join())
      problems.push(`${id}: received ${received.join()}, acknowledged ${sent.join()}`);
    if ((await store.readInbox({ runId: id })).length > 0) problems.push(`${id}: a message is left`);
  }
}
