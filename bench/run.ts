import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'pawl/build';
import { start } from 'pawl/client';
import { createWorker, openStore } from 'pawl/runtime';
import { median, type Row } from './report.ts';

const CACHE = fileURLToPath(new URL('../.cache/', import.meta.url));

const PROGRAM = `import { createHook } from 'pawl';
export async function noop(n: number) {
  'use step';
  (globalThis as any).__pawlBenchMark?.(n);
  return n;
}

export async function sequential(count: number) {
  'use workflow';
  let sum = 0;
  for (let i = 0; i < count; i++) sum += await noop(i);
  return sum;
}

export async function waiting(token: string, steps: number) {
  'use workflow';
  for (let i = 0; i < steps; i++) await noop(i);
  return await createHook<number>({ token });
}

export async function parallel(count: number) {
  'use workflow';
  return (await Promise.all(Array.from({ length: count }, (_, i) => noop(i)))).length;
}
`;

interface SqliteModule {
  DatabaseSync: new (
    path: string,
  ) => {
    exec(sql: string): void;
    prepare(sql: string): { run(...values: (string | number)[]): unknown };
    close(): void;
  };
}

/** A project of that program, built. */
export async function makeProject(): Promise<{ root: string; manifest: string; remove(): void }> {
  mkdirSync(CACHE, { recursive: true });
  const root = mkdtempSync(join(CACHE, 'bench-'));
  mkdirSync(join(root, 'src'));
  writeFileSync(join(root, 'src/main.ts'), PROGRAM);
  const built = await build({ root });
  if (!built.ok) throw new Error(JSON.stringify(built.diagnostics));
  return { root, manifest: join(root, '.pawl'), remove: () => rmSync(root, { recursive: true, force: true }) };
}

/** The floor: one row and one commit that survives loss of power, with the driver and the settings that the store uses. */
export function openFloor(directory: string): { commit(): void; close(): void } {
  const require = createRequire(import.meta.url);
  const [major = 0] = process.versions.node.split('.').map(Number);
  const { DatabaseSync } = require(major >= 24 ? 'node:sqlite' : '@photostructure/sqlite') as SqliteModule;
  const db = new DatabaseSync(join(directory, 'floor.db'));
  db.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE rows (id INTEGER PRIMARY KEY, data TEXT)');
  const insert = db.prepare('INSERT INTO rows (data) VALUES (?)');
  const data = 'x'.repeat(100);
  return { commit: () => void insert.run(data), close: () => db.close() };
}

/** What a step costs: whole runs and bare commits in turn, on the same disk, in the same process. */
export async function benchRun(): Promise<Row[]> {
  const { root, manifest, remove } = await makeProject();
  try {
    const store = await openStore(`sqlite:${join(root, 'pawl.db')}`);
    const worker = await createWorker({ manifest, store });
    const floor = openFloor(root);
    try {
      return await measure(floor.commit);
    } finally {
      floor.close();
      await worker.close();
      await store.close();
    }
  } finally {
    remove();
  }
}

const STEPS = 250;
const ROUNDS = 33;
const WARM_UP = 5_000;

async function measure(commit: () => void): Promise<Row[]> {
  const commits: number[] = [];
  const steps: number[] = [];
  // A worker runs for days: what counts is what a step costs once the engine has compiled the code.
  await (await start('src/main.ts#sequential', [WARM_UP])).returnValue;
  for (let round = 0; round < ROUNDS; round++) {
    let begun = performance.now();
    for (let i = 0; i < STEPS; i++) commit();
    commits.push((performance.now() - begun) / STEPS);
    begun = performance.now();
    await (await start('src/main.ts#sequential', [STEPS])).returnValue;
    steps.push((performance.now() - begun) / STEPS);
  }
  const ratios = steps.map((step, i) => step / (commits[i] as number)).slice(2);
  const { early, late } = await growth();
  const floor = median(commits.slice(2));
  return [
    { what: 'one SQLite commit (synchronous=FULL)', unit: 'ms', value: floor },
    { what: 'a sequential no-op step', unit: 'ms', value: median(steps.slice(2)) },
    { what: '  against the commit', unit: '×', value: median(ratios), goal: 1.5 },
    { what: "a run's 10th step", unit: 'ms', value: early, note: 'median of steps 10 to 110' },
    { what: "the run's 5,000th step", unit: 'ms', value: late, note: 'median of steps 4,900 to 5,000' },
    { what: '  against the 10th', unit: '×', value: late / early, goal: 1.2 },
  ];
}

/** Times between the starts of neighbouring steps, early and late in one long run; the median of three such runs. */
async function growth(): Promise<{ early: number; late: number }> {
  const host = globalThis as { __pawlBenchMark?: (n: number) => void };
  const pairs: { early: number; late: number }[] = [];
  for (let round = 0; round < 3; round++) {
    const marks: number[] = [];
    host.__pawlBenchMark = (n) => {
      marks[n] = performance.now();
    };
    await (await start('src/main.ts#sequential', [5_001])).returnValue;
    host.__pawlBenchMark = undefined;
    const gap = (from: number, to: number) =>
      median(
        Array.from({ length: to - from }, (_, i) => (marks[from + i + 1] as number) - (marks[from + i] as number)),
      );
    pairs.push({ early: gap(10, 110), late: gap(4_900, 5_000) });
  }
  return pairs.sort((a, b) => a.late / a.early - b.late / b.early)[1] as { early: number; late: number };
}
