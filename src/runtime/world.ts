/**
 * Where `start`, `getRun` and the others look: the worker that was made in this process, or else a store alone. Kept on
 * `globalThis`, because pawl may be loaded in several copies.
 */
import type { EventStore } from '../store/port.ts';
import type { KeepStream } from './given-streams.ts';
import type { Codec } from './serialization/codec.ts';
import type { RunEnd } from './run-end.ts';

/** What a caller wants to start. */
export interface StartRequest {
  workflowId: string;
  args: unknown[];
  /** The definition, when the caller has it; it checks the input. */
  definition?: unknown;
  runId?: string;
  /** Says where a stream is to be kept that is among the arguments of the run. */
  keep?: KeepStream;
}

/** What the client needs of a worker. */
export interface World {
  readonly store: EventStore;
  readonly codec: Codec;
  now(): number;
  /** Resolves when the run is durable. */
  startRun(request: StartRequest): Promise<string>;
  /** Resolves when the run has ended or is parked. Pushed, never polled. */
  whenEnded(runId: string): Promise<RunEnd>;
  /** Resolves when the payload is kept. */
  resumeHook(token: string, payload: unknown): Promise<{ runId: string }>;
}

const KEY = Symbol.for('pawl.world.1');

type Holder = Record<symbol, World[] | undefined>;

function worlds(): World[] {
  const holder = globalThis as unknown as Holder;
  holder[KEY] ??= [];
  return holder[KEY];
}

/** Makes a world the default one. Returns what takes it away again. */
export function enterWorld(world: World): () => void {
  worlds().push(world);
  return () => {
    const index = worlds().indexOf(world);
    if (index >= 0) worlds().splice(index, 1);
  };
}

/** The newest world of this process. */
export function defaultWorld(): World | undefined {
  return worlds().at(-1);
}
