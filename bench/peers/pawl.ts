import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'pawl/build';
import { start } from 'pawl/client';
import { createWorker, openStore } from 'pawl/runtime';
import type { Peer, StartPeer } from './peer.ts';

/** A worker on a file of SQLite, each commit of which survives loss of power: the default. */
export const startPawl: StartPeer = ({ folder }) => startOn(folder, `sqlite:${join(folder, 'pawl.db')}`);

export const startPawlOnPostgres: StartPeer = ({ folder, database }) => startOn(folder, database);

async function startOn(root: string, url: string): Promise<Peer> {
  mkdirSync(join(root, 'src'));
  cpSync(fileURLToPath(new URL('./program.ts', import.meta.url)), join(root, 'src/main.ts'));
  const built = await build({ root });
  if (!built.ok) throw new Error(JSON.stringify(built.diagnostics));
  await createWorker({ manifest: join(root, '.pawl'), store: await openStore(url) });
  const run = async (workflow: string, steps: number): Promise<number> =>
    (await (
      await start(`src/main.ts#${workflow}`, [steps])
    ).returnValue) as number;
  return { sequential: (steps) => run('sequential', steps), parallel: (steps) => run('parallel', steps) };
}
