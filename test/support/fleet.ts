/**
 * A fleet: processes that work on one store, killed and paused at the whim of a seed, against a ledger that stands outside of the
 * store. What steps do is written there before they return, in one line each, in the order in which it happened.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EventStore } from '../../src/store/port.ts';
import { CLI, spawnCli } from './cli.ts';
import { ROOT } from './dist.ts';

const PROGRAM = `import { appendFileSync } from 'node:fs';
import { getStepMetadata, sleep } from 'pawl';

const note = (what: string): void => {
  const { idempotencyKey, attempt } = getStepMetadata();
  appendFileSync(process.env.LEDGER as string, what + ' ' + idempotencyKey + ' ' + attempt + ' ' + process.pid + '\\n');
};

async function add(a: number, b: number) {
  'use step';
  note('began');
  await new Promise((resolve) => setTimeout(resolve, 10 + ((a + b) % 4) * 15));
  note('ended');
  return a + b;
}

export async function last(total: number) {
  'use workflow';
  return add(total, await add(1, 2));
}

export async function wide(count: number) {
  'use workflow';
  return (await Promise.all(Array.from({ length: count }, (_, n) => add(n, 3)))).length;
}

export async function sum(n: number) {
  'use workflow';
  let total = n;
  for (let i = 0; i < 4; i++) total = await add(total, i);
  const parts = await Promise.all([add(total, 1), add(total, 2), last(total)]);
  await sleep(n % 3);
  return parts.reduce((all, part) => all + part, 0);
}
`;

const WORKER = `import { createWorker, openStore } from 'pawl/runtime';
const store = await openStore(process.env.STORE);
// Few at a time, so that there is work for all.
const worker = await createWorker({ manifest: process.env.MANIFEST, store, lease: Number(process.env.LEASE), maxRuns: 3 });
process.on('SIGTERM', async () => { await worker.close(); await store.close(); process.exit(0); });
console.log('works');
`;

/** Steps that a run of `sum` finishes, and its child. */
export const STEPS = { run: 6, child: 2 };

/** What the workflow gives for `n`. */
export function sumOf(n: number): number {
  const total = n + 0 + 1 + 2 + 3;
  return 3 * total + 6;
}

export interface LedgerLine {
  event: 'began' | 'ended';
  key: string;
  attempt: number;
  pid: number;
}

export class Fleet {
  readonly root: string;
  readonly #url: string;
  readonly #lease: number;
  readonly #workers = new Set<ChildProcess>();
  /** Of each process, how long the ledger was whenever it went on after a pause. */
  readonly #resumed = new Map<number, number[]>();

  private constructor(root: string, url: string, lease: number) {
    this.root = root;
    this.#url = url;
    this.#lease = lease;
  }

  /** @param lease - ms */
  static async make(url: (root: string) => string, lease: number): Promise<Fleet> {
    mkdirSync(join(ROOT, '.cache'), { recursive: true });
    const root = mkdtempSync(join(ROOT, '.cache/fleet-'));
    mkdirSync(join(root, 'src'));
    writeFileSync(join(root, 'src/main.ts'), PROGRAM);
    writeFileSync(join(root, 'worker.mjs'), WORKER);
    appendFileSync(join(root, 'ledger'), '');
    const { code, stdout } = await spawnCli(['build'], { cwd: root });
    if (code !== 0) throw new Error(`${CLI} build: ${stdout}`);
    return new Fleet(root, url(root), lease);
  }

  get url(): string {
    return this.#url;
  }

  get workers(): ChildProcess[] {
    return [...this.#workers];
  }

  /** Makes runs of `sum(0)`, `sum(1)`, … that nobody owns yet, `r0`, `r1`, … by name. Returns where the next ones begin. */
  async start(store: EventStore, from: number, count: number): Promise<number> {
    const numbers = Array.from({ length: count }, (_, index) => from + index);
    await Promise.all(
      numbers.map((n) =>
        store.createRun({
          id: `r${n}`,
          workflowId: 'src/main.ts#sum',
          seed: `seed ${n}`,
          bundleHash: null,
          input: `1[[1],${n}]`,
          at: Date.now(),
        }),
      ),
    );
    return from + count;
  }

  /** Makes runs of `wide(steps)`, `w0`, `w1`, …: all steps of one are pending together. */
  async startWide(store: EventStore, count: number, steps: number): Promise<string[]> {
    const ids = Array.from({ length: count }, (_, n) => `w${n}`);
    const run = { workflowId: 'src/main.ts#wide', bundleHash: null, input: `1[[1],${steps}]`, at: Date.now() };
    await Promise.all(ids.map((id) => store.createRun({ ...run, id, seed: `seed ${id}` })));
    return ids;
  }

  /** Starts a process; resolves when it works. */
  async hire(): Promise<ChildProcess> {
    const env = {
      ...process.env,
      STORE: this.#url,
      MANIFEST: join(this.root, '.pawl'),
      LEDGER: join(this.root, 'ledger'),
      LEASE: String(this.#lease),
    };
    const child = spawn(process.execPath, ['worker.mjs'], { cwd: this.root, env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#workers.add(child);
    let said = '';
    child.stderr.on('data', (text) => {
      said += text;
    });
    await new Promise<void>((resolve, reject) => {
      child.stdout.once('data', () => resolve());
      child.once('close', (code) => reject(new Error(`A worker ended with ${code}:\n${said}`)));
    });
    return child;
  }

  /** Kills a process at once; resolves when it is gone. */
  async kill(child: ChildProcess): Promise<void> {
    this.#workers.delete(child);
    const gone = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGKILL');
    await gone;
  }

  /** Stops a process wherever it is, and lets it go on after so many ms. */
  async pause(child: ChildProcess, ms: number): Promise<void> {
    const pid = child.pid as number;
    child.kill('SIGSTOP');
    await new Promise((resolve) => setTimeout(resolve, ms));
    this.#resumed.set(pid, [...(this.#resumed.get(pid) ?? []), this.ledger().length]);
    child.kill('SIGCONT');
  }

  /** Whether a line is the first that its process wrote after a pause: it may have been stopped in the middle of writing it. */
  isFirstAfterPause(line: LedgerLine, ledger: readonly LedgerLine[]): boolean {
    const resumed = this.#resumed.get(line.pid) ?? [];
    return resumed.some((length) => ledger.slice(length).find(({ pid }) => pid === line.pid) === line);
  }

  ledger(): LedgerLine[] {
    const lines = readFileSync(join(this.root, 'ledger'), 'utf8').split('\n').slice(0, -1);
    return lines.map((line) => {
      const [event = '', key = '', attempt, pid] = line.split(' ');
      return { event: event as LedgerLine['event'], key, attempt: Number(attempt), pid: Number(pid) };
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.workers.map((child) => this.kill(child)));
    rmSync(this.root, { recursive: true, force: true });
  }
}
