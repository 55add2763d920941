/** `pawl worker` and `pawl resume` as processes: a worker takes what others start, hears of payloads and cancellations, and ends when asked. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { openStore } from '../../src/store/open.ts';
import type { EventStore, RunRecord } from '../../src/store/port.ts';
import { CLI, type CliResult, runCli, spawnCli } from '../support/cli.ts';
import { ROOT } from '../support/dist.ts';

const MAIN = `import { appendFileSync } from 'node:fs';
import { createHook, createWebhook, FatalError, getStepMetadata, type RequestWithResponse } from 'pawl';

async function double(n: number) {
  'use step';
  console.log('doubling', n);
  return 2 * n;
}

async function refuse(): Promise<number> {
  'use step';
  throw new FatalError('no \\u001b[31mmoney');
}

async function waitForAbort(file: string) {
  'use step';
  const { signal } = getStepMetadata();
  appendFileSync(file, 'waits\\n');
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  appendFileSync(file, 'aborted\\n');
}

async function answer(request: RequestWithResponse) {
  'use step';
  await request.respondWith(new Response(request.headers.get('x-a') + ' ' + (await request.text()), { status: 201 }));
}

export async function callback(prefix: string) {
  'use workflow';
  const webhook = createWebhook({ respondWith: 'manual' });
  const url = webhook.url;
  await answer(await webhook);
  return url.slice(0, prefix.length);
}

export async function twice(n: number) {
  'use workflow';
  return await double(await double(n));
}

export async function failing() {
  'use workflow';
  return await refuse();
}

export async function approval(id: string) {
  'use workflow';
  const hook = createHook<{ by: string }>({ token: 'approval:' + id });
  const { by } = await hook;
  return 'approved by ' + by;
}

export async function endless(file: string) {
  'use workflow';
  await waitForAbort(file);
}
`;

mkdirSync(join(ROOT, '.cache'), { recursive: true });
const root = mkdtempSync(join(ROOT, '.cache/worker-'));
const url = `sqlite:${join(root, '.pawl/pawl.db')}`;
const children = new Set<ChildProcess>();
let store: EventStore;

beforeAll(async () => {
  mkdirSync(join(root, 'src'));
  writeFileSync(join(root, 'src/main.ts'), MAIN);
  expect(await spawnCli(['build'], { cwd: root })).toMatchObject({ code: 0 });
});
beforeEach(async () => {
  for (const suffix of ['', '-wal', '-shm']) rmSync(join(root, `.pawl/pawl.db${suffix}`), { force: true });
  store = await openStore(url);
});
afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  children.clear();
  await store.close();
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

interface Hired {
  child: ChildProcess;
  /** Objects that it has printed. */
  told: Record<string, unknown>[];
  /** Resolves when it has printed an object of that type. */
  tells(type: string): Promise<void>;
  /** Resolves with the exit code and everything else that it wrote. */
  ended: Promise<{ code: number | null; stdout: string; stderr: string }>;
}

/** Starts a worker; resolves when it is ready. */
async function hire(...argv: string[]): Promise<Hired> {
  const child = spawn(process.execPath, [CLI, 'worker', ...argv], {
    cwd: root,
    env: { ...process.env, NO_COLOR: '1' },
  });
  children.add(child);
  const told: Record<string, unknown>[] = [];
  const output = { stdout: '', stderr: '' };
  const json = argv.includes('--json');
  const listeners = new Set<() => void>();
  const ready = new Promise<void>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      output.stdout += `${line}\n`;
      if (json) told.push(JSON.parse(line) as Record<string, unknown>);
      if (json && told.length === 1) resolve();
      for (const listener of listeners) listener();
    });
    child.stderr.on('data', (text) => {
      output.stderr += text;
      if (!json && /^worker \d+ works on/.test(output.stderr)) resolve();
    });
    child.once('close', (code) => reject(new Error(`The worker ended with ${code}: ${output.stderr}`)));
  });
  const ended = new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) => {
    child.once('close', (code) => resolve({ code, ...output }));
  });
  const tells = (type: string): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (told.some((each) => each.type === type)) resolve();
      };
      listeners.add(look);
      look();
    });
  await ready;
  return { child, told, tells, ended };
}

const start = (id: string, workflow: string, args: string): Promise<unknown> =>
  store.createRun({
    id,
    workflowId: `src/main.ts#${workflow}`,
    seed: id,
    bundleHash: null,
    input: args,
    at: Date.now(),
  });

/** Resolves when a run is as it should be, told by the store. */
function until(id: string, is: (run: RunRecord) => boolean | Promise<boolean>): Promise<RunRecord> {
  return new Promise((resolve, reject) => {
    const look = (): void => {
      store.getRun(id).then(async (run) => {
        if (run === null || !(await is(run))) return;
        unsubscribe();
        resolve(run);
      }, reject);
    };
    const unsubscribe = store.subscribe(look);
    look();
  });
}

const isOver = ({ status }: RunRecord): boolean => status !== 'pending' && status !== 'running';
const cli = (...argv: string[]): Promise<CliResult> => runCli(argv, { cwd: root });

describe('a worker', () => {
  test('takes what others start, and says everything as JSON', async () => {
    await start('before', 'twice', '1[[1],3]');
    const { child, told, ended } = await hire('--json');
    await start('after', 'twice', '1[[1],5]');
    expect(await until('before', isOver)).toMatchObject({ status: 'completed', output: '1[12]' });
    expect(await until('after', isOver)).toMatchObject({ status: 'completed', output: '1[20]' });
    child.kill('SIGTERM');
    const { code, stderr } = await ended;
    expect(code).toBe(143);
    expect(stderr.split('\n').toSorted().join('\n').trim()).toBe('doubling 10\ndoubling 3\ndoubling 5\ndoubling 6');
    expect(told[0]).toEqual({ type: 'ready', pid: child.pid, store: url });
    for (const id of ['before', 'after']) {
      expect(told.filter(({ runId }) => runId === id).map(({ type }) => type)).toEqual([
        expect.stringMatching(/^run-(?:started|resumed)$/),
        'step-started',
        'step-completed',
        'step-started',
        'step-completed',
        'run-finished',
      ]);
    }
  });

  test('says in a pipe only what went wrong', async () => {
    const { child, ended } = await hire();
    await start('good', 'twice', '1[[1],3]');
    await start('bad', 'failing', '1[[]]');
    await until('good', isOver);
    await until('bad', isOver);
    child.kill('SIGINT');
    const { code, stdout, stderr } = await ended;
    expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
    expect(stderr).toMatch(/^worker \d+ works on sqlite:.*: 5 workflows, 4 steps$/m);
    expect(stderr).toMatch(/^failed {5}failing {2}bad {2}/m);
    expect(stderr).toContain('FatalError: no ');
    expect(stderr).not.toContain('\u001B');
    expect(stderr).not.toContain('good');
    expect(stderr).toContain('ending; running steps have 10 s to come to their end');
  });

  test('shares a store with others', async () => {
    const workers = await Promise.all([hire('--json', '--max-runs', '2'), hire('--json', '--max-runs', '2')]);
    const ids = Array.from({ length: 20 }, (_, n) => `r${n}`);
    await Promise.all(ids.map((id, n) => start(id, 'twice', `1[[1],${n}]`)));
    for (const [n, id] of ids.entries()) expect(await until(id, isOver)).toMatchObject({ output: `1[${4 * n}]` });
    for (const { child, ended } of workers) {
      child.kill('SIGTERM');
      expect(await ended).toMatchObject({ code: 143 });
    }
    const completed = workers.flatMap(({ told }) => told.filter(({ type }) => type === 'step-completed'));
    expect(completed).toHaveLength(40);
  });

  test('aborts a running step at once when another process cancels the run', async () => {
    const { child, tells, ended } = await hire('--json');
    const file = join(root, 'aborts.txt');
    await start('long', 'endless', `1[[1],${JSON.stringify(file)}]`);
    await tells('step-started');
    expect(await cli('cancel', 'long', '--reason', 'enough')).toMatchObject({ code: 0 });
    expect(await until('long', isOver)).toMatchObject({ status: 'cancelled' });
    child.kill('SIGTERM');
    expect(await ended).toMatchObject({ code: 143 });
    expect(readFileSync(file, 'utf8')).toBe('waits\naborted\n');
  });

  test('takes requests to webhooks, also for runs that another worker has', async () => {
    vi.stubEnv('PAWL_BASE_URL', 'https://shop.example/api/');
    const first = await hire('--json');
    vi.unstubAllEnvs();
    await start('elsewhere', 'callback', '1[[1],"https://shop.example/api/.well-known"]');
    const token = async (id: string): Promise<string> => {
      await until(id, async () => (await store.readEvents(id)).some(({ type }) => type === 'hook_created'));
      return (await store.readEvents(id)).find(({ type }) => type === 'hook_created')?.name ?? '';
    };
    const elsewhere = await token('elsewhere');
    const second = await hire('--json', '--port', '0');
    const origin = second.told[0]?.url as string;
    expect(origin).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    const send = (to: string): Promise<Response> =>
      fetch(`${origin}/.well-known/pawl/v1/webhook/${to}`, {
        method: 'POST',
        body: 'body',
        headers: { 'x-a': 'header' },
      });
    const answered = await send(elsewhere);
    expect([answered.status, await answered.text()]).toEqual([201, 'header body']);
    expect(await until('elsewhere', isOver)).toMatchObject({ output: '1["https://shop.example/api/.well-known"]' });
    // Whoever reads the log cannot send requests.
    expect(first.told.find(({ type }) => type === 'hook-created')).toMatchObject({
      token: `${elsewhere.slice(0, 7)}…`,
    });
    expect(JSON.stringify(first.told)).not.toContain(elsewhere);
    first.child.kill('SIGTERM');
    await first.ended;
    await start('here', 'callback', `1[[1],${JSON.stringify(origin)}]`);
    const here = await token('here');
    expect((await send(here)).status).toBe(201);
    expect(await until('here', isOver)).toMatchObject({ output: `1[${JSON.stringify(origin)}]` });
    const gone = await send(here);
    expect([gone.status, await gone.json()]).toMatchObject([410, { error: { code: 'PAWL_HOOK_CLOSED' } }]);
    second.child.kill('SIGTERM');
    expect(await second.ended).toMatchObject({ code: 143 });
  });

  test('says where it takes requests, and refuses a port that is in use', async () => {
    const { child, ended } = await hire('--port', '0', '--host', '0.0.0.0');
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const { code, stderr } = await cli('worker', '--port', String(port));
    expect(code).toBe(2);
    expect(stderr).toContain(`PAWL_PORT: The port ${port} is in use.`);
    server.close();
    child.kill('SIGINT');
    expect((await ended).stderr).toMatch(/^takes requests at http:\/\/127\.0\.0\.1:\d+$/m);
  });

  test.each([
    [['--concurrency', '0'], '`--concurrency 0` is no number of things.'],
    [['--max-runs', 'many'], '`--max-runs many` is no number of things.'],
    [['--store', 'mysql://x'], 'mysql'],
    [['--port', '65536'], '`--port 65536` is no port.'],
    [['--host', '0.0.0.0'], 'there is no `--port`.'],
    [['--port', '0', '--host', '192.0.2.1'], 'PAWL_PORT: This machine has no address 192.0.2.1.'],
  ])('%j is refused', async (argv, text) => {
    const { code, stdout, stderr } = await cli('worker', ...argv);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(text);
  });
});

describe('pawl resume', () => {
  const waits = async ({ id }: RunRecord): Promise<boolean> =>
    (await store.readEvents(id)).some(({ type }) => type === 'hook_created');

  test('sends a payload to the workflow, which another process works on', async () => {
    const { child, ended } = await hire();
    await start('a1', 'approval', '1[[1],"7"]');
    await until('a1', waits);
    const { code, stdout } = await cli('resume', 'approval:7', '--payload', '{ "by": "Ada" }');
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'approval:7: the payload is kept for run a1\n' });
    expect(await until('a1', isOver)).toMatchObject({ output: '1["approved by Ada"]' });
    child.kill('SIGTERM');
    await ended;
    const again = await cli('resume', 'approval:7', '--payload', '1', '--json');
    expect(again).toMatchObject({ code: 2, stdout: '' });
    expect(JSON.parse(again.stderr)).toMatchObject({ error: { code: 'PAWL_HOOK_CLOSED' } });
  });

  test('keeps a payload for a run that no worker has', async () => {
    const first = await hire();
    await start('a2', 'approval', '1[[1],"8"]');
    await until('a2', waits);
    first.child.kill('SIGTERM');
    await first.ended;
    writeFileSync(join(root, 'payload.json'), '{ "by": "Bo" }');
    const { code, stdout } = await cli('resume', 'approval:8', '--payload', '@payload.json', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ token: 'approval:8', runId: 'a2' });
    const second = await hire();
    expect(await until('a2', isOver)).toMatchObject({ output: '1["approved by Bo"]' });
    second.child.kill('SIGTERM');
    await second.ended;
  });

  test.each([
    [['resume', 'nobody'], /PAWL_UNKNOWN_HOOK: There is no hook with the token "nobody"/],
    [['resume', 'x', '--payload', '{'], /PAWL_INPUT_NOT_JSON/],
    [['resume'], /token/],
  ])('%j is refused', async (argv, message) => {
    const { code, stdout, stderr } = await cli(...argv);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(message);
  });
});
