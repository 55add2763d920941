/**
 * Records `fixtures/histories/VERSION`: the workflow bundle of `fixtures/histories/program` as this pawl builds it, and the histories
 * of its runs. `npm run histories`, once before a version is published; what is there already is never written anew, for the
 * tests replay it for ever. `npm run histories -- 2` records the version a second time, beside the first, when the program has grown.
 */
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'pawl/build';
import { createVirtualClock, createWorker, formatHistory, openStore, programOf, type Worker } from 'pawl/runtime';
import { VERSION } from '../src/version.ts';

const folder = fileURLToPath(new URL('../fixtures/histories/', import.meta.url));
/** Where this is checked out is nobody's matter. */
const project = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');
const [again] = process.argv.slice(2);
const target = join(folder, again === undefined ? VERSION : `${VERSION}-${again}`);
/** How long a worker that was killed counts as alive, ms: this one waits in real time. */
const LEASE = 200;

if (existsSync(target)) throw new Error(`${target} is there already: histories are recorded once for each version.`);

const temporary = mkdtempSync(join(tmpdir(), 'pawl-histories-'));
const { output, diagnostics } = await build({
  root: join(folder, 'program'),
  config: { outDir: temporary },
  externals: 'url',
});
if (output === null) throw new Error(diagnostics.map(({ message }) => message).join('\n'));
const store = await openStore('sqlite::memory:');
const clock = createVirtualClock(Date.UTC(2026, 0, 1));
let made = 0;
const common = { store, clock, lease: LEASE, newId: () => `run-${++made}`, newSeed: () => `seed-${made}` };

const loader = await createWorker({ ...common, manifest: temporary, claim: false });
const { program } = loader;
await loader.close();

/** Lets everything happen that happens without waiting; the clock goes on whenever nothing else does. */
async function rest(worker: Worker, ids: readonly string[]): Promise<void> {
  for (let quiet = 0; quiet < 5; ) {
    const before = await total();
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
    if ((await total()) !== before) {
      quiet = 0;
      continue;
    }
    const open = (await Promise.all(ids.map((id) => store.getRun(id)))).filter((run) => run?.status === 'running');
    const next = clock.next();
    if (open.length > 0 && next !== null && worker.size > 0) clock.advanceTo(next);
    else quiet++;
  }
}

async function total(): Promise<number> {
  const { runs } = await store.listRuns({ limit: 1_000 });
  return runs.reduce((sum, { lastSeq }) => sum + lastSeq, 0);
}

const begin = (worker: Worker, name: string, ...args: unknown[]): Promise<string> =>
  worker.startRun({ workflowId: name === 'defined' ? name : `src/main.ts#${name}`, args });

// Deployed before, and the same but for a line.
const before = { ...program.workflows, code: `${program.workflows.code}\n// before\n` };
const first = programOf(program.manifest, before, {
  ...program.registry,
  steps: new Map([...program.registry.steps].filter(([id]) => !id.endsWith('#late'))),
});
const one = await createWorker({ ...common, program: first });
const ids = [
  await begin(one, 'values'),
  await begin(one, 'derived'),
  await begin(one, 'parallel', 5),
  await begin(one, 'nested', 7),
  await begin(one, 'compensates', 'A-1'),
  await begin(one, 'fails'),
  await begin(one, 'defined', { n: '41' }),
  await begin(one, 'hurries', 'too-late'),
  await begin(one, 'calls', 3),
];
await rest(one, ids);
ids.push(
  await begin(one, 'asks', 'numbers'),
  await begin(one, 'asks', 'numbers'),
  await begin(one, 'cancelled', 'no-answer'),
);
for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
for (const n of [1, 2, 3]) await one.resumeHook('numbers', { n, done: n === 3 });
// Put into the store by somebody who did not ask the schema.
ids.push(await begin(one, 'checks', 'whole'));
for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
for (const n of [0.5, 4])
  await store.deliverHook('whole', one.codec.stringify({ n }, { root: 'payload', what: 'it' }), clock.now());
await store.requestCancel(ids.at(-2) as string, { at: clock.now(), reason: 'nobody answers' });
ids.push(await begin(one, 'waitsForDeploy'), await begin(one, 'survives'));
ids.push(await begin(one, 'asks', 'moves'));
for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
one.kill();

await new Promise((resolve) => setTimeout(resolve, 2 * LEASE));
// One that nobody has begun yet, to be bound to a bundle by whoever takes it.
const unbound = {
  workflowId: 'src/main.ts#nested',
  seed: 'seed',
  bundleHash: null,
  input: '1[[1],3]',
  at: clock.now(),
};
await store.createRun({ id: 'run-unbound', ...unbound });
ids.push('run-unbound');
const two = await createWorker({ ...common, program });
const moved = ids.at(-2) as string;
await two.upgrade(moved);
await store.requestUpgrade(moved, { at: clock.now(), bundleHash: `sha256-${'1'.repeat(64)}` });
for (let turn = 0; turn < 500; turn++) await new Promise((resolve) => setImmediate(resolve));
await two.resumeHook('moves', { n: 5, done: true });
await rest(two, ids);
// Left in the middle, as most are that a deploy meets.
ids.push(await begin(two, 'asks', 'open'), await begin(two, 'derived'));
await two.resumeHook('open', { n: 10 });
for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
two.kill();

const { runs } = await store.listRuns({ limit: 1_000 });
ids.push(...runs.flatMap(({ id, parent }) => (parent ? [id] : [])).toReversed());

mkdirSync(target, { recursive: true });
copyFileSync(join(temporary, 'workflows.js'), join(target, 'workflows.js'));
const lines = await Promise.all(ids.map(async (id) => formatHistory(id, await store.readEvents(id))));
writeFileSync(join(target, 'histories.jsonl'), lines.map((line) => `${line.replaceAll(project, '/pawl')}\n`).join(''));
await store.close();
rmSync(temporary, { recursive: true });
for (const id of ids) {
  const run = await Promise.resolve(lines.find((line) => line.includes(`"id":"${id}"`)));
  process.stdout.write(`${id}  ${JSON.parse(run as string).events.at(-1).type}\n`);
}
