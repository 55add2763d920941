import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { importPeer, noop, requirePeer, type StartPeer } from './peer.ts';

interface Context {
  run<T>(name: string, step: () => Promise<T>): Promise<T>;
}

type Handler<C> = (context: C, steps: number) => Promise<number>;

interface Sdk {
  service(definition: { name: string; handlers: Record<string, Handler<Context>> }): unknown;
  serve(options: { services: unknown[]; port: number }): Promise<number>;
  RestatePromise: { all<T>(values: Promise<T>[]): Promise<T[]> };
}

interface Clients {
  connect(options: { url: string }): {
    serviceClient(service: { name: string }): Record<'sequential' | 'parallel', (steps: number) => Promise<number>>;
  };
}

/**
 * Restate as its quickstart has it: its server, one node with the defaults, whose log is synced before a step counts; an endpoint in this
 * process, which the server calls over a stream of HTTP/2; the client of its ingress, which gets a run's result in the answer.
 */
export const startRestate: StartPeer = async ({ folder }) => {
  addWithResolvers();
  process.env.RESTATE_LOGGING = 'ERROR';
  const { RestatePromise, serve, service } = await importPeer<Sdk>('@restatedev/restate-sdk');
  const { connect } = await importPeer<Clients>('@restatedev/restate-sdk-clients');
  const step = (context: Context, n: number): Promise<number> => context.run('noop', () => noop(n));
  const handlers: Record<string, Handler<Context>> = {
    sequential: async (context, steps) => {
      let sum = 0;
      for (let i = 0; i < steps; i++) sum += await step(context, i);
      return sum;
    },
    parallel: async (context, steps) =>
      (await RestatePromise.all(Array.from({ length: steps }, (_, i) => step(context, i)))).length,
  };
  const [ingress, admin, fabric, endpoint] = await freePorts(4);
  const server = spawn(
    requirePeer.resolve(`@restatedev/restate-server-${process.platform}-${process.arch}/bin/restate-server`),
    ['--base-dir', folder, '--no-logo', '--listen-mode', 'tcp', '--bind-ip', '127.0.0.1', '--bind-port', `${fabric}`],
    {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'inherit'],
      env: {
        ...process.env,
        DO_NOT_TRACK: '1',
        RESTATE_NODE_NAME: 'bench',
        RESTATE_LOG_FILTER: 'error,octocrab=off',
        RESTATE_INGRESS__BIND_PORT: `${ingress}`,
        RESTATE_ADMIN__BIND_PORT: `${admin}`,
        RESTATE_ADMIN__DISABLE_WEB_UI: 'true',
      },
    },
  );
  process.once('exit', () => server.kill('SIGKILL'));
  const gone = once(server, 'exit').then(([code]) => {
    throw new Error(`restate-server ended with ${String(code)}`);
  });
  await serve({ services: [service({ name: 'bench', handlers })], port: endpoint as number });
  await Promise.race([register(`http://127.0.0.1:${admin}`, `http://127.0.0.1:${endpoint}`), gone]);
  const { sequential, parallel } = connect({ url: `http://127.0.0.1:${ingress}` }).serviceClient({ name: 'bench' });
  return { sequential, parallel };
};

/** As soon as the server is up, and until it has taken it. */
async function register(admin: string, uri: string): Promise<void> {
  for (;;) {
    const answer = await fetch(`${admin}/deployments`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ uri }),
    }).catch(() => null);
    if (answer?.ok) return;
    await new Promise((resolve) => {
      setTimeout(resolve, 100);
    });
  }
}

/** Ports that nobody listens at; all are taken before one is given back, so that they differ. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}

/** The SDK calls `Promise.withResolvers`, which Node has since 22. */
function addWithResolvers(): void {
  const { Promise: host } = globalThis as { Promise: PromiseConstructor & { withResolvers?: () => unknown } };
  host.withResolvers ??= () => {
    const made: { resolve?: unknown; reject?: unknown } = {};
    const promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
    return { promise, ...made };
  };
}
