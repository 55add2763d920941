/**
 * A process of one peer: `child.ts NAME FOLDER DATABASE`. Its parent sends shapes over the channel between them and gets figures. It ends
 * when the parent does, or kills it together with everything that it started.
 */
import { startDbos } from './dbos.ts';
import { startPawl, startPawlOnPostgres } from './pawl.ts';
import { type Figure, measure, type Shape, type StartPeer, warmUp } from './peer.ts';
import { startRestate } from './restate.ts';
import { startWorkflowSdk, startWorkflowSdkOnPostgres } from './workflow-sdk.ts';

export type PeerName = 'pawl' | 'pawl-postgres' | 'workflow' | 'workflow-postgres' | 'dbos' | 'restate';

/** What the process tells: that it is ready, a figure that it was asked for, or that it failed. */
export type Reply = { ready: true } | { figure: Figure } | { failed: string };

const PEERS: Record<PeerName, StartPeer> = {
  pawl: startPawl,
  'pawl-postgres': startPawlOnPostgres,
  workflow: startWorkflowSdk,
  'workflow-postgres': startWorkflowSdkOnPostgres,
  dbos: startDbos,
  restate: startRestate,
};

const WARM_UP_MS = 1_000;

const reply = (what: Reply): void => void process.send?.(what);
const fail = (error: unknown): void => reply({ failed: String(error instanceof Error ? error.message : error) });

process.once('disconnect', () => process.exit());
process.on('unhandledRejection', fail);

const [name, folder = '', database = ''] = process.argv.slice(2);
try {
  const peer = await PEERS[name as PeerName]({ folder, database });
  await warmUp(peer, WARM_UP_MS);
  process.on('message', (shape: Shape) => {
    measure(peer, shape).then((figure) => reply({ figure }), fail);
  });
  reply({ ready: true });
} catch (error) {
  fail(error);
}
