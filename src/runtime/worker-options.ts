import type { LoadedManifest } from '../manifest/index.ts';
import type { EventStore } from '../store/port.ts';
import type { Clock } from './clock.ts';
import type { CredentialSources } from './credential-sources.ts';
import type { Program } from './program.ts';
import type { WorkerCrashPoint, WorkerListener } from './progress.ts';

export interface WorkerOptions {
  /** What `pawl build` wrote: path of `manifest.json` or of its directory, or a manifest that was read already. */
  manifest?: string | LoadedManifest;
  /** Instead of `manifest`: a program that is in memory. */
  program?: Program;
  /** Where runs are kept; see `openStore`. The worker does not close it. */
  store: EventStore;
  /** Attempts of steps that run at once; default 100. */
  concurrency?: number;
  /** Runs that are kept in memory; default 1,000. Further ones wait, idle ones make room. */
  maxRuns?: number;
  /** How long workflow code may run without waiting for anything, ms; default 10,000. A run that exceeds it is parked. */
  activationTimeout?: number;
  /** How long the worker's runs stay its own when it is not heard of, ms; default 15,000. */
  lease?: number;
  /** Told what happens. */
  onEvent?: WorkerListener;
  /** Time for sleeps, retries and timeouts; default the machine's. */
  clock?: Clock;
  /**
   * Where the handler of `createHandler` is reached from outside, for the URLs of webhooks; default: what `PAWL_BASE_URL` says. A run
   * keeps the one with which it made its first webhook.
   */
  baseUrl?: string;
  /** Where values of credentials come from, for all actions of this process. */
  credentials?: CredentialSources;
  /** Whether to begin only when the credentials of all workflows are set; default false: then it is looked when a run is started. */
  requireCredentials?: boolean;
  /** Makes ids of runs; default ULIDs. */
  newId?: () => string;
  /** Makes seeds of runs; default random. */
  newSeed?: () => string;
  /**
   * Whether to take what waits in the store; default true. With false only runs that this worker starts itself, that somebody waits
   * for through it, or that it is told to `take`.
   */
  claim?: boolean;
  /** For tests of crashes. */
  crashPoint?: (point: WorkerCrashPoint) => void;
}
