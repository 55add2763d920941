import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { importPeer, type Peer, requirePeer, type StartPeer } from './peer.ts';

interface World {
  start?(): Promise<void>;
  events: { create(runId: string, event: { eventType: string }, ...rest: unknown[]): Promise<unknown> };
}

interface Run {
  runId: string;
  returnValue: Promise<number>;
}

interface Runtime {
  setWorld(world: World): void;
  start(workflow: { workflowId: string }, args: unknown[], options: { world: World }): Promise<Run>;
}

interface Builders {
  StandaloneBuilder: new (options: Record<string, unknown>) => { build(): Promise<void> };
}

type Route = (request: Request) => Promise<Response>;

/** The world that it has without a database: files, which it does not sync. */
export const startWorkflowSdk: StartPeer = ({ folder }) =>
  startOn(folder, async (baseUrl) => {
    const { createLocalWorld } = await importPeer<{ createLocalWorld(options: object): World }>(
      '@workflow/world-local',
    );
    return createLocalWorld({ dataDir: join(folder, 'data'), baseUrl });
  });

export const startWorkflowSdkOnPostgres: StartPeer = ({ folder, database }) =>
  startOn(folder, async () => {
    migrate(database, folder);
    const { createWorld } = await importPeer<{ createWorld(options: object): World }>('@workflow/world-postgres');
    return createWorld({ connectionString: database, queueConcurrency: 10 });
  });

/**
 * The Workflow SDK as the server that its integrations make: bundles of its own builder, whose two routes a plain HTTP server of Node
 * serves in this process; its queue calls them.
 *
 * Its client asks once a second whether a run has ended. That would be all that a short run measures, so the end counts here from when its
 * store has taken it: its users wait longer than these figures say.
 */
async function startOn(folder: string, open: (baseUrl: string) => Promise<World>): Promise<Peer> {
  process.env.NODE_ENV = 'production';
  const { flow, step } = await buildRoutes(folder);
  const server = createServer((request, response) => {
    const route = request.url?.endsWith('/flow') ? flow : request.url?.endsWith('/step') ? step : undefined;
    if (route) void answer(route, request, response);
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  process.env.WORKFLOW_LOCAL_BASE_URL = baseUrl;
  const world = await open(baseUrl);
  const ended = watchEnds(world);
  const { setWorld, start } = await importPeer<Runtime>('@workflow/core/runtime');
  setWorld(world);
  await world.start?.();
  const run = async (workflow: string, steps: number): Promise<number> => {
    const begun = await start({ workflowId: `workflow//./src/main//${workflow}` }, [steps], { world });
    await ended(begun.runId);
    return begun.returnValue;
  };
  return { sequential: (steps) => run('sequential', steps), parallel: (steps) => run('parallel', steps) };
}

/** Waits until the world has stored that a run ended; it may have before anybody waits. */
function watchEnds(world: World): (runId: string) => Promise<void> {
  const over = new Set<string>();
  const waiting = new Map<string, () => void>();
  const create = world.events.create.bind(world.events);
  world.events.create = async (runId, event, ...rest) => {
    const stored = await create(runId, event, ...rest);
    if (event.eventType === 'run_completed' || event.eventType === 'run_failed') {
      over.add(runId);
      waiting.get(runId)?.();
    }
    return stored;
  };
  return async (runId) => {
    if (!over.has(runId))
      await new Promise<void>((resolve) => {
        waiting.set(runId, resolve);
      });
    waiting.delete(runId);
    over.delete(runId);
  };
}

/** The tables: what its documentation has one do before the first start. */
function migrate(database: string, cwd: string): void {
  const setup = join(requirePeer.resolve('@workflow/world-postgres'), '../../bin/setup.js');
  const env = { ...process.env, WORKFLOW_POSTGRES_URL: database };
  execFileSync(process.execPath, [setup], { cwd, env, stdio: ['ignore', 'ignore', 'inherit'] });
}

async function buildRoutes(folder: string): Promise<{ flow: Route; step: Route }> {
  mkdirSync(join(folder, 'src'));
  cpSync(fileURLToPath(new URL('./program.ts', import.meta.url)), join(folder, 'src/main.ts'));
  writeFileSync(join(folder, 'package.json'), '{"name":"bench","version":"1.0.0"}');
  symlinkSync(fileURLToPath(new URL('./node_modules', import.meta.url)), join(folder, 'node_modules'));
  const { StandaloneBuilder } = await importPeer<Builders>('@workflow/builders');
  const builder = new StandaloneBuilder({
    buildTarget: 'standalone',
    dirs: ['.'],
    workingDir: folder,
    stepsBundlePath: './out/step.js',
    workflowsBundlePath: './out/flow.js',
    webhookBundlePath: './out/webhook.js',
    suppressCreateWorkflowsBundleLogs: true,
    suppressCreateWebhookBundleLogs: true,
    suppressCreateManifestLogs: true,
  });
  await builder.build();
  // CommonJS, whatever the project's package says.
  const load = (name: string): Route => {
    const file = join(folder, `out/${name}.cjs`);
    renameSync(join(folder, `out/${name}.js`), file);
    return (requirePeer(file) as { POST: Route }).POST;
  };
  return { flow: load('flow'), step: load('step') };
}

async function answer(route: Route, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const headers = Object.entries(request.headers).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)] as [string, string]],
  );
  const body = Readable.toWeb(request) as ReadableStream<Uint8Array>;
  const options: RequestInit & { duplex: 'half' } = { method: request.method ?? 'POST', headers, body, duplex: 'half' };
  const answered = await route(new Request(new URL(request.url ?? '/', 'http://127.0.0.1'), options));
  response.writeHead(answered.status, Object.fromEntries(answered.headers));
  response.end(Buffer.from(await answered.arrayBuffer()));
}
