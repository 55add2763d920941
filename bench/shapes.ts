import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { start } from 'pawl/client';
import { createWorker, type EventStore, openStore, type WorkerEvent } from 'pawl/runtime';
import { makeProject, openFloor } from './run.ts';
import { median, type Row } from './report.ts';

/** Shapes of work on SQLite with full durability, against single commits on the same disk in the same process. */
export async function benchShapes(): Promise<Row[]> {
  const { root, manifest, remove } = await makeProject();
  const floor = openFloor(root);
  const store = await openStore(`sqlite:${join(root, 'pawl.db')}`);
  try {
    const worker = await createWorker({ manifest, store });
    await (await start('src/main.ts#sequential', [5_000])).returnValue;
    const commit = (): number => {
      const begun = performance.now();
      for (let i = 0; i < 200; i++) floor.commit();
      return (performance.now() - begun) / 200;
    };
    const rows = [...(await latency(commit)), ...(await crowds(commit))];
    await worker.close();
    rows.push(await replay(manifest, store), ...suspended(manifest, root));
    return rows;
  } finally {
    floor.close();
    await store.close();
    remove();
  }
}

async function latency(commit: () => number): Promise<Row[]> {
  const shots: number[] = [];
  const ratios: number[] = [];
  for (let round = 0; round < 10; round++) {
    const floor = commit();
    for (let i = 0; i < 30; i++) {
      const begun = performance.now();
      await (await start('src/main.ts#sequential', [1])).returnValue;
      shots.push(performance.now() - begun);
      ratios.push((shots.at(-1) as number) / floor);
    }
  }
  return [
    { what: 'start to result of a one-step run, p50', unit: 'ms', value: median(shots) },
    { what: '  in commits', unit: '×', value: median(ratios), goal: 5 },
  ];
}

async function crowds(commit: () => number): Promise<Row[]> {
  const parallel: number[] = [];
  const parallelRatios: number[] = [];
  const crowd: number[] = [];
  const crowdRatios: number[] = [];
  for (let round = 0; round < 7; round++) {
    const floor = commit();
    let begun = performance.now();
    await (await start('src/main.ts#parallel', [500])).returnValue;
    parallel.push(performance.now() - begun);
    parallelRatios.push((parallel.at(-1) as number) / floor);
    begun = performance.now();
    const runs = await Promise.all(Array.from({ length: 1_000 }, () => start('src/main.ts#sequential', [1])));
    await Promise.all(runs.map((run) => run.returnValue));
    crowd.push(performance.now() - begun);
    crowdRatios.push((1_000 * floor) / (crowd.at(-1) as number));
  }
  return [
    { what: '500 parallel no-op steps', unit: 'ms', value: median(parallel) },
    { what: '  in commits', unit: '×', value: median(parallelRatios), goal: 100 },
    { what: '1,000 one-step runs at once', unit: 'ms', value: median(crowd) },
    { what: '  runs per single commit', unit: '×', value: median(crowdRatios), goal: 0.8, atLeast: true },
  ];
}

/** A worker takes over a run of 10,000 steps that another one left. */
async function replay(manifest: string, store: EventStore): Promise<Row> {
  const first = await createWorker({ manifest, store });
  const waits = new Promise<void>((resolve) => {
    const unsubscribe = store.subscribe(() => {
      void store.getHook('replay').then((hook) => {
        if (hook === null) return;
        unsubscribe();
        resolve();
      });
    });
  });
  const { runId } = await start('src/main.ts#waiting', ['replay', 10_000]);
  await waits;
  await first.close();
  const times: number[] = [];
  for (let round = 0; round < 7; round++) {
    let resumed: () => void = () => {};
    const onEvent = ({ type }: WorkerEvent): void => {
      if (type === 'run-resumed') resumed();
    };
    const worker = await createWorker({ manifest, store, claim: false, onEvent });
    const done = new Promise<void>((resolve) => {
      resumed = resolve;
    });
    const begun = performance.now();
    await worker.take(runId);
    await done;
    times.push(performance.now() - begun);
    await worker.close();
  }
  return { what: 'replay of 10,000 recorded steps', unit: 'ms', value: median(times), goal: 150 };
}

/** After about 20 s without work the engine takes a process for idle, and gives room back. */
const REST_MS = 40_000;

/**
 * In a process of its own: what 10,000 runs that wait for a hook add to it. Right after they began, most of that is room which the engine
 * keeps for new objects and gives back when the process has nothing to do; what the runs themselves take shows at rest.
 */
function suspended(manifest: string, root: string): Row[] {
  const script = `
    import { start } from 'pawl/client';
    import { createWorker, openStore } from 'pawl/runtime';
    const store = await openStore(${JSON.stringify(`sqlite:${join(root, 'suspended.db')}?durability=normal`)});
    let waiting = 0;
    let done = () => {};
    const worker = await createWorker({ manifest: ${JSON.stringify(manifest)}, store, onEvent: ({ type }) => {
      if (type === 'hook-created' && ++waiting >= wanted) done();
    } });
    let wanted = 0;
    const suspend = async (name, count) => {
      wanted = waiting + count;
      const all = new Promise((resolve) => { done = resolve; });
      for (let i = 0; i < count; i += 100)
        await Promise.all(Array.from({ length: 100 }, (_, n) => start('src/main.ts#waiting', [name + (i + n), 0])));
      await all;
    };
    const used = () => { gc(); gc(); return process.memoryUsage().rss / 2 ** 20; };
    const atRest = async () => {
      await new Promise((resolve) => { setTimeout(resolve, ${REST_MS}); });
      return used();
    };
    await suspend('before', 100);
    const before = used();
    const idle = await atRest();
    await suspend('run', 10_000);
    const after = used();
    console.log(JSON.stringify({ atOnce: after - before, atRest: (await atRest()) - idle }));
    await worker.close();
    await store.close();`;
  const options = ['--expose-gc', '--input-type=module', '-e', script];
  const text = execFileSync(process.execPath, options, { encoding: 'utf8', cwd: root });
  const { atOnce, atRest } = JSON.parse(text) as { atOnce: number; atRest: number };
  return [
    { what: 'memory that 10,000 suspended runs add, at once', unit: 'MB', value: atOnce },
    { what: 'the same when the process is at rest', unit: 'MB', value: atRest, goal: 50 },
  ];
}
