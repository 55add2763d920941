/**
 * A store as one worker sees it over a bad line: requests and answers come late, fail before they are done or after, and while the line is
 * cut nothing comes through at all. The order of the worker's requests is kept, as a store promises.
 */
import { StoreError } from '../../src/store/errors.ts';
import type { AppendChunksRequest, AppendRequest, EventStore, StoreChange } from '../../src/store/port.ts';
import type { Random } from './random.ts';

/** Defects to be found: what would be wrong with a store or a worker. */
export type Defect =
  | 'forgets-fences'
  | 'acknowledges-early'
  | 'loses-payloads'
  | 'appends-twice'
  | 'lets-zombies-write';

export interface Line {
  /** Nothing comes through. */
  cut: boolean;
  /** The process at this end is gone: no answer reaches anybody. */
  dead: boolean;
  /** How many requests fail or come late, 0 to 1. */
  trouble: number;
}

const WRITES = [
  'createRun',
  'append',
  'registerOwner',
  'renewOwner',
  'removeOwner',
  'claim',
  'claimRun',
  'release',
  'takeBackOffers',
  'endOffer',
  'putBundle',
] as const;

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export function faultyStore(
  store: EventStore,
  line: Line,
  random: Random,
  {
    appended,
    written,
    taken,
    defect,
  }: {
    appended(request: AppendRequest): void;
    written(request: AppendChunksRequest): void;
    /** A worker makes a step of another one's run. */
    taken(key: string): void;
    defect: Defect | null;
  },
): EventStore {
  let requests: Promise<unknown> = Promise.resolve();
  let answers: Promise<unknown> = Promise.resolve();

  const open = async (): Promise<void> => {
    while (line.cut) await wait(20);
    // Whoever asked is gone; nobody waits for this promise.
    if (line.dead) await new Promise(() => {});
  };

  const ask = <T>(work: () => Promise<T>): Promise<T> => {
    const inTrouble = random.chance(line.trouble);
    const kind = inTrouble ? random.pick(['late', 'late answer', 'fails before', 'fails after'] as const) : 'fine';
    const ms = random.below(60);
    const done = requests.then(async () => {
      if (kind === 'late') await wait(ms);
      await open();
      if (kind === 'fails before') throw new StoreError('PAWL_STORE_IO', 'simulated: not done.');
      return work();
    });
    requests = done.catch(() => {});
    const after = answers;
    const answer = (async () => {
      const result = await done.then(
        (value) => ({ value, error: null }),
        (error: unknown) => ({ value: null as T, error }),
      );
      await after;
      if (kind === 'late answer') await wait(ms);
      await open();
      if (result.error !== null) throw result.error;
      if (kind === 'fails after') throw new StoreError('PAWL_STORE_IO', 'simulated: done, and nobody knows.');
      return result.value;
    })();
    answers = answer.catch(() => {});
    return answer;
  };

  const append: EventStore['append'] = async (request) => {
    if (defect === 'acknowledges-early' && random.chance(0.3)) {
      void ask(async () => store.append(request)).catch(() => {});
      // As far as anybody can know, it is done.
      appended(request);
      return { ok: true, lastSeq: request.afterSeq + request.events.length };
    }
    return ask(async () => {
      let wanted = request;
      if (defect === 'forgets-fences') {
        const run = await store.getRun(request.runId);
        if (run?.owner) wanted = { ...request, fence: run.fence, afterSeq: run.lastSeq };
      }
      if (defect === 'loses-payloads' && wanted.consume?.length) {
        wanted = { ...wanted, events: wanted.events.filter(({ type }) => type !== 'hook_received') };
      }
      const result = await store.append(wanted);
      if (result.ok) appended(wanted);
      if (defect === 'appends-twice' && result.ok && random.chance(0.1)) {
        const results = wanted.events.filter(({ type }) => type === 'step_completed');
        await store.append({ ...wanted, afterSeq: result.lastSeq, events: results, consume: [] });
      }
      return result;
    });
  };

  const appendChunks: EventStore['appendChunks'] = (request) =>
    ask(async () => {
      let { writer } = request;
      if (defect === 'lets-zombies-write') {
        // The worker is held for dead before this arrives.
        if (random.chance(0.2)) await wait(2_000);
        const run = await store.getRun(writer.runId);
        if (run) writer = { runId: writer.runId, fence: run.fence, by: writer.by };
      }
      const result = await store.appendChunks({ ...request, writer });
      if (result.ok) written(request);
      return result;
    });

  const takeOffers: EventStore['takeOffers'] = (request) =>
    ask(async () => {
      const steps = await store.takeOffers(request);
      for (const { runId, cid } of steps) taken(`${runId}-${cid}`);
      return steps;
    });

  const faulty = new Proxy(store, {
    get(target, key) {
      if (key === 'append') return append;
      if (key === 'takeOffers') return takeOffers;
      if (key === 'appendChunks') return appendChunks;
      // A commit at the end of the turn is as good.
      if (key === 'flush') return undefined;
      const value = Reflect.get(target, key, target) as unknown;
      if (typeof value !== 'function') return value;
      const method = value.bind(target) as (...args: unknown[]) => unknown;
      if (key === 'subscribe') {
        return (listener: (change: StoreChange) => void) =>
          target.subscribe((change) => {
            if (line.cut || line.dead) return;
            listener(change);
            // Notifications may come twice.
            if (random.chance(0.05)) listener(change);
          });
      }
      if ((WRITES as readonly string[]).includes(String(key)))
        return (...args: unknown[]) => ask(async () => method(...args) as Promise<unknown>);
      return async (...args: unknown[]) => {
        await open();
        const result = await (method(...args) as Promise<unknown>);
        await open();
        return result;
      };
    },
  });
  return faulty;
}
